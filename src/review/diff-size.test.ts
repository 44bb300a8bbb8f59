import { expect, test } from "vitest";
import { parseDiff } from "./diff.ts";
import { findTooLarge } from "./diff-size.ts";

const file = (path: string, lines: number): string =>
  `diff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n@@ -0,0 +1,${lines} @@\n${"+x\n".repeat(lines)}`;
const told = (diff: string): readonly string[] =>
  findTooLarge(parseDiff(diff), { files: 2, lines: 10 }).map(({ reason }) => reason);

test("up to its limits a change is not large", () => {
  expect(told(file("a", 5) + file("b", 5))).toEqual([]);
});
test("beyond them it is told by how much, in one sentence", () => {
  expect(told(file("a", 11))).toEqual(["the change is large: 11 lines (the limit is 10)"]);
  expect(told(file("a", 4) + file("b", 4) + file("c", 4))).toEqual([
    "the change is large: 3 files (the limit is 2) and 12 lines (the limit is 10)",
  ]);
});
test("what no person wrote does not count", () => {
  expect(told(file("a", 5) + file("package-lock.json", 900) + file("src/__snapshots__/a.snap", 90))).toEqual(
    [],
  );
});
