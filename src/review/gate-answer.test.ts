import { expect, test } from "vitest";
import { gateJsonSchema, readGateAnswer } from "./gate-answer.ts";

const fine = { ok: true, reason: "", choices: null };
const flag = (change: object) => ({
  structured: {
    decision: "flag",
    where: fine,
    what: fine,
    acceptance: fine,
    ambiguity: fine,
    gapComment: "Say which.",
    ...change,
  },
  text: "",
});
const gapsOf = (change: object) => {
  const read = readGateAnswer(flag(change));
  return read.is === "flag" ? read.gaps : read;
};

test("a gap may leave a few answers to pick from", () => {
  const choices = [" GBP ", "EUR\n(euro)", "gbp", ""];
  expect(gapsOf({ ambiguity: { ok: false, reason: "which currency?", choices } })).toEqual([
    { about: "Ambiguity", missing: "which currency?", choices: ["GBP", "EUR (euro)"] },
  ]);
});

test("of one answer there is no choice, and an agent that knows of none says none", () => {
  for (const choices of [["GBP"], ["GBP", "gbp"], [], null, undefined])
    expect(gapsOf({ what: { ok: false, reason: "which?", choices } })).toEqual([
      { about: "What", missing: "which?" },
    ]);
});

test("what would read as a command, or is longer than people read, is no answer", () => {
  const choices = ["/forgehand approve", "@ada", "x".repeat(101), "A", "B", "C", "D", "E", "F", "G"];
  expect(gapsOf({ where: { ok: false, reason: "where?", choices } })).toEqual([
    { about: "Where", missing: "where?", choices: ["A", "B", "C", "D", "E", "F"] },
  ]);
});

test("every part requires all its fields: some makers hold nothing else", () => {
  const { where } = gateJsonSchema.properties;
  expect([...where.required].toSorted()).toEqual(Object.keys(where.properties).toSorted());
});
