/** The gate for weakened checks, measured on changes as agents and people make them. */
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { corpora, judged, measured, type Case } from "../../bench/tamper.ts";

const cases = Object.values(corpora).flatMap((folder) => judged(folder));
const named = (some: readonly Case[]): readonly string[] => some.map(({ name }) => name);

describe.each(Object.entries(corpora))("of the %s cases", (_name, folder) => {
  const { recall, precision } = measured(judged(folder));
  test("at least 0.95 of the tampering is seen", () => expect(recall).toBeGreaterThanOrEqual(0.95));
  test("at least 0.90 of what is told is tampering", () => expect(precision).toBeGreaterThanOrEqual(0.9));
});

test("there are at least 150 cases in five languages, as many benign ones as others", () => {
  expect(cases.length).toBeGreaterThanOrEqual(150);
  expect(new Set(cases.map(({ name }) => name.split("/")[0])).size).toBeGreaterThanOrEqual(5);
  const tampering = cases.filter(({ isTampering }) => isTampering).length;
  expect(Math.abs(2 * tampering - cases.length)).toBeLessThanOrEqual(cases.length * 0.05);
});

test("each says in a sentence what it is, and no two are the same", () => {
  expect(named(cases.filter(({ sentence }) => !/^[^\n]{15,}\.$/u.test(sentence)))).toEqual([]);
  expect(new Set(cases.map(({ diff }) => diff)).size).toBe(cases.length);
});

test("each is a diff that git reads", () => {
  for (const { diff } of cases) {
    const read = execFileSync("git", ["apply", "--numstat", "-"], { input: diff, encoding: "utf8" });
    expect(read).not.toBe("");
  }
});

test("every reason names the file it is about", () => {
  const told = cases.flatMap(({ reasons }) => reasons);
  expect(told.filter((reason) => !/^`[^`]+`: \S/u.test(reason))).toEqual([]);
});
