import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { topicList } from "../../src/cli/help-topic-list.ts";
import { exitCodesHelp, settingsHelp } from "../../src/cli/help-topics.ts";
import { exitCodes } from "../../src/problems.ts";
import { run } from "./run.ts";

const operators = readFileSync(new URL("../../docs/operators.md", import.meta.url), "utf8");

describe("help", () => {
  test.each([
    [["--help"]],
    [["help", "up"]],
    [["help", "demo"]],
    [["help", "ps"]],
    [["help", "logs"]],
    [["ledger", "help", "verify"]],
    [["help", "doctor"]],
  ])("%j", async (argv) => {
    const { code, out } = await run(argv);
    expect(out).toMatchSnapshot();
    expect(code).toBe(0);
  });

  test("a bare call shows it, too", async () => {
    expect((await run([])).out).toBe((await run(["--help"])).out);
  });

  test("an unknown command suggests the one that was meant", async () => {
    const { code, err } = await run(["inpsect", "6"]);
    expect(err).toContain("Did you mean inspect?");
    expect(code).toBe(4);
  });

  test("every verb of workflows that people are told to type exists", async () => {
    const root = new URL("../../", import.meta.url);
    const told = globSync(["README.md", "docs/*.md", "src/**/*.ts", "examples/*"], { cwd: root })
      .map((path) => readFileSync(new URL(path, root), "utf8"))
      .flatMap((text) => [...text.matchAll(/forgehand workflow ([a-z]+)/gu)].map(([, verb = ""]) => verb));
    const { out } = await run(["workflow", "--help"]);
    const verbs = [...out.matchAll(/^ {2}([a-z|]+) /gmu)].flatMap(([, names = ""]) => names.split("|"));
    expect(verbs.length).toBeGreaterThan(10);
    expect([...new Set(told)].filter((verb) => !verbs.includes(verb))).toEqual([]);
  });

  test("the version is the package's", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect((await run(["--version"])).out).toBe(`${version}\n`);
  });

  test("its topics list every exit code and every setting", async () => {
    const codes = (await run(["help", "exit-codes"])).out;
    for (const code of Object.values(exitCodes)) {
      expect(exitCodesHelp[code]).toBeDefined();
      expect(codes).toContain(`\n${code}  `.trimStart());
    }
    const settings = (await run(["help", "environment"])).out;
    for (const name of Object.keys(settingsHelp)) expect(settings).toContain(`FORGEHAND_${name} `);
  });

  test("its topics are listed, and each is told", async () => {
    const { out: help } = await run(["--help"]);
    for (const [name, about] of Object.entries(topicList)) {
      expect(help).toMatch(new RegExp(`forgehand help ${name} +${about}`, "u"));
      const { code, out } = await run(["help", name]);
      expect([code, out.split("\n").length > 8]).toEqual([0, true]);
    }
    expect((await run(["help", "labels"])).out).toContain("auto-merge");
  });

  test("the manual page names every command and setting, and no line of it is a request by accident", async () => {
    const { out: page } = await run(["man"]);
    const { out: help } = await run(["--help"]);
    const verbs = [...help.matchAll(/^ {2}([a-z][a-z-]+)/gmu)].map(([, name = ""]) =>
      name.replaceAll("-", "\\-"),
    );
    expect(verbs.length).toBeGreaterThan(20);
    for (const verb of verbs.filter((one) => one !== "forgehand" && one !== "help"))
      expect(page).toContain(`.B forgehand ${verb}`);
    for (const name of Object.keys(settingsHelp)) expect(page).toContain(`.B FORGEHAND_${name}\n`);
    const requests = new Set([...page.matchAll(/^\.(\S+)/gmu)].map(([, name]) => name));
    expect(requests).toEqual(new Set(["B", "PP", "RE", "RS", "SH", "TH", "TP", "fi", "nf", "nh"]));
  });

  test("config schema prints JSON schema", async () => {
    const { out } = await run(["config", "schema"]);
    expect(JSON.parse(out)).toMatchObject({ title: "forgehand configuration", type: "object" });
  });
});

test("docs/operators.md names every setting", () => {
  for (const name of Object.keys(settingsHelp)) expect(operators).toContain(`\`FORGEHAND_${name}\``);
});
