import { sets } from "../../src/state-machine/table.ts";
import type { TicketEvent } from "../../src/state-machine/event.ts";
import type { State, Ticket } from "../../src/state-machine/ticket.ts";
import type { Outcome } from "../../src/state-machine/transition.ts";

type Claim = (step: {
  readonly before: Ticket;
  readonly event: TicketEvent;
  readonly outcome: Outcome;
}) => boolean;

const has = ({ effects }: Outcome, type: string): boolean => effects.some((effect) => effect.type === type);
const open: readonly State[] = sets.open;
/** Where an order waits for a build to begin. */
const waiting: readonly State[] = ["Backlog", "Ready", "Gate", "Rework", "Blocked"];

/** What has to be true of orders that people give on a pull request. */
export const orderClaims: Readonly<Record<string, Claim>> = {
  "an order that is taken back before its work begins is on record, and one at work goes on": ({
    before,
    event,
    outcome,
  }) =>
    event.type !== "order.withdrawn" ||
    ((outcome.row !== undefined) === waiting.includes(before.state) &&
      has(outcome, "workpad") === (outcome.row !== undefined)),
  "a build that delivers settles its conversations, and nothing else does": ({ event, outcome }) =>
    has(outcome, "threads.settle") === (event.type === "build.delivered" && outcome.row !== undefined),
  "a request for changes is always on record": ({ before, event, outcome }) =>
    (event.type !== "human.objected" && event.type !== "human.told") ||
    !open.includes(before.state) ||
    (outcome.row !== undefined && outcome.ticket.approved === undefined && has(outcome, "workpad")),
  "a question is answered, always": ({ event, outcome }) =>
    has(outcome, "answer") === (event.type === "human.asked"),
  "a slot that was withheld is on record, and told": ({ before, event, outcome }) =>
    event.type !== "slot.withheld" ||
    before.state !== "Ready" ||
    (has(outcome, "workpad") && outcome.ticket.state === before.state),
};
