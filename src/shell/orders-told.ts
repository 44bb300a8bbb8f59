/** What people asked for, as the ledger tells it: for a brief, for an agent at work, and for who takes it back. Pure. */
import { clean } from "../untrusted.ts";
import type { CommentRef, TicketEvent } from "../state-machine/event.ts";
import type { Line } from "../store/ledger.ts";

export interface OrdersTold {
  /** Every order, oldest first; one that was taken back keeps its place, so that who counts what it heard is right. */
  readonly orders: readonly string[];
  /** What a brief says of them: words on lines of the diff stand there with their conversations. */
  readonly standing: readonly string[];
}

/** What people asked for so far. */
export function ordersTold(lines: readonly Line[]): OrdersTold {
  const isOver = withdrawnIn(lines);
  const orders: string[] = [];
  const standing: string[] = [];
  for (const line of lines) {
    const { event } = line;
    if (event.type !== "human.objected" && event.type !== "human.told") continue;
    const on = event.type === "human.told" ? event.on : undefined;
    if (isOver(line)) orders.push(`(@${event.by} asked for something and took it back.)`);
    else if (on === undefined) {
      orders.push(event.order);
      standing.push(event.order);
    } else orders.push(`Thread ${on.root} on ${placeOf(on)}, @${event.by}: ${clean(event.order)}`);
  }
  return { orders, standing };
}

const placeOf = ({ path, line }: { readonly path: string; readonly line?: number | undefined }): string =>
  line === undefined ? path : `${path}:${line}`;

/** Whether an order was taken back with the review that it came with. */
function withdrawnIn(lines: readonly Line[]): (line: Line) => boolean {
  const objections = new Set<string>();
  const reviews = new Set<number>();
  for (const { event } of lines) {
    if (event.type !== "order.withdrawn") continue;
    objections.add(event.objection);
    if (event.review !== undefined) reviews.add(event.review);
  }
  return ({ event, eventId }) =>
    objections.has(eventId) ||
    (event.type === "human.told" && event.on?.review !== undefined && reviews.has(event.on.review));
}

/** Whether the question in this comment has its answer. */
export const isAnswered = (lines: readonly Line[], { kind, id }: CommentRef): boolean =>
  lines.some(
    ({ event }) =>
      event.type === "human.asked" &&
      event.ask.about === "answered" &&
      event.comment.kind === kind &&
      event.comment.id === id,
  );

/** What comments on lines said when we first heard them. */
export const remarksHeard = (lines: readonly Line[]): ReadonlyMap<number, string> =>
  new Map(
    lines.flatMap(({ event }) =>
      event.type === "human.told" && event.on !== undefined
        ? [[event.on.comment, event.order] as const]
        : event.type === "human.asked" && event.ask.about === "question" && event.ask.on !== undefined
          ? [[event.ask.on.comment, event.ask.text] as const]
          : [],
    ),
  );

/**
 * Whether the objection under this name still waits for a build to begin, and what else does. One that stopped a build
 * leaves that build's own work to be done.
 */
export function waitingObjection(
  lines: readonly Line[],
  { id, review }: { readonly id: string; readonly review: number | undefined },
): { readonly id: string; readonly left: "nothing" | "more" } | undefined {
  const isOver = withdrawnIn(lines);
  const begun = lines.findLastIndex(({ from, to }) => to === "In Progress" && from !== "In Progress");
  const waiting = lines.slice(begun + 1).filter((line) => !isOver(line));
  const found = waiting.find(({ eventId, event }) => eventId === id && event.type === "human.objected");
  if (found === undefined) return undefined;
  const isOfIt = ({ event }: Line): boolean =>
    event.type === "human.told" && review !== undefined && event.on?.review === review;
  const more = waiting.some(
    (line) => line !== found && !isOfIt(line) && (isSpoken(line.event) || isOtherWork(line)),
  );
  const stoppedOne = waiting.some((line) => (line === found || isOfIt(line)) && line.from === "In Progress");
  return { id, left: more || stoppedOne ? "more" : "nothing" };
}

/** It leads to a build for another reason than what people asked for. */
const isOtherWork = ({ event, from, to }: Line): boolean =>
  to === "Rework" && from !== "Rework" && !("orders" in event && event.orders === "wait");

/**
 * Whether people asked for something that no build has read: while the ticket was blocked, and none has begun since, or
 * after the last turn of the one at work.
 */
export function ordersWait(lines: readonly Line[], lastTurnEndedAt = Infinity): boolean {
  const isOver = withdrawnIn(lines);
  const begun = lines.findLastIndex(({ from, to }) => to === "In Progress" && from !== "In Progress");
  return lines
    .slice(begun + 1)
    .some(
      (line) =>
        (line.from === "Blocked" || (line.from === "In Progress" && line.at > lastTurnEndedAt)) &&
        isSpoken(line.event) &&
        !isOver(line),
    );
}

const isSpoken = ({ type }: TicketEvent): boolean => type === "human.objected" || type === "human.told";
