import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { kindAt, textOf } from "../../../src/adapters/git/paths.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "texts-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

test("only a short file of its own has a text, and nothing else holds us up", () => {
  const at = (name: string): string => join(dir, name);
  writeFileSync(at("plain"), " ref: refs/heads/main\n");
  writeFileSync(at("long"), "x".repeat(1024 * 1024 + 1));
  mkdirSync(at("folder"));
  symlinkSync(at("plain"), at("link"));
  // Opened like a file, it would wait for somebody to write into it.
  execFileSync("mkfifo", [at("pipe")]);
  expect(textOf(at("plain"))).toBe("ref: refs/heads/main");
  for (const name of ["long", "folder", "link", "pipe", "none", "plain/below"])
    expect(textOf(at(name)), name).toBeUndefined();
  expect(["plain", "folder", "link", "pipe", "none", "plain/below"].map((name) => kindAt(at(name)))).toEqual([
    "file",
    "directory",
    "link",
    "other",
    "nothing",
    "nothing",
  ]);
});
