import { describe, expect, it } from "vitest";
import { explained, workpad, type TicketView } from "../../src/says.ts";
import { gateCheck } from "../../src/says-gate.ts";
import { explain, type Facts } from "../../src/state-machine/explain.ts";
import { nameOf, sets, table } from "../../src/state-machine/table.ts";
import { transition } from "../../src/state-machine/transition.ts";
import type { TicketEvent } from "../../src/state-machine/event.ts";
import type { Ticket } from "../../src/state-machine/ticket.ts";
import { alphabet, policy, stackedAlphabet } from "./alphabet.ts";
import { isDealt } from "../share.ts";
import { dies, leadingTo, mutantsOf, play } from "./play.ts";

/** Millions of steps, on a machine that does much else besides. */
const limitMs = 1_800_000;
const played = play(table, policy);
const stacked = play(table, policy, stackedAlphabet);
const isOpen = (state: string): boolean => sets.open.some((open) => open === state);

describe("every event on every reachable ticket", () => {
  it("breaks no claim", () => {
    console.log(`played ${played.transitions} transitions of ${played.places.length} tickets`);
    expect(played.broken).toBeUndefined();
    expect(played.places.length).toBeGreaterThan(10_000);
  });
  it("breaks no claim where tickets are stacked on others either", () => {
    console.log(`played ${stacked.transitions} transitions of ${stacked.places.length} stacked tickets`);
    expect(stacked.broken).toBeUndefined();
    const merging = stacked.places.filter(({ ticket }) => ticket.state === "Merging" && ticket.upon);
    expect(merging.length).toBeGreaterThan(10);
  });
  it("uses every row", () => {
    expect(table.filter((row) => !played.used.has(row)).map(nameOf)).toEqual([]);
  });
  it.runIf(isDealt(0))(
    "breaks no claim where a person presses the merge button either",
    { timeout: limitMs },
    () => {
      expect(play(table, { ...policy, mergeAfterApproval: false }).broken).toBeUndefined();
    },
  );
  it("leaves every open ticket a way to Merging, to Done and to Cancelled", () => {
    for (const wanted of ["Merging", "Done", "Cancelled"]) {
      for (const { places } of [played, stacked]) {
        const way = leadingTo(places, ({ state, upon }) => state === wanted && upon === undefined);
        expect(places.filter(({ ticket }, index) => isOpen(ticket.state) && !way.has(index))).toEqual([]);
      }
    }
  });
  it("explains every open ticket, and every proposed action ends what it waits for or brings it nearer", () => {
    for (const { ticket } of [...played.places, ...stacked.places]) {
      const said = explain({ ticket, since: 7, policy });
      expect(said === undefined).toBe(!isOpen(ticket.state));
      if (said === undefined) continue;
      const idle = said.youCan.filter(
        (can) => !alphabet.some((event) => event.type === can.leadsTo && changes(ticket, event)),
      );
      if (said.waitsFor === "" || said.nextStep === "" || said.youCan.length === 0 || idle.length > 0)
        expect({ ticket, said, idle }).toBeUndefined();
    }
  });
  it("proposes nothing idle for what only the shell knows of a ticket either", () => {
    for (const { ticket } of [...played.places, ...stacked.places])
      for (const known of besides) {
        const said = explain({ ticket, since: 7, policy, ...known });
        const idle = said?.youCan.filter(
          (can) => !alphabet.some((event) => event.type === can.leadsTo && changes(ticket, event)),
        );
        if (said?.waitsFor === "" || said?.nextStep === "" || said?.youCan.length === 0 || idle?.length)
          expect({ ticket, known, said, idle }).toBeUndefined();
      }
  });
  it("tells of every open ticket in one sentence: in the check's title, the workpad and an answer", () => {
    for (const { ticket } of [...played.places, ...stacked.places]) {
      const wait = explain({ ticket, since: 7, policy });
      if (wait === undefined) continue;
      const view = { ...untold, ticket, wait };
      const told = { title: gateCheck(view).title, workpad: workpad(view), answer: explained(view) };
      for (const [where, text] of Object.entries(told))
        if (!text.toLowerCase().includes(`waits for ${wait.waitsFor.toLowerCase()}`))
          expect({ ticket, where, text }).toContain(wait.waitsFor);
    }
  });
});

/** What only the shell knows of a ticket, and explains it by. */
const besides: readonly Pick<Facts, "heldUp" | "obstacles" | "pending">[] = [
  ...(["halt-all", "signed-out", "onboarding", "pause", "clean-up", "day-budget"] as const).map((heldUp) => ({
    heldUp,
  })),
  { heldUp: { open: ["a/b#2"], declined: [], unseen: [], circular: [] } },
  { heldUp: { open: [], declined: ["a/b#2"], unseen: ["a/b#3"], circular: ["a/b#4"] } },
  { obstacles: [{ how: "person", why: "needs 2 approvals, has 1", fix: "ask for another" }] },
  {
    pending: {
      count: 300,
      named: [
        { name: "test", is: "running" },
        ...["a", "b", "c", "d", "e"].map((name) => ({ name, is: "unreported" }) as const),
      ],
    },
  },
];
/** A ticket of which there is nothing else to tell. */
const untold: Omit<TicketView, "ticket"> = {
  ref: "a/b#1",
  name: "#1",
  closing: "Closes #1",
  title: "Say done",
  asker: "ann",
  since: 7,
  now: 8,
  usd: 0,
  usdIsGuess: false,
  usdCap: 1,
  spentMs: 0,
  builder: undefined,
  reviewer: undefined,
  plan: [],
  validation: [],
  confusions: [],
  specHead: undefined,
  rounds: [],
  notes: [],
  wait: undefined,
  needsPerson: [],
  approvedBy: undefined,
  releasedBy: undefined,
  ledgerHead: { seq: 1, hash: "h" },
  maxCycles: 2,
  detailsUrl: undefined,
  certificate: undefined,
};

/** It leaves its state, or waits for something else than before. */
function changes(ticket: Ticket, event: TicketEvent): boolean {
  const after = transition(ticket, event, policy);
  if (after.row === undefined) return false;
  const told = explain({ ticket: after.ticket, since: 7, policy })?.waitsFor;
  return after.ticket.state !== ticket.state || told !== explain({ ticket, since: 7, policy })?.waitsFor;
}

describe("mutants", () => {
  it(
    "every table that differs by one row, guard, word or target makes the play fail",
    { timeout: limitMs },
    () => {
      const mutants = mutantsOf(table, nameOf);
      const alive = mutants.filter((mutant) => !dies(mutant, played, policy)).map(({ name }) => name);
      console.log(`${mutants.length} mutants, ${mutants.length - alive.length} of them caught`);
      expect(alive).toEqual([]);
    },
  );
});
