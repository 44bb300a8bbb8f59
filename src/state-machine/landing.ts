import type { Sha } from "./ticket.ts";

export type MergeMethod = "squash" | "merge" | "rebase";

/** What a branch asks of whatever is merged into it: settings of the repository, branch protection and rulesets together. */
export interface BranchRules {
  readonly branch: string;
  readonly archived: boolean;
  /** Only those on a list may update it. */
  readonly restricted: boolean;
  /** What the repository's settings allow; all three where they are not shown to us. */
  readonly methods: readonly MergeMethod[];
  /** What the rules allow besides; undefined where none speaks of it. */
  readonly ruledMethods: readonly MergeMethod[] | undefined;
  readonly approvals: number;
  readonly codeOwners: boolean;
  /** Whoever pushed last does not count as an approver. */
  readonly lastPush: boolean;
  readonly conversations: boolean;
  readonly signed: boolean;
  readonly linear: boolean;
  readonly upToDate: boolean;
  /** Names of required checks. */
  readonly checks: readonly string[];
  /** Environments a head must be deployed to first. */
  readonly deployments: readonly string[];
  /** The repository lets a pull request be armed to merge by itself. */
  readonly autoMerge: boolean;
  /** There is a merge queue, and the way it merges where it tells. */
  readonly queue: { readonly method: MergeMethod | undefined } | undefined;
}
/** Of a branch for which nobody has made any. */
export const noRules: Omit<BranchRules, "branch"> = {
  archived: false,
  restricted: false,
  methods: ["squash", "merge", "rebase"],
  ruledMethods: undefined,
  approvals: 0,
  codeOwners: false,
  lastPush: false,
  conversations: false,
  signed: false,
  linear: false,
  upToDate: false,
  checks: [],
  deployments: [],
  autoMerge: false,
  queue: undefined,
};

/** How one pull request stands with the rules of its base, as of one read. */
export interface Standing {
  readonly rules: BranchRules;
  readonly open: boolean;
  readonly merged: Sha | undefined;
  readonly head: Sha;
  /** Approving reviews of people who may write, as the forge counts them. */
  readonly approvals: number;
  readonly decision: "approved" | "objected" | "required" | undefined;
  readonly unresolved: number;
  readonly behind: boolean;
  readonly queued: Queued | undefined;
}
/** A place in a merge queue, from 1. */
export interface Queued {
  readonly is: "queued";
  readonly position: number;
}

/** A rule that keeps a pull request from being merged now. */
export interface Obstacle {
  /** `never`: no merge of ours meets it as things are set; `person`: somebody must act; `waits`: it may pass by itself. */
  readonly how: "never" | "person" | "waits";
  readonly why: string;
  /** What to do about it. */
  readonly fix: string;
}

const preferred: readonly MergeMethod[] = ["squash", "merge", "rebase"];

/** Ways of merging that settings and rules leave, the preferred first. */
export function allowedMethods(rules: BranchRules): readonly MergeMethod[] {
  return preferred.filter((method) => forbids(rules, method) === undefined);
}

function forbids(rules: BranchRules, method: MergeMethod): string | undefined {
  if (!rules.methods.includes(method)) return "the repository's settings do not allow it";
  if (rules.ruledMethods?.includes(method) === false)
    return `a rule of ${rules.branch} allows only ${rules.ruledMethods.join(", ") || "none"}`;
  if (rules.linear && method === "merge") return `${rules.branch} requires a linear history`;
  // GitHub signs what it squashes; the branch's own commits, and those it rebases, carry no signature.
  if (rules.signed && method !== "squash")
    return `${rules.branch} requires signed commits: forgehand's own are not signed, the one that GitHub squashes them into is`;
  return undefined;
}

/** How to merge: as configured, or for `auto` the first way that is allowed. */
export function methodFor(
  rules: BranchRules,
  wanted: MergeMethod | "auto",
): { readonly method: MergeMethod } | { readonly obstacle: Obstacle } {
  const allowed = allowedMethods(rules);
  const [first] = allowed;
  if (wanted === "auto") {
    if (first !== undefined) return { method: first };
    const whys = preferred.map((method) => `${method}: ${forbids(rules, method)}`);
    return {
      obstacle: {
        how: "never",
        why: `no way of merging is left (${whys.join("; ")})`,
        fix: "allow squash merging in the repository's settings and in its rules",
      },
    };
  }
  const why = forbids(rules, wanted);
  if (why === undefined) return { method: wanted };
  const other =
    first === undefined
      ? ""
      : `set \`merge.method\` to \`${first}\` or \`auto\` in .github/forgehand.yml, or `;
  return {
    obstacle: {
      how: "never",
      why: `\`merge.method\` is ${wanted}, and ${why}`,
      fix: `${other}allow ${wanted} there`,
    },
  };
}

/** What can never be met by a merge of ours, as branch and configuration are set. Pure. */
export function neverMet(rules: BranchRules, wanted: MergeMethod | "auto"): readonly Obstacle[] {
  const obstacles: Obstacle[] = [];
  if (rules.archived)
    obstacles.push({ how: "never", why: "the repository is archived", fix: "unarchive it in its settings" });
  if (rules.restricted)
    obstacles.push({
      // Whether the App may bypass it, nobody tells; the forge refuses it otherwise.
      how: "waits",
      why: `a rule restricts updates of ${rules.branch} to those who may bypass it`,
      fix: "add the App to the rule's bypass list, for pull requests only",
    });
  // A queue merges its own way, whatever is asked.
  const method = rules.queue === undefined ? methodFor(rules, wanted) : undefined;
  if (method !== undefined && "obstacle" in method) obstacles.push(method.obstacle);
  return obstacles;
}

/** Every rule that stands between this pull request and its merge now, checks excepted. Pure. */
export function obstaclesOf(standing: Standing, wanted: MergeMethod | "auto"): readonly Obstacle[] {
  const { rules, approvals, decision, unresolved, behind } = standing;
  const obstacles = [...neverMet(rules, wanted)];
  const person = (why: string, fix: string): void => void obstacles.push({ how: "person", why, fix });
  if (decision === "objected")
    person("a review requests changes", "approve, or dismiss that review, once it is settled");
  if (approvals < rules.approvals)
    person(`needs ${count(rules.approvals, "approval")}, has ${approvals}`, "approve the pull request");
  else if (decision === "required") {
    const owner = rules.codeOwners ? "a code owner" : undefined;
    const other = rules.lastPush ? "somebody other than whoever pushed last" : undefined;
    const by = [owner, other].filter((one) => one !== undefined).join(" or ");
    person(
      `needs the approval of ${by === "" ? "a further person" : by}`,
      rules.codeOwners ? "approve as one whom CODEOWNERS names" : "approve the pull request",
    );
  }
  if (rules.conversations && unresolved > 0)
    person(
      `${count(unresolved, "conversation")} ${unresolved === 1 ? "is" : "are"} not resolved`,
      "resolve them on the pull request",
    );
  if (rules.upToDate && rules.queue === undefined && behind)
    obstacles.push({
      how: "waits",
      why: `the branch is behind ${rules.branch}, which takes only what is up to date with it`,
      fix: "update the branch; the new head is reviewed",
    });
  return obstacles;
}

/** What the rules will ask, in one line each, before anything is held up by them. */
export function rulesTold(rules: BranchRules, wanted: MergeMethod | "auto"): readonly string[] {
  const method = methodFor(rules, wanted);
  return [
    rules.queue === undefined
      ? "method" in method
        ? `merges by ${method.method}`
        : undefined
      : `merges through its merge queue${rules.queue.method === undefined ? "" : ` by ${rules.queue.method}`}`,
    rules.approvals > 0 ? `needs ${count(rules.approvals, "approval")}` : undefined,
    rules.codeOwners ? "needs the approval of code owners" : undefined,
    rules.lastPush ? "whoever pushed last does not count as an approver" : undefined,
    rules.conversations ? "needs every conversation resolved" : undefined,
    rules.signed ? "requires signed commits, which a squash by GitHub is" : undefined,
    rules.linear ? "requires a linear history" : undefined,
    rules.upToDate ? "takes only branches that are up to date" : undefined,
    rules.checks.length > 0 ? `requires the checks ${rules.checks.join(", ")}` : undefined,
    rules.deployments.length > 0
      ? `requires deployments to ${rules.deployments.join(", ")}, which your pipeline must make of the head`
      : undefined,
  ].filter((line) => line !== undefined);
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;
