import type { Story } from "../../src/summary.ts";

/** A run of `w` that did nothing worth a word. */
export const plainStory: Story = {
  workflow: "w",
  ended: "finished",
  tookMs: 1_000,
  end: undefined,
  sessions: [],
  tools: [],
  folder: undefined,
  checks: [],
  inputTokens: 0,
  outputTokens: 0,
  usd: undefined,
  usdIsGuess: false,
};
