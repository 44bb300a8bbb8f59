// Inside the namespace: each agent as its entry of the agents file makes it, and a model server that plays its maker.
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const [folder, native, ...picked] = process.argv.slice(2);
/** Some cases only: `CASES=edit,resume`. */
const onlyCases = process.env.CASES?.split(",");
const load = (path) => import(resolve("dist/src", path));
const [{ acpProtocol }, { readAgentsFile }, { systemClock }, { startModelServer }] = await Promise.all([
  load("adapters/agents/acp/entry.js"),
  load("adapters/agents/agents-file.js"),
  load("adapters/clock.js"),
  load("simulator/model/server.js"),
]);
const bin = (kind, name) => join(folder, kind, "node_modules", ".bin", name);
const clock = systemClock();
const shell =
  (name, more = {}) =>
  (command) => ({
    tool: { name, input: { command, description: "as scripted", ...more } },
  });
const anthropic = (url) => ({ ANTHROPIC_API_KEY: "dummy", ANTHROPIC_BASE_URL: url });

/** How each is installed, reaches the model and calls its shell. */
const agents = {
  opencode: {
    command: [bin("whole", "opencode"), "acp"],
    run: shell("bash"),
    model: "anthropic/claude-opus-5-5",
    set: () => ({ OPENCODE_DISABLE_MODELS_FETCH: "1" }),
    prepare: (home, url) => {
      mkdirSync(join(home, ".config", "opencode"), { recursive: true });
      const model = {
        name: "O",
        cost: { input: 5, output: 25 },
        limit: { context: 200_000, output: 32_000 },
      };
      const provider = {
        anthropic: {
          options: { baseURL: `${url}/v1`, apiKey: "dummy" },
          models: { "claude-opus-5-5": model },
        },
      };
      writeFileSync(
        join(home, ".config", "opencode", "opencode.json"),
        JSON.stringify({ model: "anthropic/claude-opus-5-5", provider }),
      );
    },
  },
  copilot: {
    command: [bin("whole", "copilot"), "--acp"],
    run: shell("bash"),
    model: "claude-opus-5-5",
    set: (url) => ({
      COPILOT_PROVIDER_TYPE: "anthropic",
      COPILOT_PROVIDER_BASE_URL: url,
      COPILOT_PROVIDER_API_KEY: "dummy",
      COPILOT_MODEL: "claude-opus-5-5",
      COPILOT_OFFLINE: "true",
    }),
    entry: { pinned: true },
  },
  qwen: {
    command: [bin("bare", "qwen"), "--acp", "--auth-type", "anthropic"],
    run: shell("run_shell_command", { is_background: false }),
    set: (url) => ({ ...anthropic(url), ANTHROPIC_MODEL: "qwen3-coder-plus" }),
  },
  "claude-agent-acp": {
    command: [bin("bare", "claude-agent-acp")],
    run: shell("Bash"),
    needs: "claude",
    set: (url) => ({
      ...anthropic(url),
      CLAUDE_CODE_EXECUTABLE: join(native, "claude"),
      CLAUDE_CODE_MAX_RETRIES: "1",
    }),
  },
  "codex-acp": {
    command: [bin("bare", "codex-acp")],
    run: (command) => ({ run: command }),
    needs: "codex",
    set: (_, home) => ({
      CODEX_API_KEY: "dummy",
      CODEX_HOME: join(home, "codex"),
      CODEX_PATH: join(native, "codex"),
    }),
    prepare: (home, url) => {
      mkdirSync(join(home, "codex"), { recursive: true });
      writeFileSync(
        join(home, "codex", "config.toml"),
        `model = "gpt-5.5"\nmodel_provider = "mock"\ncheck_for_update_on_startup = false\n[model_providers.mock]\nname = "mock"\nbase_url = "${url}/v1"\nenv_key = "CODEX_API_KEY"\nwire_api = "responses"\nrequest_max_retries = 1\nstream_max_retries = 1\n[analytics]\nenabled = false\n[feedback]\nenabled = false\n`,
      );
    },
  },
  gemini: {
    command: [bin("bare", "gemini"), "--acp"],
    set: () => ({ GEMINI_API_KEY: "dummy" }),
    handshakeOnly: "its API is not among the dialects of the model server",
  },
};

const limits = { turnMs: 120_000, stallMs: 45_000, outputTokens: 100_000, usd: 5 };
const schema = { type: "object", required: ["verdict"], properties: { verdict: { type: "string" } } };
const carrying = (runId) =>
  readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/u.test(pid) && readFileSync(`/proc/${pid}/environ`, "utf8").includes(`RUN_ID=${runId}`);
    } catch {
      return false;
    }
  });

/** Each case answers what came of it, for the table; it throws when that is not what it must be. */
const cases = {
  handshake: async ({ agent }) => {
    const { found, version, why } = await agent.probe();
    assert.ok(found && why === undefined, why);
    return version;
  },
  edit: async ({ work, at }) => {
    const { outcome, models, usd, tokens } = await work("edit");
    assert.equal(outcome.is, "done", outcome.why);
    assert.match(outcome.text, /All done/u);
    assert.equal(readFileSync(at("greet.txt"), "utf8"), "hello\n");
    assert.ok(tokens > 0, "tokens were counted");
    const model = models.map(({ id, configured }) => (configured === undefined ? id : `${id} (configured)`));
    return `yes; model ${model.join(", ") || "unnamed"}; ${usd === undefined ? "no dollars" : "dollars"}`;
  },
  resume: async ({ work, model }) => {
    const first = await work("say");
    const { outcome, session } = await work("more", { resume: first.session });
    assert.equal(outcome.is, "done", outcome.why);
    assert.equal(session, first.session);
    assert.ok(model.calls.at(-1).raw.includes("[[say]]"), "the model was told of the first turn");
    return "yes";
  },
  "answer by schema": async ({ work }) => {
    const { outcome } = await work("verdict", { schema, access: "read" });
    assert.deepEqual(outcome.structured, { verdict: "pass" });
    return "yes";
  },
  "reader's command": async ({ work, at }) => {
    await work("sneak", { access: "read" });
    assert.ok(!existsSync(at("sneaked.txt")), "a reader wrote");
    return "refused";
  },
  "wrong key (401)": failing("e401", (outcome) => assert.equal(outcome.code, "logged-out")),
  "rate limit (429)": failing("e429", (outcome) => assert.equal(outcome.how, "retry")),
  "server error (500)": failing("e500", (outcome) => assert.equal(outcome.how, "retry")),
  quota: failing("quota"),
  "cut stream": failing("cut"),
  refusal: failing("refuse"),
  "silent model": failing("hang", (outcome) => assert.equal(outcome.code, "stalled")),
  "kill in a tool": async ({ work }) => {
    const stop = new AbortController();
    const { outcome, runId } = await work("long", {}, { stop, onTool: () => stop.abort() });
    assert.equal(outcome.code, "aborted");
    assert.deepEqual(carrying(runId), []);
    return "nothing left";
  },
};
function failing(scenario, judge = () => undefined) {
  return async ({ work }) => {
    const { outcome } = await work(scenario, {});
    assert.equal(outcome.is, "failed");
    judge(outcome);
    return `${outcome.how}: ${outcome.code}`;
  };
}
const scenarios = (run) => ({
  // A call of the agent's own, for a title, may take one of the steps: so each is there twice.
  edit: [
    [{ say: "I look." }, run("echo hello > greet.txt")],
    [{ say: "I look." }, run("echo hello > greet.txt")],
    { say: "All done." },
  ],
  say: [{ say: "Said." }],
  more: [{ say: "More." }],
  verdict: [{ say: 'So:\n\n```json\n{"verdict": "pass"}\n```' }],
  sneak: [run("echo x > sneaked.txt"), run("echo x > sneaked.txt"), { say: "Tried." }],
  long: [run("sleep 300"), run("sleep 300"), { say: "Slept." }],
  e401: [{ fails: "unauthorized" }],
  e429: [{ fails: "rate-limited" }],
  e500: [{ fails: "server-error" }],
  quota: [{ fails: "quota" }],
  cut: [{ breaks: "cut" }],
  refuse: [{ stop: "refusal" }],
  hang: [{ breaks: "hang" }],
});

async function stageOf(name) {
  const about = agents[name];
  // Not below TMPDIR: Codex keeps its helpers from a home that lies there.
  const dir = mkdtempSync(join(dirname(tmpdir()) === "/" ? "/var/tmp" : tmpdir(), "acp-agents-"));
  const home = join(dir, "home");
  const tree = join(dir, "tree");
  for (const path of [home, tree, join(dir, "tmp")]) mkdirSync(path);
  const model = await startModelServer({ scenarios: about.run === undefined ? {} : scenarios(about.run) });
  about.prepare?.(home, model.url);
  const entry = {
    use: name,
    command: about.command,
    set: about.set(model.url, home),
    ...(about.model === undefined ? {} : { model: about.model }),
    ...about.entry,
  };
  const { agents: listed, faults } = readAgentsFile(JSON.stringify({ [name]: entry }), { acp: acpProtocol });
  assert.deepEqual(faults, []);
  const agent = listed.get(name)({
    host: () => ({ home, searchPath: process.env.PATH, tmp: join(dir, "tmp"), own: {} }),
    stateDir: join(dir, "state"),
    clock,
  });
  let runs = 0;
  const work = async (scenario, change = {}, { stop = new AbortController(), onTool } = {}) => {
    runs += 1;
    const order = {
      role: "build",
      prompt: `Do what is asked. [[${scenario}]]`,
      cwd: tree,
      resume: undefined,
      access: "write",
      schema: undefined,
      runId: `acp-${process.pid}-${name}-${runs}`,
      model: undefined,
      limits,
      ...change,
    };
    const heard = { runId: order.runId, models: [], tokens: 0, usd: undefined };
    for await (const said of agent.work(order, stop.signal)) {
      if (process.env.LOUD === "1") console.error(name, scenario, JSON.stringify(said));
      if (said.type === "session") heard.session = said.id;
      if (said.type === "model") heard.models.push(said);
      if (said.type === "tool") onTool?.();
      if (said.type === "usage") {
        heard.tokens += said.usage.inputTokens + said.usage.outputTokens;
        heard.usd = said.usage.usd === undefined ? heard.usd : (heard.usd ?? 0) + said.usage.usd;
      }
      if (said.type === "result") heard.outcome = said.outcome;
    }
    return heard;
  };
  return {
    agent,
    work,
    model,
    at: (path) => join(tree, path),
    close: async () => {
      await model.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const counts = { passed: 0, failed: 0, skipped: 0 };
const table = new Map();
for (const name of picked.length === 0 ? Object.keys(agents) : picked) {
  const { needs, handshakeOnly } = agents[name];
  const row = {};
  table.set(name, row);
  for (const [what, play] of Object.entries(cases)) {
    if (onlyCases?.includes(what) === false) {
      row[what] = "not run";
      continue;
    }
    const why =
      needs !== undefined && (native === "" || !existsSync(join(native, needs)))
        ? `\`${needs}\` is not there: run npm run test:agents first`
        : what === "handshake"
          ? undefined
          : handshakeOnly;
    if (why !== undefined) {
      counts.skipped += 1;
      row[what] = "skipped";
      console.log(`skipped ${name} ${what}: ${why}`);
      continue;
    }
    const started = Date.now();
    const stage = await stageOf(name);
    try {
      row[what] = await play(stage);
      counts.passed += 1;
      console.log(`ok ${name} ${what}: ${row[what]} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
    } catch (error) {
      counts.failed += 1;
      row[what] = "FAILED";
      console.log(`not ok ${name} ${what}: ${error.stack}`);
    } finally {
      await stage.close();
    }
  }
}
const rows = [...table.values()];
console.log(`\n| | ${[...table.keys()].join(" | ")} |`);
console.log(`|---|${rows.map(() => "---").join("|")}|`);
for (const what of Object.keys(cases))
  console.log(`| ${what} | ${rows.map((row) => row[what].replaceAll("|", "\\|")).join(" | ")} |`);
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed === 0 ? 0 : 1);
