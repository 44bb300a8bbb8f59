import type { Permission } from "../../ports.ts";

/** Everything the simulated forge remembers. Git itself lives in bare repositories on disk. */
export interface HubState {
  /** Where it listens. */
  readonly url: string;
  readonly repos: SimRepo[];
  readonly people: Map<string, Person>;
  readonly app: SimApp;
  readonly tokens: Map<string, Token>;
  readonly deliveries: SimDelivery[];
  readonly calls: Call[];
  readonly faults: Fault[];
  /** Ids of everything, counted up. */
  next: number;
}
export interface Person {
  readonly login: string;
  readonly id: number;
  readonly type: "User" | "Bot";
}
export interface SimApp {
  readonly id: number;
  readonly slug: string;
  /** Of the first account; at others it has ids of their own (`installationsOf`). */
  readonly installation: number;
  readonly owner: string;
  readonly privateKey: string;
  readonly publicKey: string;
  readonly webhookSecret: string;
  readonly createdAt: number;
  readonly permissions: Readonly<Record<string, string>>;
  readonly events: readonly string[];
  /** False between its making and its installation; installed when left out. */
  installed?: boolean;
  /** When its owner suspended it, in milliseconds since 1970; at work when left out. */
  suspendedAt?: number;
}
export interface Token {
  /** All are those of one account, that of the installation. */
  readonly repos: readonly number[] | { readonly allOf: string };
  readonly permissions: Readonly<Record<string, string>>;
  expiresAt: number;
}
/** One request that changes something, as it arrived. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly status: number;
  readonly permissions: Readonly<Record<string, string>> | undefined;
}
/** A fault for the next calls that fit; `after` performs them first, as when only the reply is lost. */
export interface Fault {
  /** Any when left out. */
  readonly method?: string | RegExp;
  readonly path: RegExp;
  /** `reset` drops the connection; `slow` only takes its time. */
  readonly status: number | "reset" | "slow";
  readonly after?: true;
  readonly headers?: Readonly<Record<string, string>>;
  readonly message?: string;
  readonly delayMs?: number;
  times: number;
}
export interface SimDelivery {
  readonly id: number;
  readonly guid: string;
  readonly name: string;
  readonly action: string | undefined;
  readonly redelivery: boolean;
  readonly body: string;
  readonly at: number;
  /** 0 when nobody answered or it was dropped. */
  status: number;
}

export interface SimRepo {
  readonly id: number;
  /** Its issues are switched off for a while; they are not gone. */
  issuesOff?: boolean;
  owner: string;
  name: string;
  readonly defaultBranch: string;
  readonly dir: string;
  readonly createdAt: number;
  pushedAt: number;
  readonly members: Map<string, Permission>;
  readonly threads: Map<number, SimThread>;
  readonly labels: Map<string, { readonly id: number; readonly color: string; readonly description: string }>;
  readonly checkRuns: SimCheckRun[];
  readonly statuses: SimStatus[];
  readonly rules: Map<string, Rules>;
  /** Merge queues by branch. */
  readonly queues?: Map<string, SimEntry[]>;
  /** `late`: the first read after a change says that mergeability is not known yet. */
  mergeability: "at once" | "late";
  allowsAutoMerge: boolean;
  /** The branch of a pull request goes with its merge. */
  deletesMerged?: boolean;
  /** Read-only, and not to be pushed to. */
  archived?: boolean;
  /** Made from another repository. */
  isFork?: boolean;
  /** Tips as last seen, so that news of a push can say what it was before. */
  branches: Map<string, string>;
}
export interface SimStatus {
  readonly id: number;
  readonly sha: string;
  readonly context: string;
  readonly state: string;
  readonly description: string | null;
  readonly by: string;
  readonly at: number;
}
export interface Rules {
  readonly checks: readonly string[];
  readonly approvals: number;
  /** Whether a head must hold all of its base. */
  readonly strict?: true;
  /** Asks for something no merge over the API can give. */
  readonly never?: string;
  // What rulesets ask besides.
  readonly codeOwners?: true;
  readonly signed?: true;
  readonly linear?: true;
  readonly upToDate?: true;
  readonly methods?: readonly string[];
  readonly deployments?: readonly string[];
  /** Merges go through a queue, which merges this way. */
  readonly queue?: "merge" | "squash";
}
/** One pull request in a merge queue, with the commit built of its base and all before it. */
export interface SimEntry {
  readonly id: number;
  readonly thread: PullThread;
  readonly head: string;
  readonly by: string;
  readonly at: number;
  base: string;
  group: string;
}
export interface SimThread {
  readonly id: number;
  readonly number: number;
  title: string;
  body: string;
  readonly by: string;
  state: "open" | "closed";
  reason: "completed" | "not_planned" | "duplicate" | null;
  readonly labels: Set<string>;
  readonly comments: SimComment[];
  readonly events: {
    readonly id: number;
    readonly event: string;
    readonly label: string | undefined;
    readonly rename: { readonly from: string; readonly to: string } | undefined;
    readonly by: string;
    readonly at: number;
  }[];
  /** Where it was moved to: `owner/name#number`. */
  movedTo?: string;
  /** Issues of the same repository that must be done first, as the forge's own relation says. */
  blockedBy?: readonly number[];
  readonly reactions: Reaction[];
  readonly createdAt: number;
  updatedAt: number;
  /** When the body was last edited. */
  editedAt: number | undefined;
  pull: SimPull | undefined;
  /** Deleted, or moved to another repository. */
  gone: boolean;
}
export interface Reaction {
  readonly id: number;
  readonly content: string;
  readonly by: string;
  readonly at: number;
}
export interface SimComment {
  readonly id: number;
  body: string;
  readonly by: string;
  readonly reactions: Reaction[];
  readonly createdAt: number;
}
export interface SimPull {
  readonly headRef: string;
  baseRef: string;
  /** The branch's tip while open, frozen afterwards. */
  head: string;
  draft: boolean;
  /** How much it changes; measured whenever its head or base moves. */
  size?: PullSize;
  merged: string | undefined;
  mergedBy?: string;
  /** Head and base whose mergeability was asked for once, on a forge that computes it late. */
  computed?: string;
  readonly reviews: SimReview[];
  readonly inline: SimInline[];
  requested: string[];
  auto:
    | { readonly method: string; readonly by: string; readonly title?: string; readonly body?: string }
    | undefined;
  /** What a merge queue did with it; a reason only where it was taken out. */
  readonly queueing?: { readonly id: number; readonly reason?: string }[];
}
/** In the words of GitHub's answers. */
export interface PullSize {
  readonly commits: number;
  readonly additions: number;
  readonly deletions: number;
  readonly changed_files: number;
}
export type PullThread = SimThread & { pull: SimPull };
export interface SimReview {
  readonly id: number;
  readonly by: string;
  state: "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED" | "DISMISSED";
  readonly head: string;
  body: string;
  readonly at: number;
  readonly reactions: Reaction[];
}
export interface SimInline extends SimComment {
  readonly path: string;
  readonly line: number;
  /** Of several lines, the first. */
  readonly startLine?: number | undefined;
  readonly side: "LEFT" | "RIGHT";
  readonly head: string;
  /** The diff up to the line, and how many lines below its first header that is. */
  readonly hunk: string;
  readonly position: number;
  readonly review: number | undefined;
  readonly replyTo: number | undefined;
  /** Of the first comment of a thread: the conversation is over. */
  resolved?: boolean;
  edited?: { readonly by: string; readonly at: number };
}
export interface SimCheckRun {
  readonly id: number;
  readonly head: string;
  readonly name: string;
  readonly appId: number;
  status: string;
  conclusion: string | null;
  output: {
    readonly title?: string | null;
    readonly summary?: string | null;
    readonly text?: string | null;
  };
  actions: readonly unknown[];
  externalId: string;
  readonly createdAt: number;
  /** Of a job of GitHub Actions. */
  readonly workflowRun?: number;
  log?: string | undefined;
  annotations?: readonly object[];
}
