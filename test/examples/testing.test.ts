/** Examples about tests that fail. */
import { expect, test } from "vitest";
import { bothLives, type Stage } from "./stage.ts";

test("coverage-loop has tests written until the figure reaches the target, and takes back what is no test", async () => {
  const { output, journal, stage } = await bothLives((stage) => {
    // Covered is what a test names.
    stage.write(
      "lib.mjs",
      "export const one = () => 1;\nexport const two = () => 2;\nexport const three = () => 3;\nexport const four = () => 4;\n",
    );
    stage.write(
      "test/one.mjs",
      'import { one } from "../lib.mjs";\nif (one() !== 1) throw new Error("one");\n',
    );
    stage.write(
      "measure.mjs",
      `import { readdirSync, readFileSync } from "node:fs";
const tests = readdirSync("test").map((name) => new URL("test/" + name, import.meta.url));
for (const test of tests) await import(test);
const text = tests.map((test) => readFileSync(test, "utf8")).join("");
const all = ["one", "two", "three", "four"];
console.log("All files | " + (100 * all.filter((name) => text.includes(name + "()")).length) / all.length + " |");
`,
    );
    stage.commit("Begin");
    const writes = (name: string, value: number) => ({
      write: {
        path: `test/${name}.mjs`,
        text: `import { ${name} } from "../lib.mjs";\nif (${name}() !== ${value}) throw new Error("${name}");\n`,
      },
    });
    return {
      example: "coverage-loop",
      input: { measure: `${stage.note("measure")}; node measure.mjs`, target: 75 },
      parts: [
        {
          name: "write two",
          prompt: ["it is 25 %, and 75 % are wanted", "All files | 25 |"],
          steps: [
            writes("two", 2),
            { run: "echo '// touched' >> lib.mjs" },
            { answer: { files: ["test/two.mjs"], why: "two" } },
          ],
        },
        {
          name: "write three",
          prompt: ["it is 50 %", 'take that back: ["lib.mjs"]'],
          steps: [
            writes("three", 3),
            { run: "git checkout -q lib.mjs" },
            { answer: { files: ["test/three.mjs"], why: "three" } },
          ],
        },
      ],
      cut: { leaf: "write", part: "write three" },
    };
  });
  expect(output).toEqual({ from: 25, to: 75, rounds: 2, files: ["test/three.mjs", "test/two.mjs"] });
  expect(journal).toEqual(["measure", "write two", "measure", "write three", "measure"]);
  expect(stage.git("status", "--porcelain", "-uall")).toBe("?? test/three.mjs\n?? test/two.mjs");
});

/** Fails every third time until somebody seeds it. */
function flicker(stage: Stage): void {
  stage.write(
    "flicker.mjs",
    `import { appendFileSync, readFileSync } from "node:fs";
const seeded = false;
appendFileSync(".git/times", "x");
const times = readFileSync(".git/times", "utf8").length;
if (!seeded && times % 3 === 0) throw new Error("expected the queue to be empty");
`,
  );
  stage.commit("Begin");
}

test("flake-hunter finds out how often a test fails, has the cause mended, and proves it", async () => {
  const { output, journal } = await bothLives((stage) => {
    flicker(stage);
    return {
      example: "flake-hunter",
      input: { test: `${stage.note("test")}; node flicker.mjs`, times: 4 },
      parts: [
        {
          name: "mend",
          prompt: ["1 of 4 runs failed", "Output of failure 1 (quoted", "expected the queue to be empty"],
          steps: [
            { patch: { path: "flicker.mjs", from: "seeded = false", to: "seeded = true" } },
            { answer: { cause: "chance, flicker.mjs:2", change: "It is seeded.", files: ["flicker.mjs"] } },
          ],
        },
      ],
      cut: { leaf: "mend", part: "mend" },
    };
  });
  expect(output).toEqual({
    verdict: "mended",
    failed: 1,
    of: 4,
    cause: "chance, flicker.mjs:2",
    files: ["flicker.mjs"],
  });
  expect(journal).toEqual([...Array<string>(4).fill("test"), "mend", ...Array<string>(4).fill("test")]);
});

test("bisect finds the commit that broke a command around one that cannot be judged, and has it explained", async () => {
  let broken = "";
  const { output, journal, stage } = await bothLives((stage) => {
    const commit = (n: number, text: string): string => {
      stage.write("value.mjs", `export const value = ${text}; // ${n}\n`);
      return stage.commit(`Step ${n}`);
    };
    stage.write(
      "check.mjs",
      'import { value } from "./value.mjs";\nprocess.exit(value === "unbuilt" ? 125 : value > 0 ? 0 : 1);\n',
    );
    commit(0, "1");
    stage.git("tag", "v1");
    for (const n of [1, 2, 3]) commit(n, "1");
    commit(4, '"unbuilt"');
    commit(5, "2");
    broken = commit(6, "-1");
    commit(7, "-2");
    return {
      example: "bisect",
      input: {
        good: "v1",
        test: `grep -q '// 5' value.mjs && ${stage.pause}; ${stage.note("test")}; node check.mjs`,
      },
      parts: [
        {
          name: "explain",
          prompt: ["Since commit", "Step 6", "export const value = -1"],
          steps: [{ answer: { why: "value.mjs:1 became negative", mend: "make it positive" } }],
        },
      ],
      cut: { leaf: "probe" },
    };
  });
  expect(output).toMatchObject({
    subject: "Step 6",
    author: "A person",
    why: "value.mjs:1 became negative",
    mend: "make it positive",
  });
  expect((output as { guilty: string; suspects: string[] }).suspects).toHaveLength(1);
  expect(broken).not.toBe("");
  // Both ends, then halves.
  expect(journal.filter((line) => line === "test").length).toBeLessThanOrEqual(2 + 4);
  expect(stage.git("worktree", "list").split("\n")).toHaveLength(1);
  expect(stage.git("status", "--porcelain")).toBe("");
});
