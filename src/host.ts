/** What this host keeps for tickets: their repositories' mirrors and worktrees, and homes for the commands that run there. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { openWorkspace } from "./adapters/git/git.ts";
import type { WorkspaceOptions } from "./adapters/git/yard.ts";
import type { Premises } from "./adapters/sandboxes/premises.ts";
import { commandHome } from "./adapters/sandboxes/quarters.ts";
import type { Environment } from "./config-environment.ts";
import type { Clock } from "./ports.ts";
import { ticketOfRun } from "./state-machine/ticket.ts";
import type { Store } from "./store/store.ts";

const gitLimitMs = 5 * 60_000;
const hookLimitMs = 60_000;

/** A home of their own: caches of a repository's commands must not end up in the worktree, nor with another's. */
export async function homeFor(dataDir: string, store: Pick<Store, "load">, run: string): Promise<string> {
  const ticket = await store.load(ticketOfRun(run));
  const owner = ticket === undefined ? run : `github:${ticket.repo}`;
  const home = commandHome(dataDir, owner.replaceAll(/[^\w-]/gu, "-"));
  mkdirSync(home, { recursive: true, mode: 0o700 });
  return home;
}

export interface HostParts extends Pick<WorkspaceOptions, "author" | "credentials"> {
  readonly environment: Environment;
  readonly log: Logger;
  readonly clock: Clock;
  readonly searchPath: string;
  readonly premises: Premises;
}

/** Mirrors and worktrees below the data folder; what is pushed bears this author's name. */
export async function openGit({
  environment,
  log,
  clock,
  searchPath,
  premises,
  author,
  credentials,
}: HostParts): ReturnType<typeof openWorkspace> {
  return await openWorkspace({
    root: join(environment.dataDir, "workspaces"),
    credentials,
    author,
    fetch: globalThis.fetch,
    searchPath,
    limits: { gitMs: gitLimitMs, hookMs: hookLimitMs },
    premises,
    clock,
    warn: (message) => log.warn(message),
  });
}
