/** An agent may close folders even to us: nothing hides in one, and nothing stays because of it. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { openedWide } from "../../../src/adapters/git/modes.ts";
import type { Yard } from "../../../src/adapters/git/yard.ts";
import { run } from "./stage.ts";

/** Modes bind everybody but root. */
const nobody = 65534;

it("closed folders neither hide anything nor keep anything from being done", async () => {
  const who = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, "child.ts")], {
    cwd: "/",
    ...who,
  });
  const { uid, ...said } = JSON.parse(stdout) as Record<string, unknown>;
  expect(uid).not.toBe(0);
  const both = [true, "docs/CLAUDE.md", "docs/new.md"];
  expect(said).toEqual({
    "a read-only checkout is put back, and read-only again": [[], true],
    "what a reviewer wrote in a closed folder is seen, and dropped": ["closed/inner/file.ts"],
    "what a builder left in a closed folder is committed": ["closed/inner/file.ts"],
    "what a builder changed in a folder that can be listed and not entered is seen and committed": both,
    "what a builder changed in a folder that can be entered and not listed is seen and committed": both,
    "what a builder changed in a folder that is open, and its file cannot be read is seen and committed":
      both,
    "agent files in a closed folder of a worktree are put back": "",
    "unpublished work in a closed folder is not dropped": "kept",
    "a worktree with ignored files in closed folders is dropped": "dropped",
    "a person's push arrives in a worktree whose folders are read-only": true,
  });
});

it("what stays closed all the same is named, with what a person can do", async () => {
  const options = { searchPath: process.env["PATH"], limits: { gitMs: 5000 } };
  // Only what setting modes needs of it.
  const yard = { root: "/", options } as unknown as Yard;
  const at = { path: "/nonexistent/tree", admin: "/nonexistent/admin", mirror: "/nonexistent" };
  let tries = 0;
  const work = async () => {
    tries += 1;
    throw Object.assign(new Error("EPERM: operation not permitted, unlink 'x'"), { code: "EPERM" });
  };
  await expect(openedWide(yard, at, work)).rejects.toMatchObject({
    code: "git-leftover",
    permanent: true,
    message: expect.stringMatching(/\/nonexistent\/tree.*unlink 'x'.*chattr -R -i/),
  });
  expect(tries).toBe(2);
});
