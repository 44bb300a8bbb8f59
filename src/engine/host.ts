/** What the tasks of a workflow may ask of the machine they run on. Whoever opens an engine provides it; the engine itself touches nothing. */
import type { Json } from "./json.ts";

export interface Host {
  /** The folder a run works in when its row names none. */
  readonly folder: string;
  shell(order: ShellOrder, signal: AbortSignal): Promise<ShellResult>;
  /** By the names a workflow calls them. */
  readonly agents: ReadonlyMap<string, HostAgent>;
  /** Takes out what must not be kept, such as credentials. */
  redact(text: string): string;
  readonly snapshots: Snapshots | undefined;
  readonly worktrees: Worktrees | undefined;
  /** Of the files in a folder, equal only while none changes; undefined where that cannot be told. */
  fingerprint?(folder: string): Promise<string | undefined>;
}

export interface ShellOrder {
  readonly command: string;
  readonly folder: string;
  /** Marks every process of this order, so that none outlives it. */
  readonly run: string;
  readonly timeoutMs: number | undefined;
}
export interface ShellResult {
  /** Undefined when a signal ended it. */
  readonly exit: number | undefined;
  readonly timedOut: boolean;
  /** The end of each stream, at most 64 KiB. */
  readonly stdout: string;
  readonly stderr: string;
}

/** One turn of an agent. */
export interface AgentOrder {
  /** Names the attempt that it is a turn of, for ever. */
  readonly key: string;
  readonly prompt: string;
  readonly folder: string;
  /** Continue this session. */
  readonly resume: string | undefined;
  readonly access: "read" | "write";
  /** JSON schema of the answer wanted; undefined for plain text. */
  readonly schema: Readonly<Record<string, unknown>> | undefined;
  readonly run: string;
  readonly model: string | undefined;
  readonly way?: AgentWay | undefined;
  /** Dollars this turn may spend. */
  readonly usd: number | undefined;
}
/** How an agent is to go about its task. What the words mean, and whether they exist, is the machine's to say. */
export interface AgentWay {
  /** As what it works, such as `plan`. */
  readonly role?: string | undefined;
  /** How capable a model it gets: `high`, `medium` or `low`. */
  readonly tier?: string | undefined;
  /** How hard it thinks: `low`, `medium`, `high`, `xhigh` or `max`. */
  readonly effort?: string | undefined;
  readonly persona?: string | undefined;
  /** Bundles of MCP servers, by name. */
  readonly mcp?: readonly string[] | undefined;
  /** Takes away from what its access gives. */
  readonly tools?: { readonly allow?: readonly string[]; readonly deny?: readonly string[] } | undefined;
}
export interface AgentUsage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly usd: number | undefined;
}
export type AgentSaid =
  | { readonly type: "session" | "model"; readonly id: string }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool"; readonly name: string; readonly detail: string }
  | { readonly type: "usage"; readonly usage: AgentUsage }
  | { readonly type: "waiting"; readonly why: string; readonly ms: number }
  | { readonly type: "result"; readonly outcome: AgentEnd };
export type AgentEnd =
  | { readonly is: "done"; readonly text: string; readonly structured: unknown }
  /** `retry`: trouble that passes; `blocked`: a person must act; `give-up`: this order cannot be done; `unfinished`: out of turns or time, the session intact. */
  | {
      readonly is: "failed";
      readonly how: "retry" | "blocked" | "give-up" | "unfinished";
      readonly code: string;
      readonly why: string;
      readonly retryAt?: number;
    };
export interface HostAgent {
  readonly name: string;
  /** Ends with exactly one `result`. Aborting the signal ends everything it started first. */
  work(order: AgentOrder, signal: AbortSignal): AsyncIterable<AgentSaid>;
}

/** Files as commits under hidden refs, so that they can go where the rows go. Index, branch and hooks of the folder stay untouched. */
export interface Snapshots {
  /** Keeps the folder as it is, ignored files aside; undefined where it is in no git repository. Names one ref for ever: saving under it again replaces it. */
  save(folder: string, ref: string, message: string): Promise<string | undefined>;
  /** Makes the folder's files those of this commit; what it does not hold is removed, ignored files stay. */
  restore(folder: string, commit: string): Promise<void>;
  /** Unified diff between two commits. */
  diff(folder: string, from: string, to: string): Promise<string>;
  /** Deletes the refs that begin so. */
  forget(folder: string, prefix: string): Promise<void>;
}

/** Names a worktree: every verb finds the same one by it, whatever an earlier, interrupted call left. */
export interface WorktreeName {
  /** A folder of the repository. */
  readonly folder: string;
  readonly run: string;
  /** Within the run. */
  readonly name: string;
  /** Its branch; made from the run and the name when undefined. */
  readonly branch: string | undefined;
}
export interface OpenedWorktree {
  /** Where tasks work: the folder's place in the worktree. */
  readonly path: string;
  readonly branch: string;
  /** The commit its branch grew from. */
  readonly base: string;
}
export type Landed =
  /** `head`: the commit that was landed. */
  | { readonly is: "merged"; readonly into: string; readonly head: string }
  | { readonly is: "conflict"; readonly into: string; readonly files: readonly string[] }
  /** The check that was asked for did not pass on the rebased branch. */
  | { readonly is: "red"; readonly into: string; readonly why: string }
  /** There is no such branch to land. */
  | { readonly is: "absent"; readonly into: string };
/** Worktrees of the repository that a run's folder is in. Each verb looks first, then does. */
export interface Worktrees {
  /** `from`: what the branch grows from; the folder's own head when undefined. */
  open(order: WorktreeName & { readonly from: string | undefined }): Promise<OpenedWorktree>;
  /** Whether this folder of a worktree is still there. */
  isThere(path: string): Promise<boolean>;
  /** Commits what is uncommitted in the worktree; answers its head. */
  commit(order: WorktreeName & { readonly message: string }): Promise<string>;
  /**
   * Puts a branch on top of another, lets `check` judge the result in a worktree of its own, and moves the other one
   * forward: all or nothing. `check` answers why it is red. Throws when files nobody committed are in the way.
   */
  land(
    order: {
      readonly folder: string;
      readonly run: string;
      readonly name: string;
      readonly branch: string | undefined;
      /** The branch it goes into; the folder's own when undefined. */
      readonly into: string | undefined;
    },
    check: ((folder: string) => Promise<string | undefined>) | undefined,
  ): Promise<Landed>;
  /** Removes a worktree, and with `drop: "branch"` its branch. Keeps what holds work that is nowhere else, and says why. */
  close(
    order: WorktreeName & { readonly into: string | undefined; readonly drop: "branch" | "nothing" },
  ): Promise<{ readonly is: "closed" } | { readonly is: "kept"; readonly why: string }>;
}

/** One thing an attempt said or did, as it is kept for people. */
export interface Said {
  readonly kind: "prompt" | "text" | "tool" | "output" | "waiting" | "usage";
  readonly text: string;
}

/** What a workflow is made of, for people and for telling what changed. */
export type Made =
  | { readonly is: "compute" | "static" }
  | { readonly is: "shell"; readonly command: string }
  | { readonly is: "agent"; readonly agent: string; readonly prompt: string };

/** A cached output may be used instead of work. */
export interface CacheRule {
  readonly key: Json;
  readonly ttlMs: number | undefined;
  /** Who shares it: this run, runs of this workflow, or everybody in this database. */
  readonly scope: "run" | "workflow" | "global";
  /** Loops inside the cached part: each of their iterations has an output of its own. */
  readonly loops: number;
}
