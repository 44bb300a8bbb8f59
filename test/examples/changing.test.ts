/** Examples that change what others depend on. */
import { expect, test } from "vitest";
import { bothLives } from "./stage.ts";

test("dependency-update commits each update that passes, with the code adapted where needed, and takes others back", async () => {
  const { output, journal, stage } = await bothLives((stage) => {
    const installed = { plain: "1.0.0", picky: "1.0.0", "@odd/broken": "1.0.0", old: "1.0.0" };
    stage.write("installed.json", JSON.stringify(installed));
    stage.write("app.mjs", "export const speaks = 1;\n");
    stage.write(
      "check.mjs",
      `import { readFileSync } from "node:fs";
import { speaks } from "./app.mjs";
const at = JSON.parse(readFileSync("installed.json", "utf8"));
if (Number(at.picky[0]) !== speaks) throw new Error("picky " + at.picky + " is spoken to in version " + speaks);
if (at["@odd/broken"] !== "1.0.0") throw new Error("broken is broken");
`,
    );
    stage.write(
      "update.mjs",
      `import { readFileSync, writeFileSync } from "node:fs";
const [, name, version] = /^(.+)@(.+)$/.exec(process.argv[2]);
writeFileSync("installed.json", JSON.stringify({ ...JSON.parse(readFileSync("installed.json", "utf8")), [name]: version }));
`,
    );
    const entry = (latest: string) => ({ current: "1.0.0", wanted: "1.0.0", latest });
    const report = {
      plain: entry("1.2.0"),
      picky: entry("2.0.0"),
      "@odd/broken": entry("3.0.0"),
      old: entry("1.0.0"),
    };
    stage.commit("Begin");
    return {
      example: "dependency-update",
      input: {
        outdated: `echo '${JSON.stringify(report)}'; exit 1`,
        to: "latest",
        update: `${stage.note("update {name}")}; node update.mjs {name}@{version}`,
        install: stage.note("install"),
        test: `${stage.note("test")}; node check.mjs`,
        rounds: 1,
      },
      parts: [
        {
          name: "adapt to picky",
          prompt: ["The package picky was updated from 1.0.0 to 2.0.0", "is spoken to in version 1"],
          steps: [
            { patch: { path: "app.mjs", from: "= 1", to: "= 2" } },
            { answer: { files: ["app.mjs"], why: "it speaks 2 now" } },
          ],
        },
        {
          name: "give up on broken",
          prompt: "The package @odd/broken",
          steps: [{ answer: { files: [], why: "3.0.0 is faulty" } }],
        },
      ],
      cut: { leaf: "adapt:picky", part: "adapt to picky" },
    };
  });
  expect(output).toEqual({
    updated: [
      { name: "plain", from: "1.0.0", to: "1.2.0", adapted: [] },
      { name: "picky", from: "1.0.0", to: "2.0.0", adapted: ["app.mjs"] },
    ],
    left: [{ name: "@odd/broken", why: "3.0.0 is faulty" }],
  });
  expect(journal.join(", ")).toBe(
    "update plain, test, " +
      "update picky, test, adapt to picky, test, " +
      "update @odd/broken, test, give up on broken, test, install",
  );
  expect(stage.git("log", "--format=%s")).toBe(
    "Update picky from 1.0.0 to 2.0.0\nUpdate plain from 1.0.0 to 1.2.0\nBegin",
  );
  expect(stage.git("status", "--porcelain")).toBe("");
});

test("guarded-deploy asks again when the checkout moved, and deploys what was approved", async () => {
  const { output, journal, stage } = await bothLives((stage) => {
    stage.write("page.html", "one\n");
    stage.commit("One");
    return {
      example: "guarded-deploy",
      input: {
        test: `${stage.note("test")}; test -s page.html`,
        plan: "echo would copy page.html of {head}: && cat page.html",
        deploy: `${stage.pause}; ${stage.note("deploy")}; cp page.html .git/live`,
        verify: "cmp page.html .git/live",
        rollback: stage.note("rollback"),
      },
      parts: [],
      people: [
        (on) => {
          on.write("page.html", "two\n");
          on.commit("Two");
          return ["approve", "r1"];
        },
        () => ["approve", "r1", "go", "--note", "two is fine"],
      ],
      cut: { leaf: "deploy" },
    };
  });
  expect(output).toMatchObject({ deployed: true, head: stage.git("rev-parse", "HEAD"), note: "two is fine" });
  expect(journal).toEqual(["test", "test", "deploy"]);
  expect(stage.read(".git/live")).toBe("two\n");
});

test("guarded-deploy rolls back what is not well, and ends as not met", async () => {
  const { journal, said } = await bothLives((stage) => {
    stage.write("page.html", "one\n");
    stage.commit("One");
    return {
      example: "guarded-deploy",
      input: {
        test: "true",
        plan: "echo nothing to see",
        deploy: stage.note("deploy"),
        verify: `${stage.note("verify")}; echo it answers 503; false`,
        rollback: `${stage.pause}; ${stage.note("rollback")}`,
        watch: 0,
      },
      parts: [],
      people: [() => ["approve", "r1"]],
      cut: { leaf: "rollback" },
      mayFail: ["verify"],
      code: 10,
    };
  });
  expect(journal).toEqual(["deploy", "verify", "rollback"]);
  expect(said).toContain('saga "deployment" was taken back');
  expect(said).toContain("it answers 503");
});
