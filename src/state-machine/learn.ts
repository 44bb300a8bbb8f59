import type { EventType, TicketEvent } from "./event.ts";
import { phases, type Counters, type Sha, type State, type Ticket } from "./ticket.ts";

type Lesson = Partial<Ticket>;
type Of<Type extends EventType> = Extract<TicketEvent, { type: Type }>;
/** What an event teaches, given where the row leads. It is asked only when a row matched. */
type Lessons = {
  readonly [Type in EventType]?: (ticket: Ticket, event: Of<Type>, to: State) => Lesson;
};

const zero: Counters = { attempts: 0, cycles: 0, unreviewed: 0 };

/** Another head: whatever was known about the old one is about the old one. */
const atHead = (ticket: Ticket, head: Sha): Lesson =>
  head === ticket.head
    ? {}
    : {
        head,
        reviewed: undefined,
        needsPerson: undefined,
        approved: undefined,
        checks: "unknown",
        aside: undefined,
      };

/** Adds a failure, or more; only a row that leads back or to a stop counts one. */
const counting = ({ counters, state }: Ticket, counter: keyof Counters, to: State, more = 1): Lesson =>
  to !== state && (to === "Rework" || to === "Blocked")
    ? { counters: { ...counters, [counter]: counters[counter] + more } }
    : {};

/** What a fresh start forgets. The labels of people stay: they are still on the issue. */
const forgotten: Lesson = {
  spec: undefined,
  pull: undefined,
  head: undefined,
  approved: undefined,
  checks: "unknown",
  upon: undefined,
  counters: zero,
};

const lessons: Lessons = {
  "ready.granted": (_, { spec }, to) => (to === "Ready" ? { spec, counters: zero, aside: undefined } : {}),
  "spec.edited": () => ({ spec: undefined, approved: undefined, stoppedIn: undefined }),
  // What was begun stays where it was begun, until the host itself moves it.
  "slot.granted": ({ head }, { upon }, to) => (to === "Gate" && head === undefined ? { upon } : {}),
  "runtime.chosen": (_, { runtime, workflow }) => ({ runtime, workflow }),
  "automerge.set": (_, { on }) => ({ autoMerge: on }),
  "hold.set": (_, { on }) => ({ held: on }),
  "halt.raised": () => ({ halted: true }),
  "halt.lifted": () => ({ halted: false }),
  "human.approved": (_, { head }) => ({ approved: head }),
  "approval.withdrawn": () => ({ approved: undefined }),
  "human.objected": () => ({ approved: undefined }),
  "human.told": () => ({ approved: undefined }),
  "order.withdrawn": ({ state }, _, to) => (to === state ? {} : { aside: undefined }),
  "ticket.reopened": () => forgotten,
  "operator.retried": () => ({ counters: zero, aside: undefined }),
  "operator.reset": () => forgotten,
  "budget.raised": ({ stoppedIn }, { usd }, to) => ({
    allowance: usd,
    // Its review is no longer asked for.
    ...(stoppedIn === "Adversarial Review" && to === "Rework" ? { aside: undefined } : {}),
  }),
  "budget.spent": ({ state, run }, { wantsUsd }) => ({
    stoppedIn:
      state === "Gate" || state === "In Progress" || state === "Adversarial Review" ? state : undefined,
    aside: run,
    wantsUsd,
  }),
  "build.delivered": (ticket, { head }) => ({
    ...atHead(ticket, head),
    counters: { ...ticket.counters, unreviewed: 0 },
  }),
  "build.gave-up": (ticket, { how, turns }, to) =>
    how === "failed" ? counting(ticket, "attempts", to) : counting(ticket, "unreviewed", to, turns),
  "review.passed": (ticket, { head, needsPerson }, to) =>
    head !== ticket.head
      ? {}
      : {
          reviewed: head,
          needsPerson: needsPerson.length > 0 ? head : undefined,
          autoMerge: ticket.autoMerge && needsPerson.length === 0,
          ...counting(ticket, "cycles", to),
        },
  "review.failed": (ticket, { head }, to) => (head === ticket.head ? counting(ticket, "cycles", to) : {}),
  "head.moved": (ticket, { head, update }) => ({
    ...atHead(ticket, head),
    ...(update === undefined ? {} : { upon: update.upon }),
  }),
  "checks.started": () => ({ checks: "pending" }),
  "checks.passed": () => ({ checks: "green" }),
  "checks.failed": (ticket, _, to) => ({ checks: "red", ...counting(ticket, "cycles", to) }),
  "checks.absent": () => ({ checks: "none" }),
  "ci.doubted": () => ({ checks: "doubted" }),
  "merge.refused": (ticket, _, to) => counting(ticket, "attempts", to),
  "pr.opened": (ticket, { pull, head }) => ({ pull, head: ticket.head ?? head }),
  "pr.merged": (ticket, { head }) => atHead(ticket, head),
  "pr.closed": () => ({ pull: undefined, stoppedIn: undefined }),
};

type Draft = { -readonly [Fact in keyof Ticket]: Ticket[Fact] };

/** The ticket with what the event taught it, moved to where the row leads. */
export function learn(ticket: Ticket, event: TicketEvent, to: State): Ticket {
  // The lookup by type keeps the event and its lesson of one kind.
  const lesson = lessons[event.type] as
    | ((ticket: Ticket, event: TicketEvent, to: State) => Lesson)
    | undefined;
  const draft: Draft = { ...ticket, ...lesson?.(ticket, event, to), state: to };
  // An allowance is for one try, and whatever a run reports ends it.
  if ("run" in event) draft.allowance = undefined;
  forget(draft);
  return draft;
}

/** Some facts are about a state and are gone with it. */
function forget(draft: Draft): void {
  const { state } = draft;
  const isJudged = state === "In Review" || state === "Merging" || state === "Done";
  const isQueued = state === "Ready" || state === "Rework";
  const isStopped = state === "Blocked" && draft.stoppedIn !== undefined;
  const isWorking = state in phases;
  if (!isJudged) {
    draft.reviewed = undefined;
    draft.needsPerson = undefined;
  }
  if (!isStopped) {
    draft.stoppedIn = undefined;
    draft.wantsUsd = undefined;
  }
  // Held until the ticket is back where it stopped.
  if (!isStopped && !isQueued && !isWorking) draft.aside = undefined;
  if (!isQueued && !isWorking) draft.allowance = undefined;
  // Before anything is built on it, the next slot says anew what it stands on.
  if (draft.head === undefined && (state === "Backlog" || state === "Ready")) draft.upon = undefined;
  if (state === "Backlog") draft.spec = undefined;
  if (!isWorking) draft.run = undefined;
}
