import { describe, expect, test } from "vitest";
import type { State } from "../../state-machine/ticket.ts";
import {
  atFirst,
  chosenIn,
  press,
  shownIn,
  toldOf,
  windowOf,
  type Key,
  type TopRow,
  type TopState,
} from "./model.ts";

const row = (number: number, title: string, state: State = "In Review"): TopRow => ({
  id: `github:7#${number}`,
  ref: `acme/web#${number}`,
  title,
  url: "",
  state,
  round: 0,
  maxRounds: 3,
  since: 0,
  usd: 1,
  usdIsGuess: false,
  pull: undefined,
  head: undefined,
  repo: "acme/web",
  wait: undefined,
  needsPerson: true,
  version: 4,
});
const rows = [row(1, "One"), row(2, "Two", "Blocked"), row(3, "Three")];
const view = { rows, now: 0, alarms: [], today: { usd: 0, stopUsd: 100 } };
const key = (text: string): Key => {
  const names: Readonly<Record<string, Key["name"]>> = {
    "↑": "up",
    "↓": "down",
    "↵": "enter",
    "⎋": "escape",
    "⌫": "backspace",
  };
  return names[text] === undefined ? { text, name: undefined } : { text: "", name: names[text] };
};
/** Presses them one after the other, and answers where that leads and what was wanted outside. */
function type(keys: string, from: TopState = atFirst) {
  let state = from;
  const wanted: unknown[] = [];
  for (const one of keys) {
    const [next, intention] = press(view, state, key(one));
    state = next;
    if (intention !== undefined) wanted.push(intention);
  }
  return { state, wanted, chosen: chosenIn(view, state)?.ref };
}

describe("keys", () => {
  test.each([
    ["", "acme/web#1"],
    ["j", "acme/web#2"],
    ["↓↓", "acme/web#3"],
    ["jjjjj", "acme/web#3"],
    ["jjk", "acme/web#2"],
    ["↑", "acme/web#1"],
    ["/two↵", "acme/web#2"],
    ["/blocked↵", "acme/web#2"],
    ["/two⌫⌫⌫three↵", "acme/web#3"],
    ["/nothing like it↵", undefined],
    ["/two⎋", "acme/web#1"],
  ])("%j leads to %s", (keys, chosen) => {
    expect(type(keys).chosen).toBe(chosen);
  });

  test.each([
    ["ay", [{ is: "order", order: "approve", row: rows[0] }]],
    ["jsY", [{ is: "order", order: "stop", row: rows[1] }]],
    ["ry", [{ is: "order", order: "retry", row: rows[0] }]],
    ["an", []],
    ["a⎋", []],
    ["a↵", []],
    ["/ay↵", []],
    ["lay", []],
    ["?ay", []],
    ["/none↵ay", []],
    ["q", [{ is: "quit" }]],
    ["⎋", [{ is: "quit" }]],
    ["/q", []],
    ["lq", []],
  ])("%j wants %j", (keys, wanted) => {
    expect(type(keys).wanted).toEqual(wanted);
  });

  test("an order is for the row that was asked about, whatever moved since", () => {
    const asked = type("ja").state;
    const moved = { ...view, rows: rows.toReversed() };
    expect(press(moved, asked, key("y"))[1]).toEqual({ is: "order", order: "approve", row: rows[1] });
  });

  test("the cursor stays on its ticket when rows move, and goes to the first when it is gone", () => {
    const { state } = type("jj");
    expect(chosenIn({ rows: rows.toReversed() }, state)?.ref).toBe("acme/web#3");
    expect(chosenIn({ rows: rows.slice(0, 2) }, state)?.ref).toBe("acme/web#1");
    expect(shownIn({ rows: [] }, state)).toEqual([]);
  });
});

test.each([
  [10, 0, 4, [0, 1, 2, 3]],
  [10, 9, 4, [6, 7, 8, 9]],
  [10, 5, 4, [3, 4, 5, 6]],
  [2, 1, 4, [0, 1]],
  [3, 0, 0, []],
])("of %i rows with %i chosen and room for %i these are shown", (count, chosen, room, shown) => {
  expect(
    windowOf(
      Array.from({ length: count }, (_, at) => at),
      chosen,
      room,
    ),
  ).toEqual(shown);
});

test.each([
  [{ is: "taken", to: "Merging" }, "it goes to Merging"],
  [{ is: "stale", state: "Rework" }, "went on meanwhile"],
  [{ is: "impossible", state: "Done" }, "nothing to approve"],
  [{ is: "unknown" }, "there is no acme/web#1 any more"],
] as const)("%j is told in words", (answer, words) => {
  expect(toldOf("approve", row(1, "One"), answer)).toContain(words);
});
