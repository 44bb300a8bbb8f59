// Inside the namespace: real binaries, an operator with servers, hooks and settings of their own, and an order that names
// one server. Only that one starts, and only the tools that the rules leave can be called.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const binaries = join(process.argv[2], "node_modules", ".bin");
const load = (path) => import(resolve("dist/src", path));
const [{ claudeCode }, { codex }, { systemClock }, { startModelServer }] = await Promise.all([
  load("adapters/agents/claude-code.js"),
  load("adapters/agents/codex.js"),
  load("adapters/clock.js"),
  load("simulator/model/server.js"),
]);

/** A server of two tools that notes who started it and what was called. */
const server = `
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
const [, , notes, name] = process.argv;
const note = (text) => appendFileSync(notes, name + " " + text + "\\n");
note("started with " + (process.env.DOCS_KEY ?? "no key"));
const tool = (name) => ({ name, description: name, inputSchema: { type: "object", properties: {} } });
const answers = {
  initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name, version: "1" } }),
  "tools/list": () => ({ tools: [tool("find"), tool("drop")] }),
  "tools/call": ({ name: called }) => (note("called " + called), { content: [{ type: "text", text: "found" }] }),
};
createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id, result: answers[method]?.(params) ?? {} }) + "\\n");
});
`;
const tools = {
  "claude-code": (name) => ({ tool: { name: `mcp__docs__${name}`, input: {} } }),
  codex: (name) => ({ tool: { name, namespace: "mcp__docs", input: {} } }),
};

async function play(runtime) {
  // Not below TMPDIR: Codex keeps its helpers from a home that lies there.
  const dir = mkdtempSync(join(dirname(tmpdir()) === "/" ? "/var/tmp" : tmpdir(), "servers-"));
  const at = (...path) => join(dir, ...path);
  for (const name of ["home/.claude", "codex", "tree", "tmp", "state"])
    mkdirSync(at(name), { recursive: true });
  execFileSync("git", ["init", "-q"], { cwd: at("tree") });
  const call = tools[runtime];
  const model = await startModelServer({
    scenarios: { look: [call("find"), call("drop"), { say: "Looked." }] },
    choose: () => "look",
  });
  try {
    writeFileSync(at("server.mjs"), server);
    const started = (name) => ({ command: process.execPath, args: [at("server.mjs"), at("notes"), name] });
    writeFileSync(at("home/.claude.json"), JSON.stringify({ mcpServers: { mine: started("mine") } }));
    const hook = { type: "command", command: `echo hooked >> ${at("notes")}` };
    writeFileSync(
      at("home/.claude/settings.json"),
      JSON.stringify({ hooks: { SessionStart: [{ hooks: [hook] }] } }),
    );
    writeFileSync(at("tree/.mcp.json"), JSON.stringify({ mcpServers: { theirs: started("theirs") } }));
    const { command, args } = started("mine");
    writeFileSync(
      at("codex/config.toml"),
      `model = "gpt-5.5"\nmodel_provider = "mock"\ncheck_for_update_on_startup = false\n[model_providers.mock]\nname = "mock"\nbase_url = "${model.url}/v1"\nenv_key = "CODEX_API_KEY"\nwire_api = "responses"\n[mcp_servers.mine]\ncommand = ${JSON.stringify(command)}\nargs = ${JSON.stringify(args)}\n`,
    );
    const host = (own) => ({ home: at("home"), searchPath: process.env.PATH, tmp: at("tmp"), own });
    const common = { stateDir: at("state"), clock: systemClock() };
    const agent =
      runtime === "codex"
        ? codex({
            ...common,
            binary: join(binaries, "codex"),
            host: host({ CODEX_API_KEY: "dummy" }),
            codexHome: at("codex"),
          })
        : claudeCode({
            ...common,
            binary: join(binaries, "claude"),
            host: host({ ANTHROPIC_API_KEY: "dummy", ANTHROPIC_BASE_URL: model.url }),
            maxRetries: 1,
          });
    const docs = { is: "process", name: "docs", ...started("docs"), env: { DOCS_KEY: "the-key" } };
    const order = {
      role: "review",
      prompt: "Look.",
      cwd: at("tree"),
      resume: undefined,
      access: "read",
      schema: undefined,
      runId: `servers-${runtime}`,
      model: runtime === "codex" ? undefined : "haiku",
      effort: "low",
      mcp: [docs],
      tools: { deny: ["mcp:docs/drop"] },
      limits: { turnMs: 120_000, stallMs: 120_000, outputTokens: 100_000, usd: 5 },
    };
    let outcome;
    for await (const said of agent.work(order, new AbortController().signal))
      if (said.type === "result") outcome = said.outcome;
    assert.equal(outcome?.is, "done", JSON.stringify(outcome));
    const notes = existsSync(at("notes")) ? readFileSync(at("notes"), "utf8").trim().split("\n") : [];
    assert.deepEqual(notes, ["docs started with the-key", "docs called find"]);
    const asked = model.calls.map(({ raw }) => JSON.parse(raw));
    const efforts = asked.map((body) => (body.reasoning ?? body.output_config)?.effort);
    assert.ok(
      efforts.every((effort) => effort === "low"),
      `effort is low, not ${efforts.join()}`,
    );
    console.log(`ok ${runtime} starts the server of its order alone, and calls of its tools what it may`);
  } finally {
    await model.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

for (const runtime of ["claude-code", "codex"]) await play(runtime);
