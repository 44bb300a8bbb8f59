import { expect, test } from "vitest";
import { findSecrets, redact } from "../secrets.ts";
import { parseDiff } from "./diff.ts";
import { familyOf, judgePairing } from "./pairing.ts";
import { hear } from "./panel.ts";
import { findTampering } from "./tamper/find.ts";
import { sayHit } from "./tamper/hit.ts";
import { readVerdict } from "./verdict.ts";

const finding = (grade: string) => ({ title: "t", body: "", grade, path: null, line: null, kind: null });
test.each([
  ["pass", [], "pass"],
  ["pass", ["polish"], "pass"],
  ["fail", ["blocker"], "fail"],
  ["fail", ["polish"], "blocked"],
  ["pass", ["blocker"], "blocked"],
  ["fail", ["dreadful"], "blocked"],
])("%s with %j is %s", (verdict, grades, is) => {
  expect(
    readVerdict({ structured: { verdict, findings: grades.map(finding), summary: "" }, text: "" }).is,
  ).toBe(is);
});
const whole = { verdict: "fail", findings: [finding("blocker")], summary: "no" };
test.each<[string, object, string]>([
  [
    "fields that nobody asked for",
    { ...whole, mood: 1, findings: [{ ...finding("blocker"), sure: 0.9 }] },
    "fail",
  ],
  ["no verdict", { ...whole, verdict: undefined }, "blocked"],
  ["no findings", { ...whole, findings: undefined }, "blocked"],
  ["no summary", { ...whole, summary: undefined }, "blocked"],
  ["a finding without a grade", { ...whole, findings: [{ title: "t" }] }, "blocked"],
  ["a finding without a title", { ...whole, findings: [{ grade: "blocker" }] }, "blocked"],
  ["a finding without all the rest", { ...whole, findings: [{ title: "t", grade: "blocker" }] }, "fail"],
  ["a line that is none", { ...whole, findings: [{ ...finding("blocker"), path: "a", line: -3.5 }] }, "fail"],
])("a verdict with %s is read strictly", (_, structured, is) => {
  expect(readVerdict({ structured, text: "" }).is).toBe(is);
  expect(readVerdict({ structured: undefined, text: JSON.stringify(structured) }).is).toBe(is);
});
test.each([
  ["", "blocked"],
  ["---\nstatus: PASS\n---\n", "pass"],
  ["---\nnotes: x\n---\n", "blocked"],
  ["{", "blocked"],
])("text %j is %s", (text, is) => expect(readVerdict({ structured: undefined, text }).is).toBe(is));
test("nobody answering is blocked", () => expect(hear([], undefined).is).toBe("blocked"));
test("one family cannot judge itself, nor an unknown one anybody", () => {
  expect(familyOf("claude-opus-4")).toBe("anthropic");
  expect(familyOf("gpt-5-codex")).toBe("openai");
  expect(judgePairing({ builder: "openai", reviewer: "openai" }).is).toBe("blocked");
  expect(judgePairing({ builder: "openai", reviewer: "unknown" }).is).toBe("blocked");
  expect(judgePairing({ builder: "openai", reviewer: "anthropic" }).is).toBe("independent");
});
test("a skipped test and a leaked token are seen", () => {
  const token = `ghs_${"a1B2".repeat(10)}`;
  const diff = `diff --git a/a.test.ts b/a.test.ts\n--- a/a.test.ts\n+++ b/a.test.ts\n@@ -1 +1 @@\n-test("x", f)\n+test.skip("x", "${token}")\n`;
  expect(findTampering(parseDiff(diff)).map(sayHit).join()).toContain("skipped");
  expect(findSecrets(diff)).toEqual([{ kind: "GitHub token", path: "a.test.ts", line: 1 }]);
  expect(redact(token)).toBe("[GitHub token removed]");
});
