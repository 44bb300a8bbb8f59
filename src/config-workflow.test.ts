import { describe, expect, test } from "vitest";
import { layersOf, mergeLayers } from "./config-layers.ts";
import { isWorkflow, partsOf, readWorkflow } from "./config-workflow.ts";

const symphony = `---
tracker:
  kind: linear
  api_key: $LINEAR_API_KEY
  project_slug: web
  active_states: [Todo, In Progress]
polling: { interval_ms: 5000 }
workspace: { root: ~/work }
hooks:
  timeout_ms: 90500
  after_create: |
    git clone --depth 1 https://github.com/acme/web .
    npm ci
  before_run: git fetch
agent:
  max_concurrent_agents: "4"
  max_turns: 20
codex:
  command: codex app-server
  model: gpt-5.5
  turn_timeout_ms: 3600000
  stall_timeout_ms: 0
server: { port: 4000 }
---

You work on \`{{ issue.identifier }}\`.
{% if attempt %}Attempt {{ attempt }}.{% endif %}
{% for blocker in issue.blocked_by %}{{ blocker.identifier }}{% endfor %}
`;
const workflow = (text: string) => ({
  path: undefined,
  workflow: { path: "WORKFLOW.md", text },
  under: [],
  asked: [],
  faults: [],
});
const resolved = (text: string) => mergeLayers(layersOf(undefined, workflow(text)));
const withFront = (front: string, body = "Build it."): string => `---\n${front}\n---\n${body}\n`;

describe("a workflow file of Symphony", () => {
  test("is a configuration: hooks, limits, runtime and the builder's prompt", () => {
    const { config, faults } = resolved(symphony);
    expect(faults).toEqual([]);
    expect(config.hooks).toMatchObject({
      after_create: "npm ci",
      before_run: "git fetch",
      timeout_seconds: 91,
    });
    expect(config.limits).toMatchObject({ concurrency: 4, turn_minutes: 60, stall_minutes: 5 });
    expect(config.runtime).toMatchObject({ default: "codex", models: { codex: "gpt-5.5" } });
    expect(config.prompts.build).toMatch(/^You work on `\{\{ issue\.identifier \}\}`/u);
  });

  test("tells what of it has no meaning here, with its line, and calls none of that a fault", () => {
    const { notes } = readWorkflow(symphony);
    expect(notes.map(({ key, line }) => `${line} ${key}`)).toEqual([
      "3 tracker.kind",
      "4 tracker.api_key",
      "5 tracker.project_slug",
      "6 tracker.active_states",
      "7 polling.interval_ms",
      "8 workspace.root",
      "10 hooks.timeout_ms",
      "11 hooks.after_create",
      "17 agent.max_turns",
      "19 codex.command",
      "22 codex.stall_timeout_ms",
      "23 server",
    ]);
    expect(notes.every(({ why }) => why.length > 10)).toBe(true);
  });

  test("that holds a key in clear is told to revoke it, and the key is said nowhere", () => {
    const { notes, said } = readWorkflow(withFront("tracker: { api_key: lin_api_secret123 }"));
    expect(notes[0]?.why).toContain("revoke it");
    expect(JSON.stringify([notes, said])).not.toContain("secret123");
  });

  test.each([
    ["hooks: [a]", 2, "`hooks` must hold keys with values"],
    ["hooks:\n  before_run: [ls]", 3, "`hooks.before_run`: a script as text"],
    ["hooks:\n  timeout_ms: soon", 3, "a whole number of milliseconds"],
    ["agent:\n  max_concurrent_agents: 0", 3, "a number from 1"],
    ["codex:\n\n  turn_timeout_ms: 1.5", 4, "a whole number of milliseconds"],
    ["codex:\n  model: 7", 3, "the name of a model"],
    ["- tracker", 2, "must hold keys with values"],
    ["hooks: {", 3, "This is no YAML"],
    ["hooks: { a: 1, a: 2 }", 2, "This is no YAML"],
    [`hooks:\n  before_run: ${"x".repeat(2001)}`, 3, "`hooks.before_run`"],
  ])("says where it is wrong: %j", (front, line, what) => {
    const [problem] = readWorkflow(withFront(front)).problems;
    expect(problem?.line).toBe(line);
    expect(problem?.message).toContain(what);
  });

  test.each([
    ["{{ issue.titel }}", "did you mean `issue.title`"],
    ["{{ ticket }}", "unknown variable `ticket`"],
    ["{{ attempt.number }}", "unknown variable"],
    ["{{ issue.title | shout }}", "shout"],
    ["{{ issue.title.first }}", "unknown variable"],
    ["{% include 'x' %}", "include"],
    ["{% for l in issue.labels %}{{ l }}", "for"],
  ])("has a strict prompt: %j", (prompt, what) => {
    const { problems, said } = readWorkflow(withFront("polling: {}", `One.\n\n${prompt}`));
    expect(problems).toMatchObject([{ message: expect.stringContaining(what) }]);
    expect(problems[0]?.line).toBeGreaterThanOrEqual(6);
    expect(said["prompts"]).toBeUndefined();
  });

  test.each([
    "{{ issue.labels | join: ', ' }} {{ issue.labels[0] }} {{ issue.blocked_by.size }}",
    "{% if issue.description %}{{ issue.description }}{% else %}none{% endif %}",
    "{{ issue.priority }} {{ issue.state }} {{ attempt | plus: 1 }} {{ ticket.ref }}",
  ])("may mention what Symphony gives: %j", (prompt) => {
    expect(readWorkflow(withFront("polling: {}", prompt)).problems).toEqual([]);
  });

  test("without front matter is all prompt where it is named, and one without an end is wrong", () => {
    expect(readWorkflow("Build {{ issue.title }}.\n").said).toEqual({
      prompts: { build: "Build {{ issue.title }}." },
    });
    expect(readWorkflow("---\nhooks: {}\n").problems[0]?.message).toContain("no end");
    expect(partsOf("---\r\nhooks: {}\r\n---\r\n\r\nDo.\r\n")).toEqual({
      front: "hooks: {}\r\n",
      body: "Do.",
      bodyLine: 5,
    });
  });

  test("that holds itself, or is made of keys that mean nothing, is told so and read in time", () => {
    expect(readWorkflow(withFront("hooks: &a\n  before_run: *a\n")).problems).toMatchObject([
      { line: 2, message: expect.stringContaining("holds itself") },
    ]);
    const keys = Array.from({ length: 3_000 }, (_, index) => `  k${index}: 1\n`).join("");
    expect(readWorkflow(withFront(`tracker:\n${keys}`)).notes).toHaveLength(100);
    const [note] = readWorkflow(withFront('tracker:\n  "x\\nversion: 3": 1\n')).notes;
    expect(note?.key).toBe("tracker.x version: 3");
  });

  test("cloned into an empty workspace only, has no command left", () => {
    const { said, notes } = readWorkflow(
      withFront('hooks:\n  after_create: |\n    set -eu\n    git clone git@github.com:acme/web.git "$PWD"\n'),
    );
    expect(said).toEqual({ prompts: { build: "Build it." } });
    expect(notes).toMatchObject([{ key: "hooks.after_create" }]);
  });

  test.each([
    ["---\ntitle: How we work\n---\nHi.", false],
    ["# How we work\n\ntracker: paper\n", false],
    ["---\ntitle: x\n---\ntracker: y\n", false],
    ["---\ncodex: {}\n---\nDo.", true],
    ["\uFEFF---\nhooks :\n", true],
  ])("is told from a page for people: %j", (text, is) => {
    expect(isWorkflow(text)).toBe(is);
  });
});
