import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fakeWorkspace } from "../../src/simulator/fakes/workspace.ts";
import { openStage, run } from "../adapters/git/stage.ts";
import { firstFiles, workspaceContract } from "./workspace.contract.ts";
import type { WorkspaceStage } from "./workspace.contract.ts";

async function fakeStage(): Promise<WorkspaceStage> {
  const space = fakeWorkspace(firstFiles);
  return {
    space,
    remote: {
      url: "https://forge.example/o/r.git",
      repo: { id: 7, owner: "o", name: "r", installation: 1, defaultBranch: "main", private: true },
    },
    write: async (tree, path, text) => {
      if (text === undefined) space.files(tree).delete(path);
      else space.files(tree).set(path, text);
    },
    read: async (tree, path) => space.files(tree).get(path),
    push: async (branch, files) => space.push(branch, files),
    tip: async (branch) => space.branches.get(branch),
    deleteBranch: async (branch) => void space.branches.delete(branch),
    close: async () => {},
  };
}

async function gitStage(): Promise<WorkspaceStage> {
  const stage = await openStage();
  return {
    space: stage.space,
    remote: stage.remote,
    write: async ({ path: root, branch }, path, text) => {
      if (branch === undefined) await run("chmod", ["-R", "u+w", root]);
      await mkdir(dirname(join(root, path)), { recursive: true });
      if (text === undefined) await rm(join(root, path));
      else await writeFile(join(root, path), text);
    },
    read: ({ path: root }, path) => readFile(join(root, path), "utf8").catch(() => undefined),
    push: (branch, files) => stage.push(branch, files),
    tip: (branch) => stage.served("rev-parse", `refs/heads/${branch}`).catch(() => undefined),
    deleteBranch: async (branch) => void (await stage.served("update-ref", "-d", `refs/heads/${branch}`)),
    close: () => stage.close(),
  };
}

// The fake runs no hooks, has no file modes, links, ignore rules or merges: it has no disk and no processes.
// Those promises are tested on the adapter alone, in test/adapters/git.
workspaceContract("in memory", fakeStage);
workspaceContract("of git", gitStage);
