// Inside the namespace: the real binaries at work in each sandbox of this host, against a model server. In bubblewrap
// without a network they reach it through our proxy alone, and hold no key.
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { dirname, join, resolve } from "node:path";
import { tmpdir } from "node:os";

const binaries = resolve(process.argv[2], "node_modules", ".bin");
/** Agents of the Agent Client Protocol, in their place; then those alone are tried. */
const acpFolder = process.argv[3];
const load = (path) => import(resolve("dist/src", path));
const [
  { claudeCode },
  { codex },
  { codexAppServer },
  { pi },
  { acpProtocol },
  { readAgentsFile },
  { systemClock },
  { startModelServer },
  { localSandbox },
  { bubblewrapSandbox },
] = await Promise.all([
  load("adapters/agents/claude-code.js"),
  load("adapters/agents/codex.js"),
  load("adapters/agents/codex-app-server.js"),
  load("adapters/agents/pi.js"),
  load("adapters/agents/acp/entry.js"),
  load("adapters/agents/agents-file.js"),
  load("adapters/clock.js"),
  load("simulator/model/server.js"),
  load("adapters/sandboxes/local.js"),
  load("adapters/sandboxes/bubblewrap.js"),
]);

const key = "real-key-7d20";
const clock = systemClock();
const looks = (dir) =>
  [
    "printf 'made\\n' > made.txt",
    "(env; cat /proc/*/environ /proc/*/cmdline; cat ~/.claude/.credentials.json ~/.codex/auth.json ~/.codex/config.toml ~/.pi/agent/*.json ~/.config/opencode/* ~/.qwen/*.json) > seen.txt 2>&1",
    `cat ${dir}/data/secret >> seen.txt 2>&1`,
    "git log --oneline >> seen.txt 2>&1",
    "git commit --allow-empty -qm mine >> seen.txt 2>&1",
    "true",
  ].join("; ");

/** Counts who came with the key, before the calls go on to the model. */
async function gate(model) {
  const keys = [];
  const pass = async (incoming, response) => {
    keys.push(incoming.headers["x-api-key"] ?? incoming.headers.authorization?.replace("Bearer ", ""));
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { host: _host, "content-length": _length, ...headers } = incoming.headers;
    const answer = await fetch(model.url + incoming.url, {
      method: incoming.method,
      headers: { ...headers, connection: undefined },
      body: Buffer.concat(chunks),
    }).catch((error) => ({ status: 500, text: async () => String(error) }));
    response.writeHead(answer.status, {
      "content-type": answer.headers?.get("content-type") ?? "text/plain",
    });
    response.end(await answer.text());
  };
  const server = createServer((incoming, response) => void pass(incoming, response));
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { url: `http://127.0.0.1:${server.address().port}`, keys, close: () => server.close() };
}

const shell =
  (name, more = {}) =>
  (command) => ({ tool: { name, input: { command, description: "as scripted", ...more } } });
const native = (command) => ({ run: command });
const acpBin = (kind, name) => join(acpFolder ?? "", kind, "node_modules", ".bin", name);

/** Of each: how it calls its shell, and how it is made with the key that only we hold. */
const agents = {
  "claude-code": {
    run: native,
    make: ({ common, host, front }) =>
      claudeCode({
        ...common,
        binary: join(binaries, "claude"),
        host: host({ ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: front.url }),
        maxRetries: 1,
      }),
  },
  codex: {
    run: native,
    make: ({ common, host, dir }) =>
      codex({
        ...common,
        binary: join(binaries, "codex"),
        host: host({ CODEX_API_KEY: key }),
        codexHome: join(dir, "codex"),
      }),
  },
  "codex-app-server": {
    run: native,
    make: ({ common, host, dir }) =>
      codexAppServer({
        ...common,
        binary: join(binaries, "codex"),
        host: host({ CODEX_API_KEY: key }),
        codexHome: join(dir, "codex"),
      }),
  },
  pi: {
    run: shell("bash"),
    make: ({ common, host, front, put }) => {
      put(".pi/agent/models.json", { providers: { anthropic: { baseUrl: front.url } } });
      put(".pi/agent/AGENTS.md", "honey-in-the-home");
      return pi({
        ...common,
        binary: join(binaries, "pi"),
        host: host({ ANTHROPIC_API_KEY: key }),
        model: "anthropic/claude-opus-4-5",
      });
    },
  },
  opencode: {
    run: shell("bash"),
    // A call of its own, for a title, takes one of the first.
    opening: 2,
    // It refuses whatever names a place outside the worktree.
    look: () => "printf 'made\\n' > made.txt; env > seen.txt; git log --oneline >> seen.txt 2>&1",
    make: (stage) => {
      const { put, front } = stage;
      const provider = { anthropic: { options: { baseURL: `${front.url}/v1` } } };
      put(".config/opencode/opencode.json", {
        provider,
        mcp: { honey: { type: "local", command: ["honey"] } },
      });
      return acp(stage, {
        command: [acpBin("whole", "opencode"), "acp"],
        model: "anthropic/claude-opus-4-5",
        env: ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"],
        set: { OPENCODE_DISABLE_MODELS_FETCH: "1" },
      });
    },
  },
  copilot: {
    run: shell("bash"),
    make: (stage) =>
      acp(
        stage,
        { command: [acpBin("whole", "copilot"), "--acp"] },
        {
          COPILOT_PROVIDER_TYPE: "anthropic",
          COPILOT_PROVIDER_BASE_URL: stage.front.url,
          COPILOT_PROVIDER_API_KEY: key,
          COPILOT_MODEL: "claude-opus-5-5",
          COPILOT_OFFLINE: "true",
        },
      ),
  },
  qwen: {
    run: shell("run_shell_command", { is_background: false }),
    make: (stage) =>
      acp(
        stage,
        { command: [acpBin("bare", "qwen"), "--acp"] },
        { OPENAI_API_KEY: key, OPENAI_BASE_URL: `${stage.front.url}/v1`, OPENAI_MODEL: "qwen3-coder-plus" },
      ),
  },
  "codex-acp": {
    run: native,
    needs: "codex",
    make: (stage) =>
      acp(
        stage,
        { command: [acpBin("bare", "codex-acp")], set: { CODEX_PATH: join(binaries, "codex") } },
        { CODEX_API_KEY: key, CODEX_HOME: join(stage.dir, "codex") },
      ),
  },
};

/** As an entry of the agents file makes it; its environment is what the entry names of ours. */
function acp({ name, common, host, front }, entry, ours) {
  const env = ours ?? { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: front.url };
  const { agents: listed, faults } = readAgentsFile(JSON.stringify({ [name]: { use: name, ...entry } }), {
    acp: acpProtocol,
  });
  assert.deepEqual(faults, []);
  return listed.get(name)({
    host: (names) => host(Object.fromEntries(Object.entries(env).filter(([one]) => names.includes(one)))),
    quartersOf: () => common.quarters,
    stateDir: common.stateDir,
    clock,
  });
}

async function play(name, where) {
  const dir = realpathSync(
    mkdtempSync(join(dirname(tmpdir()) === "/" ? "/var/tmp" : tmpdir(), "sandboxed-")),
  );
  const { run, make, opening = 1, look = looks } = agents[name];
  const scenarios = {
    first: [...Array.from({ length: opening }, () => run(look(dir))), { say: "Made it." }],
    second: [run("printf 'again\\n' >> made.txt"), { say: "Made it again." }],
  };
  const model = await startModelServer({ scenarios });
  const front = await gate(model);
  try {
    const tree = join(dir, "tree");
    for (const path of [tree, "data", "home", "codex", "tmp"].map((one) => resolve(dir, one)))
      mkdirSync(path, { recursive: true });
    writeFileSync(join(dir, "data/secret"), "honey-in-the-data-folder");
    const git = (...argv) =>
      execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...argv], { cwd: tree });
    git("init", "-q");
    git("commit", "-q", "--allow-empty", "-m", "where it starts");
    git("config", "http.extraheader", "honey-in-git-config");
    writeFileSync(
      join(dir, "codex/config.toml"),
      `model = "gpt-5.5"\nmodel_provider = "mock"\n[model_providers.mock]\nname = "mock"\nbase_url = "${front.url}/v1"\nenv_key = "CODEX_API_KEY"\nwire_api = "responses"\nrequest_max_retries = 1\nstream_max_retries = 1\n`,
    );
    const host = (own) => ({
      home: join(dir, "home"),
      // Where a program finds another one, in a sandbox, too.
      searchPath: `${binaries}:${process.env.PATH}`,
      tmp: join(dir, "tmp"),
      own,
    });
    const quarters = {
      sandbox:
        where.sandbox === "local"
          ? localSandbox()
          : bubblewrapSandbox({
              binary: "bwrap",
              searchPath: process.env.PATH,
              secret: [join(dir, "data"), join(dir, "home")],
              read: [],
            }),
      network: where.network,
      limits: {},
      root: join(dir, "data", "lodgings"),
    };
    const common = { stateDir: join(dir, "data", "state"), clock, quarters };
    const put = (path, value) => {
      mkdirSync(dirname(join(dir, "home", path)), { recursive: true });
      writeFileSync(join(dir, "home", path), typeof value === "string" ? value : JSON.stringify(value));
    };
    put(".house", "honey-in-the-home");
    const agent = make({ name, common, host, front, dir, put });
    const work = async (prompt, resume) => {
      const heard = [];
      const order = {
        role: "build",
        prompt,
        cwd: tree,
        resume,
        access: "write",
        schema: undefined,
        runId: `sandboxed ${process.pid}`,
        model: undefined,
        limits: { turnMs: 120_000, stallMs: 60_000, outputTokens: 100_000, usd: 5 },
      };
      for await (const said of agent.work(order, new AbortController().signal)) heard.push(said);
      const { outcome } = heard.at(-1);
      assert.equal(outcome.is, "done", JSON.stringify(outcome));
      return heard.find(({ type }) => type === "session").id;
    };
    const session = await work("Do it. [[first]]", undefined);
    assert.equal(await work("And again. [[second]]", session), session, "the session goes on");
    assert.equal(readFileSync(join(tree, "made.txt"), "utf8"), "made\nagain\n");
    const seen = readFileSync(join(tree, "seen.txt"), "utf8");
    assert.ok(seen.includes("where it starts"), `it can look at the history\n${seen}`);
    if (where.sandbox === "bubblewrap") {
      assert.ok(!seen.includes("honey"), "it saw nothing of ours");
      assert.equal(git("log", "--oneline").toString().trim().split("\n").length, 1, "it committed nothing");
    }
    if (where.network === "model") assert.ok(!seen.includes(key), "it holds no key");
    assert.ok(
      front.keys.length >= 4 && front.keys.every((one) => one === key),
      "the model was asked with the key",
    );
    const left = execFileSync("find", [join(dir, "data", "lodgings"), "-name", "run-*"]).toString();
    assert.equal(left, "", "nothing of the runs is left");
    assert.equal(existsSync(join(dir, "home", ".claude")), false, "the operator's home is untouched");
  } finally {
    front.close();
    await model.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

const { found, why } = await bubblewrapSandbox({
  binary: "bwrap",
  searchPath: process.env.PATH,
  secret: [],
  read: [],
}).probe();
/** Those whose programs are there, or those named in AGENTS. */
function picked() {
  const natives = ["claude-code", "codex", "codex-app-server", "pi"];
  const all = Object.keys(agents).filter((name) => natives.includes(name) === (acpFolder === undefined));
  return all.filter((name) => process.env.AGENTS?.split(",").includes(name) ?? true);
}
let [passed, failed, skipped] = [0, 0, 0];
for (const where of [
  { sandbox: "local", network: "open" },
  { sandbox: "bubblewrap", network: "open" },
  { sandbox: "bubblewrap", network: "model" },
])
  for (const name of picked()) {
    const what = `${name} works in ${where.sandbox}, its network ${where.network}`;
    const needed = agents[name].needs;
    if (needed !== undefined && !existsSync(join(binaries, needed))) {
      skipped += 1;
      console.log(`skipped ${what}: \`${needed}\` is not there: run npm run test:agents first`);
      continue;
    }
    if (where.sandbox === "bubblewrap" && (!found || why !== undefined)) {
      skipped += 1;
      console.log(`skipped ${what}: ${why}`);
      continue;
    }
    try {
      await play(name, where);
      passed += 1;
      console.log(`ok ${what}`);
    } catch (error) {
      failed += 1;
      console.log(`not ok ${what}: ${error.stack}`);
    }
  }
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);
