import fc from "fast-check";
import { expect, test } from "vitest";
import { choose, type Candidate, type Room } from "./schedule.ts";

const candidate = (ticket: string, over: Partial<Candidate> = {}): Candidate => ({
  ticket,
  repo: 1,
  isRework: false,
  queuedAt: 0,
  reserveUsd: 5,
  purses: ["day"],
  ...over,
});
const room = (over: Partial<Room> = {}): Room => ({
  agents: 3,
  working: 0,
  workingIn: new Map(),
  agentsIn: () => 3,
  leftUsd: new Map([["day", 100]]),
  ...over,
});
const names = (chosen: readonly Candidate[]): string[] => chosen.map(({ ticket }) => ticket);

test.each([
  [
    "who waited longest goes first",
    [candidate("b", { queuedAt: 2 }), candidate("a", { queuedAt: 1 })],
    room({ agents: 1 }),
    ["a"],
  ],
  [
    "rework goes before new work",
    [candidate("new"), candidate("old", { isRework: true, queuedAt: 9 })],
    room({ agents: 1 }),
    ["old"],
  ],
  ["no slot, nobody", [candidate("a")], room({ working: 3 }), []],
  [
    "a repository at its limit waits, another may start",
    [candidate("a"), candidate("b", { repo: 2, queuedAt: 5 })],
    room({ agentsIn: (repo) => (repo === 1 ? 0 : 1) }),
    ["b"],
  ],
  [
    "the repository with fewer at work goes first",
    [candidate("a"), candidate("b", { repo: 2, queuedAt: 5 })],
    room({ workingIn: new Map([[1, 1]]), working: 1, agents: 2 }),
    ["b"],
  ],
  [
    "who does not fit the money left does not start",
    [candidate("a"), candidate("b", { reserveUsd: 1, queuedAt: 5 })],
    room({ leftUsd: new Map([["day", 4]]) }),
    ["b"],
  ],
  [
    "a batch does not promise money twice",
    [candidate("a"), candidate("b", { queuedAt: 1 })],
    room({ leftUsd: new Map([["day", 9]]) }),
    ["a"],
  ],
])("%s", (_claim, candidates, given, expected) => {
  expect(names(choose(candidates, given))).toEqual(expected);
});

test("whatever waits, no limit is passed and nobody starts twice", () => {
  const candidates = fc.array(
    fc.record({
      ticket: fc.uuid(),
      repo: fc.integer({ min: 1, max: 4 }),
      isRework: fc.boolean(),
      queuedAt: fc.integer({ min: 0, max: 100 }),
      reserveUsd: fc.integer({ min: 1, max: 20 }),
      purses: fc.constant(["day"]),
    }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(
      candidates,
      fc.integer({ min: 0, max: 8 }),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 200 }),
      (waiting, agents, perRepo, leftUsd) => {
        const chosen = choose(
          waiting,
          room({ agents, agentsIn: () => perRepo, leftUsd: new Map([["day", leftUsd]]) }),
        );
        expect(chosen.length).toBeLessThanOrEqual(agents);
        expect(new Set(names(chosen)).size).toBe(chosen.length);
        expect(chosen.reduce((sum, one) => sum + one.reserveUsd, 0)).toBeLessThanOrEqual(leftUsd);
        for (const repo of [1, 2, 3, 4]) {
          expect(chosen.filter((one) => one.repo === repo).length).toBeLessThanOrEqual(perRepo);
        }
      },
    ),
  );
});
