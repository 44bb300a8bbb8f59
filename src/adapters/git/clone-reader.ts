/** Asks a person's own clone of a repository, offline. Its settings are never read, and nothing is left in it. */
import { existsSync, statSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Clone } from "../../certificate/clone.ts";
import { quotedPath } from "./change.ts";
import { gitRunner, type Git } from "./run.ts";

const gitMs = 60_000;
const oneCommit = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/u;

export interface OpenClone extends Clone {
  close(): Promise<void>;
}

/** Opens it; undefined when there is no git repository at this path. */
export async function openClone(path: string, searchPath: string): Promise<OpenClone | undefined> {
  const source = await gitFolder(path);
  if (source === undefined) return undefined;
  // A repository of our own that borrows the clone's objects: what git has to write, it writes here.
  const mirror = await mkdtemp(join(tmpdir(), "certificate-"));
  const close = async (): Promise<void> => await rm(mirror, { recursive: true, force: true });
  try {
    const git = gitRunner(searchPath, gitMs);
    await git(
      { in: { mirror } },
      "init",
      "-q",
      "--bare",
      `--object-format=${await formatOf(source)}`,
      mirror,
    );
    await writeFile(
      join(mirror, "objects", "info", "alternates"),
      `${quotedPath(join(source, "objects"))}\n`,
    );
    const shallow = join(source, "shallow");
    if (existsSync(shallow)) await copyFile(shallow, join(mirror, "shallow"));
    const ask: Git = (order, ...argv) => git({ ...order, environment: nobody }, ...argv);
    return { path, ...reader(ask, { mirror }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

const nobody = {
  GIT_AUTHOR_NAME: "nobody",
  GIT_AUTHOR_EMAIL: "nobody@localhost",
  GIT_COMMITTER_NAME: "nobody",
  GIT_COMMITTER_EMAIL: "nobody@localhost",
};

function reader(ask: Git, at: { readonly mirror: string }): Omit<Clone, "path"> {
  const commit: Clone["commit"] = async (sha) => {
    if (!oneCommit.test(sha)) return undefined;
    const found = await ask({ in: at, input: `${sha}\n` }, "cat-file", "--batch-check");
    if (found.trim().split(" ")[1] !== "commit") return undefined;
    const [head = ""] = (await ask({ in: at }, "cat-file", "commit", sha)).split("\n\n", 1);
    const tree = /^tree ([0-9a-f]+)$/mu.exec(head)?.[1] ?? "";
    return { tree, parents: [...head.matchAll(/^parent ([0-9a-f]+)$/gmu)].map(([, parent = ""]) => parent) };
  };
  const merged: Clone["merged"] = async (one, other) => {
    const said = await ask({ in: at, answers: [1] }, "merge-tree", "--write-tree", one, other);
    // A merge in conflict lists what conflicts below its tree.
    const [tree = "", ...more] = said.trim().split("\n");
    return more.length === 0 && oneCommit.test(tree) ? tree : "conflict";
  };
  return {
    commit,
    merged,
    fork: async (one, other) => {
      const found = (await ask({ in: at, answers: [1] }, "merge-base", one, other)).trim();
      return found === "" ? undefined : found;
    },
    between: async (older, newer) =>
      (await ask({ in: at }, "rev-list", "--reverse", "--topo-order", "--no-merges", newer, `^${older}`))
        .split("\n")
        .filter((line) => line !== ""),
    picked: async (onto, commits) => {
      const trees: string[] = [];
      let tree = (await commit(onto))?.tree;
      for (const each of commits) {
        const [parent] = (await commit(each))?.parents ?? [];
        if (parent === undefined || tree === undefined) return "conflict";
        // On the commit's own parent, so that this is where both sides come from.
        const here = await ask({ in: at }, "commit-tree", tree, "-p", parent, "-m", "picked");
        const next = await merged(here.trim(), each);
        if (next === "conflict") return "conflict";
        trees.push(next);
        tree = next;
      }
      return trees;
    },
  };
}

/** The folder git keeps objects in: below a work tree, named by its `.git` file, or the path itself. */
async function gitFolder(path: string): Promise<string | undefined> {
  const inside = join(resolve(path), ".git");
  const named =
    existsSync(inside) && !statSync(inside).isDirectory()
      ? /^gitdir: (.+)$/mu.exec(await readFile(inside, "utf8"))?.[1]?.trim()
      : undefined;
  const folder = named !== undefined ? resolve(path, named) : existsSync(inside) ? inside : resolve(path);
  // A worktree shares the objects of the repository it belongs to.
  const common = join(folder, "commondir");
  const source = existsSync(common) ? resolve(folder, (await readFile(common, "utf8")).trim()) : folder;
  return existsSync(join(source, "HEAD")) && existsSync(join(source, "objects")) ? source : undefined;
}

async function formatOf(source: string): Promise<"sha1" | "sha256"> {
  const config = join(source, "config");
  const text = existsSync(config) ? await readFile(config, "utf8") : "";
  return /^\s*objectformat\s*=\s*sha256\s*$/imu.test(text) ? "sha256" : "sha1";
}
