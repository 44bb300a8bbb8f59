import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TicketEvent } from "./event.ts";
import { newTicket, type Policy, type Ticket } from "./ticket.ts";
import { transition, type Outcome } from "./transition.ts";

const policy: Policy = { maxAttempts: 3, maxCycles: 3, maxUnreviewed: 3, mergeAfterApproval: true };

function after(events: readonly TicketEvent[], start: Ticket = newTicket("t")): Outcome {
  const nothing: Outcome = { ticket: start, effects: [], row: undefined };
  return events.reduce<Outcome>((outcome, event) => transition(outcome.ticket, event, policy), nothing);
}
const release: readonly TicketEvent[] = [{ type: "ready.granted", spec: "s" }];
const delivered: readonly TicketEvent[] = [
  ...release,
  { type: "slot.granted" },
  { type: "gate.passed", run: "t/1" },
  { type: "build.delivered", run: "t/2", head: "h1", summary: "did it" },
  { type: "pr.opened", pull: 7, head: "h1" },
];
const passed: TicketEvent = {
  type: "review.passed",
  run: "t/3",
  head: "h1",
  summary: "fine",
  needsPerson: [],
};
const failed: TicketEvent = { type: "review.failed", run: "t/3", head: "h1", summary: "no" };
const approved: TicketEvent = { type: "human.approved", head: "h1", by: "ann" };
const green: TicketEvent = { type: "checks.passed", head: "h1" };
const red: TicketEvent = { type: "checks.failed", head: "h1", why: "lint" };
const typesOf = ({ effects }: Outcome): readonly string[] => effects.map(({ type }) => type);

describe("checks", () => {
  it("green before the approval: the approval merges with no new webhook", () => {
    const outcome = after([...delivered, green, passed, approved]);
    expect(outcome.ticket.state).toBe("Merging");
    expect(outcome.effects).toContainEqual({ type: "merge.try", head: "h1" });
  });
  it("none at all: a repository without checks merges at once", () => {
    const outcome = after([...delivered, passed, { type: "checks.absent", head: "h1" }, approved]);
    expect(outcome.effects).toContainEqual({ type: "merge.try", head: "h1" });
  });
  it("unknown at the approval: the merge is armed, and tried when they turn green", () => {
    expect(typesOf(after([...delivered, passed, approved]))).toContain("merge.arm");
    expect(typesOf(after([...delivered, passed, approved, green]))).toContain("merge.try");
  });
  it("red during the review: remembered, and judged after the verdict", () => {
    expect(after([...delivered, red]).ticket.state).toBe("Adversarial Review");
    expect(after([...delivered, red, passed]).ticket).toMatchObject({
      state: "Rework",
      counters: { cycles: 1 },
    });
  });
  it("of another head teach nothing", () => {
    expect(after([...delivered, passed, { ...red, head: "h0" }]).row).toBeUndefined();
  });
});

describe("consent", () => {
  it("an approval of another head neither counts nor wipes the valid one", () => {
    const outcome = after([...delivered, approved, { ...approved, head: "h0" }]);
    expect(outcome.row).toBeUndefined();
    expect(outcome.ticket.approved).toBe("h1");
  });
  it("a new head voids the approval and disarms the merge", () => {
    const outcome = after([...delivered, passed, approved, { type: "head.moved", head: "h2" }]);
    expect(outcome.ticket).toMatchObject({ state: "Adversarial Review", head: "h2", run: "t/4" });
    expect(outcome.ticket.approved).toBeUndefined();
    expect(typesOf(outcome)).toContain("merge.disarm");
  });
  it("auto-merge merges a reviewed head without an approval", () => {
    expect(after([{ type: "automerge.set", on: true }, ...delivered, passed]).ticket.state).toBe("Merging");
  });
  it("a verdict that needs a person voids auto-merge, and setting it anew does not help", () => {
    const outcome = after([
      { type: "automerge.set", on: true },
      ...delivered,
      { ...passed, needsPerson: ["edits CI"] },
    ]);
    expect(outcome.ticket).toMatchObject({ state: "In Review", autoMerge: false });
    expect(outcome.effects).toContainEqual({ type: "labels", add: [], remove: ["auto-merge"] });
    const again = after([{ type: "automerge.set", on: true }], outcome.ticket);
    expect(again.ticket.state).toBe("In Review");
    expect(after([approved], again.ticket).ticket.state).toBe("Merging");
  });
});

describe("runs", () => {
  it("a stale verdict changes nothing and leaves the running review alone", () => {
    const outcome = after([...delivered, { type: "head.moved", head: "h2" }, passed]);
    expect(outcome.row).toBeUndefined();
    expect(outcome.ticket).toMatchObject({ state: "Adversarial Review", run: "t/4" });
  });
  it("a verdict of the current run on another head stops the ticket", () => {
    expect(after([...delivered, { ...passed, head: "h0" }]).ticket.state).toBe("Blocked");
  });
});

describe("limits", () => {
  it("a counter does not grow without a row", () => {
    const blocked = after([...delivered, failed, failed]);
    expect(blocked.row).toBeUndefined();
    expect(blocked.ticket.counters.cycles).toBe(1);
  });
  it.each([
    ["failed", "attempts"],
    ["unfinished", "unreviewed"],
  ] as const)("the third build that %s trips the breaker, and a retry resets it", (how, counter) => {
    let { ticket } = after([...release, { type: "slot.granted" }, { type: "gate.passed", run: "t/1" }]);
    for (let tries = 1; tries <= 3; tries += 1) {
      const gaveUp = after([{ type: "build.gave-up", run: ticket.run ?? "", how, why: "no luck" }], ticket);
      expect(gaveUp.ticket).toMatchObject({
        state: tries < 3 ? "Rework" : "Blocked",
        counters: { [counter]: tries },
      });
      ticket = tries < 3 ? after([{ type: "slot.granted" }], gaveUp.ticket).ticket : gaveUp.ticket;
    }
    expect(after([{ type: "operator.retried" }], ticket).ticket).toMatchObject({
      state: "Ready",
      counters: { attempts: 0, cycles: 0, unreviewed: 0 },
    });
  });
});

describe("the release", () => {
  it("a flag starts no build; an edit plus a fresh label releases it", () => {
    const gaps = [{ about: "Where", missing: "which file" }] as const;
    const flagged = after([
      ...release,
      { type: "slot.granted" },
      { type: "gate.flagged", run: "t/1", gaps, comment: "?" },
    ]);
    expect(flagged.ticket.state).toBe("Backlog");
    expect(flagged.effects).toContainEqual({ type: "labels", add: ["needs-spec"], remove: ["agent-ready"] });
    expect(flagged.effects).toContainEqual({ type: "say", about: { about: "flagged", gaps, comment: "?" } });
    const edited = after([{ type: "spec.edited", spec: "s2" }], flagged.ticket);
    expect(edited.ticket.state).toBe("Backlog");
    expect(after([{ type: "ready.granted", spec: "s2" }], edited.ticket).ticket).toMatchObject({
      state: "Ready",
      spec: "s2",
    });
  });
  it("an edit by anybody voids it, and a retry does not bring it back", () => {
    const edited = after([...delivered, { type: "spec.edited", spec: "s2" }]);
    expect(edited.ticket.state).toBe("Blocked");
    expect(after([{ type: "operator.retried" }], edited.ticket).ticket.state).toBe("Backlog");
  });
  it("both runtimes refuse once and use neither", () => {
    const outcome = after([{ type: "runtime.chosen", runtime: "contested" }, ...release]);
    expect(outcome.ticket.state).toBe("Backlog");
    expect(typesOf(outcome)).toEqual(["labels", "say", "mirror"]);
  });
});

describe("any order of events with real names", () => {
  const head = fc.constantFrom("h1", "h1", "h1", "h2");
  const run = fc.constantFrom("current", "current", "current", "t/1");
  const summary = fc.constant("so");
  const event: fc.Arbitrary<TicketEvent> = fc.oneof(
    fc.constantFrom<TicketEvent>(
      { type: "slot.granted" },
      { type: "operator.retried" },
      { type: "pr.closed" },
      { type: "automerge.set", on: true },
    ),
    fc.record({ type: fc.constant("ready.granted" as const), spec: fc.constantFrom("s1", "s2") }),
    fc.record({ type: fc.constant("gate.passed" as const), run }),
    fc.record({ type: fc.constant("build.delivered" as const), run, head, summary }),
    fc.record({
      type: fc.constant("review.passed" as const),
      run,
      head,
      summary,
      needsPerson: fc.constant([]),
    }),
    fc.record({ type: fc.constant("human.approved" as const), head, by: fc.constant("ann") }),
    fc.record({ type: fc.constantFrom("head.moved" as const, "checks.passed" as const), head }),
    fc.record({ type: fc.constant("pr.opened" as const), pull: fc.nat({ max: 3 }), head }),
  );
  it("never merges a head that was not reviewed and consented to, and never reuses a run", () => {
    let merges = 0;
    fc.assert(
      fc.property(fc.array(event, { minLength: 60, maxLength: 120 }), (events) => {
        let ticket = newTicket("t");
        const started = new Set<string>();
        for (const one of events) {
          const isCurrent = "run" in one && one.run === "current" && ticket.run !== undefined;
          const outcome = transition(ticket, isCurrent ? { ...one, run: ticket.run ?? "" } : one, policy);
          ticket = outcome.ticket;
          for (const effect of outcome.effects) {
            if (effect.type === "run.start") expect(started.has(effect.run)).toBe(false);
            if (effect.type === "run.start") started.add(effect.run);
            if (effect.type === "merge.try" || effect.type === "merge.arm") {
              merges += 1;
              expect([ticket.state, ticket.head, ticket.reviewed]).toEqual([
                "Merging",
                effect.head,
                effect.head,
              ]);
              expect(ticket.autoMerge || ticket.approved === effect.head).toBe(true);
            }
          }
        }
      }),
      { numRuns: 1_000, seed: 42 },
    );
    expect(merges).toBeGreaterThan(20);
  });
});
