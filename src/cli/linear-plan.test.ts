import { describe, expect, test } from "vitest";
import type { TeamBoard } from "../adapters/linear/team-boards.ts";
import { gaps, ourLabels, planBoard } from "./linear-plan.ts";

type Column = readonly [name: string, type: string, position: number];
const usual: readonly Column[] = [
  ["Backlog", "backlog", 0],
  ["Todo", "unstarted", 1],
  ["In Progress", "started", 2],
  ["Done", "completed", 3],
  ["Canceled", "canceled", 4],
];
const board = (columns: readonly Column[], more: Partial<TeamBoard> = {}): TeamBoard => ({
  id: "t",
  key: "ENG",
  name: "Engineering",
  statesOf: undefined,
  states: columns.map(([name, type, position]) => ({
    id: name,
    name,
    type,
    position,
    archivedAt: undefined,
  })),
  labels: [],
  automations: [],
  ...more,
});
const label = (name: string, group?: string, isGroup = false) => ({
  id: name,
  name,
  isGroup,
  parent: group === undefined ? undefined : { id: group, name: group },
  team: undefined,
});
/** The columns of one category once setup has run. */
function after(columns: readonly Column[], category: string, names = {}): readonly string[] {
  const { newStates } = planBoard(board(columns), names, "acme/ENG");
  const all = [
    ...columns.map(([name, type, position]) => ({ name, category: type, position })),
    ...newStates.map(({ position = Number.POSITIVE_INFINITY, ...rest }) => ({ ...rest, position })),
  ];
  return all
    .filter((one) => one.category === category)
    .toSorted((one, other) => one.position - other.position)
    .map(({ name }) => name);
}

describe("a new state", () => {
  test("stands among those of ours it follows, wherever others of the team stand", () => {
    const ours = ["Spec Gate", "In Progress", "Adversarial Review", "In Review", "Rework", "Merging"];
    expect(after(usual, "started")).toEqual(ours);
    expect(after([...usual, ["QA", "started", 2.5], ["In Review", "started", 2.25]], "started")).toEqual([
      ...ours,
      "QA",
    ]);
    expect(after([["Doing", "started", 7]], "started", { "In Progress": "Doing" })).toEqual(
      ours.map((name) => (name === "In Progress" ? "Doing" : name)),
    );
    expect(after([["QA", "started", 5]], "started")).toEqual(["QA", ...ours]);
  });

  test("is made once where two of ours share it, and of Blocked only when the operator names it", () => {
    const names = (own: object) =>
      planBoard(board(usual), own, "acme/ENG").newStates.map(({ name, category }) => `${category} ${name}`);
    expect(
      names({ Gate: "Check", "Adversarial Review": "check" }).filter((name) => /check/iu.test(name)),
    ).toEqual(["started Check"]);
    expect(names({})).not.toContain("started Blocked");
    expect(names({ Blocked: "On hold" })).toContain("started On hold");
  });

  test("is not made where the board is the parent team's: that one is named", () => {
    const plan = planBoard(board(usual, { statesOf: "TOP" }), {}, "acme/ENG");
    expect(plan.newStates).toEqual([]);
    expect(gaps(plan, "acme/ENG", "forgehand linear setup --team ENG")[0]).toMatchObject({
      is: "warn",
      fix: expect.stringContaining("`forgehand linear setup --team TOP`"),
    });
  });

  test("bears a place and a colour that Linear takes", () => {
    for (const { color, position } of planBoard(board(usual), {}, "acme/ENG").newStates) {
      expect(color).toMatch(/^#[0-9a-f]{6}$/u);
      expect(Number.isFinite(position)).toBe(true);
    }
    // In a category without any, Linear chooses.
    const [backlog] = planBoard(board([]), {}, "acme/ENG").newStates;
    expect(backlog).toMatchObject({ name: "Backlog", category: "backlog", position: undefined });
  });
});

describe("labels", () => {
  const found = (...labels: readonly ReturnType<typeof label>[]) =>
    planBoard(board(usual, { labels }), {}, "acme/ENG").findings.map(({ is, what }) => `${is} ${what}`);

  test("that exclude one another are a failure, one beside strangers a warning, runtimes as it should be", () => {
    expect(found(label("agent-ready", "Flow"), label("Needs-Spec", "Flow"))).toEqual([
      expect.stringMatching(/^fail .*agent-ready, Needs-Spec exclude one another/u),
    ]);
    expect(found(label("auto-merge", "Flow"))).toEqual([expect.stringMatching(/^warn .*"Flow"/u)]);
    expect(found(label("runtime/codex", "Runtime"), label("runtime/claude-code", "Runtime"))).toEqual([]);
    expect(found(label("auto-merge", undefined, true))).toEqual([
      expect.stringMatching(/^fail .*is a group/u),
    ]);
  });

  test("that are there in any spelling are not made again", () => {
    const labels = ourLabels.map(({ name }) => label(name.toUpperCase()));
    expect(planBoard(board(usual, { labels }), {}, "acme/ENG").newLabels).toEqual([]);
  });
});

test("Linear's own automation is told, each rule by the name it has there", () => {
  const automations = [
    { event: "merge", state: { name: "Done" }, targetBranch: { branchPattern: "main" } },
    { event: "draft", state: { name: "In Progress" }, targetBranch: undefined },
    { event: "unheard-of", state: { name: "Todo" }, targetBranch: undefined },
  ];
  const { findings } = planBoard(board(usual, { automations }), {}, "acme/ENG");
  expect(findings).toMatchObject([
    {
      is: "warn",
      what: expect.stringContaining("On draft PR open: In Progress; On PR merge (main): Done"),
    },
  ]);
  expect(findings[0]?.what).toContain("unheard-of: Todo");
});
