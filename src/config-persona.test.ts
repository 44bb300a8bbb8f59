import { describe, expect, test } from "vitest";
import { bundledPersonas, readPersona } from "./config-persona.ts";
import { rulesIn } from "./config-rules.ts";

const persona = (head: string, body = "Be careful."): string => `---\n${head}\n---\n\n${body}\n`;
const mine = persona(
  "name: builder\nroles: [build]\ntier: high\ntools: { deny: [shell, edit] }",
  "Build as we do.",
);

test("a persona is its front matter and its words", () => {
  expect(readPersona("builder", mine)).toEqual({
    persona: {
      name: "builder",
      roles: ["build"],
      tier: "high",
      tools: { deny: ["shell", "edit"] },
      text: "Build as we do.",
    },
  });
  expect(readPersona("builder", mine.replaceAll("\n", "\r\n"))).toMatchObject({ persona: { tier: "high" } });
});

describe("what is wrong with a persona is shown at its place", () => {
  test.each([
    ["no front matter", "Be careful.", 1, "begins with front matter"],
    ["front matter that never ends", "---\nname: builder\n", 1, "begins with front matter"],
    ["no YAML", persona("name: [builder"), 3, "This is no YAML"],
    ["no roles", persona("name: builder"), 2, "`roles`"],
    ["an unknown role", persona("name: builder\nroles:\n  - cook"), 4, "`roles.0`"],
    ["an unknown key", persona("name: builder\nroles: [build]\nmodel: opus"), 4, "Unknown key `model`"],
    ["an unknown tier", persona("name: builder\nroles: [build]\ntier: top"), 4, "`tier`"],
    ["another name than its file's", persona("name: other\nroles: [build]"), 2, "called `builder.md`"],
    ["nothing to say", persona("name: builder\nroles: [build]", " "), 5, "says nothing"],
    ["too much to say", persona("name: builder\nroles: [build]", "x".repeat(8_001)), 5, "at most 8000"],
  ])("%s", (_, text, line, message) => {
    const read = readPersona("builder", text);
    const [problem] = "problems" in read ? read.problems : [];
    expect(problem?.message).toContain(message);
    expect(problem?.line).toBe(line);
  });
});

describe("a repository's personas", () => {
  const rules = (config: string | undefined, personas: Record<string, string | null>) =>
    rulesIn({ config, sound: undefined, personas });
  test("are the bundled ones where it has none, and nothing is wrong with them", () => {
    const { personas, problems } = rules(undefined, {});
    expect(problems).toEqual([]);
    expect([...personas.keys()].toSorted()).toEqual([
      "architecture",
      "builder",
      "data-model",
      "developer-experience",
      "migration",
      "planner",
      "reviewer",
      "security-reviewer",
    ]);
    expect([...bundledPersonas().values()].every(({ text }) => text.length > 100)).toBe(true);
  });
  test("stand before the bundled ones of their name", () => {
    const { personas, problems } = rules(undefined, { builder: mine });
    expect(problems).toEqual([]);
    expect(personas.get("builder")?.text).toBe("Build as we do.");
  });
  test("are told with path, line and column when something is wrong, and no other takes their place", () => {
    const { personas, problems } = rules(undefined, {
      builder: persona("name: builder"),
      "Bad Name": mine,
      huge: null,
    });
    expect(problems).toEqual([
      expect.stringMatching(/^\.forgehand\/personas\/builder\.md:2:1: .*roles/u),
      expect.stringMatching(/^\.forgehand\/personas\/Bad Name\.md:1:1: /u),
      expect.stringMatching(/^\.forgehand\/personas\/huge\.md:1:1: .*too big/u),
    ]);
    expect(personas.has("builder")).toBe(false);
  });
  test("that a role names and nobody wrote are told where they are named", () => {
    const { problems } = rules("version: 1\nruntime:\n  personas:\n    review: [planner, nobody]\n", {});
    expect(problems).toEqual([
      expect.stringMatching(/^\.github\/forgehand\.yml:4:5: The persona `planner` is for plan, advise/u),
      expect.stringMatching(
        /^\.github\/forgehand\.yml:4:5: There is no persona `nobody`.*`security-reviewer`/u,
      ),
    ]);
  });
});
