/** Work is never lost: what may be somebody's is kept, and only what is provably ours to delete goes. */
import { spawn } from "node:child_process";
import { access, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Worktree } from "../../../src/ports.ts";
import { asAgent, behind, openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.close());

const prepared = (ticket = "t", branch = "hand/t") => stage.space.prepare(ticket, stage.remote, branch, {});
const dropped = (ticket = "t") => stage.space.drop(ticket, stage.remote, {});
const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
async function recordOf(tree: Worktree): Promise<string> {
  const folder = join(stage.root, "records");
  const [repo = ""] = await readdir(folder);
  return join(folder, repo, `${tree.path.split("/").at(-1)}.json`);
}
/** As if the process had been killed while git made this worktree. */
async function cutShort(tree: Worktree): Promise<void> {
  const file = await recordOf(tree);
  const record: unknown = JSON.parse(await readFile(file, "utf8"));
  await writeFile(file, JSON.stringify({ ...(record as object), is: "making", hooked: false }));
}

describe("a worktree that may hold work", () => {
  for (const [what, harm] of [
    ["whose git data is gone", (admin: string) => rm(admin, { recursive: true })],
    ["that is locked", (admin: string) => writeFile(join(admin, "locked"), "")],
  ] as const)
    it(`${what} is left alone by prepare, drop and prune, and named with what to do`, async () => {
      const tree = await prepared();
      await writeFile(join(tree.path, "precious.ts"), "a day of work");
      await harm(behind(tree.path).admin);
      for (const attempt of [() => prepared(), () => dropped()])
        await expect(attempt()).rejects.toMatchObject({
          code: "git-leftover",
          permanent: true,
          message: expect.stringMatching(new RegExp(`${tree.path}.*remove the directory and try again`)),
        });
      await (await stage.reopen()).prune();
      expect(stage.warnings.join("\n")).toContain(tree.path);
      expect(await readFile(join(tree.path, "precious.ts"), "utf8")).toBe("a day of work");
    });

  it("is made again when it was cut short and nobody touched it", async () => {
    const tree = await prepared();
    await cutShort(tree);
    await rm(join(tree.path, "src"), { recursive: true });
    await writeFile(join(tree.path, "AGENTS.md"), "ba");
    await writeFile(join(behind(tree.path).admin, "locked"), "initializing");
    expect((await prepared()).path).toBe(tree.path);
    expect(await readFile(join(tree.path, "src/app.ts"), "utf8")).toContain("one");
    await cutShort(tree);
    expect((await (await stage.reopen()).prune()).removed).toContain(tree.path);
    expect(await isThere(tree.path)).toBe(false);
  });

  it("is left alone when it was cut short and somebody wrote in it since", async () => {
    const tree = await prepared();
    await cutShort(tree);
    await mkdir(join(tree.path, "dist"));
    await writeFile(join(tree.path, "dist", "notes"), "mine");
    await expect(prepared()).rejects.toMatchObject({ code: "git-leftover", permanent: true });
    await (await stage.reopen()).prune();
    expect(await isThere(join(tree.path, "dist", "notes"))).toBe(true);
  });

  it("is not dropped on the word of refs that an agent can forge", async () => {
    const tree = await prepared();
    await writeFile(join(tree.path, "new.ts"), "x");
    const head = (await stage.space.commit(tree, "Add new"))!;
    const { mirror } = behind(tree.path);
    for (const ref of ["refs/published/hand/t", "refs/remotes/origin/hand/t", "refs/remotes/origin/main"]) {
      await mkdir(dirname(join(mirror, ref)), { recursive: true });
      await writeFile(join(mirror, ref), `${head}\n`);
    }
    expect(await dropped()).toMatchObject({ is: "kept", why: expect.stringContaining(head.slice(0, 7)) });
  });

  it("is not dropped while a change is hidden from the index", async () => {
    const tree = await prepared();
    await asAgent(tree.path, "update-index", "--assume-unchanged", "AGENTS.md");
    await writeFile(join(tree.path, "AGENTS.md"), "changed\n");
    expect(await dropped()).toMatchObject({ is: "kept", why: expect.stringContaining("AGENTS.md") });
  });

  it("is not dropped when commits hang on its branch while HEAD is elsewhere", async () => {
    const tree = await prepared();
    await writeFile(join(tree.path, "new.ts"), "x");
    await stage.space.commit(tree, "Add new");
    await asAgent(tree.path, "checkout", "-q", "--detach", tree.base);
    expect(await dropped()).toMatchObject({ is: "kept" });
  });
});

describe("a worktree whose work the remote took", () => {
  const publishedTree = async () => {
    const tree = await prepared();
    await writeFile(join(tree.path, "new.ts"), "x");
    const head = (await stage.space.commit(tree, "Add new"))!;
    await stage.space.publish(tree, stage.remote, "hand/t", undefined);
    return { tree, head };
  };

  it("is dropped after a squash merge deleted the branch", async () => {
    const { tree } = await publishedTree();
    await stage.push("main", { "new.ts": "x" });
    await stage.served("update-ref", "-d", "refs/heads/hand/t");
    expect(await dropped()).toBe("dropped");
    expect(await isThere(tree.path)).toBe(false);
    expect(await isThere(await recordOf(tree))).toBe(false);
  });

  it("is kept when the branch is gone and something newer was committed since", async () => {
    const { tree } = await publishedTree();
    await stage.served("update-ref", "-d", "refs/heads/hand/t");
    await writeFile(join(tree.path, "newer.ts"), "y");
    await stage.space.commit(tree, "Add newer");
    expect(await dropped()).toMatchObject({ is: "kept" });
  });

  it("is kept when somebody replaced the branch with other commits", async () => {
    await publishedTree();
    await stage.served("update-ref", "refs/heads/hand/t", "refs/heads/main");
    await stage.push("hand/t", { "other.ts": "z" });
    expect(await dropped()).toMatchObject({ is: "kept" });
  });

  it("remembers it where only we can read", async () => {
    const { tree, head } = await publishedTree();
    const file = await recordOf(tree);
    expect(await readFile(file, "utf8")).toContain(head);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("leaves no branch behind that would shadow what the remote has later", async () => {
    const { tree } = await publishedTree();
    expect(await dropped()).toBe("dropped");
    const theirs = await stage.push("hand/t", { "person.ts": "p" });
    const again = await prepared();
    expect(again).toMatchObject({ head: theirs, path: tree.path });
    expect(await readFile(join(again.path, "person.ts"), "utf8")).toBe("p");
  });

  it("catches up with what a person pushed, unless changes of its own are in the way", async () => {
    await publishedTree();
    const theirs = await stage.push("hand/t", { "person.ts": "p" });
    const tree = await prepared();
    expect(tree.head).toBe(theirs);
    await stage.push("hand/t", { "person.ts": "q" });
    await writeFile(join(tree.path, "mine.ts"), "m");
    expect((await prepared()).head).toBe(theirs);
  });
});

describe("prune", () => {
  it("removes locks and temporary files older than this process, and leaves younger ones", async () => {
    const tree = await prepared();
    const { mirror, admin } = behind(tree.path);
    const old = ["packed-refs.lock", "refs/heads/hand/t.lock", "config.lock", "objects/pack/tmp_pack_abc"];
    for (const name of old) {
      await mkdir(dirname(join(mirror, name)), { recursive: true });
      await writeFile(join(mirror, name), "");
      await utimes(join(mirror, name), 1, 1);
    }
    await writeFile(join(admin, "index.lock"), "");
    await utimes(join(admin, "index.lock"), 1, 1);
    const next = await stage.reopen();
    await writeFile(join(mirror, "HEAD.lock"), "");
    const { removed } = await next.prune();
    expect([...removed].toSorted()).toEqual(
      [...old.map((name) => join(mirror, name)), join(admin, "index.lock")].toSorted(),
    );
    expect(await isThere(join(mirror, "HEAD.lock"))).toBe(true);
  });

  it.skipIf(process.platform !== "linux")(
    "ends whoever a crash left at work in a worktree or a dead checkout, and nobody else",
    async () => {
      const tree = await prepared();
      const dead = await stage.space.checkoutCold("t", stage.remote, tree.head, "review-dead");
      const alive = await stage.space.checkoutCold("t", stage.remote, tree.head, "review-alive");
      const left = [join(tree.path, "src"), dead.path, alive.path, stage.home].map((cwd) =>
        spawn("/bin/sleep", ["300"], { cwd, env: {}, detached: true, stdio: "ignore" }),
      );
      const ends = left.map((child) => new Promise<void>((resolve) => child.once("exit", () => resolve())));
      try {
        await (await stage.reopen()).prune((name) => name === "review-alive");
        await Promise.all(ends.slice(0, 2));
        expect(left.map(({ signalCode }) => signalCode)).toEqual(["SIGKILL", "SIGKILL", null, null]);
        expect(stage.warnings.join("\n")).toContain("Ended 2 processes");
      } finally {
        for (const child of left) child.kill("SIGKILL");
        await Promise.all(ends);
      }
    },
  );

  it("removes git data without a worktree, half-made mirrors, and cold checkouts of the dead only", async () => {
    const tree = await prepared();
    const { mirror } = behind(tree.path);
    const dead = await stage.space.checkoutCold("t", stage.remote, tree.head, "review-dead");
    const alive = await stage.space.checkoutCold("t", stage.remote, tree.head, "review-alive");
    await mkdir(join(mirror, "worktrees", "ghost"));
    await mkdir(join(`${mirror}.making`, "refs"), { recursive: true });
    const next = await stage.reopen();
    const { removed } = await next.prune((name) => name === "review-alive");
    expect([...removed].toSorted()).toEqual(
      [dead.path, join(mirror, "worktrees", "ghost"), `${mirror}.making`].toSorted(),
    );
    expect(await next.written(alive)).toEqual([]);
    expect((await next.prepare("t", stage.remote, "hand/t", {})).head).toBe(tree.head);
  });
});

describe("what is asked of the remote", () => {
  it("is one look when everything is here, and nothing for a cold checkout of a known head", async () => {
    const tree = await prepared();
    const before = stage.asked.length;
    await prepared();
    expect(stage.asked.slice(before).filter((line) => line.startsWith("POST"))).toHaveLength(1);
    const known = stage.asked.length;
    await stage.space.checkoutCold("t", stage.remote, tree.head, "review");
    expect(stage.asked.slice(known)).toEqual([]);
  });

  it("is only the default branch and the ticket's own", async () => {
    await stage.push("somebody/else", { "big.bin": "x" });
    const tree = await prepared();
    const refs = await asAgent(tree.path, "for-each-ref", "--format=%(refname)");
    expect(refs).not.toContain("somebody");
  });

  it("is a head that only the remote has, for a cold checkout", async () => {
    await prepared();
    const theirs = await stage.push("person/pull", { "p.ts": "p" });
    const cold = await stage.space.checkoutCold("t", stage.remote, theirs, "review");
    expect(await readFile(join(cold.path, "p.ts"), "utf8")).toBe("p");
    expect(await stage.space.diff(cold)).toContain("+++ b/p.ts");
  });

  it("replaces an old branch that stands in the way of a new one", async () => {
    await stage.push("hand", { "a.ts": "a" });
    await stage.space.prepare("old", stage.remote, "hand", {});
    await stage.space.drop("old", stage.remote, {});
    await stage.served("update-ref", "-d", "refs/heads/hand");
    const theirs = await stage.push("hand/new", { "b.ts": "b" });
    expect((await prepared("new", "hand/new")).head).toBe(theirs);
  });
});
