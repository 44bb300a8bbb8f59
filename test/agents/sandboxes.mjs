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
const load = (path) => import(resolve("dist/src", path));
const [
  { claudeCode },
  { codex },
  { codexAppServer },
  { systemClock },
  { startModelServer },
  { localSandbox },
  { bubblewrapSandbox },
] = await Promise.all([
  load("adapters/claude-code.js"),
  load("adapters/codex.js"),
  load("adapters/codex-app-server.js"),
  load("adapters/clock.js"),
  load("simulator/model/server.js"),
  load("adapters/sandbox-local.js"),
  load("adapters/sandbox-bubblewrap.js"),
]);

const key = "real-key-7d20";
const clock = systemClock();
const looks = (dir) =>
  [
    "printf 'made\\n' > made.txt",
    "(env; cat /proc/*/environ /proc/*/cmdline; cat ~/.claude/.credentials.json ~/.codex/auth.json) > seen.txt 2>&1",
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

async function play(name, where) {
  const dir = realpathSync(
    mkdtempSync(join(dirname(tmpdir()) === "/" ? "/var/tmp" : tmpdir(), "sandboxed-")),
  );
  const scenarios = {
    first: [{ run: looks(dir) }, { say: "Made it." }],
    second: [{ run: "printf 'again\\n' >> made.txt" }, { say: "Made it again." }],
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
      searchPath: process.env.PATH,
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
    const agent = name.startsWith("codex")
      ? (name === "codex" ? codex : codexAppServer)({
          ...common,
          binary: join(binaries, "codex"),
          host: host({ CODEX_API_KEY: key }),
          codexHome: join(dir, "codex"),
        })
      : claudeCode({
          ...common,
          binary: join(binaries, "claude"),
          host: host({ ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: front.url }),
          maxRetries: 1,
        });
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
let [passed, failed, skipped] = [0, 0, 0];
for (const where of [
  { sandbox: "local", network: "open" },
  { sandbox: "bubblewrap", network: "open" },
  { sandbox: "bubblewrap", network: "model" },
])
  for (const name of ["claude-code", "codex", "codex-app-server"]) {
    const what = `${name} works in ${where.sandbox}, its network ${where.network}`;
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
