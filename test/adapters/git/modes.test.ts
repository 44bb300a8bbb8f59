import { linkSync, writeFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { close } from "../../../src/adapters/git/modes.ts";
import { run } from "./stage.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "modes-"));
  await mkdir(join(home, "tree/deep"), { recursive: true });
});
afterEach(async () => {
  await run("chmod", ["-R", "u+rwX", home]);
  await rm(home, { recursive: true, force: true });
});
const modeOf = async (path: string | Buffer) => (await stat(path)).mode & 0o777;

test("everything in a tree is closed, and what may be run still may", async () => {
  await writeFile(join(home, "tree/deep/tool.sh"), "#!/bin/sh\n");
  await chmod(join(home, "tree/deep/tool.sh"), 0o755);
  await Promise.all(Array.from({ length: 450 }, (_, at) => writeFile(join(home, "tree", `f${at}`), "")));
  await close(join(home, "tree"));
  for (const path of ["tree", "tree/deep", "tree/f0", "tree/f449"])
    expect((await modeOf(join(home, path))) & 0o222).toBe(0);
  expect(await modeOf(join(home, "tree/deep/tool.sh"))).toBe(0o555);
});

test("a link is left alone, with all that it leads to", async () => {
  await mkdir(join(home, "outside"));
  await symlink(join(home, "outside"), join(home, "tree/link"));
  await symlink("nowhere", join(home, "tree/dangling"));
  await close(join(home, "tree"));
  expect((await modeOf(join(home, "outside"))) & 0o200).toBe(0o200);
});

test("a pipe does not hold it up, and a folder may have any number of files", async () => {
  await run("mkfifo", [join(home, "tree/pipe")]);
  await mkdir(join(home, "tree/many"));
  // More than fit on the stack as arguments.
  for (let at = 0; at < 140_000; at += 1) {
    const path = join(home, `tree/many/${at}`);
    // A file has no more than 65,000 names.
    if (at % 50_000 === 0) writeFileSync(path, "");
    else linkSync(join(home, `tree/many/${at - (at % 50_000)}`), path);
  }
  await close(join(home, "tree"));
  expect((await modeOf(join(home, "tree/pipe"))) & 0o222).toBe(0);
});

test("a name need not be text", async () => {
  const path = Buffer.concat([Buffer.from(`${home}/tree/`), Buffer.from("na\xefve", "latin1")]);
  await writeFile(path, "");
  await close(join(home, "tree"));
  expect((await modeOf(path)) & 0o222).toBe(0);
});

test("what cannot be closed is told with its place", async () => {
  await expect(close(join(home, "nowhere"))).rejects.toMatchObject({
    code: "git-mode",
    message: expect.stringContaining(join(home, "nowhere")),
  });
});
