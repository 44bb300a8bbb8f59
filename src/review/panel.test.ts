import { expect, test } from "vitest";
import { trackFindings, type Round } from "./findings.ts";
import { blockersTakenOut, chooseMediators, readMediation } from "./mediate.ts";
import { agreementIn, hear } from "./panel.ts";
import { settleRound, weigh, withDropped } from "./round.ts";
import type { Finding, Verdict } from "./verdict.ts";

const pass: Verdict = { is: "pass", findings: [], earlier: [], summary: "fine" };
const none: Verdict = { is: "blocked", why: "it gave up" };
const finding = (title: string, more: Partial<Finding> = {}): Finding => ({
  title,
  body: "",
  grade: "blocker",
  path: "a.ts",
  line: 3,
  ...more,
});

test.each([
  [[pass], undefined, "heard"],
  [[pass, none], undefined, "blocked"],
  [[pass, none], 1, "heard"],
  [[none, none], 1, "blocked"],
  [[pass, pass, none], 2, "heard"],
  [[pass, none, none], 2, "blocked"],
  [[pass, pass], 5, "heard"],
  [[], undefined, "blocked"],
] as const)("of the panel %#, with the quorum %s, the verdict is %s", (verdicts, quorum, is) => {
  const panel = verdicts.map((verdict, index) => ({ reviewer: `r${index}`, verdicts: [verdict] }));
  expect(hear(panel, quorum).is).toBe(is);
});

test("a reviewer that did not answer for one part has not answered, and is named", () => {
  expect(
    hear(
      [
        { reviewer: "general", verdicts: [pass, pass] },
        { reviewer: "security", verdicts: [pass, none] },
      ],
      undefined,
    ),
  ).toEqual({
    is: "blocked",
    why: "1 of 2 reviewers gave a verdict that counts, and 2 are needed (security: it gave up)",
  });
});

test("what two name is consensus, what one names is divergent, and what nobody speaks of is unaddressed", () => {
  const told = (findings: readonly Finding[]): Verdict & { is: "fail" } => ({
    is: "fail",
    findings,
    earlier: [],
    summary: "",
  });
  const before = settleRound({
    head: "1",
    rounds: [],
    opinions: [{ reviewer: "general", verdict: told([finding("Forgotten", { path: "b.ts" })]) }],
    diff: "",
    since: undefined,
    weights: { polishBlocks: false },
  });
  const since = "diff --git a/a.ts b/a.ts\n--- a/a.ts\n+++ b/a.ts\n@@ -3 +3 @@\n-x\n+y\n";
  const round = settleRound({
    head: "2",
    rounds: [before],
    opinions: [
      { reviewer: "general", verdict: told([finding("The token is logged")]) },
      {
        reviewer: "security",
        verdict: told([finding("Token gets logged", { line: 4 }), finding("Port is open", { line: 2 })]),
      },
    ],
    diff: since,
    since,
    weights: { polishBlocks: false },
  });
  const titles = new Map(trackFindings([before]).map(({ id, finding: { title } }) => [id, title]));
  expect(agreementIn(round, (id) => titles.get(id) ?? id)).toEqual({
    consensus: ["The token is logged"],
    divergent: ["Port is open"],
    unaddressed: ["Forgotten"],
  });
  const weighed = weigh(round, [before], { polishBlocks: false });
  expect(weighed.holding).toHaveLength(3);
  const all = new Set(weighed.holding.map(({ id }) => id));
  expect(weigh(withDropped(round, all, "not asked for"), [before], { polishBlocks: false }).is).toBe("pass");
  const [first = ""] = all;
  expect(
    weigh(withDropped(round, new Set([first]), "not asked for"), [before], { polishBlocks: false }).is,
  ).toBe("fail");
});

test.each([
  [{ polishBlocks: false }, "pass"],
  [{ polishBlocks: true }, "fail"],
] as const)("polish with %j is %s", (weights, is) => {
  const verdict: Verdict = {
    is: "pass",
    findings: [finding("x", { grade: "polish" })],
    earlier: [],
    summary: "",
  };
  const opinions = [{ reviewer: "r", verdict }];
  const round = settleRound({ head: "1", rounds: [], opinions, diff: "", since: undefined, weights });
  expect(weigh(round, [], weights).is).toBe(is);
});

test.each([
  [{ decision: "escalate", drop: [], why: "x" }, undefined],
  [{ decision: "scope-trim", drop: ["f1"], why: "x", more: 1 }, undefined],
  [{ decision: "scope-trim", drop: [], why: "x" }, "without naming"],
  [{ decision: "scope-trim", drop: ["f9"], why: "x" }, "holds nothing back"],
  [{ decision: "approve", drop: [], why: "x" }, "malformed"],
  [{ decision: "escalate", drop: [] }, "malformed"],
  ["pass it", "malformed"],
])("the mediator's answer %j has the flaw %s", (structured, flaw) => {
  const read = readMediation({ structured, text: "" }, new Set(["f1"]));
  if (flaw === undefined) expect(read).not.toHaveProperty("flaw");
  else expect(read).toHaveProperty("flaw", expect.stringContaining(flaw));
});

const runtimes = [
  { name: "claude-code", family: "anthropic" },
  { name: "codex", family: "openai" },
  { name: "gemini", family: "google" },
] as const;
test.each([
  ["a third family", runtimes, undefined, ["gemini"], undefined],
  ["else the reviewer's, at its most capable", runtimes.slice(0, 2), undefined, ["codex"], "high"],
  ["the fixed one", runtimes, "codex", ["codex"], undefined],
] as const)("%s mediates", (_, candidates, fixed, names, tier) => {
  expect(chooseMediators({ builders: ["anthropic"], reviewers: ["openai"], fixed, candidates })).toEqual({
    is: "chosen",
    runtimes: names,
    tier,
  });
});
test("nobody of a builder's family mediates", () => {
  const of = { builders: ["anthropic"], reviewers: ["openai"] } as const;
  const [builder] = runtimes;
  expect(chooseMediators({ ...of, fixed: undefined, candidates: [builder] }).is).toBe("nobody");
  expect(chooseMediators({ ...of, fixed: "claude-code", candidates: runtimes }).is).toBe("nobody");
});

test("no finding takes the place of another, and none hides behind one that is out of scope", () => {
  const weights = { polishBlocks: false };
  const since =
    "diff --git a/a.ts b/a.ts\n--- a/a.ts\n+++ b/a.ts\n@@ -3 +3 @@\n-x\n+y\n@@ -90 +90 @@\n-x\n+y\n";
  const next = (before: Round, findings: readonly Finding[]): Round =>
    settleRound({
      head: "2",
      rounds: [before],
      opinions: [{ reviewer: "r0", verdict: { is: "fail", findings, earlier: [], summary: "" } }],
      diff: "",
      since,
      weights,
    });
  const first = settledOf([finding("Prices lack a check of their sign", { line: 3 })]);
  const [id = ""] = first.findings.map((one) => one.id);
  const both = [
    finding("Prices lack a check of their sign", { line: 90 }),
    finding("Prices lack the check of their sign", { grade: "polish", line: 4 }),
  ];
  for (const said of [both, both.toReversed()]) {
    const round = next(first, said);
    expect(round.findings.map(({ grade }) => grade).toSorted()).toEqual(["blocker", "polish"]);
    expect(weigh(round, [first], weights).is).toBe("fail");
  }
  const dropped = withDropped(first, new Set([id]), "not asked for");
  const other = next(dropped, [finding("Prices lack authorization of their sign")]);
  expect(other.findings).toMatchObject([{ is: "new" }]);
  expect(next(dropped, [finding("Prices lack checks of the sign")]).findings).toMatchObject([
    { is: "dropped" },
  ]);
});

const settledOf = (findings: readonly Finding[], more: readonly Finding[] = []) =>
  settleRound({
    head: "1",
    rounds: [],
    opinions: [findings, more]
      .filter((said) => said.length > 0)
      .map((said, index) => ({
        reviewer: `r${index}`,
        verdict: { is: "fail", findings: said, earlier: [], summary: "" },
      })),
    diff: "",
    since: undefined,
    weights: { polishBlocks: false },
  });

test("the same words at two places are two findings, and said twice of one place they are one", () => {
  const twice = settledOf([finding("No null check"), finding("No null check", { line: 90 })]);
  expect(twice.findings.map(({ line }) => line)).toEqual([3, 90]);
  expect(new Set(twice.findings.map(({ id }) => id)).size).toBe(2);
  const graver = [finding("No null check", { grade: "polish" }), finding("no NULL check!")];
  for (const said of [graver, graver.toReversed()])
    expect(settledOf(said).findings).toMatchObject([{ grade: "blocker" }]);
});

test("two reviewers who ask for opposite things contradict each other in their first round", () => {
  const round = settledOf(
    [finding("Use a lock for the counter")],
    [finding("Remove the lock of the counter")],
  );
  expect(round.findings).toHaveLength(2);
  expect(round.contradictions).toMatchObject([{ why: "one reviewer asks for what another forbids" }]);
});

test("a blocker that a mediator took out of scope takes a person in every later round in which it is still there", () => {
  const raised = {
    grade: "blocker",
    kind: "correctness",
    title: "Two is wrong",
    body: "",
    path: "a.txt",
  } as const;
  const one: Round = {
    head: "1",
    findings: [
      { ...raised, id: "f1", is: "dropped" },
      { ...raised, id: "f2", grade: "polish", title: "Taste", is: "dropped" },
    ],
  };
  const still: Round = { head: "2", findings: [], earlier: [{ id: "f1", is: "dropped", why: "w" }] };
  const mended: Round = { head: "2", findings: [], earlier: [{ id: "f1", is: "fixed", why: "w" }] };
  const told = ["the mediator took a blocker out of scope: Two is wrong"];
  expect([[one], [one, still], [one, mended]].map((rounds) => blockersTakenOut(rounds))).toEqual([
    told,
    told,
    [],
  ]);
});
