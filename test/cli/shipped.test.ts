/** What the build binds into few files finds all of its parts there. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { run } from "./run.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "forgehand-shipped-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("bootstrap reads a clone, and says what it would write", async () => {
  const identity = ["-c", "user.name=ada", "-c", "user.email=ada@example.com"];
  execFileSync("git", ["init", "-q", "-b", "main", dir]);
  execFileSync("git", [...identity, "-C", dir, "commit", "-q", "--allow-empty", "-m", "Begin"]);
  const { code, out, err } = await run(["bootstrap", dir, "--dry-run"], { HOME: dir }, dir);
  expect([code, err]).toEqual([0, expect.not.stringContaining("rror")]);
  expect(out).toContain("AGENTS.md");
});
