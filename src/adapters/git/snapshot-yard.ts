/**
 * A git directory of our own for each look at somebody's repository: it shares the objects and nothing else. The
 * repository's configuration, attributes, hooks, filters and index are not read, so files are kept byte for byte and
 * nothing in it can make us run anything.
 */
import { createHash } from "node:crypto";
import {
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { kindAt, type Place } from "./paths.ts";
import type { Git } from "./run.ts";
import { placeTrouble } from "./trouble.ts";

/** The repository a folder is in. */
export interface Repository {
  /** Where its files begin. */
  readonly top: string;
  /** The folder, below that; empty where it is that. */
  readonly inside: string;
  readonly admin: string;
  readonly common: string;
}

/** Found by looking upwards; undefined where there is none. Throws for a folder that has gone. */
export async function repositoryAt(folder: string): Promise<Repository | undefined> {
  if (kindAt(folder) === "nothing")
    throw placeTrouble("git-path", `The folder ${folder} has gone. Put it back, or go on without its files.`);
  const path = await realpath(folder);
  for (let top = path; ; top = dirname(top)) {
    const admin = await adminAt(top);
    if (admin !== undefined) {
      const inside = relative(top, path);
      if (inside.split("/")[0] === ".git") return undefined;
      const own = await textAt(join(admin, "commondir"));
      return { top, inside, admin, common: own === undefined ? admin : resolve(admin, own) };
    }
    if (top === dirname(top)) return undefined;
  }
}

async function adminAt(top: string): Promise<string | undefined> {
  const dot = join(top, ".git");
  const kind = kindAt(dot);
  const named = kind === "file" ? /^gitdir: (.+)$/u.exec((await textAt(dot)) ?? "")?.[1] : undefined;
  const admin = kind === "directory" ? dot : named === undefined ? undefined : resolve(top, named);
  return admin !== undefined && kindAt(join(admin, "HEAD")) === "file" ? admin : undefined;
}

const textAt = async (path: string): Promise<string | undefined> =>
  kindAt(path) === "file" ? (await readFile(path, "utf8")).trim() : undefined;

/** The repository's own git directory, for what must be asked of it: its head and its refs. */
export const placeIn = ({ top, admin, common }: Repository): Place => ({ mirror: common, admin, path: top });

export interface SnapshotYard {
  /** Runs git on the repository's files and objects, with an index of ours: the one that was kept, or another. */
  git(
    order: { readonly input?: string; readonly index?: string },
    ...argv: readonly string[]
  ): Promise<string>;
  /** Keeps the index, so that the next look reads only what has changed. */
  keepIndex(): Promise<void>;
}

/** Nothing is converted on its way in or out, whatever the repository's attributes ask for. */
const attributes = "* -text !eol !ident !filter !working-tree-encoding !diff\n";

/** Works in a git directory that lasts as long as this. */
export async function inYard<Result>(
  git: Git,
  repository: Repository,
  ignored: string,
  work: (yard: SnapshotYard) => Promise<Result>,
): Promise<Result> {
  const kept = join(
    repository.admin,
    `forgehand-index-${createHash("sha256").update(repository.inside).digest("hex").slice(0, 16)}`,
  );
  const once = async (from: string | undefined): Promise<Result> => {
    const dir = await mkdtemp(join(tmpdir(), "forgehand-snapshot-"));
    try {
      await furnish(dir, repository, ignored);
      if (from !== undefined) await copyIndex(from, join(dir, "index"));
      return await work(yardIn(git, repository, dir, kept));
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  };
  if (kindAt(kept) !== "file") return await once(undefined);
  try {
    return await once(kept);
  } catch {
    // An index cut short by a crash is no reason to fail: it only saves reading.
    await rm(kept, { force: true });
    return await once(undefined);
  }
}

async function furnish(dir: string, { common }: Repository, ignored: string): Promise<void> {
  await mkdir(join(dir, "refs"));
  await mkdir(join(dir, "info"));
  const theirs = (await textAt(join(common, "config"))) ?? "";
  const sha256 = /^\s*objectformat\s*=\s*sha256\s*$/imu.test(theirs);
  const version = sha256 ? "1\n[extensions]\n\tobjectformat = sha256" : "0";
  await writeFile(join(dir, "HEAD"), "ref: refs/heads/none\n");
  await writeFile(
    join(dir, "config"),
    `[core]\n\tfilemode = true\n\tbare = false\n\trepositoryformatversion = ${version}\n`,
  );
  await writeFile(join(dir, "info", "attributes"), attributes);
  const exclude = (await textAt(join(common, "info", "exclude"))) ?? "";
  await writeFile(join(dir, "info", "exclude"), `${ignored}\n${exclude}\n`);
}

const yardIn = (git: Git, { top, common }: Repository, dir: string, kept: string): SnapshotYard => ({
  git: ({ input, index = "index" }, ...argv) =>
    git(
      {
        in: { mirror: dir, admin: dir, path: top },
        environment: {
          GIT_INDEX_FILE: resolve(dir, index),
          GIT_OBJECT_DIRECTORY: join(common, "objects"),
          GIT_LITERAL_PATHSPECS: "1",
          ...identity,
        },
        ...(input === undefined ? {} : { input }),
      },
      ...argv,
    ),
  keepIndex: async () => {
    const half = `${kept}.${basename(dir)}`;
    await copyIndex(join(dir, "index"), half);
    await rename(half, kept);
  },
});
const identity = {
  GIT_AUTHOR_NAME: "forgehand",
  GIT_AUTHOR_EMAIL: "forgehand@localhost",
  GIT_COMMITTER_NAME: "forgehand",
  GIT_COMMITTER_EMAIL: "forgehand@localhost",
};

/** Git trusts an entry only where its file is older than the index: a copy must not look younger than it is. */
async function copyIndex(from: string, to: string): Promise<void> {
  const { mtimeMs } = await stat(from);
  await copyFile(from, to);
  const when = new Date(Math.floor(mtimeMs));
  await utimes(to, when, when);
}
