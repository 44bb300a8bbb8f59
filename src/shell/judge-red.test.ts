import { expect, test } from "vitest";
import type { CheckTry } from "../ports-ci.ts";
import { judgeRed, rerunStartMs, type RedFacts } from "./judge-red.ts";

const tried = (id: number, is: CheckTry["is"], over: Partial<CheckTry> = {}): CheckTry => ({
  id,
  name: "test",
  is,
  conclusion: is === "pending" ? undefined : is === "green" ? "success" : "failure",
  endedAt: id,
  url: undefined,
  ...over,
});
const day = 86_400_000;
const judged = (over: Partial<RedFacts>) =>
  judgeRed({
    red: ["test"],
    here: [tried(1, "red")],
    onBase: [],
    baseTip: "b".repeat(40),
    doubts: [],
    now: 1_000,
    baseWaitMs: day,
    ...over,
  });
const rerunAt = (at: number) =>
  [{ how: "rerun", at, checks: [{ name: "test", id: 1, endedAt: 1 }] }] as const;
const waitsSince = (at: number) => [{ how: "base", at, checks: [{ name: "test", id: 1 }] }] as const;

const rows: readonly (readonly [claim: string, facts: Partial<RedFacts>, is: string])[] = [
  ["a plain failure counts at once", {}, "ours"],
  ["a base that is green makes no doubt", { onBase: [tried(2, "green")] }, "ours"],
  ["a commit status cannot be run again", { here: [tried(1, "red", { id: undefined })] }, "ours"],
  ["a time-out is run again", { here: [tried(1, "red", { conclusion: "timed_out" })] }, "rerun"],
  ["a cancelled run is run again", { here: [tried(1, "red", { conclusion: "cancelled" })] }, "rerun"],
  ["a failed start is run again", { here: [tried(1, "red", { conclusion: "startup_failure" })] }, "rerun"],
  ["what passed at this head before is run again", { here: [tried(1, "green"), tried(2, "red")] }, "rerun"],
  ["what wavers on the base is run again", { onBase: [tried(2, "red"), tried(3, "green")] }, "rerun"],
  [
    "another check's pass is no sign",
    { here: [tried(1, "green", { name: "lint" }), tried(2, "red")] },
    "ours",
  ],
  ["until the second try is there it is waited for", { doubts: rerunAt(900) }, "waits"],
  [
    "a second try that has begun is waited for",
    { here: [tried(1, "red"), tried(5, "pending")], doubts: rerunAt(900) },
    "waits",
  ],
  ["what has passed meanwhile is waited for", { here: [tried(1, "red"), tried(5, "green")] }, "waits"],
  ["a second try that never begins counts", { doubts: rerunAt(900), now: 900 + rerunStartMs }, "ours"],
  [
    "a second try that fails counts",
    { here: [tried(1, "red"), tried(5, "red")], doubts: rerunAt(900) },
    "ours",
  ],
  [
    "a second try counts, however it ended",
    { here: [tried(1, "green"), tried(5, "red", { conclusion: "timed_out" })], doubts: rerunAt(900) },
    "ours",
  ],
  [
    "the same run ended anew is a second try",
    { here: [tried(1, "red", { endedAt: 9 })], doubts: rerunAt(5) },
    "ours",
  ],
  ["what is red on the base waits for the base", { onBase: [tried(2, "red")] }, "base"],
  [
    "the base is waited for only so long",
    { onBase: [tried(2, "red")], doubts: waitsSince(0), now: day },
    "stuck",
  ],
  [
    "a base that is checked again is still waited for",
    { onBase: [tried(2, "pending")], doubts: waitsSince(0) },
    "base",
  ],
  ["a mended base is taken over", { onBase: [tried(2, "green")], doubts: waitsSince(0) }, "behind"],
  [
    "one that is surely ours settles it",
    {
      red: ["test", "lint"],
      here: [tried(1, "red"), tried(2, "red", { name: "lint" })],
      onBase: [tried(3, "red")],
    },
    "ours",
  ],
  [
    "a flaky one is run again while the other waits for the base",
    {
      red: ["test", "lint"],
      here: [tried(1, "red"), tried(2, "red", { name: "lint", conclusion: "timed_out" })],
      onBase: [tried(3, "red")],
    },
    "rerun",
  ],
];
test.each(rows)("%s", (_, facts, is) => {
  expect(judged(facts).is).toBe(is);
});

test("a verdict names the check and its reason", () => {
  const said = judged({ onBase: [tried(2, "red")] });
  expect("why" in said && said.why).toBe(
    "`test` is red on the base at bbbbbbb as well, so it is not this change's fault",
  );
});
