import { describe, expect, test } from "vitest";
import { defaultConfig } from "../config.ts";
import { noRules, type BranchRules } from "../state-machine/landing.ts";
import { startsOn } from "../config-merging.ts";
import type { CiSeen } from "../ports-host.ts";
import { standing } from "./doctor-merging.ts";

const gate = "forgehand / gate";
const plain: BranchRules = { ...noRules, branch: "main", checks: [gate, "test"], autoMerge: true };
const ci: CiSeen = {
  workflows: new Map([[".github/workflows/ci.yml", "on: [push, pull_request]\n"]]),
  checks: new Set(["test"]),
  heads: 6,
};
const found = (
  rules: Partial<BranchRules>,
  seen: Partial<CiSeen> = {},
  method: "auto" | "merge" | "rebase" = "auto",
) => {
  const config = defaultConfig();
  const wanted = { merge: { ...config.merge, method } };
  return standing("acme/web", { ...plain, ...rules }, wanted, { ...ci, ...seen }).filter(
    ({ is }) => is !== "ok",
  );
};

describe("what a branch asks of merges of ours", () => {
  test("a branch whose rules can be met gives no cause for a word", () => {
    expect(found({})).toEqual([]);
  });

  test.each<readonly [string, Partial<BranchRules>, "fail" | "warn", RegExp]>([
    ["an archive", { archived: true }, "fail", /the repository is archived/u],
    ["a list of who may push", { restricted: true }, "fail", /restricts updates of main/u],
    [
      "methods that exclude each other",
      { methods: ["merge"], linear: true },
      "fail",
      /no way of merging is left/u,
    ],
    [
      "signatures where only rebasing is allowed",
      { signed: true, methods: ["rebase"] },
      "fail",
      /signed commits/u,
    ],
    [
      "approvals",
      { approvals: 2 },
      "warn",
      /alone can never merge into main, which needs 2 approvals of people/u,
    ],
    ["code owners", { codeOwners: true }, "warn", /the approval of a code owner/u],
    [
      "a gate that is not required",
      { checks: ["test"] },
      "warn",
      /`forgehand \/ gate` is not required by main/u,
    ],
    [
      "a check that nothing reports",
      { checks: [gate, "tset"] },
      "warn",
      /requires `tset`, which ran on none of the 6/u,
    ],
    [
      "a queue whose groups no workflow builds",
      { queue: { method: undefined } },
      "fail",
      /waits for test, and no workflow starts on `merge_group`/u,
    ],
  ])("%s is told with the line to type", (_what, rules, is, words) => {
    const told = found(rules);
    expect(told).toEqual([expect.objectContaining({ is })]);
    expect(told[0]?.what).toMatch(words);
    expect(told[0]?.fix).toMatch(/\S/u);
  });

  test("a configured method that the branch forbids is told with one that it allows", () => {
    const [one] = found({ linear: true }, {}, "merge");
    expect(one?.what).toContain("`merge.method` is merge, and main requires a linear history");
    expect(one?.fix).toContain("set `merge.method` to `squash` or `auto`");
  });

  test("what nobody could look at is not held against a branch", () => {
    expect(found({ checks: [gate, "tset"] }, { checks: undefined, heads: 0 })).toEqual([]);
    expect(found({ queue: { method: undefined } }, { workflows: undefined })).toEqual([]);
    // CI elsewhere has no workflow files, and may well build the groups.
    expect(found({ queue: { method: undefined } }, { workflows: new Map() })).toEqual([]);
  });
});

test.each([
  ["on: merge_group\n", true],
  ["on: [push, merge_group]\n", true],
  ["on:\n  push:\n  merge_group:\n    types: [checks_requested]\n", true],
  ["'on':\n  merge_group:\n", true],
  ["on: push\n# merge_group\njobs: { merge_group: {} }\n", false],
  ["on: [unclosed\n", false],
  ["just text", false],
])("%j starts on merge_group: %s", (text, starts) => {
  expect(startsOn(text, "merge_group")).toBe(starts);
});
