import { expect, test } from "vitest";
import type { Clock, Remote, Workspace, Worktree } from "../ports.ts";
import { haltable } from "./haltable.ts";

// Only what is asked of them.
const clock = { now: () => 0 } as Clock;
const tree = { branch: "b" } as Worktree;
const remote = {} as Remote;
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

const halting = (halt: { readonly value: string } | undefined) => {
  const pushed: string[] = [];
  const workspace = {
    publish: async () => void pushed.push("publish"),
    applySuggestions: async () => void pushed.push("suggestions"),
  } as unknown as Workspace;
  const setting = async () => halt && { key: "halt-all", ...halt, actor: "bob", at: 0 };
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

test("otherwise everything is", async () => {
  const { pushed, workspace } = halting(undefined);
  await workspace.publish(tree, remote, "b", undefined);
  await workspace.applySuggestions(tree, remote, [suggestion]);
  expect(pushed).toEqual(["publish", "suggestions"]);
});
