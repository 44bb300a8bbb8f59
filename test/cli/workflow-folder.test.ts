import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeFolder } from "../../src/cli/workflow-folder.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "workflow-folder-"));
  execFileSync("git", ["init", "-q"], { cwd: dir });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const status = (): string =>
  execFileSync("git", ["status", "--porcelain", "-uall"], { cwd: dir, encoding: "utf8" });

test("runs leave a repository clean, and workflow files beside them are seen", () => {
  makeFolder(join(dir, ".forgehand/workflows.db"));
  writeFileSync(join(dir, ".forgehand/workflows.db"), "");
  expect(status()).toBe("");
  mkdirSync(join(dir, ".forgehand/workflows"));
  writeFileSync(join(dir, ".forgehand/workflows/mine.tsx"), "");
  expect(status()).toBe("?? .forgehand/workflows/mine.tsx\n");
});

test("a folder that is there already, or is called otherwise, is left as it is", () => {
  mkdirSync(join(dir, ".forgehand"));
  makeFolder(join(dir, ".forgehand/workflows.db"));
  makeFolder(join(dir, "runs/workflows.db"));
  expect(existsSync(join(dir, ".forgehand/.gitignore"))).toBe(false);
  expect(existsSync(join(dir, "runs/.gitignore"))).toBe(false);
});
