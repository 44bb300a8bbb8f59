import fc from "fast-check";
import { expect, test } from "vitest";
import { keptSummary, summaryOf, type Story } from "./summary.ts";

const story: Story = {
  workflow: "build",
  ended: "finished",
  tookMs: 200_000,
  end: "build delivered: The page says moon.",
  sessions: [
    { role: "build", by: "codex (gpt-5.5)" },
    { role: "build", by: "codex (gpt-5.5)" },
  ],
  tools: [
    "shell npm test",
    "patch /w/src/a.ts, /w/src/b.ts",
    "shell cat src/a.ts",
    "Edit /w/src/a.ts",
    "shell npm test",
  ],
  folder: "/w",
  checks: ["red", "green"],
  inputTokens: 12_300,
  outputTokens: 2_100,
  usd: 0.12,
  usdIsGuess: false,
};

test("a summary tells how it ended, who worked, what was used, written and tested, and what it cost", () => {
  expect(summaryOf(story)).toBe(
    "The build run ended after 3m 20s: build delivered: The page says moon. Agents: build by codex (gpt-5.5), 2 sessions. " +
      "5 tool calls (shell 3, patch 1, Edit 1). It wrote src/a.ts, src/b.ts. " +
      "The host's checks were green after 1 red round, and the agents ran `npm test`. " +
      "It took 12300 tokens in, 2100 out and $0.12.",
  );
});

test.each([
  [{ ended: "failed", end: "disk full" }, "The build run failed after 3m 20s: disk full."],
  [{ ended: "cancelled", end: undefined }, "The build run was stopped after 3m 20s."],
  [{ sessions: [] }, "No agent worked in it."],
  [{ checks: ["red", "red"], tools: [] }, "The host's checks were red 2 times."],
  [{ usdIsGuess: true }, "and ~$0.12."],
  [{ usd: undefined }, "12300 tokens in, 2100 out."],
  [
    { tools: ["a", "b", "c", "d", "e", "f"].map((name) => `Write /w/${name}`) },
    "It wrote a, b, c, d and 2 more.",
  ],
] as const)("%j is told as %s", (change, words) => {
  expect(summaryOf({ ...story, ...change })).toContain(words);
});

test("what is not there is not told", () => {
  const bare = {
    ...story,
    end: undefined,
    sessions: [],
    tools: [],
    checks: [],
    inputTokens: 0,
    outputTokens: 0,
  };
  expect(summaryOf(bare)).toBe("The build run ended after 3m 20s. No agent worked in it.");
});

test("whatever an agent says, a summary is one short line without what is hidden", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 3_000 }), fc.array(fc.string()), (end, tools) => {
      const text = summaryOf({ ...story, end, tools });
      // eslint-disable-next-line no-control-regex
      expect(text).not.toMatch(/[\n\r\u0000-\u0008\u202e]/u);
      expect(text.length).toBeLessThan(3_000);
      expect(keptSummary(end)).not.toMatch(/\n/u);
      expect(keptSummary(end).length).toBeLessThanOrEqual(1_000);
    }),
  );
  expect(keptSummary(`It used ghp_${"a1B2".repeat(10)} here.\n\nAnd <!-- hidden --> ended.`)).toBe(
    "It used [GitHub token removed] here. And ended.",
  );
});
