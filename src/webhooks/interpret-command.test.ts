import { describe, expect, test } from "vitest";
import {
  bot,
  facts,
  head,
  heard,
  issue,
  older,
  own,
  person,
  pull,
  ticket,
} from "../../test/webhooks/facts.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import { states, type State, type Ticket } from "../state-machine/ticket.ts";
import { transition } from "../state-machine/transition.ts";
import type { Command } from "./command.ts";
import type { Facts } from "./facts.ts";
import type { Say } from "./heard.ts";
import { interpret } from "./interpret.ts";

const comment = { kind: "comment", id: 1, thread: 43 } as const;
const said = (command: Command, wroteOn?: string): Say => ({ type: "commented", comment, command, wroteOn });

describe("commands", () => {
  test.each([
    [{ name: "run" }, "Backlog", "ready.granted"],
    [{ name: "retry" }, "Blocked", "operator.retried"],
    [{ name: "stop" }, "Gate", "operator.stopped"],
    [{ name: "budget", usd: 5 }, "Blocked", "budget.raised"],
    [{ name: "tell", order: "use tabs" }, "In Progress", "human.told"],
    [{ name: "approve", sha: undefined }, "In Review", "human.approved"],
  ] satisfies readonly [Command, State, string][])(
    "%j in %s comes to an event and an acknowledgement",
    (command, state, type) => {
      const waiting = { ...ticket, state, stoppedIn: "Gate" as const };
      const outcome = interpret(heard(said(command)), facts({ ticket: waiting }));
      expect(outcome).toMatchObject({
        events: [
          { type },
          { type: "human.asked", comment, ask: { about: "accepted", command: command.name } },
        ],
      });
    },
  );
  test.each(["run", "retry", "stop", "approve", "budget"] as const)(
    "%s by a stranger is refused with the reason and does nothing",
    (name) => {
      const command =
        name === "approve" ? { name, sha: undefined } : name === "budget" ? { name, usd: 1 } : { name };
      const outcome = interpret(heard(said(command)), facts({ permission: "read" }));
      expect(outcome).toMatchObject({
        events: [
          { type: "human.asked", ask: { about: "refused", why: expect.stringContaining("has read") } },
        ],
      });
      expect("events" in outcome && outcome.events.length).toBe(1);
    },
  );
  test("what an agent is to be told is for people with write, and not for a ticket that is over", () => {
    const tell = said({ name: "tell", order: "use tabs" });
    expect(interpret(heard(tell), facts({ permission: "triage" }))).toMatchObject({
      refused: expect.stringContaining("/forgehand tell"),
      events: [{ type: "human.asked", ask: { about: "refused" } }],
    });
    expect(interpret(heard(tell), facts())).toMatchObject({
      events: [{ type: "human.told", by: "alex", order: "use tabs" }, { type: "human.asked" }],
    });
    for (const state of ["Done", "Cancelled"] as const)
      expect(interpret(heard(tell), facts({ ticket: { ...ticket, state } }))).toMatchObject({
        refused: expect.stringContaining("the ticket is over"),
      });
  });
  test.each(["explain", "status", "help"] as const)(
    "%s is answered to people with triage and to nobody else",
    (name) => {
      expect(interpret(heard(said({ name })), facts({ permission: "triage" }))).toEqual({
        events: [{ type: "human.asked", comment, ask: { about: name } }],
      });
      expect(interpret(heard(said({ name })), facts({ permission: "read" }))).toHaveProperty("ignored");
    },
  );
  test("bots and we ourselves are never answered", () => {
    for (const sender of [bot, own]) {
      expect(interpret(heard(said({ name: "run" }), sender), facts({ permission: "admin" }))).toHaveProperty(
        "ignored",
      );
      expect(interpret(heard(said({ name: "help" }), sender), facts({ permission: "admin" }))).toHaveProperty(
        "ignored",
      );
    }
  });
  test("without a ticket only run means anything", () => {
    expect(interpret(heard(said({ name: "run" })), facts({ ticket: undefined }))).toHaveProperty(
      "events.0.type",
      "ready.granted",
    );
    expect(interpret(heard(said({ name: "stop" })), facts({ ticket: undefined }))).toMatchObject({
      refused: expect.stringContaining("no ticket"),
    });
  });
  test("a button says the same as the word, by the clicker's permission", () => {
    const press: Say = { type: "button", identifier: "stop", head, externalId: "x" };
    const on = { head, pulls: [43] };
    const working = facts({ ticket: { ...ticket, state: "Merging" } });
    expect(interpret(heard(press, person, on), working)).toEqual({ events: [{ type: "operator.stopped" }] });
    expect(interpret(heard(press, person, on), facts({ permission: "read" }))).toMatchObject({
      refused: expect.any(String),
      events: [],
    });
    expect(interpret(heard({ ...press, identifier: "nuke" }, person, on), facts())).toHaveProperty("ignored");
  });
});

describe("an order that would move nothing is refused with the reason", () => {
  const orders = [
    [{ name: "run" }, { type: "ready.granted", spec: "new" }],
    [{ name: "retry" }, { type: "operator.retried" }],
    [{ name: "stop" }, { type: "operator.stopped" }],
    [
      { name: "budget", usd: 5 },
      { type: "budget.raised", usd: 5 },
    ],
  ] satisfies readonly [Command, TicketEvent][];
  const policy = { maxAttempts: 3, maxCycles: 3, maxUnreviewed: 3, mergeAfterApproval: true };
  const standings = states.flatMap((state) =>
    [true, false].flatMap((halted) =>
      [undefined, "old", "new"].flatMap((spec) =>
        // Only a blocked ticket waits for money.
        [undefined, ...(state === "Blocked" ? (["Gate"] as const) : [])].map((stoppedIn): Ticket => ({
          ...ticket,
          state,
          halted,
          spec,
          stoppedIn,
        })),
      ),
    ),
  );
  test.each(orders)("%j is taken exactly where the table has a row that leads on", (command, event) => {
    const taken = new Set<State>();
    for (const one of standings) {
      const read = interpret(heard(said(command)), facts({ ticket: one }));
      const how = `${one.state}, halted ${one.halted}, spec ${one.spec}, stopped in ${one.stoppedIn}`;
      if ("refused" in read) {
        const ask = { about: "refused", command: command.name, why: expect.any(String) };
        expect(read.events, how).toEqual([{ type: "human.asked", comment, ask }]);
      } else taken.add(one.state);
      const { row } = transition(one, event, policy);
      const leadsOn = row !== undefined && row.to !== "same";
      expect("refused" in read ? "refused" : "taken", how).toBe(leadsOn ? "taken" : "refused");
    }
    expect(taken.size).toBeGreaterThan(0);
  });
  test("in an agent session a retry lifts the halt, so there it is no reason", () => {
    const inSession = { kind: "tracker", id: "a", session: "s" } as const;
    const halted = facts({ ticket: { ...ticket, state: "Blocked", halted: true } });
    const retry = said({ name: "retry" });
    expect(interpret(heard(retry), halted)).toHaveProperty("refused");
    expect(interpret(heard({ ...retry, comment: inSession } as Say), halted)).toMatchObject({
      events: [{ type: "operator.retried" }, { type: "human.asked" }],
    });
    for (const state of ["Backlog", "Done"] as const) {
      const read = interpret(
        heard({ ...retry, comment: inSession } as Say),
        facts({ ticket: { ...ticket, state, halted: true } }),
      );
      expect(read).toHaveProperty("refused", expect.not.stringContaining("halted"));
    }
  });
  test.each([
    [{ name: "run" }, "ready.granted", { state: "Ready" }],
    [{ name: "retry" }, "operator.retried", { state: "Ready" }],
    [{ name: "stop" }, "operator.stopped", { state: "Blocked" }],
    [{ name: "budget", usd: 5 }, "budget.raised", { state: "Gate", stoppedIn: undefined }],
    [{ name: "approve", sha: undefined }, "human.approved", { state: "Done" }],
  ] satisfies readonly [Command, TicketEvent["type"], Partial<Ticket>][])(
    "%j that has counted already is no useless one because of what it made of the ticket",
    (command, event, made) => {
      const after = { ticket: { ...ticket, spec: "new", ...made }, pull: undefined };
      expect(interpret(heard(said(command)), facts(after))).toHaveProperty("refused");
      const again = interpret(heard(said(command)), facts({ ...after, taken: new Set([event]) }));
      expect(again).not.toHaveProperty("refused");
      expect("events" in again && again.events.at(-1)).toMatchObject({
        type: "human.asked",
        ask: { about: "accepted", command: command.name },
      });
    },
  );
  test("what was released says so, and what was edited since says that", () => {
    const why = (spec: string): unknown => {
      const read = interpret(
        heard(said({ name: "run" })),
        facts({ ticket: { ...ticket, state: "Gate", spec } }),
      );
      return "refused" in read && read.refused;
    };
    expect(why("new")).toContain("on its way");
    expect(why("old")).toContain("was edited");
  });
  test("whose issue stands open although it is over is told to close it first", () => {
    const done = { ticket: { ...ticket, state: "Done" as const } };
    const refusal = (open: boolean) =>
      interpret(heard(said({ name: "run" })), facts({ ...done, issue: { ...issue, open } }));
    expect(refusal(true)).toHaveProperty("refused", expect.stringContaining("close the issue and reopen it"));
    expect(refusal(false)).toHaveProperty("refused", expect.stringContaining("; reopen the issue"));
  });
});

describe("approving is for exactly one head", () => {
  const approve = (sha?: string): Command => ({ name: "approve", sha });
  const refusedFor = (says: Say, change: Partial<Facts> = {}) => {
    const outcome = interpret(heard(says, person, { pull: 43 }), facts(change));
    return "refused" in outcome ? outcome.events.map(({ type }) => type) : "accepted";
  };
  test("by prefix, when it is the head's", () => {
    expect(interpret(heard(said(approve("aaaaaaa"))), facts())).toHaveProperty("events.0", {
      type: "human.approved",
      head,
      by: "alex",
    });
    expect(refusedFor(said(approve("bbbbbbb")))).toEqual(["human.asked"]);
  });
  test("a push that came between the words and the reading voids them", () => {
    const moved = { pull: { ...pull, head: older } };
    expect(refusedFor(said(approve()), moved)).toEqual(["human.asked"]);
    expect(refusedFor(said(approve(), head), moved)).toEqual(["human.asked"]);
  });
  test("words in a thread from before we knew the head approve nothing, to the second", () => {
    const early: Say = { type: "commented", comment, command: approve(), wroteOn: undefined, at: 5_000 };
    expect(refusedFor(early, { headSince: 6_000 })).toEqual(["human.asked"]);
    expect(refusedFor(early, { headSince: 5_999 })).toBe("accepted");
    expect(refusedFor({ ...early, command: approve("aaaaaaa") }, { headSince: 6_000 })).toBe("accepted");
  });
  test("an inline comment approves the commit it was written on", () => {
    expect(refusedFor(said(approve(), head))).toBe("accepted");
    expect(refusedFor(said(approve(), older))).toEqual(["human.asked"]);
  });
  test("a button approves the commit it stands on", () => {
    const press = (at: string): Say => ({ type: "button", identifier: "approve", head: at, externalId: "" });
    expect(refusedFor(press(head))).toBe("accepted");
    expect(refusedFor(press(older))).toEqual([]);
  });
  test("without an open pull request there is nothing to approve", () => {
    expect(refusedFor(said(approve()), { pull: undefined })).toEqual(["human.asked"]);
    expect(refusedFor(said(approve()), { pull: { ...pull, open: false } })).toEqual(["human.asked"]);
  });
});
