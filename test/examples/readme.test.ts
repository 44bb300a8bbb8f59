/** What the examples say of themselves. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadWorkflow } from "../../src/adapters/workflows/file.ts";
import { treeOf } from "#engine";

const folder = fileURLToPath(new URL("../../examples", import.meta.url));
const readme = readFileSync(join(folder, "README.md"), "utf8");
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".tsx"))
  .map((file) => file.slice(0, -".tsx".length));

test("the table names every example and nothing else", () => {
  const rows = [...readme.matchAll(/^\| \[([\w-]+)\]\(\1\.tsx\) \|/gmu)].map(([, name = ""]) => name);
  expect(rows.toSorted()).toEqual(names.toSorted());
  expect(names.length).toBeGreaterThanOrEqual(12);
});

test.each(names)("%s is called as its file, and every input it is shown with fits it", async (name) => {
  const path = join(folder, `${name}.tsx`);
  const workflow = await loadWorkflow(path);
  expect(workflow.name).toBe(name);
  const [comment = ""] = readFileSync(path, "utf8").split("*/");
  expect(comment).toContain(`forgehand workflow run examples/${name}.tsx`);
  const row = readme.split("\n").find((line) => line.startsWith(`| [${name}]`)) ?? "";
  for (const text of [comment, row]) {
    const [, input] = /--input\s+'([^']+)'/u.exec(text.replace(/\s*\n \*\s*/gu, " ")) ?? [];
    expect(treeOf(workflow, JSON.parse(input ?? "no input is shown"))).not.toBe("");
  }
});
