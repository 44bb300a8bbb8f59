/** What people suggest on lines is committed word for word, credited to them, or left alone. */
import { readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, type Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

let count = 0;
/** A published branch with these files. */
async function published(files: Readonly<Record<string, string>>) {
  count += 1;
  const [id, branch] = [`s${count}`, `hand/s${count}`];
  const prepare = () => stage.space.prepare(id, stage.remote, branch, {});
  const tree = await prepare();
  for (const [path, text] of Object.entries(files)) await writeFile(join(tree.path, path), text);
  const head = (await stage.space.commit(tree, "Ours")) ?? tree.head;
  await stage.space.publish({ ...tree, head }, stage.remote, branch, undefined);
  const suggestion = (root: number, from: number, to: number, lines: readonly string[], path = "a.ts") => ({
    root,
    comment: root,
    path,
    from,
    to,
    writtenOn: head,
    lines,
    by: root % 2 === 0 ? "ada" : "bob",
    byId: root % 2 === 0 ? 1 : 2,
  });
  return {
    branch,
    tree,
    head,
    suggestion,
    apply: async (...suggestions: ReturnType<typeof suggestion>[]) =>
      stage.space.applySuggestions(await prepare(), stage.remote, suggestions),
    at: async (path: string) => await stage.served("cat-file", "blob", `${branch}:${path}`),
  };
}

it("several are one commit upon the remote's tip, credited to each, and in the worktree too", async () => {
  const { branch, tree, head, suggestion, apply } = await published({ "a.ts": "1\n2\n3\n4\n", "b.ts": "x" });
  const done = await apply(
    suggestion(10, 1, 1, ["one", "and a half"]),
    suggestion(11, 3, 4, []),
    suggestion(12, 1, 1, ["y"], "b.ts"),
  );
  expect(done?.applied).toEqual([10, 11, 12]);
  expect(await readFile(join(tree.path, "a.ts"), "utf8")).toBe("one\nand a half\n2\n");
  expect(await readFile(join(tree.path, "b.ts"), "utf8")).toBe("y");
  expect(await stage.served("rev-parse", branch)).toBe(done?.head);
  const [parent, ...said] = (await stage.served("log", "-1", "--format=%P%n%an%n%B", branch)).split("\n");
  expect(parent).toBe(head);
  expect(said).toContain("Hand");
  expect(said).toContain("Apply 3 suggestions from code review");
  expect(said).toContain("Co-authored-by: ada <1+ada@users.noreply.github.com>");
  expect(said).toContain("Co-authored-by: bob <2+bob@users.noreply.github.com>");
});

it("told again it is done once and answers the same, and a newer one in its conversation is another", async () => {
  const { branch, tree, suggestion, apply } = await published({ "a.ts": "1\n2\n" });
  const once = await apply(suggestion(20, 2, 2, ["two"]));
  expect(once?.applied).toEqual([20]);
  await writeFile(join(tree.path, "left-by-setup.txt"), "x");
  expect(await apply(suggestion(20, 2, 2, ["two"]), suggestion(21, 1, 1, ["one"]))).toEqual(once);
  expect(await apply({ ...suggestion(20, 2, 2, ["zwei"]), comment: 22 })).toBeUndefined();
  expect(await stage.served("rev-parse", branch)).toBe(once?.head);
});

it("what a crash left unpublished is published as it was made", async () => {
  const { branch, head, suggestion, apply } = await published({ "a.ts": "1\n2\n" });
  let isDown = true;
  stage.onRequest = async (request) =>
    isDown && request.url?.includes("git-receive-pack") === true ? "refuse" : "go on";
  await expect(apply(suggestion(30, 1, 1, ["one"]))).rejects.toThrow();
  isDown = false;
  expect(await stage.served("rev-parse", branch)).toBe(head);
  const done = await apply(suggestion(30, 1, 1, ["one"]));
  expect(done?.applied).toEqual([30]);
  expect(await stage.served("rev-parse", branch)).toBe(done?.head);
});

it("lines are kept as the file ends them", async () => {
  const { suggestion, apply, at } = await published({ "a.ts": "1\r\n2\r\n3\r\n" });
  await apply(suggestion(40, 2, 2, ["two"]));
  expect(await at("a.ts")).toBe("1\r\ntwo\r\n3");
});

it.each([
  ["lines the file does not have", 3, 9],
  ["a line before the first", 0, 1],
])("%s take none", async (_what, from, to) => {
  const { suggestion, apply } = await published({ "a.ts": "1\n2\n3\n" });
  expect(await apply(suggestion(50, from, to, ["x"]))).toBeUndefined();
});

it("of two that overlap the second is left", async () => {
  const { suggestion, apply, at } = await published({ "a.ts": "1\n2\n3\n" });
  const done = await apply(suggestion(60, 1, 2, ["one"]), suggestion(61, 2, 3, ["two"]));
  expect(done?.applied).toEqual([60]);
  expect(await at("a.ts")).toBe("one\n3");
});

it("a file that has changed since, a link and one that is gone take none", async () => {
  const { branch, tree, suggestion, apply } = await published({ "a.ts": "1\n2\n" });
  await stage.push(branch, { "a.ts": "0\n1\n2\n" });
  expect(await apply(suggestion(70, 1, 1, ["one"]))).toBeUndefined();
  expect(await apply(suggestion(71, 1, 1, ["one"], "gone.ts"))).toBeUndefined();
  await symlink("a.ts", join(tree.path, "link.ts"));
  expect(await apply(suggestion(72, 1, 1, ["one"]))).toBeUndefined();
});

it("work of ours that is not published yet is not mixed with them", async () => {
  const { tree, head, branch, suggestion, apply } = await published({ "a.ts": "1\n" });
  await writeFile(join(tree.path, "mine.ts"), "mine\n");
  expect(await apply(suggestion(80, 1, 1, ["one"]))).toBeUndefined();
  expect(await stage.served("rev-parse", branch)).toBe(head);
});
