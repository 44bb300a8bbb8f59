import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readConfig } from "../../src/config-file.ts";
import { blockIn } from "../../bootstrap/managed-block.ts";
import { recordPath } from "../../bootstrap/record.ts";
import { skillNames } from "../../bootstrap/generate.ts";
import { defaultLabelNames } from "../../bootstrap/labels.ts";
import { because, applied, bare, later, node, planOn, type Files } from "./stand.ts";

const seed: Files = { "README.md": "# x\n", "package.json": "{}" };
const first = applied(seed, planOn(seed));
const pathsOf = (files: Files): readonly string[] => planOn(files).changes.map(({ path }) => path);
const keptOf = (
  files: Files,
  ...over: Parameters<typeof planOn> extends [Files, ...infer Rest] ? Rest : never
) => planOn(files, ...over).kept.map(({ path, is }) => [path, is]);

describe("a repository that has nothing of ours", () => {
  test("gets everything, each with its reason, and nothing else changes", () => {
    const { changes, kept } = planOn(seed);
    expect(changes.map(({ path }) => path)).toEqual([
      ...skillNames.map((name) => `.agents/skills/${name}/SKILL.md`).toSorted(),
      ".claude/settings.json",
      ".claude/skills",
      ".codex/skills",
      recordPath,
      ".github/ISSUE_TEMPLATE/forgehand-task.yml",
      ".github/forgehand.yml",
      ".github/pull_request_template.md",
      "AGENTS.md",
      "CLAUDE.md",
    ]);
    expect(changes.every(({ why, before }) => why.length > 10 && before === undefined)).toBe(true);
    expect(kept).toEqual([]);
    expect(first).toMatchObject(seed);
  });
  test.each([
    ["with commands", node],
    ["with none", bare],
  ])("its configuration is one that we read without a fault: %s", (_, detected) => {
    const text = applied(seed, planOn(seed, { detected }))[".github/forgehand.yml"];
    const { config, problems } = readConfig(text);
    expect(problems).toEqual([]);
    expect(config.commands.test).toBe(detected.commands.test?.command);
    expect(text?.split("\n")[0]).toMatch(/^# yaml-language-server: \$schema=https:\/\//u);
  });
  test("what is commented out in it may be taken in as it is", () => {
    const text =
      first[".github/forgehand.yml"]
        ?.replaceAll(/^# ((?: {2})?[a-z-]+:.*)$/gmu, "$1")
        .replaceAll(/^ {2}# (timeout_minutes.*)$/gmu, "  $1") ?? "";
    expect(text).toMatch(/^limits:$/mu);
    expect(readConfig(text.replace(/^yaml-language.*$/mu, "")).problems).toEqual([]);
  });
  test("commands that YAML would take for something else are written so that it does not", () => {
    const found = node.commands.test;
    if (found === undefined) throw new Error("no test command");
    for (const command of [
      `make "a: b" # c`,
      "@x",
      "yes",
      "- a",
      "a\\b 'c'",
      "{a}",
      "*x",
      "!x",
      "a | b && c",
    ]) {
      const detected = { ...node, commands: { test: { ...found, command } } };
      const files = applied(seed, planOn(seed, { detected }));
      expect(readConfig(files[".github/forgehand.yml"]).config.commands.test).toBe(command);
    }
  });
  test("house rules are short and name the commands", () => {
    const rules = first["AGENTS.md"] ?? "";
    expect(rules.split("\n").length).toBeLessThanOrEqual(40);
    expect(rules).toContain("| Test | `npm test` |");
    expect(rules).toContain("## Code Review Rules");
  });
  test("each skill is named like its folder and says when to use it", () => {
    for (const name of skillNames) {
      const text = first[`.agents/skills/${name}/SKILL.md`] ?? "";
      const [, head = ""] = /^---\n([\s\S]*?)\n---\n/u.exec(text) ?? [];
      expect(head.split("\n")[0]).toBe(`name: ${name}`);
      expect(head).toMatch(/^description: .*Use (?:when|for) .*\.$/mu);
      expect(text).toMatch(/forgehand started you/u);
      expect(text).not.toMatch(/\{\{|\{%|undefined/u);
    }
    expect(first[".claude/skills"]).toBe("-> ../.agents/skills");
  });
  test("a command with backticks stays one piece of code in the skills", () => {
    const command = "make test N=`nproc`";
    const test = { ...because, command, confidence: "sure" } as const;
    const { generated } = planOn({}, { detected: { ...node, commands: { setup: test, test } } });
    for (const name of ["commit", "debug", "pull"])
      expect(generated.skills.get(name)).toContain(`\`\` ${command} \`\``);
  });
  test("the issue form calls the label what this repository calls it", () => {
    const labels = { ...defaultLabelNames, "agent-ready": "robot: go" };
    expect(planOn({}, { labels }).generated.issueForm).toContain("setting `robot: go`");
  });
  test("no label is set by the issue form", () => {
    expect(first[".github/ISSUE_TEMPLATE/forgehand-task.yml"]).not.toMatch(/^labels:/mu);
  });
});

describe("carried out, a plan is carried out", () => {
  const content = fc.constantFrom(
    "",
    "# Ours\n",
    "# Ours",
    "# Ours\r\n\r\nwords\r\n",
    "## Code Review Rules\n- be kind\n",
    "@AGENTS.md\n",
    `{ "permissions": { "allow": ["Bash(make)"] } }`,
    "{",
    "-> AGENTS.md",
    "-> CLAUDE.md",
    "-> docs/AGENTS.md",
    "-> nowhere",
    "-> /etc/passwd",
    "-> ../../up",
  );
  const existing = fc.dictionary(
    fc.constantFrom(
      "AGENTS.md",
      "agents.md",
      "CLAUDE.md",
      "docs/AGENTS.md",
      ".claude/settings.json",
      ".claude/CLAUDE.md",
      ".claude/skills/commit/SKILL.md",
      ".codex",
      ".agents/skills",
      ".agents/skills/push/SKILL.md",
      ".github/forgehand.yml",
      ".forgehand.yml",
      ".github/PULL_REQUEST_TEMPLATE.md",
      "docs/pull_request_template/one.md",
      recordPath,
    ),
    content,
    { maxKeys: 6 },
  );
  /** A tree in git has no file below a file. */
  const isTree = (files: Files): boolean =>
    Object.keys(files).every((path) => !Object.keys(files).some((other) => other.startsWith(`${path}/`)));
  test("a second time nothing changes, whatever was there", () => {
    fc.assert(
      fc.property(existing.filter(isTree), fc.constantFrom("link", "copy"), (files, skills) => {
        const once = applied(files, planOn(files, { wanted: { skills } }));
        expect(isTree(once)).toBe(true);
        expect(planOn(once).changes).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
  test("nothing that people wrote is changed outside our block and our rules", () => {
    fc.assert(
      fc.property(existing.filter(isTree), (files) => {
        const once = applied(files, planOn(files));
        for (const [path, text] of Object.entries(files)) {
          if (path === ".claude/settings.json") continue;
          const now = once[path] ?? "";
          const block = blockIn(now);
          if (block.is === "found") expect(now.startsWith(text)).toBe(true);
          else expect(now).toBe(text);
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe("what is there already", () => {
  test("a configuration in either place is left alone", () => {
    for (const path of [".github/forgehand.yml", ".forgehand.yml"]) {
      const files = { ...seed, [path]: "version: 1\n" };
      expect(keptOf(files)).toContainEqual([path, "yours"]);
      expect(pathsOf(files)).not.toContain(".github/forgehand.yml");
    }
  });
  test.each([
    ".github/PULL_REQUEST_TEMPLATE.md",
    "docs/Pull_Request_Template.txt",
    "PULL_REQUEST_TEMPLATE/a.md",
  ])("a template for pull requests stays the only one: %s", (path) => {
    expect(pathsOf({ ...seed, [path]: "x" })).not.toContain(".github/pull_request_template.md");
  });
  test("rules for reviews of their own are not doubled", () => {
    const files = { ...seed, "AGENTS.md": "# A\n\n## Code review rules\n- x\n" };
    const now = applied(files, planOn(files))["AGENTS.md"] ?? "";
    expect(now.match(/code review rules/giu)).toHaveLength(1);
    expect(now).toContain("forgehand:begin");
  });
  test.each([
    ["CLAUDE.md points to AGENTS.md", { "AGENTS.md": "# A\n", "CLAUDE.md": "-> AGENTS.md" }, "AGENTS.md"],
    ["AGENTS.md points to CLAUDE.md", { "CLAUDE.md": "# A\n", "AGENTS.md": "-> CLAUDE.md" }, "CLAUDE.md"],
    [
      "both point to a third",
      { "docs/a.md": "# A\n", "AGENTS.md": "-> docs/a.md", "CLAUDE.md": "-> docs/a.md" },
      "docs/a.md",
    ],
  ])("one file under two names gets one block: %s", (_, files, path) => {
    const plan = planOn({ ...seed, ...files });
    const touched = plan.changes.filter(({ after }) => after?.includes("forgehand:begin") === true);
    expect(touched.map((one) => one.path)).toEqual([path]);
    expect(plan.changes.filter(({ kind, path: at }) => kind === "link" && !at.endsWith("skills"))).toEqual(
      [],
    );
  });
  test("CLAUDE.md that takes in AGENTS.md already is left alone; one that does not gets the line", () => {
    expect(pathsOf({ ...seed, "CLAUDE.md": "See @AGENTS.md for more.\n" })).not.toContain("CLAUDE.md");
    const files = { ...seed, "CLAUDE.md": "# C" };
    expect(applied(files, planOn(files))["CLAUDE.md"]).toMatch(
      /^# C\n\n<!-- forgehand:begin .*\n@AGENTS\.md\n<!-- forgehand:end -->\n$/u,
    );
  });
  test("a folder of skills gets one link for each, beside those that are there", () => {
    const files = { ...seed, ".claude/skills/commit/SKILL.md": "mine" };
    const paths = pathsOf(files);
    expect(paths).toContain(".claude/skills/push");
    expect(paths).not.toContain(".claude/skills/commit");
    expect(paths).toContain(".codex/skills");
  });
  test("nothing is put below a link", () => {
    const files = { ...seed, ".agents": "-> ../shared", ".claude": "-> ../shared" };
    expect(pathsOf(files).some((path) => /^\.(?:agents|claude)\//u.test(path))).toBe(false);
    expect(keptOf(files)).toContainEqual([".claude/settings.json", "yours"]);
  });
});

describe("after people had their way", () => {
  const skill = ".agents/skills/debug/SKILL.md";
  test("an update changes what nobody edited", () => {
    const plan = planOn(first, {}, later);
    expect(plan.changes.map(({ path }) => path)).toContain("AGENTS.md");
    expect(applied(first, plan)[skill]).toContain("Whenever forgehand");
    expect(plan.kept).toEqual([]);
  });
  test("an edit elsewhere is kept beside what is new", () => {
    const files = { ...first, [skill]: `${first[skill]?.replace("# Debug", "# Debug here")}` };
    const text = applied(files, planOn(files, {}, later))[skill];
    expect(text).toContain("# Debug here");
    expect(text).toContain("Whenever forgehand");
  });
  test("an edit of the same line stays and is named, also the next time", () => {
    const files = { ...first, [skill]: `${first[skill]?.replace("If forgehand started you", "Forgehand:")}` };
    const plan = planOn(files, {}, later);
    const next = applied(files, plan);
    expect(next[skill]).toBe(files[skill]);
    expect(plan.kept).toContainEqual(expect.objectContaining({ path: skill, is: "conflict" }));
    expect(planOn(next, {}, later).changes).toEqual([]);
    expect(keptOf(next, {}, later)).toContainEqual([skill, "conflict"]);
  });
  test("line ends of Windows do not count as an edit, and stay", () => {
    const files = { ...first, [skill]: first[skill]?.replaceAll("\n", "\r\n") ?? "" };
    expect(planOn(files).kept).toEqual([]);
    const text = applied(files, planOn(files, {}, later))[skill] ?? "";
    expect(text).toContain("Whenever");
    expect(text.replaceAll("\r\n", "")).not.toContain("\n");
  });
  test("each file that was deleted stays deleted, now and in an update", () => {
    for (const path of Object.keys(first).filter((one) => !(one in seed) && one !== recordPath)) {
      const files = Object.fromEntries(Object.entries(first).filter(([one]) => one !== path));
      for (const from of [undefined, later]) {
        const plan = from === undefined ? planOn(files) : planOn(files, {}, from);
        expect(plan.changes.map((one) => one.path)).not.toContain(path);
        expect(plan.kept.map((one) => one.path)).toContain(path);
        expect(applied(files, plan)[path]).toBeUndefined();
      }
    }
  });
  test("a block that was taken out stays out; one that was edited is merged", () => {
    const files = { ...seed, "AGENTS.md": "# A\n" };
    const once = applied(files, planOn(files));
    expect(
      planOn({ ...once, "AGENTS.md": "# A\n" }, {}, later).changes.map(({ path }) => path),
    ).not.toContain("AGENTS.md");
    const edited = { ...once, "AGENTS.md": `${once["AGENTS.md"]?.replace("| Set up", "| Prepare")}\nmore\n` };
    const text = applied(edited, planOn(edited, {}, later))["AGENTS.md"];
    expect(text).toContain("| Prepare");
    expect(text).toContain("Pull requests, always");
    expect(text).toMatch(/^# A\n[\s\S]*more\n$/u);
  });
  test("other commands reach the files that nobody edited", () => {
    const found = node.commands.test;
    if (found === undefined) throw new Error("no test command");
    const detected = { ...node, commands: { ...node.commands, test: { ...found, command: "pnpm test" } } };
    const files = applied(first, planOn(first, { detected }));
    expect(readConfig(files[".github/forgehand.yml"]).config.commands.test).toBe("pnpm test");
    expect(JSON.parse(files[".claude/settings.json"] ?? "")).toMatchObject({
      permissions: { allow: ["Bash(npm ci)", "Bash(npm run lint)", "Bash(pnpm test)"] },
    });
  });
  test("skills become copies and links again when that is asked for", () => {
    const copied = applied(first, planOn(first, { wanted: { skills: "copy" } }));
    expect(copied[".claude/skills"]).toBeUndefined();
    expect(copied[".claude/skills/push/SKILL.md"]).toBe(copied[".agents/skills/push/SKILL.md"]);
    expect(planOn(copied).changes).toEqual([]);
    expect(applied(copied, planOn(copied, { wanted: { skills: "link" } }))).toEqual(first);
  });
  test("a record that cannot be read changes nothing that exists", () => {
    for (const broken of [
      "{",
      "[]",
      `{"version":1,"template":1,"answers":{"skills":"link","agent":false},"files":{"AGENTS.md":{"part":"whole","base":"!!"}}}`,
    ]) {
      const plan = planOn({ ...first, [recordPath]: broken }, {}, later);
      expect(plan.warnings.join()).toMatch(/cannot be read/u);
      expect(plan.changes).toEqual([]);
    }
  });
  test("what a newer forgehand made, an older one leaves alone", () => {
    const record = first[recordPath]?.replace(`"template": 1`, `"template": 99`) ?? "";
    const plan = planOn({ ...first, [recordPath]: record }, {}, later);
    expect(plan.changes).toEqual([]);
    expect(plan.warnings.join()).toMatch(/newer forgehand/u);
  });
});
