import { expect, test } from "vitest";
import type { TicketEvent } from "../state-machine/event.ts";
import type { State } from "../state-machine/ticket.ts";
import type { Line } from "../store/ledger.ts";
import { ordersTold, ordersWait, remarksHeard, waitingObjection } from "./orders-told.ts";

let seq = 0;
const line = (
  event: TicketEvent,
  from: State = "Rework",
  to: State = from,
  eventId = `e${(seq += 1)}`,
): Line => ({
  seq,
  ticket: "github:1#1",
  version: seq,
  eventId,
  at: seq,
  actor: "ada",
  event,
  row: "",
  from,
  to,
  policy: { maxAttempts: 3, maxCycles: 3, maxUnreviewed: 3, mergeAfterApproval: true },
  prev: "",
  hash: "",
});
const id = "review:ada:5:objected";
const objected = (from: State = "In Review") =>
  line({ type: "human.objected", by: "ada", order: "Rename it." }, from, "Rework", id);
const told = (review?: number) =>
  line({
    type: "human.told",
    by: "ada",
    order: "Here.",
    on: { root: 8, comment: 9, path: "a.ts", line: 3, review },
  });
const begun = () => line({ type: "slot.granted" }, "Rework", "In Progress");
const withdrawn = line({ type: "order.withdrawn", by: "ada", objection: id, review: 4, left: "nothing" });
const said = line({ type: "human.told", by: "bob", order: "Keep the alias." });

test("words on lines are told at work, and stand in the brief with their conversations only", () => {
  expect(ordersTold([objected(), told(), said])).toEqual({
    orders: ["Rename it.", "Thread 8 on a.ts:3, @ada: Here.", "Keep the alias."],
    standing: ["Rename it.", "Keep the alias."],
  });
  expect(remarksHeard([told()])).toEqual(new Map([[9, "Here."]]));
});

test("what was taken back keeps its place and says nothing", () => {
  const { orders, standing } = ordersTold([objected(), told(4), told(5), withdrawn, said]);
  expect(orders).toHaveLength(4);
  expect(orders.slice(0, 2).join()).not.toMatch(/Rename|Here/);
  expect(orders[2]).toContain("Here.");
  expect(standing).toEqual(["Keep the alias."]);
});

test.each([
  ["alone", [objected()], "nothing"],
  ["with its own remarks", [objected(), told(4)], "nothing"],
  ["with a remark of another review", [objected(), told(5)], "more"],
  ["with somebody else's words", [objected(), said], "more"],
  [
    "after a failed review",
    [line({ type: "checks.failed", head: "a", why: "w" }, "In Review", "Rework"), objected("Rework")],
    "more",
  ],
  [
    "that a retry led on from",
    [objected("Blocked"), line({ type: "operator.retried", orders: "wait" }, "Blocked", "Rework")],
    "nothing",
  ],
  ["that stopped a build", [begun(), objected("In Progress")], "more"],
  ["whose work has begun", [objected(), begun()], undefined],
  ["that was taken back already", [objected(), withdrawn], undefined],
  ["nobody made", [said], undefined],
] as const)("an objection %s leaves %s", (_what, lines, left) => {
  expect(waitingObjection(lines, { id, review: 4 })?.left).toBe(left);
});

const blocked = line({ type: "human.objected", by: "ada", order: "Rename it." }, "Blocked", "Blocked", id);
test.each([
  ["said while it was blocked", [begun(), blocked], true],
  ["that a build has begun upon since", [blocked, begun()], false],
  ["taken back", [blocked, withdrawn], false],
  ["that led to rework by itself", [objected()], false],
  ["heard at work", [begun(), line({ type: "human.told", by: "bob", order: "x" }, "In Progress")], false],
] as const)("whether an order waits behind a block: one %s", (_what, lines, waits) => {
  expect(ordersWait(lines)).toBe(waits);
});

test("an order that came after the builder's last turn waits, and one that came before it ended does not", () => {
  const order = line({ type: "human.told", by: "bob", order: "x" }, "In Progress");
  const lines = [begun(), order];
  expect(ordersWait(lines, order.at - 1)).toBe(true);
  expect(ordersWait(lines, order.at)).toBe(false);
  expect(ordersWait(lines)).toBe(false);
});
