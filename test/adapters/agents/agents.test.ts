import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { AgentSays } from "../../../src/ports-agents.ts";
import { readSample, sampleNames } from "./samples.ts";
import { all, at, make, models, notes, onStage, order, script, scriptSample } from "./stage.ts";
import { outcomeIn, usages, work } from "./turns.ts";

onStage();

const sampleOf = {
  "claude-code": "claude-edit",
  codex: "codex-edit",
  "codex-app-server": "app-server-edit",
  pi: "pi-edit",
} as const;

describe.each(all)("%s", (name) => {
  test("it sees nothing of the operator's environment", async () => {
    const honey = [
      "GITHUB_TOKEN",
      "GH_TOKEN",
      "FORGEHAND_PRIVATE_KEY",
      "LINEAR_API_KEY",
      "SSH_AUTH_SOCK",
      "AWS_SECRET_ACCESS_KEY",
      "GIT_ASKPASS",
      "NPM_TOKEN",
      "NODE_OPTIONS_LIKE",
    ];
    const kept = new Map(honey.map((key) => [key, process.env[key]]));
    for (const key of honey) process.env[key] = "honey-token";
    try {
      scriptSample(sampleOf[name]);
      await work(make(name), order());
    } finally {
      for (const [key, value] of kept) {
        if (value === undefined) delete process.env[key];
        else process.env[key] = value;
      }
    }
    const env = notes()[0]?.env ?? {};
    expect(Object.values(env)).not.toContain("honey-token");
    // The shell that starts the stand-in adds the last three.
    const known = [
      "CI",
      "FAKE",
      "HOME",
      "LANG",
      "NO_COLOR",
      "PATH",
      "RUN_ID",
      "TERM",
      "TMPDIR",
      "OLDPWD",
      "PWD",
      "SHLVL",
      "_",
    ];
    const its = {
      "claude-code": /^(?:CLAUDE_CODE_|DISABLE_)/u,
      codex: /^CODEX_HOME$/u,
      "codex-app-server": /^CODEX_HOME$/u,
      pi: /^PI_/u,
    }[name];
    expect(Object.keys(env).filter((key) => !known.includes(key) && !its.test(key))).toEqual([]);
  });

  test("the prompt goes in on stdin, whatever it looks like, and the worktree is where it works", async () => {
    scriptSample(sampleOf[name]);
    const prompt = "--resume '$(touch pwned)' `id`\n".repeat(5_000);
    const { outcome } = await work(make(name), order({ prompt }));
    expect(outcome.is).toBe("done");
    const [note] = notes();
    if (name === "codex-app-server")
      expect(note?.heard?.[3]).toMatchObject({ method: "turn/start", params: { input: [{ text: prompt }] } });
    else expect(note?.stdin).toBe(prompt);
    expect(note?.args.join(" ")).not.toContain("pwned");
    expect(note?.cwd).toBe(at("tree"));
  });

  test("an absent binary blocks and names the way to install it", async () => {
    const { outcome } = await work(make(name, at("nowhere")), order());
    expect(outcome).toMatchObject({
      how: "blocked",
      code: "runtime-absent",
      why: expect.stringMatching(/nowhere.*npm install -g @/u),
    });
  });

  test("an absent worktree is not taken for an absent binary", async () => {
    const { outcome } = await work(make(name), order({ cwd: at("gone") }));
    expect(outcome).toMatchObject({ how: "give-up", code: "worktree-missing" });
  });

  test.each(["--dangerously-skip-permissions", "-c", "../../x", ""])(
    "a session called %j never reaches the command line",
    async (resume) => {
      scriptSample(sampleOf[name]);
      const { outcome } = await work(make(name), order({ resume }));
      expect(outcome).toMatchObject({ how: "give-up", code: "session-unknown" });
      expect(existsSync(at("notes"))).toBe(false);
    },
  );

  test("silence, slowness and an abort end it, each with its own outcome", async () => {
    script({ lines: readSample(sampleOf[name]).lines.slice(0, 2), hang: "yes" });
    const { limits } = order();
    const stalled = await work(make(name), order({ limits: { ...limits, stallMs: 700 } }));
    expect(stalled.outcome).toMatchObject({ how: "retry", code: "stalled" });
    const slow = await work(make(name), order({ limits: { ...limits, turnMs: 700 } }));
    expect(slow.outcome).toMatchObject({ how: "unfinished", code: "turn-limit" });
    const stop = new AbortController();
    const says: AgentSays[] = [];
    for await (const one of make(name).work(order(), stop.signal)) {
      says.push(one);
      if (one.type === "session") stop.abort();
    }
    expect(outcomeIn(says)).toMatchObject({ how: "give-up", code: "aborted" });
  });

  test("an order aborted before it began ends at once", async () => {
    script({ hang: "yes" });
    const { outcome } = await work(make(name), order(), AbortSignal.abort());
    expect(outcome).toMatchObject({ how: "give-up", code: "aborted" });
  });

  test("a failure on stderr alone is classified", async () => {
    const sample = {
      "claude-code": "claude-resume-unknown",
      codex: "codex-resume-unknown",
      "codex-app-server": "app-server-resume-unknown",
      pi: "pi-no-login",
    }[name];
    scriptSample(sample);
    const { says, outcome } = await work(
      make(name),
      order({ resume: "00000000-0000-7000-8000-000000000000" }),
    );
    expect(outcome).toMatchObject({ how: "give-up", code: "session-unknown" });
    expect(says).toHaveLength(1);
  });

  test("a run that writes more than it may is ended while it runs", async () => {
    const text = "word ".repeat(2_000);
    const thread = "01a1feb2-e0dd-7672-8b01-1cd07d64384a";
    const before = name === "codex-app-server" ? readSample("app-server-edit").lines.slice(0, 3) : [];
    const line = {
      "claude-code": {
        type: "assistant",
        session_id: "s-1",
        message: { id: "m", model: "claude-opus-5-5", content: [{ type: "text", text }] },
      },
      codex: { type: "item.completed", item: { type: "agent_message", text } },
      "codex-app-server": {
        method: "item/agentMessage/delta",
        params: { threadId: thread, delta: text },
      },
      pi: {
        type: "message_end",
        message: { role: "assistant", usage: { output: 2_500 }, content: [{ type: "text", text }] },
      },
    }[name];
    script({ lines: [...before, JSON.stringify(line)], hang: "yes" });
    const { says, outcome } = await work(
      make(name),
      order({ limits: { ...order().limits, outputTokens: 1_000 } }),
    );
    expect(outcome).toMatchObject({ how: "unfinished", code: "output-limit" });
    expect(usages(says)).toMatchObject([{ outputTokens: 2_500 }]);
  });

  test("probing tells version and login, and what to do where either is missing", async () => {
    script({ version: "fake 9.8.7" });
    expect(await make(name, at("fake"), { ANTHROPIC_API_KEY: "k", OPENAI_API_KEY: "k" }).probe()).toEqual({
      found: true,
      version: "9.8.7",
      why: undefined,
    });
    expect(await make(name).probe()).toMatchObject({
      found: true,
      why: expect.stringMatching(/is not logged in: run `.*fake/u),
    });
    expect(await make(name, at("nowhere")).probe()).toMatchObject({
      found: false,
      why: expect.stringMatching(/npm install -g/u),
    });
    script({ versionExit: 3 });
    expect(await make(name).probe()).toMatchObject({
      found: false,
      why: expect.stringMatching(/exit code 3/u),
    });
  });
});

describe("claude-code", () => {
  test("a resumed session is charged for what is new, even by another process", async () => {
    scriptSample("claude-edit");
    const first = await work(make("claude-code"), order());
    expect(usages(first.says)).toEqual([
      {
        inputTokens: 5100,
        cachedInputTokens: 800,
        outputTokens: 160,
        reasoningTokens: 0,
        usd: 0.020560000000000002,
      },
    ]);
    scriptSample("claude-resume");
    const resume = "15d0b09c-e278-41f1-8bab-d0e365ff4fab";
    const second = await work(make("claude-code"), order({ resume }));
    expect(usages(second.says)).toEqual([
      {
        inputTokens: 2400,
        cachedInputTokens: 0,
        outputTokens: 80,
        reasoningTokens: 0,
        usd: expect.closeTo(0.0112, 6),
      },
    ]);
    const args = notes()[1]?.args ?? [];
    expect(args.slice(args.indexOf("--resume"), args.indexOf("--resume") + 2)).toEqual(["--resume", resume]);
    expect(args[args.indexOf("--max-budget-usd") + 1]).toBe("5.0000");
    expect(models(second.says)).toEqual(["claude-opus-5-5"]);
  });

  test("what a killed run used is charged by estimate, and taken off the next count", async () => {
    const { lines } = readSample("claude-edit");
    script({ lines: lines.slice(0, -1), exit: 143 });
    const killed = await work(make("claude-code"), order());
    expect(killed.outcome).toMatchObject({ how: "retry", code: "killed" });
    const [guess] = usages(killed.says);
    expect(guess).toMatchObject({ inputTokens: 5100, cachedInputTokens: 800 });
    expect(guess?.usd).toBeGreaterThan(0);
    scriptSample("claude-resume");
    const { says } = await work(
      make("claude-code"),
      order({ resume: "15d0b09c-e278-41f1-8bab-d0e365ff4fab" }),
    );
    const [next] = usages(says);
    expect((guess?.outputTokens ?? 0) + (next?.outputTokens ?? 0)).toBe(240);
    expect((guess?.usd ?? 0) + (next?.usd ?? 0)).toBeCloseTo(0.03176, 6);
  });

  test("its keys reach it and the login of the operator's shell does not", async () => {
    scriptSample("claude-edit");
    await work(make("claude-code", at("fake"), { ANTHROPIC_API_KEY: "k", GITHUB_TOKEN: "never" }), order());
    expect(notes()[0]?.env).toMatchObject({
      ANTHROPIC_API_KEY: "k",
      HOME: at("home"),
      CLAUDE_CODE_MAX_RETRIES: "4",
    });
    expect(notes()[0]?.env).not.toHaveProperty("GITHUB_TOKEN");
  });
});

describe("codex", () => {
  const thread = "01a1fbeb-daee-7a73-bc5f-d4c80b2af1dc";
  const record = (lines: readonly unknown[], id = thread): void => {
    const day = join(at("codex"), "sessions", "2026", "11", "21");
    mkdirSync(day, { recursive: true });
    writeFileSync(
      join(day, `rollout-2026-11-21T02-25-00-${id}.jsonl`),
      lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    );
  };
  const turnContext = (model: string) => ({
    timestamp: "t",
    type: "turn_context",
    payload: { cwd: "/x", model },
  });
  const counted = (input: number, output: number) => ({
    type: "event_msg",
    payload: {
      type: "token_count",
      info: {
        total_token_usage: {
          input_tokens: input,
          cached_input_tokens: 0,
          output_tokens: output,
          reasoning_output_tokens: 0,
        },
      },
    },
  });

  test("a resumed thread is charged for what is new, even by another process", async () => {
    scriptSample("codex-edit");
    const first = await work(make("codex"), order());
    expect(usages(first.says)).toEqual([
      { inputTokens: 4400, cachedInputTokens: 1800, outputTokens: 132, reasoningTokens: 0, usd: undefined },
    ]);
    scriptSample("codex-resume");
    const second = await work(make("codex"), order({ resume: thread }));
    expect(usages(second.says)).toEqual([
      { inputTokens: 2400, cachedInputTokens: 0, outputTokens: 80, reasoningTokens: 0, usd: undefined },
    ]);
  });

  test("the model is the one its own record names", async () => {
    record([
      { type: "session_meta", payload: { id: thread } },
      "noise",
      turnContext("gpt-6-mini"),
      turnContext("gpt-6-mini"),
    ]);
    scriptSample("codex-edit");
    expect(models((await work(make("codex"), order({ model: "gpt-5.5" }))).says)).toEqual(["gpt-6-mini"]);
  });

  test("without a record the model is the one asked for by name, and without one it is unknown", async () => {
    record([turnContext("gpt-6-mini")], "01a1fbeb-0000-7a73-bc5f-d4c80b2af1dc");
    scriptSample("codex-edit");
    expect(models((await work(make("codex"), order({ model: "gpt-5.5" }))).says)).toEqual(["gpt-5.5"]);
    expect(models((await work(make("codex"), order())).says)).toEqual([]);
  });

  test("a run that stopped before its thread began names no model", async () => {
    scriptSample("codex-not-a-git-repo");
    expect((await work(make("codex"), order({ model: "gpt-5.5" }))).says).toHaveLength(1);
  });

  test("what a killed run used is read from its record, once", async () => {
    record([turnContext("gpt-5.5"), counted(3_000, 90)]);
    script({ lines: readSample("codex-edit").lines.slice(0, 5), exit: 143 });
    const killed = await work(make("codex"), order());
    expect(usages(killed.says)).toMatchObject([{ inputTokens: 3_000, outputTokens: 90 }]);
    scriptSample("codex-edit");
    const next = await work(make("codex"), order({ resume: thread }));
    expect(usages(next.says)).toMatchObject([{ inputTokens: 1_400, outputTokens: 42 }]);
  });

  test("a run that spends more than it may is ended while it runs", async () => {
    record([turnContext("gpt-5.5"), counted(2_000_000, 10_000)]);
    script({ lines: readSample("codex-edit").lines.slice(0, 5), hang: "yes" });
    const { says, outcome } = await work(make("codex"), order({ limits: { ...order().limits, usd: 1 } }));
    expect(outcome).toMatchObject({ how: "unfinished", code: "budget" });
    expect(usages(says)).toHaveLength(1);
  });

  test("the schema lies in a private file for as long as it works, and nowhere after", async () => {
    scriptSample("codex-schema");
    const schema = { type: "object", properties: { status: { type: "string" } } };
    const { outcome } = await work(make("codex"), order({ schema }));
    expect(outcome).toMatchObject({ is: "done", structured: { status: "done", summary: "all good" } });
    const [note] = notes();
    expect(JSON.parse(note?.schema ?? "")).toEqual(schema);
    expect(note?.args[(note?.args.indexOf("--output-schema") ?? 0) + 1]).toMatch(
      new RegExp(`^${at("state")}/`, "u"),
    );
    expect(readdirSync(at("state")).filter((entry) => entry.startsWith("schema-"))).toEqual([]);
    expect(readdirSync(at("tree"))).toEqual([]);
  });

  test("a login it keeps itself counts", async () => {
    script({ loginExit: 0 });
    expect(await make("codex").probe()).toMatchObject({ found: true, why: undefined });
    script({});
    writeFileSync(join(at("codex"), "auth.json"), "{}");
    expect(await make("codex").probe()).toMatchObject({ found: true, why: undefined });
  });
});

const runtimeOf = { claude: "claude-code", codex: "codex", app: "codex-app-server", pi: "pi" } as const;
const samples = (["claude", "codex", "app-server", "pi"] as const).flatMap((name) => sampleNames(name));
test.each(samples)("%s as a process ends with exactly one result", async (sample) => {
  scriptSample(sample);
  // Every sample is named after its runtime.
  const runtime = runtimeOf[sample.split("-")[0] as keyof typeof runtimeOf];
  const { says } = await work(make(runtime), order());
  expect(outcomeIn(says)).toHaveProperty("is");
});
