/** A refused merge is about one head in one life of the ticket. */
import { expect, test } from "vitest";
import { conflictsWithBase } from "../../src/shell/ticket-work.ts";
import type { TicketEvent } from "../../src/state-machine/event.ts";
import type { Line } from "../../src/store/ledger.ts";

const head = "a".repeat(40);
const refused = { type: "merge.refused", head, how: "conflict", why: "no" } as const;
const delivered = { type: "build.delivered", run: "r", head, summary: "" } as const;
const after = (...events: readonly TicketEvent[]): boolean =>
  conflictsWithBase(events.map((event) => ({ event }) as Line));

test("a conflict lasts until another head is there", () => {
  expect(after(delivered)).toBe(false);
  expect(after(delivered, refused)).toBe(true);
  expect(after(delivered, refused, { type: "build.gave-up", run: "r", how: "failed", why: "" })).toBe(true);
  expect(after(delivered, refused, { type: "ready.granted", spec: "s" })).toBe(true);
  expect(after(delivered, refused, delivered)).toBe(false);
  expect(after(delivered, refused, { type: "head.moved", head })).toBe(false);
  expect(after(delivered, { ...refused, how: "policy" })).toBe(false);
});

test("a conflict is forgotten with everything else when the ticket begins anew", () => {
  expect(after(delivered, refused, { type: "operator.reset" })).toBe(false);
  expect(after(delivered, refused, { type: "ticket.reopened" })).toBe(false);
});
