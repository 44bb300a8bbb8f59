import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configMigrate } from "./config-migrate.ts";
import { configPrint } from "./config-print.ts";
import { configValidate } from "./config-validate.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "config-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const keep = (path: string, text: string): string => {
  const whole = join(folder, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, text);
  return whole;
};
const read = (path: string): string => readFileSync(join(folder, path), "utf8");
const workflow =
  "---\n# Warm.\nhooks: { before_run: npm ci }\npolling: {interval_ms: 1}\n---\nDo {{ issue.title }}.\n";

describe("`config validate`", () => {
  test("says what is wrong at file, line and column, and ends with 4", async () => {
    keep(".forgehand.yml", "limits:\n  attemps: 3\n");
    expect(await configValidate(folder, {})).toMatchObject({
      exit: 4,
      text: ".forgehand.yml:2:3: Unknown key `limits.attemps`. Did you mean `attempts`?",
      data: { problems: [{ path: ".forgehand.yml", line: 2, column: 3 }] },
    });
  });

  test("under GitHub Actions puts each fault on its line, and no value can begin another command", async () => {
    const path = keep("a,b.yml", 'limits: { attempts: "1\\n::set-output name=x::%" }\n');
    const { text } = await configValidate(path, { GITHUB_ACTIONS: "true" });
    const commands = text.split("\n").filter((line) => line.startsWith("::"));
    expect(commands).toHaveLength(1);
    expect(commands[0]).toMatch(/^::error file=[^:]*a%2Cb\.yml,line=1,col=11,title=[^:]+::Wrong value/u);
  });

  test("judges personas and panels of a checkout as the server does", async () => {
    keep(".github/forgehand.yml", "review:\n  panel: [nobody]\n");
    keep(".forgehand/personas/mine.md", "no front matter\n");
    const { text, exit } = await configValidate(folder, {});
    expect(exit).toBe(4);
    expect(text).toContain(".github/forgehand.yml:2:3: There is no persona `nobody`");
    expect(text).toContain(".forgehand/personas/mine.md:1:1: ");
  });

  test("tells what of a workflow file is left out, which is no fault", async () => {
    keep("WORKFLOW.md", workflow);
    expect(await configValidate(folder, { GITHUB_ACTIONS: "true" })).toMatchObject({
      exit: 0,
      text: expect.stringMatching(
        /^WORKFLOW\.md:4:11: `polling\.interval_ms` is left out: .*\n::notice file=WORKFLOW\.md,line=4,.*\nWORKFLOW\.md: nothing is wrong$/u,
      ) as unknown,
    });
  });

  test("says of a key that counts otherwise how, and not that it is left out", async () => {
    keep("WORKFLOW.md", "---\nhooks: { timeout_ms: 1500 }\n---\nDo.\n");
    const { text } = await configValidate(folder, {});
    expect(text).toContain("WORKFLOW.md:2:10: `hooks.timeout_ms`: taken as 2 seconds.");
  });

  test.each([
    ["", "the defaults hold"],
    [".github/forgehand.yml", "nothing is wrong"],
  ])("is content with %j", async (path, says) => {
    if (path !== "") keep(path, "extends: base\n");
    const { text, exit, hint } = await configValidate(folder, {});
    expect([exit, text]).toEqual([0, expect.stringContaining(says)]);
    // What it rests upon is in no checkout, and that is told.
    expect(hint).toContain("is not looked at");
  });

  test("of what does not exist says what may be named", async () => {
    await expect(configValidate(join(folder, "none"), {})).rejects.toMatchObject({ exit: 5 });
  });
});

describe("`config print`", () => {
  test("tells each value with the line that says it", async () => {
    keep(".github/forgehand.yml", "version: 1\nlimits: { attempts: 7 }\npaths: { protected: [db/**] }\n");
    const { text } = await configPrint(folder, { origin: true });
    const rows = new Map(text.split("\n").map((line) => [line.split("\t")[0], line.split("\t").slice(1)]));
    expect(rows.get("limits.attempts")).toEqual(["7", ".github/forgehand.yml:2"]);
    expect(rows.get("limits.cycles")).toEqual(["3", "default"]);
    expect(rows.get("paths.protected")?.[1]).toBe(".github/forgehand.yml:3, default");
    const { text: whole, hint } = await configPrint(folder);
    expect(whole).toContain("attempts: 7\n");
    expect(hint).toBeUndefined();
  });

  test("leaves out what is wrong, and says so", async () => {
    keep(".github/forgehand.yml", "limits: { attempts: many, cycles: 2 }\n");
    const { text, hint } = await configPrint(folder, { origin: true });
    expect(text).toContain("limits.attempts\t3\tdefault");
    expect(text).toContain("limits.cycles\t2\t");
    expect(hint).toContain("1 part is wrong");
  });
});

describe("`config migrate`", () => {
  test("shows the file, and writes it only when asked", async () => {
    keep("WORKFLOW.md", workflow);
    const shown = await configMigrate(folder);
    expect(shown.text).toContain("+  before_run: npm ci");
    expect(shown.hint).toContain("Nothing is written yet");
    expect(() => read(".github/forgehand.yml")).toThrow("ENOENT");
    const { data } = await configMigrate(folder, { write: true });
    expect(read(".github/forgehand.yml")).toBe((data as { readonly text: string }).text);
    expect(await configValidate(folder, {})).toMatchObject({ exit: 0 });
    // Again there is nothing to do but what would overwrite.
    await expect(configMigrate(folder, { write: true })).rejects.toMatchObject({ exit: 4 });
  });

  test("takes nothing over that is wrong", async () => {
    keep("WORKFLOW.md", "---\nhooks: { before_run: [ls] }\n---\n{{ issue.x }}\n");
    await expect(configMigrate(folder, { write: true })).rejects.toThrow(/WORKFLOW\.md:2:10: [\s\S]*:4:1: /u);
    expect(() => read(".github/forgehand.yml")).toThrow("ENOENT");
  });

  test.each([".github/forgehand.yml", ".forgehand.yml"])("leaves %s as it is", async (path) => {
    keep(path, "version: 1\n");
    expect(await configMigrate(folder, { write: true })).toMatchObject({ data: { written: false } });
    keep("WORKFLOW.md", workflow);
    await expect(configMigrate(folder, { write: true })).rejects.toThrow("is not overwritten");
    expect(read(path)).toBe("version: 1\n");
  });

  test("of a file in a folder of a checkout writes into the checkout", async () => {
    keep(".git/HEAD", "");
    const path = keep("docs/flow.md", workflow);
    await configMigrate(path, { write: true });
    expect(read(".github/forgehand.yml")).toContain("before_run: npm ci");
  });

  test("takes no file for a prompt that is no Markdown", async () => {
    const path = keep(".github/forgehand.yml", "version: 1\n");
    await expect(configMigrate(path, { write: true })).rejects.toMatchObject({ exit: 4 });
    expect(() => read(".github/.github/forgehand.yml")).toThrow("ENOENT");
  });

  test("where there is nothing says so", async () => {
    keep("WORKFLOW.md", "# How we work\n");
    await expect(configMigrate(folder)).rejects.toMatchObject({ exit: 5 });
  });
});
