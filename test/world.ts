import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { openHousing } from "../src/adapters/sandboxes/quarters.ts";
import type { Environment } from "../src/config-environment.ts";
import { scriptedAgent } from "../src/adapters/agents/scripted.ts";
import { systemClock } from "../src/adapters/clock.ts";
import type { SandboxSettings } from "../src/config-sandbox.ts";
import { runVerbs } from "../src/engine/run-verbs.ts";
import type { LinearBoardRules } from "../src/config-linear-file.ts";
import type { Tracing } from "../src/config-observability.ts";
import type { ServerBundles } from "../src/config-servers.ts";
import { openForgehand, type Forgehand } from "../src/main.ts";
import type { Agent } from "../src/ports-agents.ts";
import { verifyLedger } from "../src/shell/verify-ledger.ts";
import { openSqlite } from "../src/sql.ts";
import type { State } from "../src/state-machine/ticket.ts";
import { startHub, type RunningHub } from "../src/simulator/hub/hub.ts";
import { peopleOn, type People } from "../src/simulator/hub/people.ts";
import type { SimRepo } from "../src/simulator/hub/state.ts";
import { openStore } from "../src/store/store.ts";

/** Scenes that every play may fall back on: a gate that proceeds, a builder that writes a file, a reviewer that passes. */
export const fine = { ok: true, reason: "" };
export const proceed = {
  decision: "proceed",
  where: fine,
  what: fine,
  acceptance: fine,
  ambiguity: fine,
  gapComment: "",
};
export const usage = { usage: { inputTokens: 1000, outputTokens: 100, usd: 0.02 } };
export const pass = { verdict: "pass", findings: [], summary: "does what the ticket asks" };
export const fallback = [
  { role: "gate", steps: [usage, { answer: proceed }] },
  {
    role: "build",
    steps: [usage, { write: { path: "src/done.txt", text: "done\n" } }, { done: "wrote src/done.txt" }],
  },
  { role: "review", steps: [usage, { answer: pass }] },
];

export interface WorldOptions {
  readonly scenes?: readonly object[];
  /** Null for no file at all. */
  readonly config?: string | null;
  readonly files?: Readonly<Record<string, string>>;
  /** Where agents and commands run; on this host as it is when left out. */
  readonly sandbox?: SandboxSettings;
  /** The model of a third runtime, `gemini`, where there is one. */
  readonly third?: string;
  readonly bundles?: ServerBundles;
  readonly environment?: Partial<Environment>;
  /** What the operator says of Linear's boards. */
  readonly linearRules?: LinearBoardRules;
  /** Another agent in the place of one of the world's. */
  readonly recast?: (agent: Agent) => Agent;
  /** Where traces go. */
  readonly tracing?: Tracing;
  /** Where log lines go, one at a time. */
  readonly logTo?: (line: string) => void;
  /** Logs to stderr, for a look at what happens. */
  readonly loud?: true;
}
export interface World {
  readonly hub: RunningHub;
  readonly repo: SimRepo;
  readonly people: People;
  readonly steps: { readonly event: string; readonly to: string; readonly row: string }[];
  forgehand: Forgehand;
  readonly dir: string;
  readonly environment: Environment;
  scenes(scenes: readonly object[]): void;
  start: () => Promise<void>;
  /** Waits for a fact, looking again whenever something may have happened. */
  until(what: string, fact: () => boolean | Promise<boolean>): Promise<void>;
  stateOf(issue: number): Promise<State | undefined>;
  untilState(issue: number, state: State): Promise<void>;
  /** Everything heard, read, sent and done. */
  settled: () => Promise<void>;
  pullOf(issue: number): Promise<number>;
  close: () => Promise<void>;
}

/** Waits no longer than this for anything; a play that needs more has a fault. */
const patienceMs = 120_000;
const lookMs = 15;

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), "world-"));
  const hub = await startHub({ root: join(dir, "forge") });
  const usual = "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0 }\n";
  const config = options.config === undefined ? usual : options.config;
  const repo = await hub.seed({
    owner: "acme",
    name: "web",
    files: {
      "README.md": "# web\n",
      ...(config === null ? {} : { ".github/forgehand.yml": config }),
      ...options.files,
    },
  });
  const people = peopleOn(hub, repo);
  people.person("ada", "admin");
  people.person("bob", "write");
  people.person("tri", "triage");
  people.person("eve", "read");
  const steps: World["steps"] = [];
  const scenesPath = join(dir, "scenes.json");
  const scenes = (list: readonly object[]): void =>
    writeFileSync(scenesPath, JSON.stringify([...list, ...fallback]));
  scenes(options.scenes ?? []);
  const log =
    options.logTo === undefined
      ? pino({ level: options.loud === true ? "info" : "silent" }, pino.destination(2))
      : pino({ level: "debug", base: null }, { write: options.logTo });
  const clock = systemClock();
  const { sandbox } = options;
  const housing = sandbox && openHousing({ sandbox, dataDir: join(dir, "data") }, process.env);
  const agent = (name: string, family: "anthropic" | "openai" | "google", model: string) =>
    [
      name,
      scriptedAgent({
        name,
        family,
        model,
        scenes: scenesPath,
        searchPath: process.env["PATH"] ?? "",
        clock,
        quarters: housing?.quartersOf(name),
      }),
    ] as const;
  const environment: Environment = {
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
    logLevel: "silent",
    concurrency: 3,
    runtimes: { "claude-code": "claude", codex: "codex" },
    sandbox,
    ...options.environment,
  };
  const open = async (): Promise<Forgehand> => {
    mkdirSync(join(dir, "data"), { recursive: true });
    const forgehand = await openForgehand({
      environment,
      ...(options.linearRules === undefined ? {} : { linearRules: options.linearRules }),
      agents: new Map(
        [
          agent("claude-code", "anthropic", "claude-opus-5-5"),
          agent("codex", "openai", "gpt-5.5"),
          ...(options.third === undefined ? [] : [agent("gemini", "google", options.third)]),
        ].map(([name, one]) => [name, options.recast?.(one) ?? one]),
      ),
      ...(options.bundles === undefined ? {} : { bundles: options.bundles }),
      tracing: options.tracing,
      log,
      onStep: ({ event, to, row }) => steps.push({ event, to, row }),
    });
    hub.courier.target(`${forgehand.url}/webhooks/github`);
    return forgehand;
  };
  const world: World = {
    hub,
    repo,
    people,
    steps,
    dir,
    environment,
    scenes,
    forgehand: await open(),
    start: async () => {
      world.forgehand = await open();
    },
    until: async (what, fact) => {
      const end = Date.now() + patienceMs;
      while (!(await fact())) {
        if (Date.now() > end)
          throw new Error(`it never came to pass: ${what}\n${steps.map(({ row }) => row).join("\n")}`);
        await new Promise((resolve) => setTimeout(resolve, lookMs));
      }
    },
    stateOf: async (issue) => (await world.forgehand.store.load(`github:${repo.id}#${issue}`))?.ticket.state,
    untilState: (issue, state) =>
      world.until(`#${issue} is ${state}`, async () => (await world.stateOf(issue)) === state),
    settled: () =>
      world.until("everything is settled", async () => {
        await hub.courier.idle();
        return await world.forgehand.idle();
      }),
    pullOf: async (issue) => {
      const pull = (await world.forgehand.store.load(`github:${repo.id}#${issue}`))?.ticket.pull;
      if (pull === undefined) throw new Error(`#${issue} has no pull request`);
      return pull;
    },
    close: async () => {
      hub.courier.target(undefined);
      await world.forgehand.stop(0);
      await hub.close();
      // Whatever the play was about: every line follows from the one before, and the lines come to what is stored.
      const sql = openSqlite(join(dir, "data", "forgehand.db"));
      const { faults } = await verifyLedger(openStore(sql, runVerbs));
      sql.close();
      rmSync(dir, { recursive: true, force: true });
      if (faults.length > 0) throw new Error(`the ledger does not verify: ${JSON.stringify(faults)}`);
    },
  };
  await world.settled();
  return world;
}
