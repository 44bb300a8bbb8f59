import { expect, test } from "vitest";
import type { Clock, Remote, Workspace, Worktree } from "../ports.ts";
import { haltable } from "./haltable.ts";

// Only what is asked of them.
const clock = { now: () => 0 } as Clock;
const tree = { branch: "b" } as Worktree;
const remote = { repo: { id: 7, owner: "o", name: "r" } } as Remote;
const suggestion = {
  root: 1,
  comment: 1,
  path: "x",
  from: 1,
  to: 1,
  writtenOn: "a".repeat(40),
  lines: [],
  by: "bob",
  byId: 2,
};

const halting = (halt: { readonly value: string; readonly key?: string } | undefined) => {
  const pushed: string[] = [];
  const workspace = {
    publish: async () => void pushed.push("publish"),
    applySuggestions: async () => void pushed.push("suggestions"),
  } as unknown as Workspace;
  const { key = "halt-all" } = halt ?? {};
  const setting = async (asked: string) =>
    halt && asked === key ? { key, value: halt.value, actor: "bob", at: 0 } : undefined;
  return { pushed, workspace: haltable(workspace, { setting }, clock) };
};

test("while everything is halted nothing is pushed, suggestions neither", async () => {
  const { pushed, workspace } = halting({ value: "o/r#1" });
  await expect(workspace.publish(tree, remote, "b", undefined)).rejects.toMatchObject({ code: "halted" });
  await expect(workspace.applySuggestions(tree, remote, [suggestion])).rejects.toMatchObject({
    code: "halted",
  });
  await workspace.applySuggestions(tree, remote, []);
  expect(pushed).toEqual(["suggestions"]);
});

test("while a repository is halted nothing is pushed to it, and to others everything is", async () => {
  const { pushed, workspace } = halting({ value: "o/r", key: "halt-repo:7" });
  await expect(workspace.publish(tree, remote, "b", undefined)).rejects.toThrow("o/r is halted");
  await workspace.publish(tree, { ...remote, repo: { ...remote.repo, id: 8 } }, "b", undefined);
  expect(pushed).toEqual(["publish"]);
});

test("otherwise everything is", async () => {
  const { pushed, workspace } = halting(undefined);
  await workspace.publish(tree, remote, "b", undefined);
  await workspace.applySuggestions(tree, remote, [suggestion]);
  expect(pushed).toEqual(["publish", "suggestions"]);
});
