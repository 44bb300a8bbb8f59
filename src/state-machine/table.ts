import type { Word } from "./effect.ts";
import type { EventType } from "./event.ts";
import type { GuardName } from "./guard.ts";
import { states, type State } from "./ticket.ts";

/** Sets of states by the name the table prints. */
export const sets = {
  working: ["Gate", "In Progress", "Adversarial Review"],
  judged: ["In Review", "Merging"],
  begun: ["In Progress", "Adversarial Review", "In Review", "Merging", "Rework"],
  active: ["Ready", "Gate", "In Progress", "Adversarial Review", "In Review", "Merging", "Rework"],
  open: ["Backlog", "Ready", "Gate", "In Progress", "Adversarial Review", "In Review", "Merging", "Rework", "Blocked"],
  over: ["Done", "Cancelled"],
  any: states,
} as const satisfies Record<string, readonly State[]>;
type SetName = keyof typeof sets;

/** One allowed transition. Rows are tried in order; the first that matches decides. */
export interface Row {
  readonly from: SetName | readonly State[];
  readonly on: EventType;
  readonly when: readonly GuardName[];
  readonly to: State | "same";
  readonly do: readonly Word[];
  /** In plain words, for people. */
  readonly why: string;
}

/** The states a row leads out of. */
export const statesOf = (row: Row): readonly State[] => (typeof row.from === "string" ? sets[row.from] : row.from);

/** Names a row for the ledger: `Backlog, Blocked · ready.granted → Ready`. */
export function nameOf(row: Row): string {
  const from = typeof row.from === "string" ? row.from : row.from.join(", ");
  const when = row.when.length === 0 ? "" : ` [${row.when.join(", ")}]`;
  return `${from} · ${row.on}${when} → ${row.to}`;
}

type Line = readonly [from: SetName | State | readonly State[], on: EventType, when: string, to: State | "same", words: string, why: string];

const idle = ["Backlog", "Blocked"] as const;
const queued = ["Ready", "Gate"] as const;

const lines: readonly Line[] = [
  // Released by a person, or taken back.
  [idle, "ready.granted", "halted", "same", "unlabel mirror", "the ticket is halted, so the release does not count"],
  [idle, "ready.granted", "contested", "same", "pickOne mirror", "two runtimes or workflows are asked for; a person must pick one"],
  [idle, "ready.granted", "", "Ready", "react unblock check workpad mirror", "a permitted person released the ticket"],
  ["active", "ready.revoked", "", "Backlog", "stop disarm check workpad mirror", "a permitted person took the release back"],
  [queued, "spec.edited", "specIsNew", "Backlog", "stop unlabel check workpad mirror", "the spec was edited after its release, which voids the release"],
  ["begun", "spec.edited", "specIsNew", "Blocked", "stop disarm unlabel block check workpad mirror", "the spec was edited while work on it had begun; a fresh label releases the new text"],
  ["Blocked", "spec.edited", "specIsNew", "same", "unlabel check workpad", "the spec was edited, which voids its release"],
  [queued, "runtime.chosen", "choiceContests", "Backlog", "stop pickOne check workpad mirror", "two runtimes or workflows are asked for; a person must pick one"],
  ["any", "runtime.chosen", "choiceIsNews", "same", "workpad", "a person picked the runtime or the workflow"],
  ["any", "hold.set", "holdIsNews", "same", "workpad", "a person set or removed the hold"],
  // The spec gate.
  ["Ready", "slot.granted", "notHeld oneRuntime", "Gate", "gate workpad mirror", "a slot became free"],
  ["Ready", "slot.withheld", "", "same", "workpad", "what it depends on is not done"],
  ["Gate", "gate.passed", "", "In Progress", "build check workpad mirror", "the spec says enough to start"],
  ["Gate", "gate.flagged", "", "Backlog", "flag check workpad mirror", "the spec does not say enough to start"],
  // The build.
  ["Rework", "slot.granted", "notHeld oneRuntime", "In Progress", "build workpad mirror", "a slot became free"],
  ["In Progress", "build.delivered", "ordersWait", "Rework", "openPr settle check workpad mirror", "the build delivered a head; another reads what people asked for since"],
  ["In Progress", "build.delivered", "", "Adversarial Review", "openPr settle review check workpad mirror", "the build delivered a head; the other family judges it"],
  ["In Progress", "build.gave-up", "buildFailed attemptsLeft", "Rework", "workpad mirror", "the build failed; attempts are left"],
  ["In Progress", "build.gave-up", "buildUnfinished unreviewedLeft", "Rework", "workpad mirror", "the build ended unfinished; tries are left"],
  ["In Progress", "build.gave-up", "", "Blocked", "block page check workpad mirror", "the build failed once too often"],
  ["working", "agent.prodded", "", "same", "workpad", "the agent made no headway"],
  // The adversarial review.
  ["Adversarial Review", "review.passed", "headIsOther", "Blocked", "block page check workpad mirror", "the verdict is about another head"],
  ["Adversarial Review", "review.passed", "checksAreRed cyclesLeft", "Rework", "personOnly post check workpad mirror", "the review passed, but the checks are red"],
  ["Adversarial Review", "review.passed", "checksAreRed", "Blocked", "personOnly post block page check workpad mirror", "the checks were red once too often"],
  ["Adversarial Review", "review.passed", "verdictReleases", "Merging", "personOnly post ask check arm workpad mirror", "the review passed, and consent was given before"],
  ["Adversarial Review", "review.passed", "", "In Review", "personOnly post ask check workpad mirror", "the review passed; a person decides"],
  ["Adversarial Review", "review.failed", "headIsOther", "Blocked", "block page check workpad mirror", "the verdict is about another head"],
  ["Adversarial Review", "review.failed", "cyclesLeft", "Rework", "post check workpad mirror", "the reviewer found blockers; cycles are left"],
  ["Adversarial Review", "review.failed", "", "Blocked", "post block page check workpad mirror", "the reviewer found blockers once too often"],
  ["Adversarial Review", "review.blocked", "", "Blocked", "post block page check workpad mirror", "there is no verdict that counts"],
  ["Adversarial Review", "head.moved", "headIsOther", "same", "stop review check workpad", "another head was pushed; the review starts again"],
  ["judged", "head.moved", "headIsOther", "Adversarial Review", "disarm review check workpad mirror", "another head was pushed; verdict and approval were for the old one"],
  ["open", "head.moved", "hasPull headIsOther", "same", "check workpad", "another head was pushed"],
  // What people say about a head.
  ["In Review", "human.approved", "approvalReleases", "Merging", "arm check workpad mirror", "a person approved exactly this head"],
  ["open", "human.approved", "headIsCurrent approvalIsNews", "same", "check workpad", "a person approved exactly this head"],
  ["Merging", "approval.withdrawn", "approvalIsLost consentIsLost", "In Review", "disarm ask check workpad mirror", "the approval was withdrawn"],
  ["open", "approval.withdrawn", "approvalIsLost", "same", "check workpad", "the approval was withdrawn"],
  ["In Review", "automerge.set", "autoMergeReleases", "Merging", "arm check workpad mirror", "a permitted person set auto-merge"],
  ["Merging", "automerge.set", "consentIsLost", "In Review", "disarm ask check workpad mirror", "auto-merge was taken back"],
  ["any", "automerge.set", "autoMergeIsNews", "same", "check workpad", "a permitted person set auto-merge or took it back"],
  [["In Progress", "Adversarial Review", "In Review", "Merging"], "human.objected", "", "Rework", "stop disarm check workpad mirror", "a person requested changes"],
  ["open", "human.objected", "", "same", "check workpad", "a person requested changes; the next build reads them"],
  [["Adversarial Review", "In Review", "Merging"], "human.told", "", "Rework", "stop disarm check workpad mirror", "a person told the agent something; the build goes on with it"],
  ["open", "human.told", "", "same", "check workpad", "a person told the agent something; it hears it before its next turn"],
  ["Rework", "order.withdrawn", "nothingLeft hasPull", "Adversarial Review", "review check workpad mirror", "the changes are not asked for any more; the head is judged again"],
  [["Backlog", "Ready", "Gate", "Rework", "Blocked"], "order.withdrawn", "", "same", "workpad", "the changes are not asked for any more; the next build does not read them"],
  ["any", "human.asked", "", "same", "answer", "a person spoke to us"],
  // Checks, remembered per head.
  ["judged", "checks.failed", "headIsCurrent cyclesLeft", "Rework", "disarm check workpad mirror", "a check is red; cycles are left"],
  ["judged", "checks.failed", "headIsCurrent", "Blocked", "disarm block page check workpad mirror", "a check is red once too often"],
  ["Merging", "checks.passed", "headIsCurrent checksAreNews", "same", "merge check workpad", "the checks are green"],
  ["Merging", "checks.absent", "headIsCurrent checksAreNews", "same", "merge check workpad", "this repository has no checks to wait for"],
  ["open", "checks.started", "headIsCurrent checksAreNews", "same", "check workpad", "checks run"],
  ["open", "checks.passed", "headIsCurrent checksAreNews", "same", "check workpad", "the checks are green"],
  ["open", "checks.failed", "headIsCurrent checksAreNews", "same", "check workpad", "a check is red"],
  ["open", "checks.absent", "headIsCurrent checksAreNews", "same", "check workpad", "this repository has no checks"],
  [["Adversarial Review", "In Review", "Merging"], "ci.doubted", "headIsCurrent", "same", "rerun check workpad", "what is red may not be this change's fault; it is run again, or waits for the base"],
  // The pull request.
  ["judged", "base.moved", "headIsCurrent", "same", "update", "the base has something that this head must take over"],
  ["judged", "merge.refused", "headIsCurrent conflicts attemptsLeft", "Rework", "disarm check workpad mirror", "the branch conflicts with its base"],
  ["judged", "merge.refused", "headIsCurrent conflicts", "Blocked", "disarm block page check workpad mirror", "the branch conflicts with its base once too often"],
  ["Merging", "merge.refused", "headIsCurrent groupFailed attemptsLeft", "Rework", "disarm check workpad mirror", "the checks of the merge queue failed"],
  ["Merging", "merge.refused", "headIsCurrent", "Blocked", "disarm block page check workpad mirror", "the forge refuses the merge"],
  ["open", "pr.opened", "pullIsNews", "same", "check workpad", "the pull request is open"],
  ["open", "merge.asked", "", "same", "", "the forge was asked to merge"],
  ["open", "pr.merged", "", "Done", "stop tidy sayMerged watch clean check workpad mirror certify", "the pull request was merged"],
  ["any", "merge.certified", "", "same", "check workpad", "the merge is certified"],
  ["active", "pr.closed", "hasPull", "Blocked", "stop disarm block check workpad mirror", "a person closed the pull request"],
  [idle, "pr.closed", "hasPull", "same", "workpad", "the pull request was closed"],
  ["begun", "pr.retargeted", "hasPull", "Blocked", "stop disarm block page check workpad mirror", "a person pointed the pull request at another base"],
  // What stops the work.
  ["active", "halt.raised", "", "Blocked", "stop disarm block check workpad mirror", "a person halted the ticket"],
  ["any", "halt.raised", "notHalted", "same", "workpad", "a person halted the ticket"],
  ["any", "halt.lifted", "halted", "same", "workpad", "a person lifted the halt"],
  ["active", "operator.stopped", "", "Blocked", "stop disarm block check workpad mirror", "a person stopped the work"],
  ["working", "budget.spent", "", "Blocked", "block page check workpad mirror", "the budget is spent; the run is held"],
  ["working", "deadline.passed", "", "Blocked", "stop block page check workpad mirror", "the run took too long"],
  ["working", "run.exhausted", "", "Blocked", "block page check workpad mirror", "the run failed after all its retries"],
  ["active", "effect.failed", "", "Blocked", "stop disarm block page check workpad mirror", "something the ticket needs could not be done"],
  // What leads on, or ends it. Work resumes through the queue, so that nothing starts without a slot.
  ["Blocked", "budget.raised", "spentInGate notHalted", "Ready", "unblock check workpad mirror", "the budget was raised; the spec gate goes on"],
  ["Blocked", "budget.raised", "spentInBuild notHalted", "Rework", "unblock check workpad mirror", "the budget was raised; the build goes on"],
  ["Blocked", "budget.raised", "spentInReview notHalted ordersWait", "Rework", "unblock check workpad mirror", "the budget was raised; a build reads what people asked for meanwhile"],
  ["Blocked", "budget.raised", "spentInReview notHalted", "Adversarial Review", "unblock review check workpad mirror", "the budget was raised; the review goes on"],
  ["Blocked", "operator.retried", "specIsVoid", "Backlog", "unblock check workpad mirror", "the spec was edited, so a person must release it again"],
  ["Blocked", "operator.retried", "notHalted hasPull ordersWait", "Rework", "unblock check workpad mirror", "a person said to go on; a build reads what people asked for meanwhile"],
  ["Blocked", "operator.retried", "notHalted hasPull", "Adversarial Review", "unblock review check workpad mirror", "a person said to go on; the head is judged again"],
  ["Blocked", "operator.retried", "notHalted", "Ready", "unblock check workpad mirror", "a person said to go on"],
  ["open", "operator.reset", "", "Backlog", "stop disarm closePr clean tidy workpad mirror", "a person reset the ticket"],
  ["open", "ticket.cancelled", "", "Cancelled", "stop disarm closePr clean tidy check workpad mirror", "a person cancelled the ticket"],
  ["over", "ticket.reopened", "", "Backlog", "tidy workpad mirror", "a person reopened the ticket"],
  ["any", "tracker.contested", "", "same", "putBack", "the card was moved to where the ticket is not"],
];

const split = (names: string): readonly string[] => (names === "" ? [] : names.split(" "));

const isSet = (from: Line[0]): from is SetName => typeof from === "string" && from in sets;
const listed = (from: State | readonly State[]): readonly State[] => (typeof from === "string" ? [from] : from);

function rowOf([from, on, when, to, words, why]: Line): Row {
  return {
    from: isSet(from) ? from : listed(from),
    on,
    // The play fails on a word or guard that does not exist.
    when: split(when) as readonly GuardName[],
    to,
    do: split(words) as readonly Word[],
    why,
  };
}

/** Every allowed transition; nothing else changes a ticket. */
export const table: readonly Row[] = lines.map(rowOf);
