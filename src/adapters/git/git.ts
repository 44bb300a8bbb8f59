/** Workspaces on this host: one bare mirror per repository, one worktree per ticket, the push from here. */
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Workspace, Worktree } from "../../ports.ts";
import type { Changes } from "../../ports-changes.ts";
import type { Drift } from "../../ports-ci.ts";
import { takeBack, takeBase } from "./base.ts";
import { checkoutCold, dropCold, headDiff, written } from "./cold.ts";
import { commit } from "./commit.ts";
import { forgetting, openKnown } from "./commits.ts";
import { diff } from "./diff.ts";
import { fingerprint } from "./fingerprint.ts";
import { runHook } from "./hooks.ts";
import type { HookKind } from "./hooks.ts";
import { opened, trusting } from "./mirror.ts";
import { contain, realRoot } from "./paths.ts";
import { prune } from "./prune.ts";
import { publish } from "./publish.ts";
import { openRecords } from "./records.ts";
import { restore } from "./restore.ts";
import { gitRunner } from "./run.ts";
import { driftIn } from "./update.ts";
import { changesIn } from "./show.ts";
import { applySuggestions } from "./suggest.ts";
import { takeTheirs } from "./theirs.ts";
import { drop, prepare } from "./tree.ts";
import type { WorkspaceOptions, Yard } from "./yard.ts";

/** A workspace with what the start of the process needs. */
export interface GitWorkspace extends Workspace {
  readonly drift: Drift;
  readonly changes: Changes;
  /** Clears what a crash left; call once, before any work starts. Cold checkouts of a living name stay. */
  prune(isAlive?: (name: string) => boolean): Promise<{ readonly removed: readonly string[] }>;
  /** Runs one of the repository's hooks in this worktree. */
  runHook(
    kind: HookKind,
    command: string | undefined,
    tree: Worktree,
    signal?: AbortSignal,
  ): Promise<{ readonly failed: string | undefined }>;
}

/** Opens the workspaces under this root. */
export async function openWorkspace(options: WorkspaceOptions): Promise<GitWorkspace> {
  const yard = await openYard(options);
  const openedAt = await fileTime(yard.root);
  return {
    prepare: (ticket, remote, branch, hooks, seen) => prepare(yard, { ticket, remote, branch, hooks, seen }),
    takeBase: (tree, commit) => takeBase(yard, tree, commit),
    takeTheirs: (tree, remote, seen) => takeTheirs(yard, { tree, remote, seen }),
    applySuggestions: (tree, remote, suggestions) => applySuggestions(yard, { tree, remote, suggestions }),
    takeBack: (tree, commit) => takeBack(yard, tree, commit),
    checkoutCold: (ticket, remote, head, name) => checkoutCold(yard, { ticket, remote, head, name }),
    headDiff: (remote, head) => headDiff(yard, { remote, head }),
    written: (tree) => written(yard, tree),
    fingerprint: (tree) => fingerprint(yard, tree),
    commit: (tree, message) => commit(yard, tree, message),
    publish: (tree, remote, branch, expected) => publish(yard, { tree, remote, branch, expected }),
    diff: (tree) => diff(yard, tree),
    restore: (tree, paths) => restore(yard, tree, paths),
    dropCold: (tree) => dropCold(yard, tree),
    drift: driftIn(yard),
    changes: changesIn(yard),
    drop: (ticket, remote, hooks) => drop(yard, { ticket, remote, hooks }),
    prune: (isAlive = () => false) => prune(yard, { isAlive, before: openedAt }),
    runHook: async (kind, command, tree, signal) =>
      yard.hook(kind, command, await opened(yard, tree.path), { signal }),
  };
}

async function openYard(options: WorkspaceOptions): Promise<Yard> {
  const root = await realRoot(options.root);
  const known = openKnown();
  return {
    root,
    options,
    git: forgetting(trusting(gitRunner(options.searchPath, options.limits.gitMs)), known),
    fetch: options.fetch,
    known,
    records: openRecords(root),
    locked: oneAtATime(),
    hook: async (kind, command, at, { timeoutMs = options.limits.hookMs, signal } = {}) => {
      // Not the worktree: what a tool keeps at home would be committed. Nor another repository's.
      const home = join(root, "home", basename(at.mirror));
      contain(root, home);
      await mkdir(home, { recursive: true, mode: 0o700 });
      const { searchPath, premises, clock } = options;
      const place = { path: at.path, home, searchPath, timeoutMs, premises, clock };
      const ran = await runHook(kind, command, place, signal);
      if (ran.failed) options.warn?.(ran.failed);
      return ran;
    },
  };
}

function oneAtATime(): Yard["locked"] {
  const tails = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const next = (tails.get(key) ?? Promise.resolve()).then(work, work);
    const settled = next.catch(() => undefined);
    tails.set(key, settled);
    return next;
  };
}

/** Now, by the file system's own clock: what file times are compared with. */
async function fileTime(root: string): Promise<number> {
  const path = join(root, ".opened");
  await rm(path, { recursive: true, force: true });
  await writeFile(path, "", { mode: 0o600 });
  return (await stat(path)).mtimeMs;
}
