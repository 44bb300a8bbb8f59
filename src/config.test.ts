import { describe, expect, test } from "vitest";
import { protectedPaths } from "./config-schema.ts";
import { defaultConfig, policyOf } from "./config.ts";
import { configJsonSchema, readConfig } from "./config-file.ts";
import { issueValues } from "./config-issue.ts";
import { renderPrompt } from "./config-template.ts";

describe("a repository's configuration", () => {
  test.each([undefined, "", "  \n", "# only a comment\n", "version: 1\n", "commands:\nhooks:\n"])(
    "%j means every default",
    (text) => {
      expect(readConfig(text)).toEqual({ config: defaultConfig(), problems: [] });
    },
  );
  test("has the numbers of the house as defaults", () => {
    const { limits, merge, hooks, review } = defaultConfig();
    expect(limits).toMatchObject({
      attempts: 3,
      cycles: 3,
      unreviewed: 3,
      mediator_at: 2,
      stall_minutes: 5,
      turn_minutes: 60,
      output_tokens: 100_000,
      run_usd: 5,
      concurrency: 3,
    });
    expect(merge).toEqual({
      after_approval: true,
      method: "auto",
      keep_up_to_date: false,
      update: "merge",
      base_wait_minutes: 1440,
      settle_seconds: 30,
      delete_branch: true,
    });
    expect([hooks.timeout_seconds, review.strict]).toEqual([60, false]);
    expect(policyOf(defaultConfig())).toEqual({
      maxAttempts: 3,
      maxCycles: 3,
      maxUnreviewed: 3,
      mergeAfterApproval: true,
    });
  });
  test("keeps what is right beside what is wrong", () => {
    const { config, problems } = readConfig("limits:\n  attempts: 5\n  cycles: many\n");
    expect([config.limits.attempts, config.limits.cycles]).toEqual([5, 3]);
    expect(problems).toHaveLength(1);
  });
  test("may add protected paths and never take one away", () => {
    const { config } = readConfig("paths:\n  protected: [migrations/**]\n");
    expect(config.paths.protected).toEqual([...protectedPaths, "migrations/**"]);
    expect(readConfig("paths:\n  protected: []\n").config.paths.protected).toEqual(protectedPaths);
  });
});

describe("a file that means harm", () => {
  test.each(["a: &a { b: *a }\n", "paths:\n  protected: &a [*a]\n", "limits: &a { attempts: *a }\n"])(
    "may hold itself, %j, and is told so",
    (text) => {
      const { problems, config } = readConfig(text);
      expect(problems).toMatchObject([{ line: 1, message: expect.stringContaining("holds itself") }]);
      expect(config).toEqual(defaultConfig());
    },
  );
  test("may be made of unknown keys, and is told of the first and how many more", () => {
    const { problems } = readConfig(Array.from({ length: 3_000 }, (_, index) => `k${index}: 1\n`).join(""));
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toMatchObject({ line: 100, message: "And 2900 more parts are wrong." });
  });
  test("takes no longer for many keys than for few", () => {
    const keys = Array.from({ length: 30_000 }, (_, index) => `k${index}: \n`).join("");
    const started = process.cpuUsage();
    expect(readConfig(keys).problems).toEqual([]);
    expect(process.cpuUsage(started).user / 1_000_000).toBeLessThan(6);
  });
  test("says no key twice", () => {
    expect(readConfig("limits:\n  cycles: 2\n  cycles: 3\n").problems).toEqual([
      { line: 3, column: 3, message: "This is no YAML: Map keys must be unique" },
    ]);
  });
  test("may hold a glob without quotes, which YAML takes for an alias", () => {
    expect(readConfig("paths:\n  protected: [db/**, *.sql]\n").problems).toMatchObject([
      { line: 2, column: 22, message: expect.stringContaining("in quotes") },
    ]);
    const text = "limits: { attempts: &many 7, cycles: *many }\n";
    expect(readConfig(text)).toMatchObject({ problems: [], config: { limits: { attempts: 7, cycles: 7 } } });
  });
  test("ends no line with a key of its own", () => {
    const [problem] = readConfig('"x`\\n::error::y\\e[2J": 1\n').problems;
    expect(problem?.message).toMatch(/^Unknown key `x ::error::y \[2J`\. /u);
  });
});

describe("what is wrong is shown at its place", () => {
  test.each([
    [
      "an unknown key, with the nearest",
      "review:\n  max_finding: 3\n",
      2,
      3,
      "`review.max_finding`. Did you mean `max_findings`?",
    ],
    ["an unknown group, with the nearest", "version: 1\n\nlimit: {}\n", 3, 1, "Did you mean `limits`?"],
    [
      "a key like no other, with what is known",
      "merge:\n  zzzzzzzzz: 1\n",
      2,
      3,
      "Known here: `after_approval`",
    ],
    ["a key of JavaScript's own", "constructor: 1\n", 1, 1, "Unknown key `constructor`"],
    ["a wrong type", "limits:\n  run_usd: five\n", 2, 3, 'expected number, and found "five"'],
    ["a wrong number", "limits:\n  attempts: 0\n", 2, 3, ">=1, and found 0"],
    ["a wrong word", "review:\n  mediator: esclate\n", 2, 3, '"escalate"|"continue", and found "esclate"'],
    ["a wrong member of a list", "allow_bots:\n  - ok[bot]\n  - not ok\n", 3, 5, "a GitHub login"],
    ["a later version", "version: 2\n", 1, 1, "expected 1, and found 2"],
    ["a value where a group belongs", "commands: npm test\n", 1, 1, "expected object"],
    [
      "one name for two labels",
      "labels:\n  agent-ready: go\n  auto-merge: go\n",
      3,
      3,
      "agent-ready and auto-merge share it",
    ],
    ["a name that is another label's own", "labels:\n  agent-ready: auto-merge\n", 2, 3, "share it"],
    [
      "an unknown variable on its line",
      "prompts:\n  build: |\n    Hello.\n    {{ ticket.titel }}\n",
      4,
      1,
      "unknown variable `ticket.titel`; did you mean `ticket.title`?",
    ],
    [
      "an unknown variable of no group",
      "prompts: { gate: '{{ secret }}' }\n",
      1,
      1,
      "unknown variable `secret`",
    ],
    [
      "a variable that is a whole group",
      "prompts: { gate: '{{ ticket }}' }\n",
      1,
      1,
      "unknown variable `ticket`",
    ],
    [
      "an unknown variable of a merge message",
      "merge:\n  title: '{{ ticket.number }}'\n  body: '{{ work.sumary }}'\n",
      3,
      1,
      "Template `merge.body`: unknown variable `work.sumary`; did you mean `work.summary`?",
    ],
    ["an unknown filter", "prompts:\n  gate: '{{ ticket.ref | shout }}'\n", 2, 1, "undefined filter: shout"],
    ["an unclosed tag", "prompts:\n  gate: '{% if ticket.ref %}'\n", 2, 1, "not closed"],
    [
      "a template that reads a file",
      "prompts:\n  gate: \"{% include '/etc/passwd' %}\"\n",
      2,
      1,
      'tag "include" not found',
    ],
    [
      "a template that only fails when it is filled",
      "merge:\n  title: '{% assign one = ticket.title %}{{ one.two }}'\n",
      2,
      1,
      "undefined variable: one.two",
    ],
    [
      "a template without end",
      "prompts:\n  build: |\n    Go.\n    {% for one in (1..100000000) %}{{ one }}{% endfor %}\n",
      4,
      1,
      "memory alloc limit exceeded",
    ],
    ["no YAML", "a: [1\nb: 2\n", 2, 1, "This is no YAML"],
    ["a key given twice", "version: 1\nversion: 1\n", 2, 1, "unique"],
    ["a list", "- version\n", 1, 1, "must hold keys with values"],
  ])("%s", (_, text, line, column, message) => {
    const { config, problems } = readConfig(text);
    expect(problems).toEqual([{ line, column, message: expect.stringContaining(message) as string }]);
    expect(config).toMatchObject({ version: 1, merge: { method: "auto" }, prompts: {}, commands: {} });
  });
  test("all of it at once, in order", () => {
    const { problems } = readConfig("x: 1\nlimits:\n  attempts: a\n  y: 2\nallow_bots: [1, 2]\n");
    expect(problems.map(({ line }) => line)).toEqual([1, 3, 4, 5, 5]);
  });
  test("aliases that multiply are refused", () => {
    const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
    for (const [name, of] of ["ba", "cb", "dc", "ed", "fe", "gf"].map((pair) => [pair[0], pair[1]])) {
      bomb.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${of}`).join(", ")}]`);
    }
    expect(readConfig(bomb.join("\n")).problems[0]?.message).toContain("aliases");
  });
});

test("a template is filled with what it may mention", () => {
  const values = {
    ticket: { ref: "acme/web#42", title: "Fix", url: "u", author: "sam" },
    repo: { owner: "acme", name: "web", default_branch: "main" },
    run: { attempt: 2, round: 1, branch: "b" },
    issue: issueValues({ id: "1", ref: "r", title: "t", body: "", url: "u", state: "Ready", branch: "b" }),
    attempt: 1,
  };
  expect(renderPrompt("{{ ticket.ref }} try {{ run.attempt }}", values)).toBe("acme/web#42 try 2");
});

test("the schema for editors knows every group and closes each", () => {
  const schema = configJsonSchema();
  expect(Object.keys(schema["properties"] as object)).toContain("limits");
  expect(schema["additionalProperties"]).toBe(false);
});
