/** A revert that git alone made stays git's when the host brings it up to date with its base. */
import { expect, test } from "vitest";
import { gitMadeHead } from "../../src/shell/ticket-work.ts";
import type { TicketEvent } from "../../src/state-machine/event.ts";
import { newTicket } from "../../src/state-machine/ticket.ts";
import type { Line } from "../../src/store/ledger.ts";
import type { SessionSummary } from "../../src/store/sessions.ts";
import type { Stored } from "../../src/store/tickets.ts";

const [made, updated, pushed] = ["a", "b", "c"].map((digit) => digit.repeat(40)) as [string, string, string];

// Only what is asked of them.
const at = (head: string): Stored => ({ ticket: { ...newTicket("t"), head } }) as Stored;
const lines = [
  { type: "build.delivered", run: "t/2", head: made, summary: "" },
  {
    type: "head.moved",
    head: updated,
    update: {
      from: made,
      oldBase: pushed,
      base: pushed,
      how: "merge",
      unchanged: true,
      gained: { count: 1, subjects: [] },
    },
  },
].map((event, index) => ({ at: index, event: event as TicketEvent }) as Line);

test.each([
  ["as it was delivered", made, made],
  ["brought up to date by the host", updated, updated],
  ["not what somebody pushed upon it", pushed, undefined],
])("%s", (_, head, found) => {
  const past = {
    lines: [...lines, { at: 3, event: { type: "head.moved", head: pushed } } as Line],
    sessions: [],
  };
  expect(gitMadeHead(at(head), past)).toBe(found);
});

test("not once an agent had a part in it", () => {
  const sessions = [
    { run: "t/2", role: "build", family: "openai", model: "m", startedAt: 0 } as SessionSummary,
  ];
  expect(gitMadeHead(at(updated), { lines, sessions })).toBeUndefined();
});
