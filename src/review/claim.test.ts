import { expect, test } from "vitest";
import { claimOf, isOpposite, normalised, similarity } from "./claim.ts";

const said = (title: string) => claimOf({ title, body: "" });

test.each([
  ["The parser crashes on empty input", "Empty input makes the parser crash"],
  ["Validation of the port is missing", "The port is not validated"],
  ["`readConfig` throws for a missing file", "Missing file: readConfig() fails"],
  ["Race between two writers of the cache", "The cache's writers race"],
])("%j and %j are one claim in other words", (one, other) => {
  expect(similarity(said(one), said(other))).toBeGreaterThan(0.6);
  expect(isOpposite(said(one), said(other))).toBe(false);
});

test.each([
  ["The parser crashes on empty input", "The log line names the wrong user"],
  ["Token is written to the log", "Off by one in the last page"],
])("%j and %j are two claims", (one, other) => {
  expect(similarity(said(one), said(other))).toBeLessThan(0.3);
});

test.each([
  ["Add a lock around the counter", "Remove the lock around the counter"],
  ["The null check of the user is missing", "The null check of the user is unnecessary"],
  ["Use the cache for prices", "Do not use the cache for prices"],
  ["Extract the retry loop", "Inline the retry loop"],
  ["Reading the file must be async", "Reading the file must be synchronous"],
])("%j and %j cannot both be met", (one, other) => {
  expect(isOpposite(said(one), said(other))).toBe(true);
  expect(isOpposite(said(other), said(one))).toBe(true);
});

test.each([
  ["Parser crashes on empty input", "The parser must not crash on empty input"],
  ["Add a lock around the counter", "Remove the debug print from the report"],
  ["No test for the empty list", "A test for the empty list is missing"],
])("%j and %j do not contradict each other", (one, other) => {
  expect(isOpposite(said(one), said(other))).toBe(false);
});

test("what is normalised has no order, case, inflection and line numbers", () => {
  expect(normalised("Line 12: the Parser CRASHES on empty inputs!")).toBe(
    normalised("empty input crashed parser (line 90)"),
  );
});
