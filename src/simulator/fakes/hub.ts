import { Trouble } from "../../ports.ts";
import type { Check } from "../../ports-notices.ts";
import type {
  Clock,
  InlineFinding,
  Instant,
  LabelEvent,
  Key,
  Permission,
  Refused,
  Repo,
} from "../../ports.ts";
import type { MissedDelivery } from "../../ports-hooks.ts";

/** An in-memory forge for exhaustive play: the state that the fakes of Forge, Tracker, Voice and Hooks share. */
export interface Hub {
  readonly repo: Repo;
  /** Login of the App's bot account. */
  readonly bot: string;
  readonly now: () => Instant;
  readonly permissions: Map<string, Permission>;
  readonly branches: Map<string, Commit>;
  /** What merges are made of. */
  readonly merges: Map<string, { readonly tree: string; readonly parents: readonly string[] }>;
  readonly issues: Map<number, HubIssue>;
  readonly pulls: Map<number, HubPull>;
  readonly checks: Map<string, HubCheck[]>;
  readonly files: Map<string, string>;
  readonly deliveries: (MissedDelivery & { readonly at: Instant; readonly arrived: boolean })[];
  /** Names of labels that exist in the repository. */
  readonly labels: Set<string>;
  rules: Rules;
  /** Every write that was performed, whether or not its reply arrived. */
  readonly writes: HubWrite[];
  /** Performs the next write and loses its reply. */
  loseNextReply(): void;
  /** Throws this in place of the next write. */
  failNext(trouble: Trouble): void;
  /** For the fakes: performs one write, with whatever fault was asked for. */
  write<Result>(write: HubWrite, perform: () => Result): Promise<Result>;
  nextNumber(): number;
  nextId(): number;
  nextSha(): string;
}
export interface HubWrite {
  readonly key: Key;
  /** `owner/name#42`, or `owner/name` */
  readonly ref: string;
  readonly operation: string;
}
interface Rules {
  readonly requiredChecks: readonly string[];
  readonly approvals: number;
  readonly autoMerge: "allowed" | "off";
}
interface Commit {
  readonly sha: string;
  readonly parent: string | undefined;
  /** New-side lines by path that this branch shows in a diff against the default branch. */
  readonly shown: ReadonlyMap<string, number>;
}
export interface HubIssue {
  readonly number: number;
  title: string;
  body: string;
  readonly author: string;
  is: "open" | "completed" | "not_planned" | "gone";
  labels: string[];
  updatedAt: Instant;
  readonly labelled: LabelEvent[];
  readonly dependsOn: number[];
  textChangedAt: Instant | undefined;
  readonly comments: HubComment[];
  readonly reactions: HubReaction[];
}
interface HubComment {
  readonly id: number;
  readonly by: string;
  body: string;
  readonly reactions: HubReaction[];
}
export interface HubReaction {
  readonly by: string;
  readonly content: string;
}
export interface HubPull {
  readonly number: number;
  readonly title: string;
  body: string;
  readonly author: string;
  readonly headBranch: string;
  baseBranch: string;
  /** Of the last push before it was merged or closed. */
  head: string;
  is: "open" | "closed" | "merged";
  merge: string | undefined;
  mergedBy?: string;
  draft: boolean;
  armed: boolean;
  conflict: boolean;
  requested: string[];
  readonly reviews: HubReview[];
  readonly remarks: HubRemark[];
  readonly comments: HubComment[];
  readonly reactions: HubReaction[];
}
/** A comment on a line. */
export interface HubRemark {
  readonly id: number;
  readonly by: string;
  body: string;
  readonly path: string;
  readonly line: number;
  readonly head: string;
  readonly at: Instant;
  /** The comment that began the conversation; undefined for that one. */
  readonly to: number | undefined;
  resolved: boolean;
  editor: string | undefined;
}
interface HubReview {
  readonly id: number;
  readonly by: string;
  state: "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED" | "DISMISSED";
  readonly head: string;
  readonly at: Instant;
  readonly body: string;
  readonly inline: (InlineFinding & { resolved?: boolean })[];
}
interface HubCheck {
  readonly name: string;
  readonly by: string;
  is: "pending" | "green" | "red";
  /** What our own run says; undefined for other people's. */
  said: Check | undefined;
}

/** Opens an empty repository with one commit on `main`. */
export function openHub(options: { readonly clock: Pick<Clock, "now">; readonly repo?: Partial<Repo> }): Hub {
  let counter = 0;
  const faults: ("lose" | Trouble)[] = [];
  const nextSha = (): string => (++counter).toString(16).padStart(40, "0");
  const repo = {
    id: 1001,
    owner: "acme",
    name: "shop",
    installation: 1,
    defaultBranch: "main",
    private: true,
    ...options.repo,
  };
  const writes: HubWrite[] = [];
  return {
    repo,
    bot: "forgehand[bot]",
    now: () => options.clock.now(),
    permissions: new Map(),
    branches: new Map([[repo.defaultBranch, { sha: nextSha(), parent: undefined, shown: new Map() }]]),
    merges: new Map(),
    issues: new Map(),
    pulls: new Map(),
    checks: new Map(),
    files: new Map(),
    deliveries: [],
    labels: new Set(),
    rules: { requiredChecks: [], approvals: 0, autoMerge: "allowed" },
    writes,
    loseNextReply: () => void faults.push("lose"),
    failNext: (trouble) => void faults.push(trouble),
    write: async (write, perform) => {
      const fault = faults.shift();
      if (fault !== undefined && fault !== "lose") throw fault;
      writes.push(write);
      const result = perform();
      if (fault === "lose")
        throw new Trouble("github-unavailable", "The connection was reset before the answer came.");
      return result;
    },
    nextNumber: () => ++counter,
    nextId: () => ++counter,
    nextSha,
  };
}

/** The issue or pull request of that number, for whatever both can carry. */
export function threadOf(hub: Hub, number: number): HubIssue | HubPull | undefined {
  const issue = hub.issues.get(number);
  return issue?.is === "gone" ? undefined : (issue ?? hub.pulls.get(number));
}

/** Why GitHub would not merge it now; undefined when it would. */
export function obstacleTo(hub: Hub, pull: HubPull): Refused | undefined {
  const refuse = (how: Refused["how"], why: string): Refused => ({ is: "refused", how, why });
  if (pull.is !== "open") return refuse("policy", "The pull request is closed.");
  if (pull.conflict) return refuse("conflict", "Pull Request has merge conflicts.");
  if (pull.draft) return refuse("policy", "The pull request is still a draft.");
  const checks = hub.checks.get(pull.head) ?? [];
  for (const name of hub.rules.requiredChecks) {
    const is = checks.find((check) => check.name === name)?.is ?? "pending";
    if (is === "pending") return refuse("pending", `Required status check "${name}" is expected.`);
    if (is === "red") return refuse("policy", `Required status check "${name}" is failing.`);
  }
  const latest = new Map<string, HubReview["state"]>();
  for (const review of pull.reviews) if (review.state !== "COMMENTED") latest.set(review.by, review.state);
  const states = [...latest.values()];
  if (hub.rules.approvals > 0 && states.includes("CHANGES_REQUESTED"))
    return refuse("policy", "Changes were requested.");
  const given = states.filter((state) => state === "APPROVED").length;
  return given < hub.rules.approvals
    ? refuse("policy", `At least ${hub.rules.approvals} approving review is required.`)
    : undefined;
}

/** Merges it and closes what it was about; also what an armed pull request does by itself once nothing stands in its way. */
export function mergeNow(hub: Hub, pull: HubPull, by = hub.bot): string {
  const base = hub.branches.get(pull.baseBranch);
  const sha = hub.nextSha();
  hub.branches.set(pull.baseBranch, { sha, parent: base?.sha, shown: new Map() });
  hub.merges.set(sha, { tree: hub.nextSha(), parents: base === undefined ? [] : [base.sha] });
  pull.is = "merged";
  pull.mergedBy = by;
  pull.merge = sha;
  pull.armed = false;
  return sha;
}
