import type { Effect, EffectType } from "../../src/state-machine/effect.ts";
import type { TicketEvent } from "../../src/state-machine/event.ts";
import { consents } from "../../src/state-machine/guard.ts";
import { statesOf, sets } from "../../src/state-machine/table.ts";
import { phases, type Policy, type State, type Ticket } from "../../src/state-machine/ticket.ts";
import { stackClaims } from "./stack-claims.ts";
import { orderClaims } from "./order-claims.ts";
import type { Outcome, Transition } from "../../src/state-machine/transition.ts";
import { claimsAboutChecks } from "./claims-about-checks.ts";
import { labelsAfter } from "./labels-after.ts";
import { checkOf, workpadOf } from "./shown.ts";
import { certificateClaims } from "./claims-certificates.ts";

/** One step of the play, with what the claims ask of it most often. */
export interface Step {
  readonly before: Ticket;
  readonly event: TicketEvent;
  readonly outcome: Outcome;
  readonly after: Ticket;
  readonly policy: Policy;
  readonly transition: Transition;
}
type Claim = (step: Step) => boolean;

const within = (set: readonly State[], state: State): boolean => set.includes(state);
const isOpen = (ticket: Ticket): boolean => within(sets.open, ticket.state);
const isActive = (ticket: Ticket): boolean => within(sets.active, ticket.state);
const isJudged = (ticket: Ticket): boolean => within(sets.judged, ticket.state);
const of = <Type extends EffectType>(step: Step, type: Type): readonly Extract<Effect, { type: Type }>[] =>
  step.outcome.effects.filter((effect): effect is Extract<Effect, { type: Type }> => effect.type === type);
const has = (step: Step, type: EffectType): boolean =>
  step.outcome.effects.some((effect) => effect.type === type);
const enters = ({ before, after }: Step, ...states: readonly State[]): boolean =>
  before.state !== after.state && states.includes(after.state);
const moved = ({ before, after }: Step): boolean => before.state !== after.state;
const heard = (step: Step, ...types: readonly TicketEvent["type"][]): boolean =>
  types.includes(step.event.type);
const implies = (premise: boolean, conclusion: () => boolean): boolean => !premise || conclusion();
const says = (step: Step, about: string): boolean =>
  of(step, "say").some((effect) => effect.about.about === about);

const headIn = (event: TicketEvent): string | undefined => ("head" in event ? event.head : undefined);

/** The runs that live after the step, at work and held, if exactly the ticket's own did before it. */
function runsAfter(step: Step): { readonly working: readonly string[]; readonly held: readonly string[] } {
  const { before, event, outcome } = step;
  const isOver =
    "run" in event &&
    !heard(step, "deadline.passed", "budget.spent", "agent.prodded") &&
    outcome.row !== undefined;
  const working = new Set(before.run === undefined || isOver ? [] : [before.run]);
  const held = new Set(before.aside === undefined ? [] : [before.aside]);
  for (const effect of outcome.effects) {
    if (effect.type === "run.stop" || effect.type === "run.hold") working.delete(effect.run);
    if (effect.type === "run.stop" || effect.type === "run.resume") held.delete(effect.run);
    if (effect.type === "run.start" || effect.type === "run.resume") working.add(effect.run);
    if (effect.type === "run.hold") held.add(effect.run);
  }
  return { working: [...working], held: [...held] };
}

const counted: Partial<Record<TicketEvent["type"], keyof Ticket["counters"]>> = {
  "merge.refused": "attempts",
  "review.failed": "cycles",
  "review.passed": "cycles",
  "checks.failed": "cycles",
};
function counterOf(event: TicketEvent): keyof Ticket["counters"] | undefined {
  if (event.type === "build.gave-up") return event.how === "failed" ? "attempts" : "unreviewed";
  return counted[event.type];
}
/** Turns that one report of the alphabet counts at most. */
const mostTurns = 2;
const sum = ({ counters }: Ticket): number => counters.attempts + counters.cycles + counters.unreviewed;

/** Facts that teach the same thing however often they are heard. */
const news = /^(spec|runtime|automerge|hold|halt|head|checks|approval|pr)\.|^human\.approved/;

/** Facts a rule of its own answers although the ticket stays as it is. */
const spoken = new Set([
  "human.asked",
  "human.objected",
  "human.told",
  "order.withdrawn",
  "agent.prodded",
  "merge.certified",
  "slot.withheld",
  "tracker.contested",
  "ready.granted",
  "operator.reset",
  // Named by what they are about, so that each is heard once.
  "ci.doubted",
  "base.moved",
]);

/** Where an event may lead, said apart from the table: from any of these states, to one of those. */
const moves: Partial<
  Record<TicketEvent["type"], readonly (readonly [readonly State[], readonly State[]])[]>
> = {
  "ready.granted": [[["Backlog", "Blocked"], ["Ready"]]],
  "ready.revoked": [[sets.active, ["Backlog"]]],
  "spec.edited": [
    [["Ready", "Gate"], ["Backlog"]],
    [sets.begun, ["Blocked"]],
  ],
  "runtime.chosen": [[["Ready", "Gate"], ["Backlog"]]],
  "slot.granted": [
    [["Ready"], ["Gate"]],
    [["Rework"], ["In Progress"]],
  ],
  "gate.passed": [[["Gate"], ["In Progress"]]],
  "gate.flagged": [[["Gate"], ["Backlog"]]],
  "build.delivered": [[["In Progress"], ["Adversarial Review", "Rework"]]],
  "build.gave-up": [[["In Progress"], ["Rework", "Blocked"]]],
  "review.passed": [[["Adversarial Review"], ["In Review", "Merging", "Rework", "Blocked"]]],
  "review.failed": [[["Adversarial Review"], ["Rework", "Blocked"]]],
  "review.blocked": [[["Adversarial Review"], ["Blocked"]]],
  "head.moved": [[sets.judged, ["Adversarial Review"]]],
  "human.approved": [[["In Review"], ["Merging"]]],
  "approval.withdrawn": [[["Merging"], ["In Review"]]],
  "automerge.set": [
    [["In Review"], ["Merging"]],
    [["Merging"], ["In Review"]],
  ],
  "human.objected": [[["In Progress", "Adversarial Review", "In Review", "Merging"], ["Rework"]]],
  "human.told": [[["Adversarial Review", "In Review", "Merging"], ["Rework"]]],
  "order.withdrawn": [[["Rework"], ["Adversarial Review"]]],
  "checks.failed": [[sets.judged, ["Rework", "Blocked"]]],
  "merge.refused": [[sets.judged, ["Rework", "Blocked"]]],
  "pr.merged": [[sets.open, ["Done"]]],
  "pr.closed": [[sets.active, ["Blocked"]]],
  "pr.retargeted": [[sets.begun, ["Blocked"]]],
  "halt.raised": [[sets.active, ["Blocked"]]],
  "operator.stopped": [[sets.active, ["Blocked"]]],
  "budget.spent": [[sets.working, ["Blocked"]]],
  "deadline.passed": [[sets.working, ["Blocked"]]],
  "run.exhausted": [[sets.working, ["Blocked"]]],
  "effect.failed": [[sets.active, ["Blocked"]]],
  "budget.raised": [[["Blocked"], ["Ready", "Rework", "Adversarial Review"]]],
  "operator.retried": [[["Blocked"], ["Backlog", "Ready", "Rework", "Adversarial Review"]]],
  "operator.reset": [[sets.open, ["Backlog"]]],
  "ticket.cancelled": [[sets.open, ["Cancelled"]]],
  "ticket.reopened": [[sets.over, ["Backlog"]]],
};
const movesOf = (step: Step): readonly State[] | undefined =>
  moves[step.event.type]?.find(([from]) => from.includes(step.before.state))?.[1];

/** Whether an event that may move the ticket has to; undefined where another claim says so. */
function mustMove({ before, event, policy }: Step): boolean {
  const current = headIn(event) === before.head;
  if ("run" in event) return event.run === before.run;
  switch (event.type) {
    case "ready.granted":
      return !before.halted && before.runtime !== "contested";
    case "spec.edited":
      return before.spec !== undefined && event.spec !== before.spec;
    case "runtime.chosen":
      return event.runtime === "contested";
    case "slot.granted":
      return !before.held && before.runtime !== "contested";
    case "head.moved":
      return !current;
    case "checks.failed":
      return current;
    case "merge.refused":
      return current && (event.how === "conflict" || before.state === "Merging");
    case "human.approved":
      return current && policy.mergeAfterApproval;
    case "approval.withdrawn":
      return headIn(event) === before.approved && !consents({ ...before, approved: undefined }, policy);
    case "automerge.set":
      return consents({ ...before, autoMerge: event.on }, policy) !== (before.state === "Merging");
    case "order.withdrawn":
      return event.left === "nothing" && before.pull !== undefined;
    case "pr.closed":
    case "pr.retargeted":
      return before.pull !== undefined;
    case "budget.raised":
      return !before.halted && before.stoppedIn !== undefined;
    case "operator.retried":
      return !before.halted || before.spec === undefined;
    default:
      return true;
  }
}

/** Where the choice between two targets is a matter of numbers or facts. */
function choice(step: Step): boolean {
  const { before, after, event, policy } = step;
  const spent = (counter: keyof Ticket["counters"], limit: number, more = 1): State =>
    before.counters[counter] + more < limit ? "Rework" : "Blocked";
  const other = headIn(event) !== before.head;
  switch (event.type) {
    case "build.gave-up":
      return (
        after.state ===
        (event.how === "failed"
          ? spent("attempts", policy.maxAttempts)
          : spent("unreviewed", policy.maxUnreviewed, event.turns))
      );
    case "build.delivered":
      return after.state === (event.orders === "wait" ? "Rework" : "Adversarial Review");
    case "review.failed":
      return after.state === (other ? "Blocked" : spent("cycles", policy.maxCycles));
    case "review.passed":
      if (other) return after.state === "Blocked";
      if (before.checks === "red") return after.state === spent("cycles", policy.maxCycles);
      return after.state === (consents(after, policy) ? "Merging" : "In Review");
    case "checks.failed":
      return after.state === spent("cycles", policy.maxCycles);
    case "merge.refused":
      return after.state === (event.how === "policy" ? "Blocked" : spent("attempts", policy.maxAttempts));
    case "budget.raised":
      return (
        after.state ===
        (before.stoppedIn === "Gate"
          ? "Ready"
          : before.stoppedIn === "In Progress" || event.orders === "wait"
            ? "Rework"
            : "Adversarial Review")
      );
    case "operator.retried":
      if (before.spec === undefined) return after.state === "Backlog";
      return (
        after.state ===
        (before.pull === undefined || before.head === undefined
          ? "Ready"
          : event.orders === "wait"
            ? "Rework"
            : "Adversarial Review")
      );
    default:
      return true;
  }
}

/** A stop a person asked for in so many words needs no new comment; every other does. */
const silentStops = new Set(["operator.stopped", "halt.raised", "spec.edited", "pr.closed"]);
const verdicts = new Set(["review.passed", "review.failed", "review.blocked"]);

/** What has to be true of every single step. */
const claims: Readonly<Record<string, Claim>> = {
  "no merge without a review pass and consent at exactly that head": (step) =>
    [...of(step, "merge.try"), ...of(step, "merge.arm")].every(
      ({ head }) =>
        head === step.after.head &&
        head === step.after.reviewed &&
        consents(step.after, step.policy) &&
        step.after.checks !== "red",
    ),
  "a ticket in Merging is reviewed and consented to; one in In Review is reviewed and waits for consent": ({
    after,
    policy,
  }) =>
    implies(
      isJudged(after),
      () =>
        after.reviewed === after.head &&
        after.head !== undefined &&
        after.checks !== "red" &&
        consents(after, policy) === (after.state === "Merging"),
    ),
  "merge armed only in Merging": (step) =>
    implies(has(step, "merge.arm") || has(step, "merge.try"), () => step.after.state === "Merging") &&
    implies(
      step.before.state === "Merging" && step.after.state !== "Merging" && step.after.state !== "Done",
      () => has(step, "merge.disarm"),
    ),
  "whoever enters Merging arms it, and green or absent checks merge it": (step) => {
    const ready = step.after.checks === "green" || step.after.checks === "none";
    const entered = enters(step, "Merging");
    return implies(
      step.after.upon === undefined &&
        step.after.state === "Merging" &&
        (entered || (ready && step.before.checks !== step.after.checks)),
      () => has(step, ready ? "merge.try" : "merge.arm"),
    );
  },
  "exactly the ticket's run is at work, and only in a working state": (step) => {
    const { working } = runsAfter(step);
    return working.length === (step.after.state in phases ? 1 : 0) && working[0] === step.after.run;
  },
  "exactly the run put aside is held, while it waits for money or for a slot": (step) => {
    const { held } = runsAfter(step);
    const { state, stoppedIn, aside } = step.after;
    return (
      held.length === (aside === undefined ? 0 : 1) &&
      held[0] === aside &&
      implies(
        aside !== undefined,
        () => state === "Ready" || state === "Rework" || (state === "Blocked" && stoppedIn !== undefined),
      )
    );
  },
  "a run is put aside when its money is spent, and goes on unless what it was about has changed": (step) => {
    const { before, after } = step;
    if (heard(step, "budget.spent") && moved(step)) return after.aside === before.run;
    if (before.aside === undefined) return after.aside === undefined;
    const isAnother = (before.head !== undefined && before.head !== after.head) || before.spec !== after.spec;
    const goesOn =
      (!moved(step) || heard(step, "budget.raised", "slot.granted")) &&
      !isAnother &&
      // A review that stopped for money is not what is asked for any more.
      !(before.stoppedIn === "Adversarial Review" && moved(step) && after.state === "Rework") &&
      !(heard(step, "pr.closed") && step.outcome.row !== undefined);
    return goesOn === (after.aside === before.aside || after.run === before.aside);
  },
  "what goes on is the run that was put aside, in the state it stopped in": (step) =>
    of(step, "run.resume").every(
      ({ run }) =>
        run === step.before.aside &&
        run === step.after.run &&
        step.before.head === step.after.head &&
        of(step, "run.start").length === 0,
    ),
  "every start is a new run of the right phase at the right head": (step) =>
    step.after.runs === step.before.runs + of(step, "run.start").length &&
    of(step, "run.start").every(
      ({ run, phase, head }) =>
        run === step.after.run &&
        phase === phases[step.after.state as keyof typeof phases] &&
        head === step.after.head &&
        run !== step.before.run,
    ) &&
    implies(step.before.head !== step.after.head && step.after.state === "Adversarial Review", () =>
      has(step, "run.start"),
    ),
  "a report of another run changes nothing": (step) =>
    implies("run" in step.event && step.event.run !== step.before.run, () => step.outcome.row === undefined),
  "news of another head changes nothing but the head": (step) =>
    implies(
      heard(
        step,
        "human.approved",
        "approval.withdrawn",
        "checks.started",
        "checks.passed",
        "checks.failed",
        "checks.absent",
        "ci.doubted",
        "base.moved",
        "merge.refused",
      ) && headIn(step.event) !== step.before.head,
      () => step.outcome.row === undefined,
    ),
  "a fact is remembered by every open ticket": ({ before, after, event }) => {
    if (!isOpen(before)) return true;
    const current = before.head !== undefined && headIn(event) === before.head;
    switch (event.type) {
      case "human.approved":
        return !current || after.approved === event.head;
      case "approval.withdrawn":
        return after.approved !== event.head;
      case "checks.started":
        return !current || after.checks === "pending";
      case "checks.passed":
        return !current || after.checks === "green";
      case "checks.failed":
        return !current || after.checks === "red";
      case "checks.absent":
        return !current || after.checks === "none";
      case "pr.opened":
        return after.pull === event.pull && after.head !== undefined;
      case "pr.closed":
        return after.pull === undefined;
      case "head.moved":
        // A push before there is a pull request teaches nothing, but for the head a verdict is about to be on.
        return (
          after.head ===
          (before.pull === undefined && before.state !== "Adversarial Review" && !isJudged(before)
            ? before.head
            : event.head)
        );
      case "spec.edited":
        return after.spec === undefined || after.spec === event.spec;
      default:
        return true;
    }
  },
  ...claimsAboutChecks,
  "the labels of people are remembered in every state": ({ after, event }) => {
    switch (event.type) {
      case "automerge.set":
        return after.autoMerge === event.on;
      case "hold.set":
        return after.held === event.on;
      case "halt.raised":
        return after.halted;
      case "halt.lifted":
        return !after.halted;
      case "runtime.chosen":
        return after.runtime === event.runtime;
      default:
        return true;
    }
  },
  "a new head voids verdict, approval and checks": ({ before, after, event }) =>
    [after.reviewed, after.approved, after.needsPerson].every(
      (head) => head === undefined || head === after.head,
    ) &&
    implies(
      before.head !== after.head,
      () =>
        after.approved === undefined &&
        after.reviewed === undefined &&
        (after.checks === "unknown" || event.type === "pr.opened"),
    ),
  "a ticket without a release is idle, and a halted one too": ({ after }) =>
    implies(isActive(after), () => after.spec !== undefined && !after.halted) &&
    implies(after.state === "Backlog", () => after.spec === undefined),
  "neither spec gate nor build starts while held or contested": (step) =>
    implies(
      heard(step, "slot.granted") && (has(step, "run.start") || has(step, "run.resume")),
      () => !step.before.held && step.before.runtime !== "contested",
    ) && implies(step.after.state === "Gate", () => step.after.runtime !== "contested"),
  "limits hold": ({ after, policy }) =>
    after.counters.attempts <= policy.maxAttempts &&
    after.counters.cycles <= policy.maxCycles &&
    // A report of several turns may overshoot; a run is not given more than are left.
    after.counters.unreviewed < policy.maxUnreviewed + mostTurns &&
    implies(
      isActive(after),
      () =>
        after.counters.attempts < policy.maxAttempts &&
        after.counters.cycles < policy.maxCycles &&
        after.counters.unreviewed < policy.maxUnreviewed,
    ),
  "a counter grows with a failure that moves the ticket, and never with a success": (step) => {
    const { before, after, event } = step;
    const counter = counterOf(event);
    const failed =
      moved(step) && (after.state === "Rework" || after.state === "Blocked") && headIsRight(step);
    const more = event.type === "build.gave-up" ? (event.turns ?? 1) : 1;
    if (counter !== undefined && failed)
      return after.counters[counter] === before.counters[counter] + more && sum(after) === sum(before) + more;
    return sum(after) <= sum(before);
  },
  "without a row nothing changes": ({ before, outcome }) =>
    outcome.row !== undefined || (outcome.ticket === before && outcome.effects.length === 0),
  "a row applies only where it leads from, and only to where it leads": ({
    before,
    after,
    outcome: { row },
  }) =>
    row === undefined ||
    (statesOf(row).includes(before.state) && after.state === (row.to === "same" ? before.state : row.to)),
  "an event leads only where it may": (step) =>
    !moved(step) || (movesOf(step)?.includes(step.after.state) ?? false),
  "an event leads where it must": (step) => {
    const may = movesOf(step);
    if (may === undefined || !mustMove(step)) return !moved(step);
    return may.includes(step.after.state) && choice(step);
  },
  "the card shows the state": (step) =>
    implies(
      moved(step) ||
        (step.event.type === "tracker.contested" && step.event.card === "put back") ||
        // A release that does not count leaves a card where it says that it did.
        (step.event.type === "ready.granted" &&
          (step.before.state === "Backlog" || step.before.state === "Blocked")),
      () => of(step, "mirror").at(-1)?.to === step.after.state,
    ),
  "the workpad shows the ticket": (step) =>
    step.before === step.after || has(step, "workpad") || workpadOf(step.before) === workpadOf(step.after),
  "the check shows the ticket at its head": (step) =>
    step.before === step.after ||
    step.after.head === undefined ||
    of(step, "check").some(({ head }) => head === step.after.head) ||
    checkOf(step.before) === checkOf(step.after),
  "the labels show the ticket": (step) => {
    const { before, after } = step;
    const labels = labelsAfter(step);
    return (
      (labels.has("harness-blocked") === (after.state === "Blocked") ||
        (within(sets.over, before.state) && !moved(step))) &&
      implies(labels.has("needs-spec"), () => after.state === "Backlog" || !isOpen(before)) &&
      implies(heard(step, "gate.flagged") && moved(step), () => labels.has("needs-spec")) &&
      implies(isOpen(before) && labels.has("agent-ready"), () => after.spec !== undefined && isOpen(after)) &&
      implies(
        heard(step, "ticket.reopened", "operator.reset") && moved(step),
        () => !labels.has("agent-ready") && !labels.has("needs-spec"),
      ) &&
      labels.has("auto-merge") === after.autoMerge
    );
  },
  "a fact heard twice is acted on once": (step) => {
    if (!news.test(step.event.type) || step.outcome.row === undefined) return true;
    const again = step.transition(step.after, step.event, step.policy);
    return again.ticket === step.after && again.effects.length === 0;
  },
  "a row that changes nothing says nothing": (step) =>
    step.outcome.effects.length === 0 ||
    spoken.has(step.event.type) ||
    workpadOf(step.before) !== workpadOf(step.after) ||
    step.before.run !== step.after.run,
  "a stop nobody asked for is explained in a new comment, any other is not": (step) =>
    says(step, "blocked") === (enters(step, "Blocked") && !silentStops.has(step.event.type)),
  "a flag says once what is missing": (step) =>
    says(step, "flagged") === (heard(step, "gate.flagged") && step.outcome.row !== undefined),
  "two runtimes are refused once": (step) => {
    const asked =
      heard(step, "ready.granted") &&
      within(["Backlog", "Blocked"], step.before.state) &&
      !step.before.halted &&
      step.before.runtime === "contested";
    const late =
      step.event.type === "runtime.chosen" &&
      step.event.runtime === "contested" &&
      within(["Ready", "Gate"], step.before.state);
    return says(step, "contested-runtime") === (asked || late);
  },
  "a release is acknowledged": (step) =>
    has(step, "react") === (heard(step, "ready.granted") && enters(step, "Ready")),
  "a prod is on record, and the run goes on": (step) =>
    implies(
      heard(step, "agent.prodded") && step.before.run === runIn(step.event),
      () =>
        has(step, "workpad") &&
        !has(step, "run.stop") &&
        step.outcome.ticket.run === step.before.run &&
        !moved(step),
    ),
  "a delivered head gets a pull request": (step) =>
    has(step, "pull.open") === (heard(step, "build.delivered") && step.outcome.row !== undefined),
  "every verdict on the head is posted": (step) =>
    implies(
      verdicts.has(step.event.type) &&
        step.outcome.row !== undefined &&
        (headIsRight(step) || heard(step, "review.blocked")),
      () => has(step, "review.post"),
    ),
  "auto-merge does not outlive a verdict that needs a person": ({ after, event, before }) =>
    implies(
      event.type === "review.passed" &&
        event.needsPerson.length > 0 &&
        event.run === before.run &&
        event.head === before.head &&
        before.state === "Adversarial Review",
      () => !after.autoMerge,
    ),
  "what is over or reset is cleaned up": (step) => {
    const given = heard(step, "operator.reset", "ticket.cancelled") && isOpen(step.before);
    const mustClose = given && (step.before.pull !== undefined || step.before.head !== undefined);
    return (
      has(step, "pull.close") === mustClose &&
      has(step, "clean") === (given || enters(step, "Done")) &&
      implies(
        given && heard(step, "operator.reset"),
        () => step.after.head === undefined && step.after.pull === undefined && sum(step.after) === 0,
      )
    );
  },
  "a pull request has a head": ({ after }) =>
    implies(after.pull !== undefined, () => after.head !== undefined),
  ...certificateClaims,
  "a merge is told": (step) => implies(enters(step, "Done"), () => says(step, "merged")),
};

const runIn = (event: TicketEvent): string | undefined => ("run" in event ? event.run : undefined);
const headIsRight = ({ before, event }: Step): boolean => !("head" in event) || event.head === before.head;

const all = { ...claims, ...orderClaims, ...stackClaims };
const names = Object.keys(all);
const judges = Object.values(all);
/** The first claim that does not hold of this step. */
export function broken(step: Step): string | undefined {
  // Asked of millions of steps.
  for (let index = 0; index < judges.length; index += 1)
    if (judges[index]?.(step) !== true) return names[index];
  return undefined;
}
