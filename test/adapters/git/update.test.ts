/** A branch takes over its base: in the mirror alone, lossless, and never against somebody who was faster. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { UpdateAnswer, Updated } from "../../../src/ports-ci.ts";
import { openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

let count = 0;
/** A branch of ours with one published commit of these files. */
async function branchWith(files: Readonly<Record<string, string>>) {
  count += 1;
  const [id, branch] = [`u${count}`, `hand/u${count}`];
  const prepare = () => stage.space.prepare(id, stage.remote, branch, {});
  const deliver = async (more: Readonly<Record<string, string>>, expected?: string): Promise<string> => {
    const tree = await prepare();
    for (const [path, text] of Object.entries(more)) await writeFile(join(tree.path, path), text);
    const head = (await stage.space.commit(tree, `Write ${Object.keys(more).join()}`)) ?? tree.head;
    const published = await stage.space.publish({ ...tree, head }, stage.remote, branch, expected);
    if (typeof published !== "string") throw new Error("somebody moved the branch");
    return published;
  };
  return { branch, prepare, deliver, head: await deliver(files) };
}
const update = (branch: string, head: string, how: "merge" | "rebase" = "merge") =>
  stage.space.drift.update(stage.remote, branch, head, how);
function made(answer: UpdateAnswer): Updated {
  if (answer.is !== "updated") throw new Error(`it is ${answer.is}`);
  return answer;
}
const shown = (commit: string, path: string) => stage.served("show", `${commit}:${path}`);
const tip = (branch: string) => stage.served("rev-parse", branch);

test("a branch that holds all of its base has nothing to take over, and is not behind", async () => {
  const { branch, head } = await branchWith({ "a.txt": "a\n" });
  expect(await stage.space.drift.isBehind(stage.remote, head)).toBe(false);
  expect(await update(branch, head)).toEqual({ is: "current" });
});

test("a merge keeps the branch and tells what the base gained; nothing is published by making it", async () => {
  const { branch, head } = await branchWith({ "b.txt": "b\n" });
  const base = await stage.push("main", { "main-b.txt": "main\n" });
  expect(await stage.space.drift.isBehind(stage.remote, head)).toBe(true);
  const updated = made(await update(branch, head));
  expect(updated).toMatchObject({ from: head, base, how: "merge", unchanged: true, gained: { count: 1 } });
  expect(await tip(branch)).toBe(head);
  expect(await stage.space.drift.publish(stage.remote, branch, updated)).toBe(updated.head);
  expect(await stage.served("log", "-1", "--format=%P|%an|%ce", branch)).toBe(
    `${head} ${base}|Hand|hand@example.com`,
  );
  expect(await shown(branch, "b.txt")).toBe("b");
  expect(await shown(branch, "main-b.txt")).toBe("main");
  // Asked again, as after a crash: it is there, and that is all.
  expect(await stage.space.drift.publish(stage.remote, branch, updated)).toBe(updated.head);
});

test("a rebase carries each commit over with its author and words, and the worktree goes on from there", async () => {
  const { branch, deliver, prepare, head } = await branchWith({ "c1.txt": "c1\n" });
  const second = await deliver({ "c2.txt": "c2\n" }, head);
  const base = await stage.push("main", { "main-c.txt": "main\n" });
  const updated = made(await update(branch, second, "rebase"));
  expect(updated).toMatchObject({ how: "rebase", unchanged: true });
  await stage.space.drift.publish(stage.remote, branch, updated);
  expect(await stage.served("log", "--reverse", "--format=%s|%an", `${base}..${branch}`)).toBe(
    "Write c1.txt|Hand\nWrite c2.txt|Hand",
  );
  expect((await prepare()).head).toBe(updated.head);
  await deliver({ "c3.txt": "c3\n" }, updated.head);
  expect(await stage.served("log", "--reverse", "--format=%s", `${base}..${branch}`)).toBe(
    "Write c1.txt\nWrite c2.txt\nWrite c3.txt",
  );
});

test("where somebody else's commit is on the branch, a wanted rebase is a merge", async () => {
  const { branch, head } = await branchWith({ "d.txt": "d\n" });
  const theirs = await stage.push(branch, { "by-hand.txt": "by hand\n" });
  await stage.push("main", { "main-d.txt": "main\n" });
  const updated = made(await update(branch, theirs, "rebase"));
  expect(updated.how).toBe("merge");
  await stage.space.drift.publish(stage.remote, branch, updated);
  expect(await stage.served("merge-base", branch, theirs)).toBe(theirs);
  expect(head).not.toBe(theirs);
});

test.each(["merge", "rebase"] as const)(
  "both sides changed the same: the files are named, by %s too",
  async (how) => {
    const { branch, head } = await branchWith({ [`same-${how}.txt`]: "ours\n" });
    await stage.push("main", { [`same-${how}.txt`]: "theirs\n" });
    expect(await update(branch, head, how)).toEqual({ is: "conflict", files: [`same-${how}.txt`] });
    expect(await tip(branch)).toBe(head);
  },
);

test("a change that the base made as well is no longer the same change", async () => {
  const { branch, head } = await branchWith({ "f1.txt": "f1\n", "f2.txt": "f2\n" });
  await stage.push("main", { "f1.txt": "f1\n" });
  expect(made(await update(branch, head)).unchanged).toBe(false);
});

test("where only the spaces around it changed, the change is not called unchanged", async () => {
  await stage.push("main", { "g.txt": "one\ntwo\nthree\nfour\nfive\nsix\n" });
  const { branch, head } = await branchWith({ "g.txt": "one\ntwo\nthree\nfour\nfive\nSIX\n" });
  await stage.push("main", { "g.txt": "one\ntwo\n  three\nfour\nfive\nsix\n" });
  expect(made(await update(branch, head)).unchanged).toBe(false);
});

test("who pushed before the update was made, or before it was published, is not overwritten", async () => {
  const { branch, head } = await branchWith({ "h.txt": "h\n" });
  await stage.push("main", { "main-h.txt": "main\n" });
  const updated = made(await update(branch, head));
  const theirs = await stage.push(branch, { "faster.txt": "faster\n" });
  expect(await stage.space.drift.publish(stage.remote, branch, updated)).toEqual({ is: "moved", to: theirs });
  expect(await update(branch, head)).toEqual({ is: "moved", to: theirs });
  expect(await tip(branch)).toBe(theirs);
});

/** A branch of ours on top of another, each with one commit. */
async function stackedWith(below: Readonly<Record<string, string>>, above: Readonly<Record<string, string>>) {
  const lower = await branchWith(below);
  count += 1;
  const [id, branch] = [`s${count}`, `hand/s${count}`];
  const prepare = (upon?: string) =>
    stage.space.prepare(id, { ...stage.remote, ...(upon === undefined ? {} : { upon }) }, branch, {});
  const tree = await prepare(lower.head);
  for (const [path, text] of Object.entries(above)) await writeFile(join(tree.path, path), text);
  const head = (await stage.space.commit(tree, `Write ${Object.keys(above).join()}`)) ?? tree.head;
  expect(await stage.space.publish({ ...tree, head }, stage.remote, branch, undefined)).toBe(head);
  const restack = (now: string, onto?: string) =>
    stage.space.drift.update(stage.remote, branch, now, "merge", {
      from: lower.head,
      ...(onto === undefined ? {} : { onto }),
    });
  return { lower, branch, prepare, head, restack };
}

test("what was stacked on a head that was squashed is carried over without it, also where both touched one line", async () => {
  const { lower, branch, head, prepare, restack } = await stackedWith(
    { "i.txt": "one\n" },
    { "i.txt": "one and two\n", "i2.txt": "two\n" },
  );
  const base = await stage.push("main", { "i.txt": "one\n" });
  const updated = made(await restack(head));
  expect(updated).toMatchObject({ from: head, oldBase: lower.head, base, how: "rebase", unchanged: true });
  expect(await stage.space.drift.publish(stage.remote, branch, updated)).toBe(updated.head);
  expect(await stage.served("log", "--format=%s", `${base}..${branch}`)).toBe("Write i.txt,i2.txt");
  expect(await shown(branch, "i.txt")).toBe("one and two");
  expect((await prepare()).head).toBe(updated.head);
});

test("nothing is carried over to a base that does not hold yet what it was stacked on", async () => {
  const { lower, branch, head } = await stackedWith({ "m.txt": "one\n" }, { "m2.txt": "two\n" });
  const early = { from: lower.head, holds: lower.head };
  await expect(stage.space.drift.update(stage.remote, branch, head, "merge", early)).rejects.toMatchObject({
    code: "git-moving",
    permanent: false,
  });
});

test("with somebody else's commit on it a merge brings what it adds, and takes out what it stood on and is no more", async () => {
  const { lower, branch, restack } = await stackedWith({ "j.txt": "one\n" }, { "j2.txt": "two\n" });
  const theirs = await stage.push(branch, { "j3.txt": "three\n" });
  const updated = made(await restack(theirs));
  expect(updated).toMatchObject({ oldBase: lower.head, how: "merge", unchanged: true });
  await stage.space.drift.publish(stage.remote, branch, updated);
  expect(await stage.served("merge-base", branch, theirs)).toBe(theirs);
  expect(await shown(branch, "j3.txt")).toBe("three");
  await expect(shown(branch, "j.txt")).rejects.toThrow();
});

test("a stacked branch that was settled with the newer head keeps its content, and is another head all the same", async () => {
  const { lower, head, branch, prepare, restack } = await stackedWith(
    { "k.txt": "one\n" },
    { "k.txt": "one and two\n" },
  );
  const newer = await stage.push(lower.branch, { "k.txt": "ONE\n" });
  expect(await restack(head, newer)).toEqual({ is: "conflict", files: ["k.txt"] });
  const tree = await prepare(lower.head);
  expect(await stage.space.takeBase(tree, newer)).toEqual(["k.txt"]);
  await writeFile(join(tree.path, "k.txt"), "ONE and two\n");
  const settled = (await stage.space.commit(tree, "Settle k.txt")) ?? tree.head;
  expect(await stage.space.publish({ ...tree, head: settled }, stage.remote, branch, head)).toBe(settled);
  const updated = made(await restack(settled, newer));
  expect(updated).toMatchObject({ from: settled, base: newer, how: "merge" });
  await stage.space.drift.publish(stage.remote, branch, updated);
  expect(updated.head).not.toBe(settled);
  expect(await shown(branch, "k.txt")).toBe("ONE and two");
});

test("a worktree that was made upon a head which is given up is put upon the default branch, with what stands in it", async () => {
  const lower = await branchWith({ "l.txt": "one\n" });
  const [id, branch] = ["given-up", "hand/given-up"];
  const upon = { ...stage.remote, upon: lower.head };
  const tree = await stage.space.prepare(id, upon, branch, {});
  expect(await stage.space.takeTheirs(tree, upon)).toMatchObject({ upon: undefined, conflicts: [] });
  await writeFile(join(tree.path, "l2.txt"), "two\n");
  for (const time of ["first", "again"]) {
    const now = await stage.space.prepare(id, stage.remote, branch, {});
    expect(await stage.space.takeTheirs(now, stage.remote), time).toMatchObject({
      upon: undefined,
      conflicts: [],
    });
  }
  const now = await stage.space.prepare(id, stage.remote, branch, {});
  expect(now.base).toBe(await tip("main"));
  const head = (await stage.space.commit(now, "Write l2.txt")) ?? now.head;
  expect(await stage.space.publish({ ...now, head }, stage.remote, branch, undefined)).toBe(head);
  expect(await stage.served("diff", "--name-only", "main", branch)).toBe("l2.txt");
});
