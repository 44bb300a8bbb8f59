/** Workspaces on this host: one bare mirror per repository, one worktree per ticket, the push from here. */
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Trouble } from "../ports.ts";
import type { Hooked, Remote, Workspace, Worktree } from "../ports.ts";
import type { Sha } from "../state-machine/ticket.ts";
import { runHook } from "./git-hooks.ts";
import type { HookKind } from "./git-hooks.ts";
import { contain, keyOf, kindAt, placeOf, realRoot, verify } from "./git-paths.ts";
import type { Place } from "./git-paths.ts";
import { gitRunner } from "./git-run.ts";
import type { Git, GitOrder } from "./git-run.ts";

export interface WorkspaceOptions {
  readonly root: string;
  readonly credentials: (
    remote: Remote,
    access: "read" | "write",
  ) => Promise<{ readonly header: string } | undefined>;
  readonly author: { readonly name: string; readonly email: string };
  /** Where git and hook commands are looked for, as in `PATH`. */
  readonly searchPath: string;
  readonly limits: { readonly gitMs: number; readonly hookMs: number };
  /** Told of hooks whose failure does not stop the work. */
  readonly warn?: (message: string) => void;
}
/** A workspace with what the start of the process needs. */
export interface GitWorkspace extends Workspace {
  /** Removes half-made worktrees, cold checkouts and stale index locks; call once, before any work starts. */
  prune(): Promise<{ readonly removed: readonly string[] }>;
  runHook(
    kind: HookKind,
    command: string | undefined,
    tree: Worktree,
    signal?: AbortSignal,
  ): Promise<{ readonly failed: string | undefined }>;
}

/** The mirror's whole configuration: written over whatever an agent may have put there. */
const mirrorConfig = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";

/** Opens the workspaces under this root. */
export async function openWorkspace(options: WorkspaceOptions): Promise<GitWorkspace> {
  const root = await realRoot(options.root);
  const git = gitRunner(options.searchPath, options.limits.gitMs);
  const tails = new Map<string, Promise<unknown>>();
  const locked = <T>(mirror: string, work: () => Promise<T>): Promise<T> => {
    const next = (tails.get(mirror) ?? Promise.resolve()).then(work, work);
    tails.set(
      mirror,
      next.catch(() => undefined),
    );
    return next;
  };
  const mirrorKey = (remote: Remote) => keyOf(`${remote.repo.id}`);
  const hook = async (kind: HookKind, command: string | undefined, path: string, signal?: AbortSignal) => {
    const ran = await runHook(
      kind,
      command,
      { path, searchPath: options.searchPath, timeoutMs: options.limits.hookMs },
      signal,
    );
    if (ran.failed) options.warn?.(ran.failed);
    return ran;
  };
  const authFor = async (remote: Remote, access: "read" | "write"): Promise<GitOrder["auth"]> => {
    const found = await options.credentials(remote, access);
    return found && { url: remote.url, header: found.header };
  };
  const mirrorFor = async (remote: Remote): Promise<string> => {
    const mirror = join(root, "mirrors", mirrorKey(remote));
    await contain(root, mirror);
    if ((await kindAt(join(mirror, "HEAD"))) === "nothing") {
      await mkdir(mirror, { recursive: true });
      await git({ in: { mirror } }, "init", "-q", "--bare", "--template=");
    }
    await trustConfig(mirror);
    return mirror;
  };
  const fetch = async (mirror: string, remote: Remote): Promise<void> => {
    await git(
      { in: { mirror }, auth: await authFor(remote, "read") },
      "fetch",
      "-q",
      "--prune",
      "--no-tags",
      remote.url,
      "+refs/heads/*:refs/remotes/origin/*",
    );
  };
  const opened = async (path: string): Promise<Place> => {
    const place = await placeOf(root, path);
    await verify(place);
    await trustConfig(place.mirror);
    return place;
  };
  const place = async (folder: "trees" | "cold", remote: Remote, key: string): Promise<Place> =>
    placeOf(root, join(root, folder, mirrorKey(remote), key));
  const has = async (order: GitOrder, ref: string) =>
    (await git(order, "for-each-ref", "--format=%(objectname)", ref)).trim();

  return {
    async prepare(ticket, remote, branch, hooks) {
      const mirror = await mirrorFor(remote);
      const at = await place("trees", remote, keyOf(ticket));
      const made = await locked(mirror, async () => {
        await fetch(mirror, remote);
        if (await isWhole(at)) return false;
        await clear(at);
        await mkdir(dirname(at.path), { recursive: true });
        const local = await has({ in: { mirror } }, `refs/heads/${branch}`);
        const theirs = await has({ in: { mirror } }, `refs/remotes/origin/${branch}`);
        const start = theirs || `refs/remotes/origin/${remote.repo.defaultBranch}`;
        await git(
          { in: { mirror } },
          "worktree",
          "add",
          "-q",
          ...(local ? [at.path, branch] : ["--no-track", "-b", branch, at.path, start]),
        );
        return true;
      });
      await verify(at);
      // The mark outlives a crash, so the hook runs until it has succeeded once.
      const mark = join(at.admin, "created");
      if (made || (await kindAt(mark)) === "nothing") {
        await hook("after_create", hooks.afterCreate, at.path);
        await writeFile(mark, "");
      }
      const head = (await git({ in: at }, "rev-parse", "HEAD")).trim();
      const base = (
        await git({ in: at }, "merge-base", "HEAD", `refs/remotes/origin/${remote.repo.defaultBranch}`)
      ).trim();
      await writeFile(join(at.admin, "base"), base);
      return { path: at.path, head, base, branch };
    },

    async checkoutCold(ticket, remote, head, name) {
      const mirror = await mirrorFor(remote);
      const at = await place("cold", remote, `cold-${keyOf(JSON.stringify([ticket, head, name]))}`);
      await locked(mirror, async () => {
        await fetch(mirror, remote);
        await clear(at);
        await mkdir(dirname(at.path), { recursive: true });
        await git({ in: { mirror } }, "worktree", "add", "-q", "--detach", at.path, head);
      });
      await eachFile(at.path, (file) => chmod(file, 0o444));
      // Modes are ours now; only content counts when asking who wrote.
      const base = (
        await git({ in: at }, "merge-base", "HEAD", `refs/remotes/origin/${remote.repo.defaultBranch}`)
      ).trim();
      return { path: at.path, head, base, branch: undefined };
    },

    async written(tree) {
      const at = await opened(tree.path);
      const out = await git(
        { in: at },
        "-c",
        "core.fileMode=false",
        "status",
        "--porcelain",
        "-z",
        "--no-renames",
        "--ignored",
        "--untracked-files=all",
      );
      return out
        .split("\0")
        .filter((line) => line !== "")
        .map((line) => line.slice(3));
    },

    async commit(tree, message) {
      const at = await opened(tree.path);
      return commitAll(git, at, options.author, tree.head, message);
    },

    async publish(tree, remote, branch, expected) {
      const at = await opened(tree.path);
      const auth = await authFor(remote, "write");
      const ref = `refs/heads/${branch}`;
      const head = (await git({ in: at }, "rev-parse", "HEAD")).trim();
      const look = async () =>
        (await git({ in: at, auth }, "ls-remote", remote.url, ref)).split("\t")[0] || undefined;
      const now = await look();
      if (now !== head) {
        if (now !== expected) return { is: "moved", to: now };
        try {
          await git(
            { in: at, auth },
            "push",
            "-q",
            "--no-verify",
            `--force-with-lease=${ref}:${expected ?? ""}`,
            remote.url,
            `HEAD:${ref}`,
          );
        } catch (error) {
          // Somebody pushed between our look and our push: that is an answer, not a failure.
          const then = await look();
          if (then !== head && then === expected) throw error;
          if (then !== head) return { is: "moved", to: then };
        }
      }
      await git({ in: at }, "update-ref", `refs/published/${branch}`, head);
      return head;
    },

    async diff(tree) {
      const at = await opened(tree.path);
      return git({ in: at }, "diff", "--no-ext-diff", "--no-textconv", "--no-color", `${tree.base}...HEAD`);
    },

    async restore(tree, paths) {
      const at = await opened(tree.path);
      for (const path of paths) {
        const steps = path.replace(/\/+$/, "").split("/");
        if (
          steps.some((step) => step === "" || step === "." || step === ".." || step.toLowerCase() === ".git")
        )
          throw new Trouble("git-path", `Cannot restore ${JSON.stringify(path)}: it leaves the worktree.`, {
            permanent: true,
          });
        const plain = steps.join("/");
        await contain(root, dirname(join(at.path, plain)));
        await rm(join(at.path, plain), { recursive: true, force: true });
        const there = await git({ in: at }, "--literal-pathspecs", "ls-tree", "-z", tree.base, "--", plain);
        if (there !== "")
          await git({ in: at }, "--literal-pathspecs", "checkout", "-q", tree.base, "--", plain);
      }
    },

    async dropCold(tree) {
      const at = await placeOf(root, tree.path);
      await locked(at.mirror, () => clear(at));
    },

    async drop(ticket, remote, hooks: Hooked) {
      const mirror = await mirrorFor(remote);
      const at = await place("trees", remote, keyOf(ticket));
      if ((await kindAt(at.path)) === "nothing") return "dropped";
      if (await isWhole(at)) {
        await verify(at);
        if ((await git({ in: at }, "status", "--porcelain", "-z")) !== "")
          return { is: "kept", why: `uncommitted changes in ${at.path}` };
        await locked(mirror, () => fetch(mirror, remote));
        const count = (
          await git(
            { in: at },
            "rev-list",
            "--count",
            "HEAD",
            "--not",
            "--remotes=origin",
            "--glob=refs/published/*",
          )
        ).trim();
        if (count !== "0") return { is: "kept", why: `${count} unpublished commits in ${at.path}` };
        await hook("before_remove", hooks.beforeRemove, at.path);
      }
      await locked(mirror, () => clear(at));
      return "dropped";
    },

    async prune() {
      const removed: string[] = [];
      for (const folder of ["trees", "cold"] as const) {
        for (const repo of await names(root, join(root, folder)))
          for (const name of await names(root, join(root, folder, repo))) {
            const at = await placeOf(root, join(root, folder, repo, name));
            await rm(join(at.admin, "index.lock"), { force: true });
            if (folder === "trees" && (await isWhole(at))) continue;
            await clear(at);
            removed.push(at.path);
          }
      }
      return { removed };
    },

    async runHook(kind, command, tree, signal) {
      return hook(kind, command, (await opened(tree.path)).path, signal);
    },
  };
}

async function trustConfig(mirror: string): Promise<void> {
  const path = join(mirror, "config");
  if ((await kindAt(path)) === "file" && (await readFile(path, "utf8")) === mirrorConfig) return;
  await rm(path, { recursive: true, force: true });
  await writeFile(path, mirrorConfig);
}

/** git holds `locked` while it makes a worktree: still there means it never finished, so nobody worked in it. */
async function isWhole(at: Place): Promise<boolean> {
  const kind = await kindAt(at.path);
  if (kind !== "nothing" && kind !== "directory")
    throw new Trouble(
      "git-path",
      `${at.path} is a ${kind} where a worktree belongs. Move it away and try again.`,
      { permanent: true },
    );
  if (
    kind === "nothing" ||
    (await kindAt(at.admin)) === "nothing" ||
    (await kindAt(join(at.admin, "locked"))) !== "nothing"
  )
    return false;
  await verify(at);
  return true;
}

async function clear(at: Place): Promise<void> {
  await rm(at.path, { recursive: true, force: true });
  await rm(at.admin, { recursive: true, force: true });
}

async function names(root: string, path: string): Promise<readonly string[]> {
  await contain(root, path);
  return (await kindAt(path)) === "directory" ? readdir(path) : [];
}

async function eachFile(path: string, work: (file: string) => Promise<void>): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const at = join(path, entry.name);
    if (entry.isDirectory()) await eachFile(at, work);
    else if (entry.isFile() && entry.name !== ".git") await work(at);
  }
}

async function commitAll(
  git: Git,
  at: Place,
  author: WorkspaceOptions["author"],
  before: Sha,
  message: string,
): Promise<Sha | undefined> {
  await git({ in: at }, "add", "-A");
  const staged = await git(
    { in: at },
    "diff",
    "--cached",
    "--raw",
    "-z",
    "--no-renames",
    "--no-ext-diff",
    "HEAD",
  );
  const nested = staged.split("\0").findIndex((line) => /^:\d{6} 160000 /.test(line));
  if (nested >= 0) {
    const name = staged.split("\0")[nested + 1] ?? "";
    await git({ in: at }, "reset", "-q");
    throw new Trouble(
      "git-nested",
      `${name} is a git repository inside the worktree; remove its .git and try again.`,
      { permanent: true },
    );
  }
  if (staged !== "") {
    const who = {
      GIT_AUTHOR_NAME: author.name,
      GIT_AUTHOR_EMAIL: author.email,
      GIT_COMMITTER_NAME: author.name,
      GIT_COMMITTER_EMAIL: author.email,
    };
    await git(
      { in: at, environment: who },
      "commit",
      "-q",
      "--no-verify",
      "--cleanup=verbatim",
      "-m",
      message,
    );
  }
  const head = (await git({ in: at }, "rev-parse", "HEAD")).trim();
  return head === before ? undefined : head;
}
