import fc from "fast-check";
import { expect, test } from "vitest";
import { choose, type Candidate, type Room } from "./schedule.ts";

const candidate = (ticket: string, over: Partial<Candidate> = {}): Candidate => ({
  ticket,
  repo: 1,
  isRework: false,
  priority: undefined,
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
    "of those that came at once the lower number goes first",
    [candidate("github:1#10"), candidate("github:1#9")],
    room({ agents: 1 }),
    ["github:1#9"],
  ],
  [
    "rework goes before new work",
    [candidate("new"), candidate("old", { isRework: true, queuedAt: 9 })],
    room({ agents: 1 }),
    ["old"],
  ],
  [
    "the more urgent goes first, and who has no priority last",
    [
      candidate("none", { queuedAt: 1 }),
      candidate("low", { priority: 4, queuedAt: 2 }),
      candidate("high", { priority: 1, queuedAt: 3 }),
    ],
    room({ agents: 2 }),
    ["high", "low"],
  ],
  [
    "urgent tickets of one repository leave another its share",
    [
      candidate("a", { priority: 1 }),
      candidate("b", { priority: 1 }),
      candidate("other", { repo: 2, queuedAt: 9 }),
    ],
    room({ agents: 2 }),
    ["a", "other"],
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
      priority: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
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

test("of many repositories none waits longer than it takes each other to have its turn", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 6 }),
      fc.integer({ min: 1, max: 4 }),
      (sizes, agents) => {
        let waiting = sizes.flatMap((size, repo) =>
          Array.from({ length: size }, (_, at) => candidate(`${repo}:${at}`, { repo, queuedAt: at })),
        );
        const begun = new Map<number, number>();
        const working: Candidate[] = [];
        for (let turn = 1; waiting.length > 0; turn += 1) {
          const workingIn = new Map<number, number>();
          for (const { repo } of working) workingIn.set(repo, (workingIn.get(repo) ?? 0) + 1);
          const chosen = choose(
            waiting,
            room({ agents, working: working.length, workingIn, agentsIn: () => agents, leftUsd: new Map() }),
          );
          expect(chosen.length).toBeGreaterThan(0);
          for (const { repo } of chosen) if (!begun.has(repo)) begun.set(repo, turn);
          waiting = waiting.filter((one) => !chosen.includes(one));
          working.push(...chosen);
          // Who began first is done first.
          working.shift();
        }
        for (const turn of begun.values()) expect(turn).toBeLessThanOrEqual(sizes.length);
      },
    ),
  );
});
