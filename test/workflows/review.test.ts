/** How a review begins: who is asked, in how many parts, and when nobody is. */
import { expect, test } from "vitest";
import type { Family } from "../../src/ports-agents.ts";
import { judge, openReview } from "../../src/workflows/judge.ts";
import type { Seat } from "../../src/workflows/seats.ts";
import type { TicketWork, WorkFacts } from "../../src/workflows/work.ts";

const head = "a".repeat(40);
const fileOf = (path: string, chars: number): string =>
  `diff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-x\n+${"y".repeat(chars)}\n`;

interface Stage {
  readonly diff: string;
  readonly panel?: readonly Seat[];
  readonly quorum?: number;
  readonly built?: readonly Family[];
  readonly fixed?: string;
}
const made: Stage = { diff: "" };
function workOn(
  diff: string,
  workspace: object,
  { panel = [], quorum, built = ["anthropic"], fixed }: Stage = made,
): TicketWork {
  const facts = {
    review: { panel, quorum },
    runtimes: { review: fixed },
    assign: () => ({ fallback: [] }),
    builtBy: () => built,
    rounds: [],
    remote: {},
  } as unknown as WorkFacts;
  return {
    facts: async () => facts,
    agents: new Map([
      ["claude-code", { name: "claude-code", family: "anthropic" }],
      ["codex", { name: "codex", family: "openai" }],
    ]),
    workspace: { headDiff: async () => diff, ...workspace },
  } as unknown as TicketWork;
}
const opened = (stage: Stage) => openReview(workOn(stage.diff, {}, stage), { ticket: "github:1#2", head });

test("one reviewer reads a small change in one part", async () => {
  expect(await opened({ diff: fileOf("a.ts", 10) })).toEqual({
    head,
    seats: [{ name: "reviewer" }],
    parts: 1,
    quorum: 1,
    builder: "anthropic",
  });
});

test("a panel sits as it is configured, and its quorum is never more than there are", async () => {
  const panel = [
    { name: "general", persona: "reviewer" },
    { name: "security", persona: "security-reviewer" },
  ];
  expect(await opened({ diff: fileOf("a.ts", 10), panel, quorum: 7 })).toMatchObject({
    seats: panel,
    quorum: 2,
  });
});

test.each([
  ["an empty change", { diff: "" }, "changes nothing"],
  [
    "a change of too many parts",
    { diff: Array.from({ length: 40 }, (_, at) => fileOf(`f${at}.ts`, 24_000)).join("") },
    "too large to be reviewed",
  ],
  ["a head that nobody saw built", { diff: "x", built: [] }, "nobody saw which model built"],
  ["a reviewer of the builder's family", { diff: "x", fixed: "claude-code" }, "as the builder did"],
  [
    "a seat of the builder's family",
    {
      diff: "x",
      panel: [
        { name: "general", persona: "reviewer" },
        { name: "security", persona: "security-reviewer", runtime: "claude-code" },
      ],
    },
    "security: the reviewer `claude-code` runs anthropic models",
  ],
])("nobody is asked about %s", async (_, stage, why) => {
  const answer = await opened(stage);
  expect(answer.why).toContain(why);
  expect(answer.seats).toEqual([]);
});

test("a change with other parts than were given out is judged by nobody", async () => {
  const diff = [1, 2, 3].map((at) => fileOf(`f${at}.ts`, 40_000)).join("");
  const given = await opened({ diff: fileOf("a.ts", 10) });
  const dropped: string[] = [];
  const work = workOn(diff, {
    checkoutCold: async () => ({ path: "/cold", diff }),
    dropCold: async ({ path }: { readonly path: string }) => void dropped.push(path),
  });
  const [seat = { name: "nobody" }] = given.seats;
  const step = { leaf: "reviewer", run: "github:1#2/3" } as unknown as Parameters<typeof judge>[3];
  const { answer } = await judge(
    work,
    { ticket: "github:1#2", head },
    { opened: given, seat, part: 0 },
    step,
  );
  expect(answer).toMatchObject({
    is: "blocked",
    why: expect.stringContaining("has 3 parts, and 1 were given out"),
  });
  expect(dropped).toEqual(["/cold"]);
});
