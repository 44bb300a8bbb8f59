import { mkdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyOf } from "../../../src/adapters/git/paths.ts";
import type { GitWorkspace } from "../../../src/adapters/git/git.ts";
import type { Remote } from "../../../src/ports.ts";
import { header, openStage, run, token } from "./stage.ts";
import type { Stage } from "./stage.ts";

let stage: Stage;
let home = "";
let remote: Remote;
let space: GitWorkspace;
beforeAll(async () => {
  stage = await openStage();
  ({ home, remote, space } = stage);
  await stage.push("main", { ".gitattributes": "*.txt filter=evil\n" });
});
afterAll(() => stage.close());
const id = (name: string) => name;

describe("the git workspace", () => {
  it("keeps work over a repeated prepare, publishes once and says when the branch moved", async () => {
    const first = await space.prepare(id("a"), remote, "hand/a", {});
    await writeFile(join(first.path, "new.md"), "x");
    const again = await space.prepare(id("a"), remote, "hand/a", {});
    expect(await readFile(join(again.path, "new.md"), "utf8")).toBe("x");
    expect(await space.drop(id("a"), remote, {})).toMatchObject({ is: "kept" });
    const sha = await space.commit(again, "Add new");
    expect(await space.commit({ ...again, head: sha! }, "Nothing")).toBeUndefined();
    expect(await space.drop(id("a"), remote, {})).toMatchObject({ is: "kept" });
    expect(await space.publish(again, remote, "hand/a", undefined)).toBe(sha);
    expect(await space.publish(again, remote, "hand/a", undefined)).toBe(sha);
    await writeFile(join(again.path, "more.md"), "y");
    await space.commit(again, "More");
    expect(await space.publish(again, remote, "hand/a", undefined)).toEqual({ is: "moved", to: sha });
    expect(await space.diff(again)).toContain("+++ b/more.md");
    expect(await space.publish(again, remote, "hand/a", sha)).not.toEqual(sha);
    expect(await space.drop(id("a"), remote, {})).toBe("dropped");
    await expect(run("grep", ["-rlF", "-e", header, "-e", token, join(home, "root")])).rejects.toMatchObject({
      code: 1,
    });
  });

  it("prepares two tickets of one repository at once", async () => {
    const trees = await Promise.all(
      ["b", "c"].map((name) => space.prepare(id(name), remote, `hand/${name}`, {})),
    );
    expect(new Set(trees.map((tree) => tree.path)).size).toBe(2);
  });

  it("runs no filter and no hook an agent configured, and commits a link as a link", async () => {
    const tree = await space.prepare(id("d"), remote, "hand/d", {});
    const mirror = (await readFile(join(tree.path, ".git"), "utf8")).slice(8).split("/worktrees/")[0]!;
    const proof = join(home, "proof");
    await writeFile(
      join(mirror, "config"),
      `[core]\n\tfsmonitor = touch ${proof}\n[filter "evil"]\n\tclean = touch ${proof}; cat\n`,
    );
    await mkdir(join(mirror, "hooks"), { recursive: true });
    await writeFile(join(mirror, "hooks", "pre-commit"), `#!/bin/sh\ntouch ${proof}\n`, { mode: 0o755 });
    await writeFile(join(tree.path, "a.txt"), "text");
    await symlink("/", join(tree.path, "out"));
    const sha = await space.commit(tree, "Attack");
    expect(await readlink(join(tree.path, "out"))).toBe("/");
    expect((await run("git", ["--git-dir", mirror, "ls-tree", sha!, "out"])).stdout).toMatch(/^120000 blob/);
    await expect(readFile(proof)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("puts a .git back that an agent deleted, and loses nothing of its work", async () => {
    const tree = await space.prepare(id("g"), remote, "hand/g", {});
    await writeFile(join(tree.path, "work.txt"), "kept");
    await rm(join(tree.path, ".git"));
    const again = await space.prepare(id("g"), remote, "hand/g", {});
    expect(again).toEqual(tree);
    await rm(join(tree.path, ".git"));
    const sha = await space.commit(tree, "Keep the work");
    expect(sha).toMatch(/^[0-9a-f]{40}$/);
    expect(await space.diff({ ...tree, head: sha! })).toContain("+kept");
  });

  it("puts no .git back where our own record of the worktree was changed", async () => {
    const tree = await space.prepare(id("h"), remote, "hand/h", {});
    const admin = (await readFile(join(tree.path, ".git"), "utf8")).slice("gitdir: ".length).trim();
    await rm(join(tree.path, ".git"));
    await writeFile(join(admin, "gitdir"), "/elsewhere/.git\n");
    await expect(space.commit(tree, "x")).rejects.toMatchObject({ code: "git-tampered" });
    expect(await readFile(join(tree.path, "AGENTS.md"), "utf8")).toBe("base\n");
  });

  it("is not held up by a pipe, nor led away by a link, while it looks for changes", async () => {
    const tree = await space.prepare(id("i"), remote, "hand/i", {});
    const before = await space.fingerprint(tree);
    await run("mkfifo", [join(tree.path, "pipe")]);
    await symlink("/etc/passwd", join(tree.path, "link"));
    const one = await space.fingerprint(tree);
    expect(one).not.toBe(before);
    expect(await space.fingerprint(tree)).toBe(one);
  });

  it("refuses a worktree whose .git was replaced, and a link in its place", async () => {
    const tree = await space.prepare(id("e"), remote, "hand/e", {});
    await rm(join(tree.path, ".git"));
    await run("git", ["init", "-q", tree.path]);
    await expect(space.commit(tree, "x")).rejects.toMatchObject({ code: "git-tampered" });
    await rm(tree.path, { recursive: true });
    await symlink("/", tree.path);
    await expect(space.prepare(id("e"), remote, "hand/e", {})).rejects.toMatchObject({ code: "git-path" });
    await rm(tree.path);
  });

  it("tells every file written in a cold checkout, and restores files from the base", async () => {
    const tree = await space.prepare(id("f"), remote, "hand/f", {});
    const cold = await space.checkoutCold(id("f"), remote, tree.base, "review");
    expect(await space.written(cold)).toEqual([]);
    await writeFile(join(cold.path, "added"), "1");
    await rm(join(cold.path, "AGENTS.md"));
    expect([...(await space.written(cold))].toSorted()).toEqual(["AGENTS.md", "added"]);
    await space.dropCold(cold);
    await writeFile(join(tree.path, "AGENTS.md"), "poison");
    await mkdir(join(tree.path, ".claude"));
    await writeFile(join(tree.path, ".claude", "x"), "poison");
    await space.restore(tree, ["AGENTS.md", ".claude/"]);
    expect(await readFile(join(tree.path, "AGENTS.md"), "utf8")).toBe("base\n");
    expect(await space.commit(tree, "x")).toBeUndefined();
    await expect(space.restore(tree, ["../x"])).rejects.toMatchObject({ code: "git-path" });
  });

  it("never gives two identifiers one key, nor a key that leaves its folder", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, two) => {
        expect(keyOf(one)).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/);
        expect(keyOf(one) === keyOf(two)).toBe(one === two);
      }),
    );
  });
});
