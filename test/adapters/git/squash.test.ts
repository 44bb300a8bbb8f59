/** What is published is written by us: one commit with what the agent left, whatever the agent committed on its way. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Worktree } from "../../../src/ports.ts";
import { asAgent, behind, openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

let count = 0;
/** A ticket of its own for each claim. */
function ticket() {
  count += 1;
  const [id, branch] = [`t${count}`, `hand/t${count}`];
  const prepare = () => stage.space.prepare(id, stage.remote, branch, {});
  /** As a build ends: what was left is committed and published. */
  const deliver = async (expected?: string) => {
    const tree = await prepare();
    const head = (await stage.space.commit(tree, "Ours")) ?? tree.head;
    return stage.space.publish({ ...tree, head }, stage.remote, branch, expected);
  };
  return {
    branch,
    prepare,
    deliver,
    delivered: async () => {
      const head = await deliver();
      if (typeof head !== "string") throw new Error("somebody moved the branch");
      return head;
    },
    /** Commits on the remote's branch that main has not: subject, author, parents. */
    served: async () =>
      (await stage.served("log", "--format=%s|%an|%cn", `main..${branch}`)).split("\n").filter(Boolean),
    parents: async () => (await stage.served("log", "-1", "--format=%P", branch)).split(" "),
    at: (path: string) => stage.served("show", `${branch}:${path}`),
  };
}
const ours = "Ours|Hand|Hand";
const agentCommits = async (
  tree: Worktree,
  files: Readonly<Record<string, string | undefined>>,
  message = "Theirs",
) => {
  for (const [path, text] of Object.entries(files))
    await (text === undefined ? rm(join(tree.path, path)) : writeFile(join(tree.path, path), text));
  await asAgent(tree.path, "add", "-A", "-f");
  await asAgent(tree.path, "commit", "-q", "--allow-empty", "-m", message);
};

describe("what an agent committed itself", () => {
  it("is published as one commit of ours, without its words, authors and detours", async () => {
    const { prepare, delivered, served, parents } = ticket();
    const tree = await prepare();
    await agentCommits(tree, { "leak.txt": "a secret" }, "Fixes #1\n\nCo-authored-by: eve <e@x>\n[skip ci]");
    await agentCommits(tree, { "leak.txt": undefined, "good.ts": "1" }, "Undo\n\nCloses #2");
    await writeFile(join(tree.path, "last.ts"), "2");
    const head = await delivered();
    expect(await served()).toEqual([ours]);
    expect(await parents()).toEqual([tree.base]);
    expect((await stage.served("ls-tree", "--name-only", head)).split("\n")).toEqual(
      expect.arrayContaining(["good.ts", "last.ts"]),
    );
    const everything = await stage.served("log", "--all", "-p", "--format=%B");
    for (const word of ["a secret", "Fixes", "Co-authored-by", "skip ci", "Closes"])
      expect(everything).not.toContain(word);
  });

  it("counts even when nothing is left to commit, ignored files that it added included", async () => {
    const { prepare, deliver, served, at } = ticket();
    const tree = await prepare();
    await agentCommits(tree, { dist: "built" });
    await rm(join(tree.path, "dist"));
    await asAgent(tree.path, "checkout", "-q", "--", "dist");
    await deliver();
    expect([await served(), await at("dist")]).toEqual([[ours], "built"]);
  });

  it("is no change when it undoes itself: the branch goes back to where it was", async () => {
    const { prepare } = ticket();
    const tree = await prepare();
    await agentCommits(tree, { "leak.txt": "a secret" });
    await agentCommits(tree, { "leak.txt": undefined });
    expect(await stage.space.commit(tree, "Ours")).toBeUndefined();
    expect(await prepare()).toMatchObject({ head: tree.base, base: tree.base });
  });

  it("is written once: committing and publishing again change nothing", async () => {
    const { prepare, deliver } = ticket();
    await agentCommits(await prepare(), { "a.ts": "1" });
    const first = await stage.space.commit(await prepare(), "Ours");
    const again = await prepare();
    expect([again.head, await stage.space.commit(again, "Ours")]).toEqual([first, undefined]);
    expect(await deliver()).toBe(first);
    expect(await deliver(first)).toBe(first);
  });

  it("is not published before we have committed", async () => {
    const { prepare, branch } = ticket();
    const tree = await prepare();
    await agentCommits(tree, { "a.ts": "1" });
    await expect(stage.space.publish(tree, stage.remote, branch, undefined)).rejects.toMatchObject({
      code: "git-tampered",
      permanent: true,
    });
  });

  it("does not come back through a branch that it made for another ticket", async () => {
    const [one, other] = [ticket(), ticket()];
    const tree = await one.prepare();
    await agentCommits(tree, { "leak.txt": "a secret" });
    await agentCommits(tree, { "leak.txt": undefined, "fine.ts": "1" });
    await asAgent(tree.path, "branch", other.branch);
    await other.prepare();
    await other.deliver();
    expect(await other.served()).toEqual([ours]);
  });
});

describe("what was published", () => {
  it("stays, and each later delivery adds one commit", async () => {
    const { prepare, deliver, delivered, served, parents } = ticket();
    await agentCommits(await prepare(), { "a.ts": "1" });
    const first = await delivered();
    await agentCommits(await prepare(), { "b.ts": "2" });
    await agentCommits(await prepare(), { "c.ts": "3" });
    await deliver(first);
    expect([await served(), await parents()]).toEqual([[ours, ours], [first]]);
  });

  it("stays when the agent rewrote it", async () => {
    const { prepare, deliver, delivered, parents, at } = ticket();
    await agentCommits(await prepare(), { "a.ts": "1" });
    const first = await delivered();
    const tree = await prepare();
    await asAgent(tree.path, "reset", "-q", "--hard", tree.base);
    await agentCommits(tree, { "a.ts": "another" });
    await deliver(first);
    expect([await parents(), await at("a.ts")]).toEqual([[first], "another"]);
  });

  it("stays when it was a person's, who is built upon", async () => {
    const { prepare, deliver, served, parents, branch } = ticket();
    await agentCommits(await prepare(), { "a.ts": "1" });
    await deliver();
    const theirs = await stage.push(branch, { "person.ts": "p" });
    await agentCommits(await prepare(), { "b.ts": "2" });
    await deliver(theirs);
    expect([await served(), await parents()]).toEqual([[ours, `Change ${branch}|ada|ada`, ours], [theirs]]);
  });

  it("is not overwritten when a person pushed what the worktree has not, even if we were told of it", async () => {
    const { prepare, deliver, branch } = ticket();
    await agentCommits(await prepare(), { "a.ts": "1" });
    await deliver();
    await agentCommits(await prepare(), { "b.ts": "2" });
    const theirs = await stage.push(branch, { "person.ts": "p" });
    expect(await deliver(theirs)).toEqual({ is: "moved", to: theirs });
    expect(await stage.served("rev-parse", branch)).toBe(theirs);
  });
});

describe("the base that an agent merged", () => {
  const conflict = async (text: string) => stage.push("main", { "shared.ts": text });
  /** The agent takes over main and settles the conflict. */
  const merged = async (tree: Worktree, how: readonly string[]) => {
    await asAgent(tree.path, ...how, "refs/remotes/origin/main").catch(() => undefined);
    await writeFile(join(tree.path, "shared.ts"), "both\n");
    await asAgent(tree.path, "add", "-A");
  };

  it("stays a parent beside what was published, so that the pull request can be merged", async () => {
    await conflict("base\n");
    const { prepare, deliver, delivered, served, parents, at, branch } = ticket();
    await agentCommits(await prepare(), { "shared.ts": "ours\n" });
    const first = await delivered();
    const main = await conflict("theirs\n");
    const tree = await prepare();
    await merged(tree, ["merge", "--no-ff"]);
    await asAgent(tree.path, "commit", "-q", "-m", "Merge, fixes #3");
    await agentCommits(tree, { "more.ts": "m" });
    await deliver(first);
    expect([await parents(), await served()]).toEqual([
      [first, main],
      [ours, ours],
    ]);
    expect(await at("shared.ts")).toBe("both");
    expect(await stage.served("merge-base", branch, "main")).toBe(main);
    expect(await stage.space.diff(await prepare())).not.toContain("+theirs");
  });

  it("stays one too when the merge was settled but never committed", async () => {
    await conflict("base 2\n");
    const { prepare, deliver, delivered, parents } = ticket();
    await agentCommits(await prepare(), { "shared.ts": "ours\n" });
    const first = await delivered();
    const main = await conflict("theirs 2\n");
    const tree = await prepare();
    await merged(tree, ["merge"]);
    await deliver(first);
    expect(await parents()).toEqual([first, main]);
    expect(await asAgent(tree.path, "status", "--porcelain")).toBe("");
    await expect(readFile(join(behind(tree.path).admin, "MERGE_HEAD"))).rejects.toMatchObject({
      code: "ENOENT",
    });
  });

  it("is the only parent while nothing was published", async () => {
    const { prepare, deliver, parents, served } = ticket();
    await agentCommits(await prepare(), { "mine.ts": "1" });
    const main = await stage.push("main", { "news.ts": `${count}` });
    const tree = await prepare();
    await asAgent(tree.path, "merge", "-q", "--no-edit", "refs/remotes/origin/main");
    await deliver();
    expect([await parents(), await served()]).toEqual([[main], [ours]]);
  });

  it("stays a parent when what was published was rebased on it", async () => {
    const { prepare, deliver, delivered, parents, served, at } = ticket();
    await agentCommits(await prepare(), { "mine.ts": "x" });
    const first = await delivered();
    const main = await stage.push("main", { "news.ts": `again ${count}` });
    const tree = await prepare();
    await asAgent(tree.path, "rebase", "-q", "refs/remotes/origin/main");
    await deliver(first);
    expect([await parents(), await served()]).toEqual([
      [first, main],
      [ours, ours],
    ]);
    expect([await at("mine.ts"), await at("news.ts")]).toEqual(["x", `again ${count}`]);
  });

  it("does not count when it is another branch, of which only the content comes along", async () => {
    await stage.push("somebody/else", { "else.ts": "e" });
    const { prepare, deliver, parents, at } = ticket();
    const tree = await prepare();
    const bare = join(stage.home, "served", "r.git");
    await asAgent(tree.path, "fetch", "-q", bare, "somebody/else");
    await asAgent(tree.path, "merge", "-q", "--no-ff", "-m", "Merge", "FETCH_HEAD");
    await deliver();
    expect([await parents(), await at("else.ts")]).toEqual([[tree.base], "e"]);
  });

  it("does not count when the agent only says that a commit is the base", async () => {
    const { prepare, deliver, parents } = ticket();
    const tree = await prepare();
    await agentCommits(tree, { "leak.txt": "a secret" });
    await asAgent(tree.path, "update-ref", "refs/remotes/origin/main", "HEAD");
    await agentCommits(tree, { "leak.txt": undefined, "fine.ts": "1" });
    await deliver();
    expect(await parents()).toEqual([tree.base]);
  });
});
