// Inside the namespace: the whole house as it ships, the real binaries, and a model server that plays both makers.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { playMatrix } from "./matrix.mjs";

const binaries = join(process.argv[2], "node_modules", ".bin");
/** Where the table of what came of it goes. */
const tablePath = process.argv[3];
const load = (path) => import(resolve("dist/src", path));
const [
  { openForgehand },
  { claudeCode },
  { codex },
  { systemClock },
  { startHub },
  { peopleOn },
  { startModelServer },
  { verifyLedger },
] = await Promise.all([
  load("main.js"),
  load("adapters/agents/claude-code.js"),
  load("adapters/agents/codex.js"),
  load("adapters/clock.js"),
  load("simulator/hub/hub.js"),
  load("simulator/hub/people.js"),
  load("simulator/model/server.js"),
  load("shell/verify-ledger.js"),
]);
const { pino } = createRequire(import.meta.url)("pino");

const fine = { ok: true, reason: "", choices: null };
const scenarios = {
  gate: [
    {
      answer: {
        decision: "proceed",
        where: fine,
        what: fine,
        acceptance: fine,
        ambiguity: fine,
        gapComment: "",
      },
    },
  ],
  "build-first": [
    [{ say: "I write it." }, { run: "printf 'hello wrld\\n' > greeting.txt" }],
    { say: "Wrote greeting.txt." },
  ],
  "build-reviewed": [{ run: "printf 'hello world\\n' > greeting.txt" }, { say: "Corrected the word." }],
  "build-ordered": [{ run: "printf 'hello, world\\n' > greeting.txt" }, { say: "Added the comma." }],
  "review-fail": [
    {
      answer: {
        verdict: "fail",
        summary: "The greeting is misspelt.",
        findings: [
          {
            title: "wrld is no word",
            body: "Write world.",
            grade: "blocker",
            path: "greeting.txt",
            line: 1,
            kind: "correctness",
            symbol: null,
            reproduce: null,
          },
        ],
        earlier: [],
      },
    },
  ],
  "review-pass": [
    { answer: { verdict: "pass", summary: "It greets the world.", findings: [], earlier: [] } },
  ],
};
/** Which part a prompt asks for: by our own words in it, and by the state of the change it shows. */
const choose = (prompt) => {
  if (prompt.includes("You decide whether ticket")) return "gate";
  if (prompt.includes("You review a change"))
    return prompt.includes("+hello wrld") ? "review-fail" : "review-pass";
  if (!prompt.includes("Build what ticket")) return undefined;
  if (prompt.includes("People with permission ask")) return "build-ordered";
  return prompt.includes("Reviewers found this so far") ? "build-reviewed" : "build-first";
};

async function play(builder) {
  // Not below TMPDIR: Codex keeps its helpers from a home that lies there.
  const dir = mkdtempSync(join(dirname(tmpdir()) === "/" ? "/var/tmp" : tmpdir(), "agents-"));
  const model = await startModelServer({ scenarios, choose });
  const hub = await startHub({ root: join(dir, "forge") });
  const config = `runtime: { default: ${builder} }\nmerge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0 }\nreview: { mediator: continue }\n`;
  const repo = await hub.seed({
    owner: "acme",
    name: "web",
    files: { "README.md": "# web\n", ".github/forgehand.yml": config },
  });
  const people = peopleOn(hub, repo);
  people.person("bob", "write");
  const home = join(dir, "home");
  const codexHome = join(dir, "codex");
  for (const path of [home, codexHome, join(dir, "tmp"), join(dir, "data")])
    mkdirSync(path, { recursive: true });
  writeFileSync(
    join(codexHome, "config.toml"),
    `model = "gpt-5.5"\nmodel_provider = "mock"\ncheck_for_update_on_startup = false\n[model_providers.mock]\nname = "mock"\nbase_url = "${model.url}/v1"\nenv_key = "CODEX_API_KEY"\nwire_api = "responses"\nrequest_max_retries = 1\nstream_max_retries = 1\n[analytics]\nenabled = false\n[feedback]\nenabled = false\n`,
  );
  const clock = systemClock();
  const host = (own) => ({ home, searchPath: process.env.PATH, tmp: join(dir, "tmp"), own });
  const agents = new Map([
    [
      "claude-code",
      claudeCode({
        binary: join(binaries, "claude"),
        host: host({ ANTHROPIC_API_KEY: "dummy", ANTHROPIC_BASE_URL: model.url }),
        stateDir: join(dir, "data", "claude"),
        clock,
        maxRetries: 1,
      }),
    ],
    [
      "codex",
      codex({
        binary: join(binaries, "codex"),
        host: host({ CODEX_API_KEY: "dummy" }),
        codexHome,
        stateDir: join(dir, "data", "codex"),
        clock,
      }),
    ],
  ]);
  const rows = [];
  const forgehand = await openForgehand({
    environment: {
      github: {
        appId: hub.state.app.id,
        privateKey: hub.state.app.privateKey,
        webhookSecrets: [hub.state.app.webhookSecret],
        apiUrl: hub.url,
      },
      database: join(dir, "data", "forgehand.db"),
      dataDir: join(dir, "data"),
      host: "127.0.0.1",
      port: 0,
      logLevel: "warn",
      concurrency: 3,
      runtimes: { "claude-code": "claude", codex: "codex" },
    },
    agents,
    log: pino({ level: process.env.LOUD === "1" ? "info" : "error" }, pino.destination(2)),
    onStep: ({ row }) => rows.push(row),
  });
  hub.courier.target(`${forgehand.url}/webhooks/github`);
  try {
    const id = () => `github:${repo.id}#${issue}`;
    const until = async (what, fact) => {
      const end = Date.now() + 120_000;
      while (!(await fact())) {
        const state = (await forgehand.store.load(id()))?.ticket.state;
        if (Date.now() > end || state === "Blocked") {
          const lines = (await forgehand.store.linesOf(id())).map(
            ({ event, row }) => `${row} ${event.why ?? ""}`,
          );
          throw new Error(
            `${what} never came to pass\n${lines.join("\n")}\n${model.calls
              .slice(-4)
              .map((call) => JSON.stringify({ ...call, body: undefined }))
              .join("\n")}`,
          );
        }
        await clock.until(clock.now() + 50);
      }
    };
    const inState = (state) => async () => (await forgehand.store.load(id()))?.ticket.state === state;
    const issue = people.openIssue({
      by: "bob",
      title: "Greet the world",
      body: "Write greeting.txt with a greeting. Done when it greets the world.",
    });
    people.label(issue, "agent-ready", "bob");
    await until("review passed", inState("In Review"));
    const { pull } = (await forgehand.store.load(id())).ticket;
    await people.requestChanges(pull, "bob", "A comma after hello, please.");
    await until("changes heard", () => rows.some((row) => row.includes("human.objected")));
    await until("second review passed", inState("In Review"));
    await people.approve(pull, "bob");
    await until("merged", inState("Done"));
    await until("quiet", () => forgehand.idle());
    assert.equal(await people.file("main", "greeting.txt"), "hello, world\n");
    const sessions = await forgehand.store.sessionsOf(id());
    const builds = sessions.filter(({ role }) => role === "build");
    const reviews = sessions.filter(({ role }) => role === "review");
    assert.equal(builds.length, 3, "three builds");
    assert.equal(
      new Set(builds.map(({ session }) => session)).size,
      1,
      "one session goes on through every round",
    );
    assert.ok(builds.every((one) => one.runtime === builder && one.outcome === "done"));
    assert.ok(
      reviews.length === 3 && new Set(reviews.map(({ session }) => session)).size === 3,
      "each review is cold",
    );
    const families = { "claude-code": "anthropic", codex: "openai" };
    assert.ok(
      builds.every(({ family }) => family === families[builder]),
      "the builder's family was observed",
    );
    assert.ok(
      reviews.every(({ family }) => family !== null && family !== families[builder] && family !== "unknown"),
      "the reviewer is of the other family",
    );
    assert.ok(
      sessions.every(({ inputTokens, usd }) => inputTokens > 0 && usd > 0),
      "every session has tokens and a price",
    );
    assert.deepEqual((await verifyLedger(forgehand.store)).faults, []);
    return sessions.length;
  } finally {
    await forgehand.stop(0);
    await hub.close();
    await model.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

let passed = 0;
let failed = 0;
for (const builder of ["claude-code", "codex"]) {
  const started = Date.now();
  try {
    const sessions = await play(builder);
    passed += 1;
    console.log(
      `ok ${builder} builds, the other reviews: rejected, resumed, changes requested, resumed, merged (${sessions} sessions, ${((Date.now() - started) / 1000).toFixed(1)} s)`,
    );
  } catch (error) {
    failed += 1;
    console.log(`not ok ${builder} builds: ${error.stack}`);
  }
}
const matrix = await playMatrix(binaries);
passed += matrix.passed;
failed += matrix.wrong;
if (tablePath !== undefined) writeFileSync(tablePath, JSON.stringify(matrix.table));
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed === 0 ? 0 : 1);
