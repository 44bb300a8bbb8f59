import { describe, expect, test } from "vitest";
import { changeRules, type Rules } from "../../bootstrap/rules.ts";

const none: Rules = { allow: [], deny: [] };
const wanted: Rules = { allow: ["Bash(npm test)"], deny: ["Read(./.env)"] };
const textOf = (text: string | undefined, before = none, now = wanted): string => {
  const changed = changeRules(text, now, before);
  if ("why" in changed) throw new Error(changed.why);
  return changed.text;
};

describe("rules in Claude Code's settings", () => {
  test("a file of ours holds them and nothing else", () => {
    expect(JSON.parse(textOf(undefined))).toEqual({ permissions: wanted });
  });
  test("comments, order and keys of others stay as they are", () => {
    const theirs = `{\n\t// ours\n\t"model": "opus", /* why */\n\t"permissions": {\n\t\t"allow": [\n\t\t\t"Bash(make)", // first\n\t\t],\n\t},\n}\n`;
    const now = textOf(theirs);
    for (const part of [
      "// ours",
      "/* why */",
      "// first",
      `"Bash(make)"`,
      `"Bash(npm test)"`,
      `"Read(./.env)"`,
    ])
      expect(now).toContain(part);
    expect(now.split("\n").filter((line) => line.startsWith(" "))).toEqual([]);
    expect(textOf(now, wanted)).toBe(now);
  });
  test("line ends of Windows stay", () => {
    const now = textOf(`{\r\n  "model": "opus"\r\n}\r\n`);
    expect(now.replaceAll("\r\n", "")).not.toContain("\n");
  });
  test("a rule that was there before is not ours to take back", () => {
    const theirs = `{ "permissions": { "allow": ["Bash(npm test)"] } }`;
    const first = changeRules(theirs, wanted, none);
    if ("why" in first) throw new Error(first.why);
    expect(first.added).toEqual({ allow: [], deny: ["Read(./.env)"] });
    const later = textOf(first.text, first.added, { allow: ["Bash(pnpm test)"], deny: [] });
    expect(JSON.parse(later)).toEqual({
      permissions: { allow: ["Bash(npm test)", "Bash(pnpm test)"], deny: [] },
    });
  });
  test("a rule that somebody took out stays out", () => {
    const theirs = `{ "permissions": { "allow": [], "deny": ["Read(./.env)"] } }`;
    expect(textOf(theirs, wanted)).toBe(theirs);
  });
  test.each([
    "{",
    "[]",
    `{ "permissions": [] }`,
    `{ "permissions": { "allow": "all" } }`,
    `{ "permissions": { "deny": [1] } }`,
  ])("a file that says something else is left alone: %s", (text) => {
    expect(changeRules(text, wanted, none)).toHaveProperty("why");
  });
  test("an empty file gets them", () => {
    expect(JSON.parse(textOf(""))).toEqual({ permissions: wanted });
  });
});
