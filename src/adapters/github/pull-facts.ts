import type { RestEndpointMethodTypes } from "@octokit/rest";
import type { Approval, CheckFact, PullFacts } from "../../ports.ts";

type Data<Method extends keyof RestEndpointMethodTypes["pulls"]> =
  RestEndpointMethodTypes["pulls"][Method]["response"]["data"];
export type RawPull = Data<"get">;
export type RawReview = Data<"listReviews">[number];
type RawCheckRun = RestEndpointMethodTypes["checks"]["listForRef"]["response"]["data"]["check_runs"][number];
type RawStatus =
  RestEndpointMethodTypes["repos"]["getCombinedStatusForRef"]["response"]["data"]["statuses"][number];

/** Everything GitHub said about one pull request, before we say it in our words. */
export interface RawFacts {
  readonly pull: RawPull;
  readonly reviews: readonly RawReview[];
  readonly runs: readonly RawCheckRun[];
  readonly statuses: readonly RawStatus[];
  /** Names of required checks, as far as the App may read the rules. */
  readonly required: readonly string[];
}

/** Says GitHub's answers in our words. */
export function pullFactsOf(raw: RawFacts, appId: number): PullFacts {
  const { pull } = raw;
  const checkList = checksOf(raw, appId);
  return {
    number: pull.number,
    url: pull.html_url,
    open: pull.state === "open",
    merged: pull.merged ? (pull.merge_commit_sha ?? undefined) : undefined,
    mergedBy: pull.merged_by?.login,
    draft: pull.draft ?? false,
    head: pull.head.sha,
    headBranch: pull.head.ref,
    base: pull.base.sha,
    baseBranch: pull.base.ref,
    body: pull.body ?? "",
    author: pull.user.login,
    mergeable: mergeableOf(pull),
    armed: pull.auto_merge !== null && pull.auto_merge !== undefined,
    gateIsRequired: raw.required.includes(ownGate),
    checks: summaryOf(checkList),
    checkList,
    approvals: [...latestOf(raw.reviews).values()].map(({ review, is, at }) => ({
      by: review.user?.login ?? "ghost",
      is,
      head: review.commit_id ?? "",
      at,
      body: review.body,
    })),
  };
}

/** GitHub computes this lazily; a draft counts as blocked, since it cannot be merged as it is. */
export function mergeableOf(pull: {
  readonly mergeable: boolean | null;
  readonly mergeable_state: string;
}): PullFacts["mergeable"] {
  if (pull.mergeable_state === "dirty" || pull.mergeable === false) return "conflict";
  if (pull.mergeable === null || pull.mergeable_state === "unknown") return "unknown";
  return ["blocked", "behind", "draft"].includes(pull.mergeable_state) ? "blocked" : "yes";
}

/**
 * The latest review of each person that is more than a comment. An objection stays until the same person approves or
 * somebody dismisses it; a dismissed review is told as such. Bots, ours among them, have no say.
 */
function latestOf(reviews: readonly RawReview[]): ReadonlyMap<string, Stance> {
  const latest = new Map<string, Stance>();
  for (const review of reviews) {
    const is = reviewStates[review.state.toUpperCase()];
    const by = review.user;
    if (is === undefined || by === null || by.type === "Bot" || by.login.endsWith("[bot]")) continue;
    const at = review.submitted_at === undefined ? 0 : Date.parse(review.submitted_at);
    const known = latest.get(by.login);
    if (known !== undefined && (known.at - at || known.review.id - review.id) > 0) continue;
    latest.set(by.login, { review, is, at });
  }
  return latest;
}
interface Stance {
  readonly review: RawReview;
  readonly is: Approval["is"];
  readonly at: number;
}

/** COMMENTED changes nobody's mind and PENDING is not said yet: both are left out. */
const reviewStates: Readonly<Record<string, Approval["is"] | undefined>> = {
  APPROVED: "approved",
  CHANGES_REQUESTED: "objected",
  DISMISSED: "dismissed",
};

/** Every check, required or not; a required one that has not reported yet is pending. Our own runs are left out, by App id. */
function checksOf(raw: RawFacts, appId: number): readonly CheckFact[] {
  const newest = new Map<string, RawCheckRun>();
  const ours = new Set<string>();
  for (const run of raw.runs) {
    if (run.app?.id === appId) {
      ours.add(run.name);
      continue;
    }
    const name = `${run.app?.id ?? 0} ${run.name}`;
    const known = newest.get(name);
    if (known === undefined || known.id < run.id) newest.set(name, run);
  }
  const isRequired = (name: string): boolean => raw.required.includes(name);
  const found: CheckFact[] = [
    ...[...newest.values()].map((run) => ({
      name: run.name,
      is: runIs(run),
      required: isRequired(run.name),
      url: run.html_url ?? run.details_url ?? undefined,
      conclusion: run.conclusion ?? undefined,
      app: run.app?.slug ?? undefined,
    })),
    ...raw.statuses.map((status) => ({
      name: status.context,
      is: statusIs(status.state),
      required: isRequired(status.context),
      url: status.target_url ?? undefined,
      conclusion: status.state === "pending" ? undefined : status.state,
    })),
  ];
  const missing = raw.required.filter(
    (name) => !ours.has(name) && name !== ownGate && !found.some((check) => check.name === name),
  );
  return [
    ...found,
    ...missing.map((name) => ({
      name,
      is: "pending" as const,
      required: true,
      isUnreported: true as const,
      url: undefined,
    })),
  ];
}

/** Our own required check says nothing about the code, also before we have written it. */
const ownGate = "forgehand / gate";

/** What a check run comes to. */
export function runIs(run: { readonly status: string; readonly conclusion: string | null }): CheckFact["is"] {
  if (run.status !== "completed") return "pending";
  return ["success", "neutral", "skipped"].includes(run.conclusion ?? "") ? "green" : "red";
}

/** What a commit status comes to. */
export function statusIs(state: string): CheckFact["is"] {
  if (state === "success") return "green";
  return state === "pending" ? "pending" : "red";
}

/** Where the rules of the branch require checks, only those count; where they require none but our own, all do. */
function summaryOf(all: readonly CheckFact[]): PullFacts["checks"] {
  const required = all.filter((check) => check.required);
  const checks = required.length === 0 ? all : required;
  if (checks.length === 0) return "none";
  if (checks.some((check) => check.is === "red")) return "red";
  return checks.some((check) => check.is === "pending") ? "pending" : "green";
}
