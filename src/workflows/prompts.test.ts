import { expect, test } from "vitest";
import { mediatePrompt } from "./prompts.ts";
import type { WorkFacts } from "./work.ts";

// Only what the prompt is made of.
const facts = {
  ref: "acme/web#1",
  title: "Say done",
  body: "",
  assign: () => ({}),
  further: {},
} as unknown as WorkFacts;

test.each([
  [1, false],
  [3, true],
])("a mediator of a change in %i parts is told that it sees one: %s", (parts, isTold) => {
  const dispute = { why: "round 2", diff: "+x", parts, holding: [], history: [], contradictions: [] };
  expect(mediatePrompt(facts, "a".repeat(32), dispute).includes(`part 1 of ${parts}`)).toBe(isTold);
});
