/** Reviewers that would go on for ever: each script ends in bounded rounds, with the right exit. */
import { expect, test } from "vitest";
import { trackFindings, type Round } from "./findings.ts";
import { mediate, type Mediator } from "./mediate.ts";
import { holdingIn, settleRound, toReproduce, weigh, withEvidence } from "./round.ts";
import { readVerdict } from "./verdict.ts";

type Files = Readonly<Record<string, string>>;
interface Said {
  readonly verdict?: "pass" | "fail";
  readonly findings?: readonly object[];
  readonly earlier?: readonly object[];
}
interface Script {
  /** The head of each round; the last one stays. */
  readonly heads: readonly Files[];
  readonly says: (round: number, rounds: readonly Round[]) => Said;
  readonly mediator?: Mediator;
  readonly shows?: boolean;
}
const base: Files = { "src/a.ts": "one\ntwo\nthree\nfour\nfive\n", "src/b.ts": "alpha\nbeta\ngamma\n" };
const cycles = 3;

/** Line by line, what is at the same place is the same: enough for files that change in place. */
function diffOf(before: Files, after: Files): string {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((path) => before[path] !== after[path])
    .map((path) => {
      const [old, fresh] = [before[path], after[path]].map((text) => text?.split("\n").slice(0, -1) ?? []);
      const lines = Array.from({ length: Math.max(old?.length ?? 0, fresh?.length ?? 0) }, (_, at) => {
        const [one, other] = [old?.[at], fresh?.[at]];
        if (one === other) return [` ${one}`];
        return [...(one === undefined ? [] : [`-${one}`]), ...(other === undefined ? [] : [`+${other}`])];
      }).flat();
      return `diff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n@@ -1,${old?.length} +1,${fresh?.length} @@\n${lines.join("\n")}\n`;
    })
    .join("");
}

const blocker = (title: string, more: object = {}) => ({
  title,
  body: "",
  grade: "blocker",
  path: "src/a.ts",
  line: 3,
  kind: "correctness",
  ...more,
});

/** Builder and reviewer take turns as a ticket lets them, until it is over. */
function play({ heads, says, shows = false, mediator = { at: 2, how: "escalate" } }: Script) {
  const rounds: Round[] = [];
  const exits: string[] = [];
  for (let number = 1; number <= 10; number += 1) {
    const now = heads[Math.min(number, heads.length) - 1] ?? {};
    const before = heads[Math.min(number - 1, heads.length) - 1] ?? {};
    const said = says(number, rounds);
    const answer = {
      findings: [],
      summary: "",
      verdict: said.findings === undefined ? "pass" : "fail",
      ...said,
    };
    const weights = { polishBlocks: false };
    const holding = new Set(holdingIn(trackFindings(rounds), weights).map(({ id }) => id));
    const verdict = readVerdict({ structured: answer, text: "" }, { ...weights, holding });
    if (verdict.is === "blocked")
      return { exit: `blocked: ${verdict.why}`, rounds, exits, weighed: undefined };
    const round = settleRound({
      head: `h${number}`,
      rounds,
      opinions: [{ reviewer: "r", verdict }],
      diff: diffOf(base, now),
      since: number === 1 ? undefined : diffOf(before, now),
      weights,
    });
    const evidence = {
      command: "x",
      exit: 1,
      output: "boom",
      shows: shows ? "the finding" : "nothing",
    } as const;
    const shown = new Map(toReproduce(round).map(({ id = "" }) => [id, evidence]));
    const weighed = weigh(withEvidence(round, shown), rounds, weights);
    rounds.push(weighed.round);
    const over = { rounds, exits, weighed };
    if (weighed.is === "pass") return { exit: "pass", ...over };
    const { is } = mediate(mediator, number, weighed);
    exits.push(is);
    if (is !== "continue") return { exit: is, ...over };
    if (number >= cycles) return { exit: "cycles", ...over };
  }
  throw new Error("it never ends");
}
const edited = (line: string, at = 3): Files => ({
  ...base,
  "src/a.ts": (base["src/a.ts"] ?? "")
    .split("\n")
    .map((text, index) => (index === at - 1 ? line : text))
    .join("\n"),
});
const states = (rounds: readonly Round[]) => trackFindings(rounds).map(({ is }) => is);

test.each([
  ["escalate", 2],
  ["ask", 2],
  ["continue", 3],
] as const)("one that repeats itself for ever ends with %s after %i rounds", (how, rounds) => {
  const ended = play({
    heads: [edited("try 1"), edited("try 2"), edited("try 3"), edited("try 4")],
    says: () => ({ findings: [blocker("the counter is wrong")] }),
    mediator: { at: 2, how },
  });
  expect(ended.exit).toBe(how === "continue" ? "cycles" : how);
  expect(ended.rounds).toHaveLength(rounds);
  expect(states(ended.rounds)).toEqual(["open"]);
});

test("one that rewords its complaint is known by it, and ends as if it had repeated it", () => {
  const words = [
    blocker("The parser crashes on empty input"),
    blocker("Empty input makes the parser crash", { line: 4, kind: "Correctness" }),
    blocker("parsing fails when the input is empty", { line: undefined, path: "src/a.ts" }),
  ];
  const { exit, rounds } = play({
    heads: [edited("try 1"), edited("try 2"), edited("try 3")],
    says: (round) => ({ findings: [words[round - 1] ?? {}] }),
    mediator: { at: 3, how: "escalate" },
  });
  expect(exit).toBe("escalate");
  expect(rounds).toHaveLength(3);
  expect(trackFindings(rounds)).toMatchObject([{ is: "open", firstRound: 1, lastRound: 3 }]);
});

test("one that drifts over code nobody touched passes, and what it finds late is kept without weight", () => {
  const { exit, rounds, weighed } = play({
    heads: [edited("try 1"), edited("try 2")],
    says: (round) => ({
      findings: [
        round === 1
          ? blocker("the counter is wrong")
          : blocker(`another fault in ${round} words`, { path: "src/b.ts", line: 2 }),
      ],
      ...(round === 1 ? {} : { verdict: "fail" as const }),
    }),
  });
  expect(exit).toBe("pass");
  expect(rounds).toHaveLength(2);
  expect(states(rounds)).toEqual(["fixed", "late"]);
  expect(weighed?.late.map(({ finding }) => finding.title)).toEqual(["another fault in 2 words"]);
});

test("a late blocker that a command shows holds the change back, until it is mended", () => {
  const late = blocker("the price is lost", {
    path: "src/b.ts",
    line: 2,
    reproduce: { command: "npm test", exit: 1, output: null },
  });
  const { exit, rounds } = play({
    heads: [edited("try 1"), edited("try 2"), { ...edited("try 2"), "src/b.ts": "alpha\nmended\ngamma\n" }],
    says: (round) =>
      round === 1 ? { findings: [blocker("wrong")] } : round === 2 ? { findings: [late] } : {},
    mediator: { at: 3, how: "escalate" },
    shows: true,
  });
  expect(exit).toBe("pass");
  expect(rounds).toHaveLength(3);
  expect(rounds[1]?.findings).toMatchObject([
    { is: "late", blocks: true, evidence: { shows: "the finding" } },
  ]);
  expect(states(rounds)).toEqual(["fixed", "fixed"]);
});

test("a late blocker whose command shows nothing has no weight", () => {
  const { exit, rounds } = play({
    heads: [edited("try 1"), edited("try 2")],
    says: (round) => ({
      findings: [
        round === 1
          ? blocker("wrong")
          : blocker("the price is lost", { path: "src/b.ts", reproduce: { command: "x", exit: 1 } }),
      ],
    }),
  });
  expect(exit).toBe("pass");
  expect(rounds[1]?.findings).toMatchObject([{ is: "late", blocks: false, evidence: { shows: "nothing" } }]);
});

test("one that asks for the opposite of what it asked for goes to the mediator at once", () => {
  const { exit, rounds } = play({
    heads: [edited("plain"), edited("locked")],
    says: (round) => ({
      findings: [
        blocker(round === 1 ? "Add a lock around the counter" : "Remove the lock around the counter"),
      ],
    }),
    mediator: { at: 9, how: "ask" },
  });
  expect(exit).toBe("ask");
  expect(rounds).toHaveLength(2);
  expect(rounds[1]?.contradictions).toHaveLength(1);
});

test("one that oscillates without saying so is found out when its first complaint comes back", () => {
  const words = ["The name tells nothing", "Callers break on this rename", "The name tells nothing"];
  const { exit, rounds } = play({
    heads: [edited("x = 1"), edited("count = 1"), edited("x = 1")],
    says: (round, before) => ({
      findings: [blocker(words[round - 1] ?? "")],
      earlier: (before.at(-1)?.findings ?? [])
        .filter(({ title }) => title !== words[round - 1])
        .map(({ id }) => ({ id, is: "fixed", why: "", path: null })),
    }),
    mediator: { at: 9, how: "ask" },
  });
  expect(exit).toBe("ask");
  expect(rounds).toHaveLength(3);
  expect(trackFindings(rounds)).toMatchObject([{ is: "reopened", returns: 1 }, { is: "fixed" }]);
});

test("one that passes the change and calls a blocker present contradicts itself and is no verdict", () => {
  const { exit } = play({
    heads: [edited("try 1"), edited("try 2")],
    says: (round, before) =>
      round === 1
        ? { findings: [blocker("wrong")] }
        : { earlier: [{ id: before[0]?.findings[0]?.id, is: "present", why: "as before", path: null }] },
  });
  expect(exit).toMatch(/^blocked: the reviewer passed the change and said that a blocker is still present/u);
});

test("a blocker is not mended by a word: nothing changed there, so it stays", () => {
  const untouched = { ...edited("try 1"), "src/b.ts": "alpha\nother\ngamma\n" };
  const says: Script["says"] = (round, before) =>
    round === 1
      ? { findings: [blocker("wrong")] }
      : { earlier: [{ id: before[0]?.findings[0]?.id, is: "fixed", why: "looks good", path: null }] };
  const { exit, rounds } = play({ heads: [edited("try 1"), untouched], says });
  expect(exit).toBe("escalate");
  expect(rounds[1]?.earlier).toMatchObject([
    { is: "open", why: expect.stringContaining("nothing has changed") },
  ]);
});

test("complaints without a place, a new one in each round, end with the mediator", () => {
  const topics = ["the docs say nothing", "prices round up", "logs are noisy", "colours clash"];
  const { exit, rounds } = play({
    heads: [edited("try 1"), edited("try 2"), edited("try 3")],
    says: (round) => ({ findings: [blocker(topics[round - 1] ?? "", { path: null, line: null })] }),
  });
  expect(exit).toBe("escalate");
  expect(rounds).toHaveLength(2);
});
