/** What a reviewer is given, and whether they wrote in it. */
import { chmod, lstat, mkdir, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Worktree } from "../../../src/ports.ts";
import { asAgent, behind, openStage, run } from "./stage.ts";
import type { Stage } from "./stage.ts";

let stage: Stage;
let head = "";
beforeAll(async () => {
  stage = await openStage();
  head = await stage.push("main", { "bin/tool.sh": "#!/bin/sh\n" });
});
afterAll(() => stage.close());

let count = 0;
const cold = () => stage.space.checkoutCold("t", stage.remote, head, `review-${(count += 1)}`);
/** A reviewer bent on writing; the modes keep only the honest out. */
async function opened(): Promise<Worktree> {
  const tree = await cold();
  await run("chmod", ["-R", "u+w", tree.path]);
  return tree;
}
const written = async (tree: Worktree) => [...(await stage.space.written(tree))].toSorted();

describe("a cold checkout", () => {
  it("is read-only down to its directories, and can be dropped all the same", async () => {
    const tree = await cold();
    for (const path of ["", "src", "AGENTS.md", "src/app.ts"])
      expect((await stat(join(tree.path, path))).mode & 0o222).toBe(0);
    await stage.space.dropCold(tree);
    await stage.space.dropCold(tree);
    await expect(stat(tree.path)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(stat(behind(tree.path).admin)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("says what the head changes, as its diff does", async () => {
    const changed = await stage.push("hand/changed", { "src/more.ts": "export {};\n" });
    const { diff, ...tree } = await stage.space.checkoutCold("t", stage.remote, changed, "changed");
    expect(diff).toContain("+++ b/src/more.ts");
    expect(diff).toBe(await stage.space.diff(tree));
  });

  it("is taken away again where what it is compared with is lost", async () => {
    const own = await openStage();
    const changed = await own.push("hand/changed", { "src/app.ts": "export const one = 2;\n" });
    const whole = await own.space.checkoutCold("t", own.remote, changed, "whole");
    await own.space.dropCold(whole);
    const { mirror } = behind(whole.path);
    const folder = join(own.root, "cold", basename(mirror));
    expect(await readdir(folder)).toEqual([]);
    const lost = await own.served("rev-parse", "main:src/app.ts");
    await rm(join(mirror, "objects", lost.slice(0, 2), lost.slice(2)));
    await expect(own.space.checkoutCold("t", own.remote, changed, "broken")).rejects.toThrow(lost);
    expect(await readdir(folder)).toEqual([]);
    await own.close();
  });

  it("whose ties are changed while it is made is given to nobody", async () => {
    const tools = join(stage.home, "tools");
    await mkdir(tools);
    // As one who works beside it would, just when its files are there.
    const git = `#!/bin/sh
PATH=${process.env["PATH"]}
git "$@" || exit
case "$*" in worktree*add*) for last; do tree=$head head=$last; done; echo gitdir: /elsewhere > "$tree/.git";; esac
`;
    await writeFile(join(tools, "git"), git, { mode: 0o755 });
    const space = await stage.reopen({ searchPath: `${tools}:${process.env["PATH"]}` });
    const given = space.checkoutCold("t", stage.remote, head, "tied");
    await expect(given).rejects.toMatchObject({ code: "git-tampered" });
  });

  it("is made anew under the same name", async () => {
    const first = await stage.space.checkoutCold("t", stage.remote, head, "again");
    await run("chmod", ["-R", "u+w", first.path]);
    await writeFile(join(first.path, "note"), "for whoever comes next");
    const second = await stage.space.checkoutCold("t", stage.remote, head, "again");
    expect(second.path).toBe(first.path);
    expect(await written(second)).toEqual([]);
  });

  it("refuses what is no full commit id", async () => {
    await expect(stage.space.checkoutCold("t", stage.remote, "--help", "x")).rejects.toMatchObject({
      code: "git-path",
      permanent: true,
    });
  });

  it("and a head's diff rest on the remote's word where ours is lost, and not on a name an agent gave", async () => {
    const evil = await stage.push("hand/evil", { "evil.txt": "1\n" });
    const tree = await cold();
    const { mirror } = behind(tree.path);
    await mkdir(join(mirror, "refs/heads"), { recursive: true });
    await writeFile(join(mirror, "refs/heads/-"), `${evil}\n`);
    for (const name of await readdir(join(stage.root, "records")))
      await rm(join(stage.root, "records", name, ".default.json"), { force: true });
    expect(await stage.space.headDiff(stage.remote, evil)).toContain("+++ b/evil.txt");
    await rm(join(mirror, "refs/heads/-"));
  });

  it("is compared as we say, whatever is written in the mirror while the remote is asked", async () => {
    const tree = await cold();
    const { mirror } = behind(tree.path);
    const late = await stage.push("hand/late", { "späte.txt": "1\n" });
    stage.onRequest = async () => {
      await writeFile(join(mirror, "config"), "[core]\n\tbare = true\n\tquotePath = false\n");
      return "go on";
    };
    // As git writes what is not ASCII unless it is told otherwise.
    const plainly = String.raw`+++ "b/sp\303\244te.txt"`;
    expect(await stage.space.headDiff(stage.remote, late)).toContain(plainly);
    const later = await stage.push("hand/later", { "späte.txt": "2\n" });
    const { diff } = await stage.space.checkoutCold("t", stage.remote, later, "later");
    expect(diff).toContain(plainly);
    stage.onRequest = async () => "go on";
  });

  const hidden: Record<string, readonly [(tree: Worktree) => Promise<unknown>, readonly string[]]> = {
    nothing: [async () => undefined, []],
    "a touched file with the same content": [(tree) => writeFile(join(tree.path, "AGENTS.md"), "base\n"), []],
    "a changed file": [(tree) => writeFile(join(tree.path, "AGENTS.md"), "bass\n"), ["AGENTS.md"]],
    "an added file": [(tree) => writeFile(join(tree.path, "src/new.ts"), ""), ["src/new.ts"]],
    "a deleted file": [(tree) => rm(join(tree.path, "src/app.ts")), ["src/app.ts"]],
    "a file made executable": [(tree) => chmod(join(tree.path, "AGENTS.md"), 0o755), ["AGENTS.md"]],
    "a file turned into a link": [
      async (tree) => {
        await rm(join(tree.path, "AGENTS.md"));
        await symlink("src/app.ts", join(tree.path, "AGENTS.md"));
      },
      ["AGENTS.md"],
    ],
    "an ignored file": [
      async (tree) => {
        await mkdir(join(tree.path, "dist"));
        await writeFile(join(tree.path, "dist/out.js"), "1");
      },
      ["dist/out.js"],
    ],
    "a file ignored by a rule the reviewer added": [
      async (tree) => {
        const { mirror } = behind(tree.path);
        await mkdir(join(mirror, "info"), { recursive: true });
        await writeFile(join(mirror, "info", "exclude"), "*\n");
        await writeFile(join(tree.path, "secret"), "1");
      },
      ["secret"],
    ],
    "a change marked assume-unchanged": [
      async (tree) => {
        await asAgent(tree.path, "update-index", "--assume-unchanged", "AGENTS.md");
        await writeFile(join(tree.path, "AGENTS.md"), "changed\n");
      },
      ["AGENTS.md"],
    ],
    "a change marked skip-worktree": [
      async (tree) => {
        await asAgent(tree.path, "update-index", "--skip-worktree", "src/app.ts");
        await writeFile(join(tree.path, "src/app.ts"), "changed\n");
      },
      ["src/app.ts"],
    ],
    "a change that was committed": [
      async (tree) => {
        await writeFile(join(tree.path, "AGENTS.md"), "changed\n");
        await asAgent(tree.path, "commit", "-q", "-a", "-m", "Hide");
      },
      ["AGENTS.md"],
    ],
    "a commit that a replacement stands in for": [
      async (tree) => {
        await writeFile(join(tree.path, "AGENTS.md"), "changed\n");
        await asAgent(tree.path, "commit", "-q", "-a", "-m", "Hide");
        await asAgent(tree.path, "update-ref", `refs/replace/${head}`, "HEAD");
      },
      ["AGENTS.md"],
    ],
    "a replaced .git": [
      async (tree) => {
        await rm(join(tree.path, ".git"));
        await run("git", ["init", "-q", tree.path]);
      },
      [".git"],
    ],
  };
  it.each(Object.entries(hidden))("shows %s", async (_what, [write, expected]) => {
    const tree = await opened();
    await write(tree);
    expect(await written(tree)).toEqual(expected);
    await asAgent(tree.path, "update-ref", "-d", `refs/replace/${head}`).catch(() => undefined);
  });

  it("is dropped without following a link out of it", async () => {
    const outside = join(stage.home, "outside");
    await mkdir(outside, { mode: 0o500 });
    const tree = await opened();
    await symlink(outside, join(tree.path, "out"));
    await stage.space.dropCold(tree);
    expect((await lstat(outside)).mode & 0o777).toBe(0o500);
  });

  it("shows the reviewer the diff from where the default branch really is", async () => {
    const tree = await stage.space.prepare("forger", stage.remote, "hand/forger", {});
    await writeFile(join(tree.path, "hidden.ts"), "h");
    const hiddenHead = (await stage.space.commit(tree, "Hide this"))!;
    await writeFile(join(tree.path, "shown.ts"), "s");
    const sha = (await stage.space.commit(tree, "Show this"))!;
    await asAgent(tree.path, "update-ref", "refs/remotes/origin/main", hiddenHead);
    const checkout = await stage.space.checkoutCold("forger", stage.remote, sha, "review");
    expect(await stage.space.diff(checkout)).toContain("+++ b/hidden.ts");
  });
});
