/** People push to the branch a build works on: theirs is never written over, and ours is never lost. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, type Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

let count = 0;
async function delivered() {
  count += 1;
  const [id, branch] = [`p${count}`, `hand/p${count}`];
  const prepare = () => stage.space.prepare(id, stage.remote, branch, {});
  const tree = await prepare();
  await writeFile(join(tree.path, "one.ts"), "1\n");
  const deliver = async (expected?: string) => {
    const now = await prepare();
    const head = (await stage.space.commit(now, "Ours")) ?? now.head;
    return await stage.space.publish({ ...now, head }, stage.remote, branch, expected);
  };
  const head = await deliver();
  if (typeof head !== "string") throw new Error("it was not published");
  return { branch, tree, head, prepare, deliver, take: () => stage.space.takeTheirs(tree, stage.remote) };
}
const log = async (branch: string): Promise<readonly string[]> =>
  (await stage.served("log", "--format=%s|%an", `main..${branch}`)).split("\n").filter(Boolean);

it("what the remote said a moment ago is not asked again, and what it says since is heard at the next look", async () => {
  const { branch, head, prepare, take } = await delivered();
  const tree = await prepare();
  const asked = stage.asked.length;
  expect(await stage.space.takeTheirs(tree, stage.remote, tree.seen)).toMatchObject({
    upon: head,
    conflicts: [],
  });
  expect(stage.asked).toHaveLength(asked);
  const theirs = await stage.push(branch, { "theirs.ts": "t\n" });
  expect(await take()).toMatchObject({ upon: theirs, conflicts: [] });
});

it("our next commit stands upon theirs, with its own words", async () => {
  const { branch, tree, deliver, take } = await delivered();
  const theirs = await stage.push(branch, { "theirs.ts": "t\n" });
  await writeFile(join(tree.path, "one.ts"), "2\n");
  expect(await take()).toMatchObject({ upon: theirs, conflicts: [] });
  const head = await deliver(theirs);
  expect(head).toMatch(/^[0-9a-f]{40}$/);
  expect((await stage.served("log", "-1", "--format=%P", branch)).trim()).toBe(theirs);
  expect(await log(branch)).toHaveLength(3);
  expect((await log(branch))[0]).toBe("Ours|Hand");
});

it("what a person took back stays taken back", async () => {
  const { branch, tree, prepare, deliver, take } = await delivered();
  const theirs = await stage.push(branch, { "theirs.ts": "t\n" });
  await prepare();
  expect(await readFile(join(tree.path, "theirs.ts"), "utf8")).toBe("t\n");
  await stage.served("update-ref", `refs/heads/${branch}`, `${theirs}^`);
  const back = (await stage.served("rev-parse", branch)).trim();
  await prepare();
  await writeFile(join(tree.path, "two.ts"), "2\n");
  expect(await take()).toMatchObject({ upon: back, conflicts: [] });
  expect(await deliver(back)).toMatch(/^[0-9a-f]{40}$/);
  expect(await stage.served("ls-tree", "--name-only", branch)).not.toContain("theirs.ts");
  expect(await stage.served("ls-tree", "--name-only", branch)).toContain("two.ts");
});

it("a branch that was set back to before our work takes our old commits no more", async () => {
  const { branch, tree, head, prepare, deliver, take } = await delivered();
  await stage.served("update-ref", `refs/heads/${branch}`, "main");
  const main = (await stage.served("rev-parse", "main")).trim();
  await prepare();
  await writeFile(join(tree.path, "two.ts"), "2\n");
  expect(await take()).toMatchObject({ upon: main, conflicts: [] });
  expect(await deliver(main)).not.toBe(head);
  expect(await stage.served("ls-tree", "--name-only", branch)).not.toContain("one.ts");
});

it("a push after the last look is not written over", async () => {
  const { branch, tree, head, deliver, take } = await delivered();
  await writeFile(join(tree.path, "one.ts"), "2\n");
  expect(await take()).toMatchObject({ upon: head, conflicts: [] });
  const theirs = await stage.push(branch, { "theirs.ts": "t\n" });
  expect(await deliver(head)).toEqual({ is: "moved", to: theirs });
});
