import { describe, expect, it } from "vitest";
import {
  allowedMethods,
  obstaclesOf,
  methodFor,
  neverMet,
  noRules,
  rulesTold,
  type BranchRules,
  type Standing,
} from "./landing.ts";

const free: BranchRules = { ...noRules, branch: "main", autoMerge: true };
const standing = (rules: Partial<BranchRules>, change: Partial<Standing> = {}): Standing => ({
  rules: { ...free, ...rules },
  open: true,
  merged: undefined,
  head: "a",
  approvals: 0,
  decision: undefined,
  unresolved: 0,
  behind: false,
  queued: undefined,
  ...change,
});

describe("the way of merging", () => {
  it.each([
    [{}, ["squash", "merge", "rebase"]],
    [{ methods: ["merge", "rebase"] }, ["merge", "rebase"]],
    [{ linear: true }, ["squash", "rebase"]],
    [{ signed: true }, ["squash"]],
    [{ ruledMethods: ["rebase"] }, ["rebase"]],
    [{ ruledMethods: ["merge"], linear: true }, []],
  ] as const)("%j leaves %j", (rules, allowed) => {
    expect(allowedMethods({ ...free, ...rules })).toEqual(allowed);
  });
  it("`auto` takes the first that is left, and says all reasons where none is", () => {
    expect(methodFor({ ...free, methods: ["rebase", "merge"] }, "auto")).toEqual({ method: "merge" });
    const none = methodFor({ ...free, methods: ["merge"], signed: true }, "auto");
    expect(none).toMatchObject({ obstacle: { how: "never" } });
    expect(JSON.stringify(none)).toContain("requires signed commits");
  });
  it("a named one that is forbidden is a reason with its cure, never silently another", () => {
    expect(methodFor({ ...free, linear: true }, "merge")).toEqual({
      obstacle: {
        how: "never",
        why: "`merge.method` is merge, and main requires a linear history",
        fix: "set `merge.method` to `squash` or `auto` in .github/forgehand.yml, or allow merge there",
      },
    });
  });
  it("a merge queue decides by itself", () => {
    expect(neverMet({ ...free, linear: true, queue: { method: "squash" } }, "merge")).toEqual([]);
  });
});

describe("what stands in the way of a merge", () => {
  const whys = (one: Standing): readonly string[] =>
    obstaclesOf(one, "auto").map(({ how, why }) => `${how}: ${why}`);
  it.each([
    [standing({ archived: true }), ["never: the repository is archived"]],
    [standing({ restricted: true }), ["waits: a rule restricts updates of main to those who may bypass it"]],
    [
      standing({ approvals: 2 }, { approvals: 1, decision: "required" }),
      ["person: needs 2 approvals, has 1"],
    ],
    [standing({ approvals: 1 }, { approvals: 1, decision: "approved" }), []],
    [
      standing({ approvals: 1, codeOwners: true }, { approvals: 1, decision: "required" }),
      ["person: needs the approval of a code owner"],
    ],
    [
      standing({ approvals: 1, lastPush: true }, { approvals: 1, decision: "required" }),
      ["person: needs the approval of somebody other than whoever pushed last"],
    ],
    [standing({}, { decision: "objected" }), ["person: a review requests changes"]],
    [standing({ conversations: true }, { unresolved: 1 }), ["person: 1 conversation is not resolved"]],
    [standing({ conversations: false }, { unresolved: 3 }), []],
    [
      standing({ upToDate: true }, { behind: true }),
      ["waits: the branch is behind main, which takes only what is up to date with it"],
    ],
    [standing({ upToDate: true, queue: { method: undefined } }, { behind: true }), []],
  ])("%#", (one, expected) => {
    expect(whys(one)).toEqual(expected);
  });
  it("has a cure for each", () => {
    const everything = standing(
      { archived: true, restricted: true, methods: [], approvals: 2, conversations: true, upToDate: true },
      { decision: "objected", unresolved: 2, behind: true },
    );
    for (const { fix } of obstaclesOf(everything, "squash")) expect(fix).toMatch(/\S/u);
    expect(obstaclesOf(everything, "squash")).toHaveLength(7);
  });
});

it("what a branch asks is told in one line each", () => {
  const rules: BranchRules = {
    ...free,
    approvals: 2,
    codeOwners: true,
    lastPush: true,
    conversations: true,
    signed: true,
    linear: true,
    upToDate: true,
    checks: ["ci"],
    deployments: ["staging"],
  };
  expect(rulesTold(rules, "auto")).toEqual([
    "merges by squash",
    "needs 2 approvals",
    "needs the approval of code owners",
    "whoever pushed last does not count as an approver",
    "needs every conversation resolved",
    "requires signed commits, which a squash by GitHub is",
    "requires a linear history",
    "takes only branches that are up to date",
    "requires the checks ci",
    "requires deployments to staging, which your pipeline must make of the head",
  ]);
});
