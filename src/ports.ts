/** Every seam to the world, in our words. A refusal a caller must handle is a value; anything thrown is `Trouble`. */
import type { BaseCommit } from "./state-machine/after-merge.ts";
import type { OwnLabel } from "./state-machine/effect.ts";
import type { MergeMethod, Queued, Standing } from "./state-machine/landing.ts";
import type { CommentRef } from "./state-machine/event.ts";
import type { Check, Notice } from "./ports-notices.ts";
import type { LineSuggestion, ReviewThread, SeenTips, TakenTheirs } from "./ports-threads.ts";
import type { LinearIssueRef } from "./state-machine/ticket-id.ts";
import type { ChecksAre, Sha, State, TicketId } from "./state-machine/ticket.ts";

/** Names one intention for ever. Performing twice under one key does it once. */
export type Key = string & { readonly brand: "Key" };
/** Milliseconds since 1970. */
export type Instant = number;
export type Markdown = string;

export interface Clock {
  now(): Instant;
  /** Resolves at that instant, or at once when it has passed; rejects with the signal's reason. */
  until(instant: Instant, signal?: AbortSignal): Promise<void>;
}

/** A repository the App is installed in. Keyed by number: names change. */
export interface Repo {
  readonly id: number;
  readonly owner: string;
  readonly name: string;
  readonly installation: number;
  readonly defaultBranch: string;
  readonly private: boolean;
}
export interface IssueRef {
  readonly repo: Repo;
  readonly number: number;
  /** Of a ticket that lives in Linear; else it is the repository's own issue of that number. */
  readonly linear?: LinearIssueRef | undefined;
}
export interface PullRef {
  readonly repo: Repo;
  readonly number: number;
}

export type Permission = "none" | "read" | "triage" | "write" | "maintain" | "admin";

// ── Tracker: where tickets live ─────────────────────────────────────────────

export interface TicketFacts {
  readonly id: TicketId;
  /** `owner/repo#42`, or `workspace/ENG-42` */
  readonly ref: string;
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly open: boolean;
  /** Closed without being done: as not planned, or as a duplicate. */
  readonly declined: boolean;
  readonly labels: readonly string[];
  readonly author: string;
  readonly url: string;
  readonly updatedAt: Instant;
  /** 1 urgent to 4 low, where the tracker has priorities of its own and one is set. */
  readonly priority?: 1 | 2 | 3 | 4 | undefined;
  /** Whether the tracker has it in the stretch of time that its people work in now. */
  readonly cycle?: "current" | "other" | undefined;
  /** What the tracker would call the branch, so that it knows it again; undefined where it has no opinion. */
  readonly branch?: string | undefined;
}
export interface LabelEvent {
  readonly label: string;
  readonly is: "set" | "removed";
  readonly by: string;
  readonly at: Instant;
}
export interface IssueHistory {
  /** Oldest first. */
  readonly labels: readonly LabelEvent[];
  /** When title or body last changed; undefined when they never did. */
  readonly textChangedAt: Instant | undefined;
}
/** Something a ticket waits for, as it stands. */
export interface Dependency {
  /** `owner/repo#7` */
  readonly ref: string;
  readonly is: "open" | "completed" | /** Closed without being done. */ "declined";
}
export interface Tracker {
  /** Undefined when it was deleted, transferred away or is no issue. */
  ticket(issue: IssueRef): Promise<TicketFacts | undefined>;
  /** Open issues that carry one of our labels, or changed since the instant; newest change last. */
  changedSince(repo: Repo, since: Instant): Promise<readonly TicketFacts[]>;
  /** What the tracker itself says must be done before this; nothing where it has no such relation. */
  dependencies(issue: IssueRef): Promise<readonly Dependency[]>;
  /** The issue's own memory of its labels and its text, for what no delivery told; undefined when it is gone. */
  history(issue: IssueRef): Promise<IssueHistory | undefined>;
  /** Opens an issue of ours, or finds the one that bears this marker. */
  openIssue(
    key: Key,
    repo: Repo,
    marker: string,
    issue: { readonly title: string; readonly body: Markdown },
  ): Promise<number>;
  /** Mirrors the state: on GitHub Done closes the issue as completed, Cancelled as not planned, any other state opens it. */
  move(key: Key, issue: IssueRef, to: State): Promise<void>;
  /** Adds and removes; a label already so is left alone; a missing label is created from the vocabulary. */
  setLabels(key: Key, issue: IssueRef, change: LabelChange): Promise<void>;
}
export interface LabelChange {
  readonly add: readonly OwnLabel[];
  readonly remove: readonly OwnLabel[];
}

// ── Forge: pull requests, people, merging ───────────────────────────────────

export interface CheckFact {
  readonly name: string;
  readonly is: "pending" | "green" | "red";
  readonly required: boolean;
  readonly isUnreported?: true;
  readonly url: string | undefined;
  /** In the forge's own word; undefined while it has none. */
  readonly conclusion?: string | undefined;
  /** The App that reports it; undefined for a commit status. */
  readonly app?: string | undefined;
}
export interface Approval {
  readonly by: string;
  readonly is: "approved" | "objected" | "dismissed";
  readonly head: Sha;
  readonly at: Instant;
  /** What it says in all; what it says on lines stands in conversations. */
  readonly body: string;
}
export interface PullFacts {
  readonly number: number;
  readonly url: string;
  readonly open: boolean;
  readonly merged: Sha | undefined;
  /** Who merged it, by login. */
  readonly mergedBy?: string | undefined;
  readonly draft: boolean;
  readonly head: Sha;
  readonly headBranch: string;
  readonly base: Sha;
  readonly baseBranch: string;
  readonly body: Markdown;
  readonly author: string;
  /** `blocked`: rules of the repository stand in the way; `unknown`: GitHub has not computed it yet. */
  readonly mergeable: "yes" | "conflict" | "blocked" | "unknown";
  readonly armed: boolean;
  /** The branch's rules let nothing in without our own check: only then does a merge that is armed wait for it. */
  readonly gateIsRequired: boolean;
  /** Of the head, our own check excluded. `none` = neither check runs, statuses nor required checks exist. Where checks are required, only those count. */
  readonly checks: Exclude<ChecksAre, "doubted">;
  readonly checkList: readonly CheckFact[];
  /** Latest non-comment review per person, never our own. */
  readonly approvals: readonly Approval[];
}
export interface CommitFacts {
  readonly tree: Sha;
  readonly parents: readonly Sha[];
}
export interface PullDraft {
  readonly repo: Repo;
  readonly branch: string;
  readonly base: string;
  readonly title: string;
  /** Our region of the body; text outside the region is the human's. */
  readonly region: Markdown;
  readonly draft: boolean;
}
export interface Forge {
  /** One read, all facts: head, reviews, checks, mergeability. Undefined when there is no such pull request. */
  pull(ref: PullRef): Promise<PullFacts | undefined>;
  /** Every conversation on lines of the pull request, resolved ones too; none when there is no such pull request. */
  threads(ref: PullRef): Promise<readonly ReviewThread[]>;
  /** The person's permission now. Bots and unknown logins: `none`. */
  permission(repo: Repo, login: string): Promise<Permission>;
  /** Whose account this number is now; undefined when there is no such person any more. */
  loginOf(repo: Repo, account: number): Promise<string | undefined>;
  /** Opens it, or finds the open one from that branch. */
  openPull(key: Key, draft: PullDraft): Promise<PullRef>;
  /** Brings our region of the body up to date, leaves draft, asks these people to review; what is already so is left alone. */
  askReview(
    key: Key,
    pull: PullRef,
    change: { readonly region: Markdown; readonly reviewers: readonly string[] },
  ): Promise<void>;
  closePull(key: Key, pull: PullRef): Promise<void>;
  /** Points an open pull request at another base; one that is over is left alone. */
  retarget(key: Key, pull: PullRef, base: string): Promise<void>;
  /** Asks the forge to merge this head once its rules are met; refuses when the forge offers none or the pull request is already clean. */
  arm(key: Key, pull: PullRef, head: Sha, message?: MergeMessage): Promise<"armed" | Refused>;
  /** Takes the arming back, and the pull request out of the merge queue. */
  disarm(key: Key, pull: PullRef): Promise<void>;
  /** How it stands with the rules of its base, the merge queue among them. */
  standing(pull: PullRef): Promise<Standing | undefined>;
  /** Puts exactly this head into the merge queue, once under one key; repeated it tells what has become of it. */
  enqueue(key: Key, pull: PullRef, head: Sha): Promise<Queued | Merged | Refused>;
  /** The merge queue of a branch, first come first; empty where there is none. */
  queue(repo: Repo, branch: string): Promise<readonly QueueEntry[]>;
  /** What a commit of the repository is made of; undefined when the forge does not know it. */
  commit(repo: Repo, sha: Sha): Promise<CommitFacts | undefined>;
  /** Merges exactly this head. A refusal is an answer, not an error. */
  merge(key: Key, pull: PullRef, head: Sha, message: MergeMessage): Promise<Merged | Refused>;
  /** Commits of a branch by first parent, newest first, from its tip to some before this merge; empty when it is not there. */
  base(repo: Repo, branch: string, merge: Sha): Promise<readonly BaseCommit[]>;
  /** Paths that the pull request changes. */
  paths(pull: PullRef): Promise<readonly string[]>;
  /** Deletes the branch when it still points at this head. */
  deleteBranch(key: Key, repo: Repo, branch: string, head: Sha): Promise<void>;
}
/** One pull request in a merge queue. */
export interface QueueEntry {
  readonly position: number;
  /** The commit built of its base, all before it in the queue, and itself. */
  readonly group: Sha | undefined;
  readonly pull: number;
  readonly head: Sha;
}
export interface MergeMessage {
  readonly title: string;
  readonly body: string;
  /** Exactly this way; the first that the repository allows where it is left out. */
  readonly method?: MergeMethod | undefined;
}
export interface Merged {
  readonly is: "merged";
  readonly merge: Sha;
}
export interface Refused {
  readonly is: "refused";
  /** `moved`: another head; `behind`: the base has to be taken over first; `conflict`: and that takes somebody; `pending`: try again later; `checks`: those of a merge queue failed; `policy`: rules forbid it; `unavailable`: no such feature. */
  readonly how: "moved" | "behind" | "conflict" | "pending" | "checks" | "policy" | "unavailable";
  readonly why: string;
}

// ── Voice: what we say on the forge ─────────────────────────────────────────

export type Thread = IssueRef;
export interface InlineFinding {
  readonly path: string;
  readonly line: number;
  readonly body: Markdown;
  /** By which the comment is found again. */
  readonly id?: string | undefined;
}
/** What a comment on a finding is to say by now. */
export interface SpokenFinding {
  readonly id: string;
  readonly body: Markdown;
  readonly thread: "resolved" | "open";
}
export interface Voice {
  /** Finds its own comment by id, then by the marker of this name, else writes it: below `under` in a tracker with threads. */
  upsertComment(
    key: Key,
    on: Thread,
    marker: string,
    body: Markdown,
    under?: string,
  ): Promise<number | string>;
  react(
    key: Key,
    on: Thread,
    comment: CommentRef | undefined,
    content: "eyes" | "rocket" | "hooray" | "confused" | "+1",
  ): Promise<void>;
  /** One check run per name and head: updated where it exists. */
  writeCheck(key: Key, repo: Repo, head: Sha, check: Check): Promise<void>;
  /** Has one issue of ours say this: opened once under its marker, then edited. One that people closed stays closed. */
  writeNotice(key: Key, repo: Repo, marker: string, notice: Notice): Promise<number>;
  /** Closes it as done, with a last word below; one that was never opened, or is closed, is left alone. */
  closeNotice(key: Key, repo: Repo, marker: string, word: Markdown): Promise<void>;
  /** One COMMENT review; findings whose line is not in the diff go into the body. */
  postReview(
    key: Key,
    pull: PullRef,
    head: Sha,
    body: Markdown,
    findings: readonly InlineFinding[],
  ): Promise<void>;
  /** Brings our comments on these findings up to date, with their threads; one that was never posted is left out. */
  updateFindings(key: Key, pull: PullRef, findings: readonly SpokenFinding[]): Promise<void>;
  /** Says it in the thread of this comment, once under each marker; a thread that is gone takes no reply. */
  replyInThread(key: Key, pull: PullRef, root: number, marker: string, body: Markdown): Promise<void>;
  /** Marks the conversation as resolved; one that is so already, or gone, is left alone. */
  resolveThread(key: Key, pull: PullRef, thread: string): Promise<void>;
}

// ── Workspace: git on this host ─────────────────────────────────────────────

export interface Worktree {
  readonly path: string;
  readonly head: Sha;
  /** Commit the branch grew from. */
  readonly base: Sha;
  readonly branch: string | undefined;
  /** Where the remote's branches were when `prepare` made it ready: good for what follows at once. */
  readonly seen?: SeenTips | undefined;
}
export interface ColdTree extends Worktree {
  /** The files of the head. */
  readonly tree: Sha;
  /** What the head changes, as `diff` says it: read beside the checkout and not from it. */
  readonly diff: string;
}
export interface Remote {
  readonly repo: Repo;
  /** `https://host/owner/name.git` */
  readonly url: string;
  /** Of a stacked ticket: the commit that its work grows from and is compared with, in place of the default branch. */
  readonly upon?: Sha | undefined;
}
export interface Hooked {
  readonly afterCreate?: string | undefined;
  readonly beforeRun?: string | undefined;
  readonly afterRun?: string | undefined;
  readonly beforeRemove?: string | undefined;
  /** Limit of each; the workspace's own where it is not given. */
  readonly timeoutMs?: number | undefined;
}
export interface Workspace {
  /** The ticket's own worktree on its branch: made, or found as it was left. What was `seen` moves nothing. */
  prepare(
    ticket: TicketId,
    remote: Remote,
    branch: string,
    hooks: Hooked,
    seen?: SeenTips,
  ): Promise<Worktree>;
  /**
   * Merges this commit, or the newest known one of the default branch, into the worktree, for the next `commit` to record;
   * answers the files in which both sides are left to be settled. Repeating it finds the merge as it was left.
   */
  takeBase(tree: Worktree, commit?: Sha): Promise<readonly string[]>;
  /**
   * Puts the worktree upon what people pushed to its branch meanwhile, our own work carried over; for `publish` to grow
   * from. One that was never published is put upon what it is to stand on now, should that be another ticket's head, or no
   * longer be one. Repeating it changes nothing. The remote is asked, unless it was a moment ago and this is what it said.
   */
  takeTheirs(tree: Worktree, remote: Remote, seen?: SeenTips): Promise<TakenTheirs>;
  /**
   * Commits and pushes what people suggested, word for word, each on exactly the lines it was written on, as one commit
   * upon the remote's tip that credits them; answers which. One whose file has changed since, or that overlaps another,
   * is left; so are all while the worktree holds work of ours. Repeating it finds what it did.
   */
  applySuggestions(
    tree: Worktree,
    remote: Remote,
    suggestions: readonly LineSuggestion[],
  ): Promise<{ readonly head: Sha; readonly applied: readonly number[] } | undefined>;
  /** Takes a commit back for the next `commit`, or answers the files that prevent it and changes nothing. Repeatable. */
  takeBack(tree: Worktree, commit: Sha): Promise<readonly string[]>;
  /** A detached, read-only checkout of exactly this head, for the reviewer: nothing of the builder in it. */
  checkoutCold(ticket: TicketId, remote: Remote, head: Sha, name: string): Promise<ColdTree>;
  /** What `diff` says of a cold checkout of this head, without one being made. */
  headDiff(remote: Remote, head: Sha): Promise<string>;
  /** Files that differ from the checkout's head; empty means nobody wrote. */
  written(tree: Worktree): Promise<readonly string[]>;
  /** All that differs from this commit, or from the one checked out, as one text: equal only while no file changes. */
  fingerprint(tree: { readonly path: string; readonly head?: Sha | undefined }): Promise<string>;
  /** Commits everything in the worktree, hooks off; undefined when there is nothing to commit. */
  commit(tree: Worktree, message: string): Promise<Sha | undefined>;
  /** Pushes the branch to the remote, hooks and filters off; refuses when the remote is not at `expected`. */
  publish(
    tree: Worktree,
    remote: Remote,
    branch: string,
    expected: Sha | undefined,
  ): Promise<Sha | { readonly is: "moved"; readonly to: Sha | undefined }>;
  /** Unified diff of head against its merge base with base. */
  diff(tree: Worktree): Promise<string>;
  /** Puts these paths back as they are at the base: agent configuration somebody else's head may have poisoned. */
  restore(tree: Worktree, paths: readonly string[]): Promise<void>;
  dropCold(tree: Worktree): Promise<void>;
  /** Removes the ticket's worktree; refuses, as a value, to delete unpublished work. */
  drop(
    ticket: TicketId,
    remote: Remote,
    hooks: Hooked,
  ): Promise<"dropped" | { readonly is: "kept"; readonly why: string }>;
}

/** Trouble: throw it from an adapter; the outbox or the engine backs off, then gives up as an event. */
export class Trouble extends Error {
  readonly code: string;
  readonly retryAt: Instant | undefined;
  readonly permanent: boolean;
  constructor(
    code: string,
    message: string,
    options: { readonly cause?: unknown; readonly retryAt?: Instant; readonly permanent?: boolean } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "Trouble";
    this.code = code;
    this.retryAt = options.retryAt;
    this.permanent = options.permanent ?? false;
  }
}
