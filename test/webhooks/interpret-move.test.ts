/** What a card that somebody moves comes to: every place, every state, everybody. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Permission } from "../../src/ports.ts";
import { newTicket, states, type State, type Ticket } from "../../src/state-machine/ticket.ts";
import { transition } from "../../src/state-machine/transition.ts";

import type { Facts, Interpretation } from "../../src/webhooks/facts.ts";
import type { Say, Sender } from "../../src/webhooks/heard.ts";
import { interpretMove } from "../../src/webhooks/interpret-move.ts";
import { policy } from "../state-machine/alphabet.ts";
import { facts, head, issue, older, pull } from "./facts.ts";

type Moved = Extract<Say, { type: "moved" }>;
const places = [...states, undefined] as const;
/** Undefined: nothing is known of the issue yet. */
const tickets = [...states, undefined] as const;
const permissions: readonly Permission[] = ["none", "read", "triage", "write", "maintain", "admin"];

const person: Sender = { login: "bob", id: 0, kind: "person" };
const unlinked: Sender = { login: "linear:ann", id: 0, kind: "person" };
const automation: Sender = { login: "linear:github[bot]", id: 0, kind: "bot" };
const ourselves: Sender = { login: "forgehand", id: 0, kind: "forgehand" };

const says = (to: State | undefined, more: Partial<Moved> = {}): Moved => ({
  type: "moved",
  to,
  name: to ?? "QA",
  belongs: "elsewhere",
  returns: 0,
  automation: undefined,
  at: 5_000_000,
  ...more,
});
const ticketIn = (state: State): Ticket => ({
  ...newTicket("linear:a/b"),
  state,
  head,
  pull: 43,
  spec: "old",
});
const about = (state: State | undefined, change: Partial<Facts> = {}): Facts =>
  facts({
    ticket: state === undefined ? undefined : ticketIn(state),
    pull: state === undefined ? undefined : pull,
    issue: { ...issue, open: true },
    headSince: 1_000_000,
    ...change,
  });
const moveBy = (
  sender: Sender,
  permission: Permission,
  {
    to,
    state,
    more = {},
    change = {},
  }: { to: State | undefined; state: State | undefined; more?: Partial<Moved>; change?: Partial<Facts> },
): Interpretation =>
  interpretMove(
    says(to, { ...(sender.kind === "bot" ? { automation: "github" } : {}), ...more }),
    { sender, permission, allowBots: change.allowBots ?? [] },
    about(state, { permission, ...change }),
  );
const eventsOf = (found: Interpretation): readonly string[] =>
  "events" in found ? found.events.map(({ type }) => type) : [];
const returned = ["tracker.contested"];

/** What the documents promise of somebody who may write; the table below takes their word for every cell. */
function promised(to: State | undefined, state: State | undefined): readonly string[] {
  const isOver = state === "Done" || state === "Cancelled";
  const isIdle = state === undefined || state === "Backlog" || isOver;
  if (to === (state ?? "Backlog")) return [];
  switch (to) {
    case "Ready":
      if (isOver) return ["ticket.reopened", "ready.granted", "spec.edited"];
      return isIdle || state === "Blocked" ? ["ready.granted", "spec.edited"] : returned;
    case "Backlog":
      return isIdle ? [] : ["ready.revoked"];
    case "Rework":
      if (state === undefined) return [];
      return ["In Progress", "Adversarial Review", "In Review", "Merging"].includes(state)
        ? ["human.objected"]
        : returned;
    case "Merging":
      if (state === undefined) return [];
      return state === "In Review" ? ["human.approved"] : returned;
    case "Cancelled":
      return isOver || state === undefined ? [] : ["ticket.cancelled"];
    case "Done":
      return isOver || state === undefined ? [] : returned;
    default:
      return isIdle ? [] : returned;
  }
}
const needed: Partial<Record<State, Permission>> = {
  Backlog: "triage",
  Ready: "triage",
  Rework: "write",
  Merging: "write",
  Cancelled: "triage",
};
const cells = places.flatMap((to) => tickets.map((state) => ({ to, state })));

describe.each(permissions)("moved by a person with %s", (permission) => {
  test.each(cells)("to $to from $state", ({ to, state }) => {
    const found = moveBy(person, permission, { to, state, more: { spec: "shown" }, change: { spec: "now" } });
    const need = to === undefined ? undefined : needed[to];
    const may = need === undefined || permissions.indexOf(permission) >= permissions.indexOf(need);
    const wanted = promised(to, state);
    expect(eventsOf(found)).toEqual(may || wanted.length === 0 ? wanted : returned);
    if (eventsOf(found)[0] === "tracker.contested") expectOneSentence(found);
  });
});

function expectOneSentence(found: Interpretation): void {
  const [event] = "events" in found ? found.events : [];
  expect(event).toMatchObject({ type: "tracker.contested", card: "put back" });
  const why = event?.type === "tracker.contested" ? event.why : "";
  expect(why).toMatch(
    /^(?:@bob|ann|github) moved this card to .+, and I moved it back, for the ticket is in .+\.$/u,
  );
  expect(why.split("\n")).toHaveLength(1);
}

test.each(cells)("who has linked no account changes nothing: to $to from $state", ({ to, state }) => {
  const found = moveBy(unlinked, "none", { to, state });
  const wanted = promised(to, state);
  expect(eventsOf(found)).toEqual(wanted.length === 0 ? [] : returned);
  if (wanted.length === 0) return;
  expectOneSentence(found);
  const isTheirs = to !== undefined && needed[to] !== undefined;
  if (isTheirs && "events" in found)
    expect(JSON.stringify(found.events)).toContain(
      "connect one in Linear's settings, under Connected accounts",
    );
});

test.each(cells)("our own moves say nothing: to $to from $state", ({ to, state }) => {
  expect(moveBy(ourselves, "none", { to, state })).toEqual({ ignored: "our own voice" });
});

test("an automation's move never releases, approves, objects, withdraws or cancels, whoever lists it", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...places),
      fc.constantFrom(...tickets),
      fc.constantFrom(...permissions),
      fc.constantFrom<Moved["belongs"]>("here", "elsewhere", "anywhere"),
      fc.nat({ max: 20 }),
      fc.boolean(),
      (to, state, permission, belongs, returns, isListed) => {
        const found = moveBy(automation, permission, {
          to,
          state,
          more: { belongs, returns },
          change: { allowBots: isListed ? [automation.login] : [] },
        });
        expect(eventsOf(found).filter((type) => type !== "tracker.contested")).toEqual([]);
        if ("events" in found && found.events.length > 0)
          expect(JSON.stringify(found)).toContain("Turn that automation off");
      },
    ),
    { numRuns: 2_000 },
  );
});

test("no contest goes on for ever, be it with automations, people or both in turns", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          sender: fc.constantFrom(person, unlinked, automation),
          to: fc.constantFrom(...places),
          permission: fc.constantFrom<Permission>("none", "read"),
        }),
        { minLength: 30, maxLength: 60 },
      ),
      fc.constantFrom<State>("Ready", "Gate", "In Progress", "In Review", "Merging", "Rework"),
      (moves, state) => {
        let returns = 0;
        let puts = 0;
        for (const { sender, to, permission } of moves) {
          const found = moveBy(sender, permission, { to, state, more: { returns } });
          const [event] = "events" in found ? found.events : [];
          if (event === undefined) continue;
          expect(event.type).toBe("tracker.contested");
          returns += 1;
          if (event.type === "tracker.contested" && event.card === "put back") puts += 1;
        }
        expect(puts).toBeLessThanOrEqual(10);
        expect(returns).toBeLessThanOrEqual(11);
      },
    ),
  );
});

test.each([
  { sender: automation, most: 3, who: "github" },
  { sender: person, most: 10, who: "@bob" },
])(
  "$who is told once that the card is left, after $most returns, and then no more",
  ({ sender, most, who }) => {
    const nth = (returns: number) =>
      moveBy(sender, "read", { to: "Done", state: "In Review", more: { returns } });
    expect(nth(most - 1)).toMatchObject({ events: [{ card: "put back" }] });
    expect(nth(most)).toMatchObject({ events: [{ card: "left" }] });
    expect(JSON.stringify(nth(most))).toContain(
      `${who} keeps moving this card to Done, so I leave it there, although the ticket is in In Review`,
    );
    expect(nth(most + 1)).toHaveProperty("ignored");
  },
);

describe("a drag to Merging approves what was shown, and nothing else", () => {
  const drag = (more: Partial<Moved>, change: Partial<Facts> = {}) =>
    moveBy(person, "write", { to: "Merging", state: "In Review", more, change });
  test("the head of the ticket, where nothing was pushed", () => {
    expect(drag({})).toEqual({ events: [{ type: "human.approved", head, by: "bob" }] });
  });
  test("not one that was pushed since", () => {
    expect(drag({}, { pull: { ...pull, head: older } })).toMatchObject({
      events: [{ type: "tracker.contested" }],
    });
  });
  test("not one that we learned of after the drag, or at an unknown time", () => {
    expect(drag({ at: 999_000 })).toMatchObject({ events: [{ type: "tracker.contested" }] });
    expect(drag({ at: undefined })).toMatchObject({ events: [{ type: "tracker.contested" }] });
  });
  test("not a closed pull request", () => {
    expect(drag({}, { pull: { ...pull, open: false } })).toMatchObject({
      events: [{ type: "tracker.contested" }],
    });
  });
});

test.each(states)(
  "a move that has counted is not put back in %s, which it led to, and an edit still voids it",
  (state) => {
    const again = (to: State, event: "ready.granted" | "human.objected" | "human.approved") =>
      moveBy(person, "write", {
        to,
        state,
        more: { spec: "shown" },
        change: { spec: "now", taken: new Set([event]) },
      });
    expect(eventsOf(again("Ready", "ready.granted"))).toEqual(["ready.granted", "spec.edited"]);
    expect(eventsOf(again("Rework", "human.objected"))).toEqual([]);
    expect(eventsOf(again("Merging", "human.approved"))).toEqual([]);
  },
);

test("whatever was meant, a merged pull request ends the ticket", () => {
  const merged = { ...pull, open: false, merged: older };
  for (const sender of [person, unlinked, automation])
    expect(moveBy(sender, "none", { to: "Done", state: "In Review", change: { pull: merged } })).toEqual({
      events: [{ type: "pr.merged", head, merge: older }],
    });
});

test("a move from before the ticket came to be there means nothing any more", () => {
  const found = moveBy(person, "write", { to: "Ready", state: "Backlog", more: { isStale: true } });
  expect(found).toMatchObject({ events: [{ type: "tracker.contested" }] });
  expect(JSON.stringify(found)).toContain("move it again");
});

describe("a blocked ticket whose board has no place for it", () => {
  const drag = (to: State | undefined, permission: Permission = "write") =>
    moveBy(person, permission, { to, state: "Blocked", more: { belongs: "anywhere" } });
  test("is released and cancelled by its card", () => {
    expect(eventsOf(drag("Ready"))).toContain("ready.granted");
    expect(eventsOf(drag("Cancelled"))).toEqual(["ticket.cancelled"]);
  });
  test("leaves the card alone where that says nothing", () => {
    expect(eventsOf(drag("In Progress"))).toEqual([]);
    expect(eventsOf(drag(undefined))).toEqual([]);
  });
  test("does not claim to have moved it back", () => {
    for (const found of [drag("Ready", "read"), drag("Done"), drag("Merging"), drag("Rework")]) {
      expect(JSON.stringify(found)).toContain("which changes nothing, for the ticket is in Blocked");
      expect(JSON.stringify(found)).not.toContain("moved it back");
    }
  });
});

test("what a drag came to is a step of the machine that leaves the ticket where the card stands", () => {
  const fits: readonly (readonly [State, State, State])[] = [
    ["Ready", "Backlog", "Ready"],
    ["Ready", "Blocked", "Ready"],
    ["Ready", "Done", "Ready"],
    ["Backlog", "Gate", "Backlog"],
    ["Rework", "In Review", "Rework"],
    ["Rework", "In Progress", "Rework"],
    ["Merging", "In Review", "Merging"],
    ["Cancelled", "In Review", "Cancelled"],
  ];
  for (const [to, from, after] of fits) {
    const found = moveBy(person, "write", { to, state: from, more: { spec: "new" } });
    let ticket: Ticket = { ...ticketIn(from), checks: "green" };
    for (const event of "events" in found ? found.events : [])
      ticket = transition(ticket, event, policy).ticket;
    expect({ to, from, after: ticket.state }).toEqual({ to, from, after });
  }
});
