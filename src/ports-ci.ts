/** The seams to continuous integration and to a base that moves, in our words. */
import type { Instant, Key, Refused, Remote, Repo } from "./ports.ts";
import type { Sha } from "./state-machine/ticket.ts";

/** One run of a check on one commit; a commit status is a run without an id. */
export interface CheckTry {
  /** Undefined for a commit status, which can be neither read further nor run again. */
  readonly id: number | undefined;
  readonly name: string;
  readonly is: "pending" | "green" | "red";
  /** The forge's own word for how it ended, such as `timed_out`. */
  readonly conclusion: string | undefined;
  readonly endedAt: Instant | undefined;
  readonly url: string | undefined;
}

export interface Ci {
  /** Every run of every check on a commit, earlier tries too, oldest first; never our own. */
  tries(repo: Repo, commit: Sha): Promise<readonly CheckTry[]>;
  /** The commit a branch points at. */
  tip(repo: Repo, branch: string): Promise<Sha | undefined>;
  /** What a run left to read, the end of it where it is long; undefined where there is nothing or we may not. */
  log(repo: Repo, id: number): Promise<string | undefined>;
  /** Has these runs run again; those that have begun again since are left alone. */
  rerun(key: Key, repo: Repo, head: Sha, runs: readonly RedRun[]): Promise<"asked" | Refused>;
}
export interface RedRun {
  readonly name: string;
  readonly id: number;
}

/** How a branch takes over what its base has gained. */
export type UpdateMethod = "merge" | "rebase";

/** A head made from another by taking over its base; nothing is published yet. */
export interface Updated {
  readonly is: "updated";
  readonly head: Sha;
  readonly from: Sha;
  /** The base it grew from before, and the one it has now. */
  readonly oldBase: Sha;
  readonly base: Sha;
  /** `merge` where a rebase was wanted, but somebody else's commits are on the branch. */
  readonly how: UpdateMethod;
  /** The change against its base is the same, by patch id. */
  readonly unchanged: boolean;
  /** Subjects of what the base gained, newest first, and how many there are. */
  readonly gained: { readonly count: number; readonly subjects: readonly string[] };
}
export type UpdateAnswer =
  | Updated
  | { readonly is: "current" }
  | { readonly is: "conflict"; readonly files: readonly string[] }
  | { readonly is: "moved"; readonly to: Sha | undefined };

/** How a stacked branch moves on: the commits after `from` are carried over. */
export interface Restack {
  readonly from: Sha;
  /** The newest commit of the default branch where it is left out. */
  readonly onto?: Sha | undefined;
  /** Trouble while the new base lacks this: the merge of what it was stacked on, of which the remote may not tell at once. */
  readonly holds?: Sha | undefined;
}

/** Brings branches up to date with the default branch, by the host itself and outside any agent's worktree. */
export interface Drift {
  /** Whether the default branch holds something that this head lacks. */
  isBehind(remote: Remote, head: Sha): Promise<boolean>;
  /**
   * Makes the new head, here only; the branch must stand at `head`. A restack carries over what is the branch's own and
   * nothing of what it was stacked on: by a rebase, or by a merge that takes `from` for where both began. It is never
   * `current`: even where there is nothing to take, what comes of it is another head.
   */
  update(
    remote: Remote,
    branch: string,
    head: Sha,
    how: UpdateMethod,
    restack?: Restack,
  ): Promise<UpdateAnswer>;
  /** Publishes it, if the branch still stands where it was made from. */
  publish(
    remote: Remote,
    branch: string,
    updated: Pick<Updated, "head" | "from">,
  ): Promise<Sha | { readonly is: "moved"; readonly to: Sha | undefined }>;
}
