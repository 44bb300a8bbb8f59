/** What every part of the git workspace works with, and where its worktrees lie. */
import { join } from "node:path";
import type { Clock, Remote } from "../../ports.ts";
import type { Known } from "./commits.ts";
import type { HookKind } from "./hooks.ts";
import { keyOf, placeOf } from "./paths.ts";
import type { Place } from "./paths.ts";
import type { Records } from "./records.ts";
import type { Git, GitOrder } from "./run.ts";
import type { Premises } from "../sandboxes/premises.ts";

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
  /** Asks a remote that speaks HTTP where its branches are; git does where this is left out. */
  readonly fetch?: typeof globalThis.fetch;
  /** Where hooks run; on this host as it is when left out. */
  readonly premises?: Premises | undefined;
  /** By which the limits of the premises are watched. */
  readonly clock?: Clock | undefined;
  /** Told of hooks whose failure does not stop the work, and of leftovers that a person should look at. */
  readonly warn?: (message: string) => void;
}

export interface Yard {
  readonly root: string;
  readonly options: WorkspaceOptions;
  readonly git: Git;
  readonly fetch: typeof globalThis.fetch | undefined;
  readonly known: Known;
  readonly records: Records;
  /** One at a time per mirror: git's own locks fail instead of waiting. */
  readonly locked: <T>(mirror: string, work: () => Promise<T>) => Promise<T>;
  readonly hook: (
    kind: HookKind,
    command: string | undefined,
    at: Place,
    limits?: { readonly timeoutMs?: number | undefined; readonly signal?: AbortSignal | undefined },
  ) => Promise<{ readonly failed: string | undefined }>;
}

/** What makes a commit of ours bear our name. */
export const authored = ({ options: { author } }: Yard) => ({
  GIT_AUTHOR_NAME: author.name,
  GIT_AUTHOR_EMAIL: author.email,
  GIT_COMMITTER_NAME: author.name,
  GIT_COMMITTER_EMAIL: author.email,
});

const mirrorKey = (remote: Remote): string => keyOf(`${remote.repo.id}`);
/** The mirror of a repository, made or not. */
export const mirrorPath = (yard: Yard, remote: Remote): string =>
  join(yard.root, "mirrors", mirrorKey(remote));

/** Where the worktree of this ticket belongs, made or not. */
export const treePlace = (yard: Yard, remote: Remote, ticket: string): Place =>
  placeOf(yard.root, join(yard.root, "trees", mirrorKey(remote), keyOf(ticket)));

/** Where this cold checkout belongs, made or not. */
export const coldPlace = (
  yard: Yard,
  remote: Remote,
  which: { readonly ticket: string; readonly head: string; readonly name: string },
): Place =>
  placeOf(
    yard.root,
    join(
      yard.root,
      "cold",
      mirrorKey(remote),
      `cold-${keyOf(JSON.stringify([which.ticket, which.head, which.name]))}`,
    ),
  );

/** What all of these come to. When one fails, the others have ended too: nothing of ours is left at work. */
export async function together<const Works extends readonly unknown[]>(
  works: Works,
): Promise<{ -readonly [At in keyof Works]: Awaited<Works[At]> }> {
  await Promise.allSettled(works);
  return await Promise.all(works);
}

/** What a git order needs to speak to this remote. */
export async function networkTo(
  yard: Yard,
  remote: Remote,
  access: "read" | "write",
): Promise<NonNullable<GitOrder["network"]>> {
  return { url: remote.url, header: (await yard.options.credentials(remote, access))?.header };
}
