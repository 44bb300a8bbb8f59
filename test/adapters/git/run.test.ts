import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { gitRunner } from "../../../src/adapters/git/run.ts";

let folder: string;
const searchPath = process.env["PATH"] ?? "";
const patienceMs = 60_000;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "git-run-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A program called git that does this. */
async function played(name: string, script: string): Promise<string> {
  const bin = join(folder, name);
  await mkdir(bin);
  await writeFile(join(bin, "git"), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, "git"), 0o755);
  return `${bin}:${searchPath}`;
}

describe("a git process of this host", () => {
  test("is given what it reads, and answers with every byte it wrote", async () => {
    const git = gitRunner(await played("cat", "cat; printf ' \\n\\n'"), patienceMs);
    expect(await git({ in: { mirror: folder }, input: "one\0two" }, "cat-file")).toBe("one\0two \n\n");
  });

  test("may say nothing at all, and end before it has read everything", async () => {
    const git = gitRunner(await played("deaf", "exit 0"), patienceMs);
    expect(await git({ in: { mirror: folder }, input: "x".repeat(4_000_000) }, "update-index")).toBe("");
  });

  test("that says nothing is not waited for once it has ended", async () => {
    const git = gitRunner(await played("quiet", "exit 0"), patienceMs);
    const timers = vi.spyOn(globalThis, "setTimeout");
    try {
      await git({ in: { mirror: folder } }, "update-ref");
      expect(timers.mock.calls.filter(([, ms]) => ms !== patienceMs)).toEqual([]);
    } finally {
      timers.mockRestore();
    }
  });

  test("that has ended is heard to the end, however late its words come", async () => {
    const git = gitRunner(await played("late", "(sleep 0.3; echo late) & echo early"), patienceMs);
    expect(await git({ in: { mirror: folder } }, "log")).toBe("early\nlate\n");
  });

  test("ends with a code that is an answer", async () => {
    const git = gitRunner(await played("answer", "echo differs; exit 1"), patienceMs);
    expect(await git({ in: { mirror: folder }, answers: [1] }, "diff")).toBe("differs\n");
  });

  test.each([
    ["words", "echo CONFLICT here; echo fatal: no >&2; exit 2", "CONFLICT here\nfatal: no"],
    ["silent", "exit 3", "it ended with 3"],
    ["ended", "kill -9 $$", "it was killed"],
    ["large", "head -c 70000000 /dev/zero", "more than 67108864 bytes"],
    ["disk", "echo 'fatal: No space left on device' >&2; exit 128", "the disk is full"],
  ])("that fails is told with what is known of it: %s", async (name, script, why) => {
    const git = gitRunner(await played(name, script), patienceMs);
    await expect(git({ in: { mirror: folder } }, "status")).rejects.toThrow(why);
  });

  test("that does not end is ended", async () => {
    const git = gitRunner(await played("slow", "exec sleep 60"), 50);
    await expect(git({ in: { mirror: folder } }, "status")).rejects.toThrow("it took too long");
  });

  test("that has ended and left somebody behind who holds its output is not waited for without end", async () => {
    const git = gitRunner(await played("holder", "sleep 20 & echo hi; exit 0"), 100);
    await expect(git({ in: { mirror: folder } }, "status")).rejects.toThrow("it took too long");
  });

  test("in a folder that is gone says so, and not that git is missing", async () => {
    const gone = join(folder, "gone");
    const git = gitRunner(searchPath, patienceMs);
    await expect(git({ in: { mirror: gone } }, "status")).rejects.toMatchObject({
      code: "git-failed",
      message: expect.stringContaining("does not exist"),
    });
  });

  test("that is not installed is missing", async () => {
    const git = gitRunner(join(folder, "nowhere"), patienceMs);
    await expect(git({ in: { mirror: folder } }, "status")).rejects.toMatchObject({ code: "git-missing" });
  });

  test("told more than the system takes is trouble like any other", async () => {
    const git = gitRunner(searchPath, patienceMs);
    const long = "x".repeat(4_000_000);
    await expect(git({ in: { mirror: folder } }, "add", long)).rejects.toMatchObject({ code: "git-failed" });
  });
});
