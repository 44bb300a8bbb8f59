import type { TicketEvent } from "./event.ts";
import type { Policy, Sha, Ticket } from "./ticket.ts";

/** A yes/no question about the ticket as it was before the event. */
export type Guard = (ticket: Ticket, event: TicketEvent, policy: Policy) => boolean;

/** A person approved this head, or a permitted `auto-merge` covers it. */
export function consents(ticket: Ticket, policy: Policy): boolean {
  if (ticket.head === undefined) return false;
  const autoMerge = ticket.autoMerge && ticket.needsPerson !== ticket.head;
  return autoMerge || (policy.mergeAfterApproval && ticket.approved === ticket.head);
}

const headOf = (event: TicketEvent): Sha | undefined => ("head" in event ? event.head : undefined);

const newsOfChecks = {
  "checks.started": "pending",
  "checks.passed": "green",
  "checks.failed": "red",
  "checks.absent": "none",
} as const;

/** What an event about checks says of them; undefined for any other event. */
const checksIn = (event: TicketEvent): Ticket["checks"] | undefined =>
  event.type in newsOfChecks ? newsOfChecks[event.type as keyof typeof newsOfChecks] : undefined;

/** The questions the table may ask, by name. */
export const guards = {
  // About what was released.
  specIsNew: (ticket, event) =>
    event.type === "spec.edited" && ticket.spec !== undefined && ticket.spec !== event.spec,
  specIsVoid: (ticket) => ticket.spec === undefined,
  // About the labels of people.
  halted: (ticket) => ticket.halted,
  notHalted: (ticket) => !ticket.halted,
  notHeld: (ticket) => !ticket.held,
  holdIsNews: (ticket, event) => event.type === "hold.set" && event.on !== ticket.held,
  contested: (ticket) => ticket.runtime === "contested",
  oneRuntime: (ticket) => ticket.runtime !== "contested",
  choiceContests: (_, event) => event.type === "runtime.chosen" && event.runtime === "contested",
  choiceIsNews: (ticket, event) =>
    event.type === "runtime.chosen" &&
    (event.runtime !== ticket.runtime || event.workflow !== ticket.workflow),
  autoMergeIsNews: (ticket, event) => event.type === "automerge.set" && event.on !== ticket.autoMerge,
  // About consent.
  autoMergeReleases: (ticket, event, policy) =>
    event.type === "automerge.set" && consents({ ...ticket, autoMerge: event.on }, policy),
  approvalReleases: (ticket, event, policy) =>
    event.type === "human.approved" && consents({ ...ticket, approved: event.head }, policy),
  verdictReleases: (ticket, event, policy) =>
    event.type === "review.passed" &&
    consents({ ...ticket, autoMerge: ticket.autoMerge && event.needsPerson.length === 0 }, policy),
  approvalIsNews: (ticket, event) => headOf(event) !== ticket.approved,
  approvalIsLost: (ticket, event) => headOf(event) === ticket.approved,
  consentIsLost: (ticket, event, policy) =>
    !consents(
      {
        ...ticket,
        autoMerge: event.type === "automerge.set" ? event.on : ticket.autoMerge,
        approved: event.type === "approval.withdrawn" ? undefined : ticket.approved,
      },
      policy,
    ),
  // About the pull request and its head.
  hasPull: (ticket) => ticket.pull !== undefined,
  pullIsNews: (ticket, event) => event.type === "pr.opened" && event.pull !== ticket.pull,
  headIsCurrent: (ticket, event) => headOf(event) === ticket.head,
  headIsOther: (ticket, event) => headOf(event) !== ticket.head,
  checksAreRed: (ticket) => ticket.checks === "red",
  checksAreNews: (ticket, event) => checksIn(event) !== ticket.checks,
  conflicts: (_, event) => event.type === "merge.refused" && event.how === "conflict",
  ordersWait: (_, event) => "orders" in event && event.orders === "wait",
  nothingLeft: (_, event) => event.type === "order.withdrawn" && event.left === "nothing",
  groupFailed: (_, event) => event.type === "merge.refused" && event.how === "checks",
  // About limits.
  buildFailed: (_, event) => event.type === "build.gave-up" && event.how === "failed",
  buildUnfinished: (_, event) => event.type === "build.gave-up" && event.how === "unfinished",
  attemptsLeft: ({ counters }, _, policy) => counters.attempts + 1 < policy.maxAttempts,
  cyclesLeft: ({ counters }, _, policy) => counters.cycles + 1 < policy.maxCycles,
  unreviewedLeft: ({ counters }, event, policy) =>
    counters.unreviewed + ((event.type === "build.gave-up" ? event.turns : undefined) ?? 1) <
    policy.maxUnreviewed,
  // About where the budget was spent.
  spentInGate: (ticket) => ticket.stoppedIn === "Gate",
  spentInBuild: (ticket) => ticket.stoppedIn === "In Progress",
  spentInReview: (ticket) => ticket.stoppedIn === "Adversarial Review",
} as const satisfies Record<string, Guard>;

export type GuardName = keyof typeof guards;
