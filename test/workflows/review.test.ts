/** How a review begins: who is asked, in how many parts, and when nobody is. */
import { expect, test } from "vitest";
import type { Family } from "../../src/ports-agents.ts";
import { openReview } from "../../src/workflows/judge.ts";
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
async function opened({ diff, panel = [], quorum, built = ["anthropic"], fixed }: Stage) {
  const facts = {
    review: { panel, quorum },
    runtimes: { review: fixed },
    assign: () => ({ fallback: [] }),
    builtBy: () => built,
    remote: {},
  } as unknown as WorkFacts;
  const work = {
    facts: async () => facts,
    agents: new Map([
      ["claude-code", { name: "claude-code", family: "anthropic" }],
      ["codex", { name: "codex", family: "openai" }],
    ]),
    workspace: {
      headDiff: async () => diff,
    },
  } as unknown as TicketWork;
  return await openReview(work, { ticket: "github:1#2", head });
}

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
