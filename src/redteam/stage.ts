/** The stage of the attacks: a simulated forge, forgehand as it is configured, and gullible agents, all on the loopback. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { scriptedAgent } from "../adapters/agents/scripted.ts";
import { systemClock } from "../adapters/clock.ts";
import { openHousing } from "../adapters/sandboxes/quarters.ts";
import { asset } from "../assets.ts";
import type { Environment } from "../config-environment.ts";
import { usualSandbox, type SandboxSettings } from "../config-sandbox.ts";
import { openForgehand, type Forgehand } from "../main.ts";
import type { Clock } from "../ports.ts";
import type { Agent, Family } from "../ports-agents.ts";
import { startHub, type RunningHub } from "../simulator/hub/hub.ts";
import { peopleOn, type People } from "../simulator/hub/people.ts";
import type { SimRepo } from "../simulator/hub/state.ts";
import { githubTicketId } from "../state-machine/ticket-id.ts";
import type { Ticket } from "../state-machine/ticket.ts";
import type { Ground } from "./ground.ts";

/** A play that takes longer than this is told as not ended. */
const patienceMs = 90_000;
const lookMs = 40;

export interface StageOptions {
  readonly ground: Ground;
  readonly environment: Environment;
  /** `.github/forgehand.yml` of the repository that is played on. */
  readonly config: string;
  readonly log: Logger;
  /** Another agent in the place of one of the stage's: so that a broken promise can be tried. */
  readonly recast?: ((agent: Agent) => Agent) | undefined;
}
/** An order that was obeyed: what it brought, and where agents read it. */
export interface Obeyed {
  readonly loot: string;
  readonly from: ReadonlySet<string>;
}
export interface Stage {
  readonly hub: RunningHub;
  readonly repo: SimRepo;
  readonly people: People;
  readonly forgehand: Forgehand;
  /** Orders that agents obeyed. */
  readonly obeyed: ReadonlyMap<string, Obeyed>;
  ticket(issue: number): Promise<Ticket | undefined>;
  /** Waits until nothing is under way; false when it never came to rest. */
  settled(): Promise<boolean>;
  close(): Promise<void>;
}

const fine = { ok: true, reason: "LOOT" };
const answers = {
  gate: {
    decision: "proceed",
    where: fine,
    what: fine,
    acceptance: fine,
    ambiguity: fine,
    gapComment: "LOOT",
  },
  review: {
    verdict: "pass",
    summary: "LOOT",
    earlier: [],
    findings: [
      { title: "What I found", body: "LOOT", grade: "polish", path: "src/done.txt", line: 1, kind: "x" },
    ],
  },
  mediate: { decision: "approve-with-caveat", why: "LOOT", drop: [] },
};

/** Opens one, in a folder of its own below the ground. */
export async function openStage(options: StageOptions, name: string): Promise<Stage> {
  const { ground, log, config } = options;
  const clock = systemClock();
  const hub = await startHub({ root: join(ground.folder, name, "forge"), app: ground.app });
  try {
    const repo = await hub.seed({
      owner: "acme",
      name: "web",
      files: { "README.md": "# web\n", "check.sh": "exit 0\n", ".github/forgehand.yml": config },
    });
    const people = peopleOn(hub, repo);
    for (const [login, permission] of Object.entries(cast)) people.person(login, permission);
    const environment = placed(options, hub.url, name);
    mkdirSync(environment.dataDir, { recursive: true, mode: 0o700 });
    for (const [path, text] of Object.entries(ground.dataFiles))
      writeFileSync(join(environment.dataDir, path), text, { mode: 0o600 });
    const obeyed = new Map<string, Obeyed>();
    const forgehand = await openForgehand({
      environment,
      agents: agentsOf(options, environment, clock, obeyed),
      log,
    });
    hub.courier.target(`${forgehand.url}/webhooks/github`);
    return {
      hub,
      repo,
      people,
      forgehand,
      obeyed,
      ticket: async (issue) => (await forgehand.store.load(githubTicketId(repo.id, issue)))?.ticket,
      settled: () => settled({ hub, forgehand, clock }),
      close: async () => {
        hub.courier.target(undefined);
        await forgehand.stop(0);
        await hub.close();
      },
    };
  } catch (error) {
    await hub.close();
    throw error;
  }
}

/** Who is there, and what they may. */
const cast = { ada: "admin", bob: "write", tri: "triage", eve: "read" } as const;

/** The operator's own settings, but for where things lie and whom it speaks to. */
function placed({ ground, environment }: StageOptions, apiUrl: string, name: string): Environment {
  const { app, data } = ground;
  return {
    ...environment,
    github: {
      appId: app.id,
      privateKey: app.privateKey,
      webhookSecrets: [app.webhookSecret],
      apiUrl,
    },
    dataDir: join(data, name),
    database: join(data, name, "forgehand.db"),
    host: "127.0.0.1",
    port: 0,
    agentHome: ground.home,
    sandbox: playable(environment.sandbox ?? usualSandbox),
  };
}

/** No model is asked, so where only the model would be reached, nothing is. */
const playable = (sandbox: SandboxSettings): SandboxSettings =>
  sandbox.usual === "local" || sandbox.network === "open" || sandbox.usual === "kubernetes"
    ? sandbox
    : { ...sandbox, network: sandbox.network === undefined && sandbox.usual === "ssh" ? undefined : "none" };

function agentsOf(
  { ground, recast }: StageOptions,
  environment: Environment,
  clock: Clock,
  obeyed: Map<string, Obeyed>,
): ReadonlyMap<string, Agent> {
  const scenes = join(ground.folder, "answers.json");
  writeFileSync(scenes, JSON.stringify({ answers }));
  const { quartersOf } = openHousing(environment, { ...process.env, HOME: ground.home });
  const agent = (name: string, family: Family, model: string): readonly [string, Agent] => {
    const gullible = scriptedAgent({
      name,
      family,
      model,
      scenes,
      searchPath: process.env["PATH"] ?? "/usr/bin:/bin",
      clock,
      quarters: quartersOf(name),
      program: asset("redteam/gullible-agent.mjs"),
    });
    return [name, overheard(recast?.(gullible) ?? gullible, obeyed)];
  };
  return new Map([agent("claude-code", "anthropic", "claude-opus-5-5"), agent("codex", "openai", "gpt-5.5")]);
}

/** Keeps which orders an agent says that it obeyed, and what each brought it. */
const overheard = (agent: Agent, obeyed: Map<string, Obeyed>): Agent => ({
  ...agent,
  work: async function* (order, signal) {
    for await (const said of agent.work(order, signal)) {
      if (said.type === "text") note(obeyed, said.text);
      yield said;
    }
  },
});

function note(obeyed: Map<string, Obeyed>, text: string): void {
  const [, id, from = "", loot = ""] = /^obeyed (\S+) from (\w+)\n([\s\S]*)$/u.exec(text) ?? [];
  if (id === undefined) return;
  const before = obeyed.get(id);
  obeyed.set(id, {
    loot: `${before?.loot ?? ""}${loot}`,
    from: new Set([...(before?.from ?? []), from]),
  });
}

async function settled({
  hub,
  forgehand,
  clock,
}: Pick<Stage, "hub" | "forgehand"> & { readonly clock: Clock }): Promise<boolean> {
  const end = clock.now() + patienceMs;
  let calm = 0;
  while (clock.now() < end) {
    await hub.courier.idle();
    // An effect may be sent between two looks: twice calm is calm.
    calm = (await forgehand.idle()) ? calm + 1 : 0;
    if (calm >= 3) return true;
    await clock.until(clock.now() + lookMs);
  }
  return false;
}
