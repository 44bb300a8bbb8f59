/** Where the demo plays: a simulated forge, forgehand on it, its agents, and a voice that tells what happens. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pino } from "pino";
import { scriptedAgent } from "../adapters/agents/scripted.ts";
import { systemClock } from "../adapters/clock.ts";
import { readEnvironment, type Environment } from "../config-environment.ts";
import { openForgehand, type Forgehand } from "../main.ts";
import type { Clock } from "../ports.ts";
import type { Agent } from "../ports-agents.ts";
import { exitCodes } from "../problems.ts";
import { boardName } from "../says.ts";
import { startHub, type RunningHub } from "../simulator/hub/hub.ts";
import { peopleOn, type People } from "../simulator/hub/people.ts";
import type { SimRepo } from "../simulator/hub/state.ts";
import type { State, TicketId } from "../state-machine/ticket.ts";
import { files, repository, scenes } from "./demo-story.ts";
import { bold, dim, Failure, terminal } from "./output.ts";

/** A demo that takes longer than this has a fault; real agents think longer. */
const patienceMs = { scripted: 120_000, real: 30 * 60_000 } as const;
/** Effects follow a transition within this, or not at all. */
const effectsMs = 5_000;
const lookMs = 50;

export interface DemoOptions {
  readonly agents: "scripted" | "real";
  readonly tracker: "github" | "linear";
  readonly dir?: string | undefined;
  readonly json?: true | undefined;
}
/** A ticket of the demo: its id, and what people call it. */
export interface Card {
  readonly id: TicketId;
  readonly name: string;
}
/** What a play was about, and how its tracker shows it. */
export interface Play {
  readonly good: Card;
  readonly vague: Card;
  readonly rejected: Card;
  /** The vague one is back, and says what is missing. */
  isFlagged(): boolean;
  /** The other two are done. */
  isFinished(): boolean;
}
export interface Stage {
  readonly dir: string;
  readonly hub: RunningHub;
  readonly repo: SimRepo;
  readonly people: People;
  readonly forgehand: Forgehand;
  readonly environment: Environment;
  readonly tell: (who: string, what: string) => void;
  /** Lines as they are, without a time. */
  readonly show: (lines: readonly string[]) => void;
  untilState(card: Card, states: readonly State[]): Promise<State>;
  /** Waits a while for something that must follow. */
  comesTrue(fact: () => boolean): Promise<boolean>;
  /** Waits until nothing is under way any more, here and at what else tells us things. */
  settled(other?: { idle(): Promise<void> }): Promise<void>;
  close(): Promise<void>;
}

/** Where everything of a demo lies. */
export function demoFolder({ dir }: DemoOptions): string {
  const folder = dir === undefined ? mkdtempSync(join(tmpdir(), "forgehand-demo-")) : resolve(dir);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Opens the forge with the demo's repository and `ada`, who may write there, and forgehand beside it. */
export async function openStage(
  dir: string,
  options: DemoOptions,
  more: Pick<Environment, "linear" | "linearWebhookSecrets"> = {},
): Promise<Stage> {
  const base = readEnvironment({}, () => "");
  const agents = options.agents === "real" ? await realAgents(base) : actors(dir);
  const hub = await startHub({ root: join(dir, "forge") });
  try {
    const environment: Environment = {
      ...base,
      ...more,
      github: {
        appId: hub.state.app.id,
        privateKey: hub.state.app.privateKey,
        webhookSecrets: [hub.state.app.webhookSecret],
        apiUrl: hub.url,
      },
      database: join(dir, "forgehand.db"),
      dataDir: join(dir, "data"),
      port: 0,
    };
    return await furnish(dir, options, { hub, agents, environment });
  } catch (error) {
    await hub.close();
    throw error;
  }
}

async function furnish(
  dir: string,
  options: DemoOptions,
  {
    hub,
    agents,
    environment,
  }: Pick<Stage, "hub" | "environment"> & { readonly agents: ReadonlyMap<string, Agent> },
): Promise<Stage> {
  const clock = systemClock();
  const { line, tell } = voice(clock, options);
  const repo = await hub.seed({ ...repository, files });
  const people = peopleOn(hub, repo);
  people.person("ada", "write");
  const forgehand = await openForgehand({
    environment,
    agents,
    log: pino({ level: "warn", base: null }, pino.destination(join(dir, "forgehand.log"))),
    onStep: tellSteps(tell),
  });
  hub.courier.target(`${forgehand.url}/webhooks/github`);
  line(
    `${bold("forgehand demo")}: a simulated forge at ${hub.url}, ${options.agents} agents, everything below ${dir}\n`,
  );
  return {
    dir,
    hub,
    repo,
    people,
    forgehand,
    environment,
    tell,
    show: (lines) => line(lines.join("\n")),
    ...patience(clock, { forgehand, hub, environment, limitMs: patienceMs[options.agents] }),
    close: async () => {
      await forgehand.stop(0);
      await hub.close();
    },
  };
}

/** Waiting, each for as long as it may take. */
function patience(
  clock: Clock,
  {
    forgehand,
    hub,
    environment,
    limitMs,
  }: Pick<Stage, "forgehand" | "hub" | "environment"> & { readonly limitMs: number },
): Pick<Stage, "untilState" | "comesTrue" | "settled"> {
  const limit = clock.now() + limitMs;
  const look = (): Promise<void> => clock.until(clock.now() + lookMs);
  return {
    untilState: async ({ id, name }, states) => {
      for (;;) {
        const state = (await forgehand.store.load(id))?.ticket.state;
        if (state !== undefined && states.includes(state)) return state;
        if (clock.now() > limit)
          throw new Failure(
            exitCodes.failed,
            `${name} is still ${state ?? "unknown"}, not ${states.join(" or ")}; look with \`forgehand explain ${named(name)} --database ${environment.database}\``,
          );
        await look();
      }
    },
    comesTrue: async (fact) => {
      const end = clock.now() + effectsMs;
      while (!fact() && clock.now() < end) await look();
      return fact();
    },
    settled: async (other) => {
      for (let looks = 0; looks < 200; looks += 1) {
        await hub.courier.idle();
        await other?.idle();
        if (await forgehand.idle()) return;
        await look();
      }
    },
  };
}

/** As a name is typed in a shell. */
export const named = (name: string): string => name.replace(/^#/u, "");

function voice(
  clock: Clock,
  options: DemoOptions,
): { readonly line: (text: string) => void; readonly tell: Stage["tell"] } {
  const started = clock.now();
  const line = (text: string): void =>
    options.json === true ? terminal.err(`${text}\n`) : terminal.out(`${text}\n`);
  const tell = (who: string, what: string): void =>
    line(
      `${dim(`[+${((clock.now() - started) / 1000).toFixed(1).padStart(5)}s]`)} ${who.padEnd(12)} ${what}`,
    );
  return { line, tell };
}

type OnStep = NonNullable<Parameters<typeof openForgehand>[0]["onStep"]>;

const tellSteps =
  (tell: Stage["tell"]): OnStep =>
  ({ ref, event, from, to, why, actor }) => {
    const name = ref.includes("#") ? ref.slice(ref.indexOf("#")) : ref.slice(ref.lastIndexOf("/") + 1);
    const arrow = `${boardName(from as State)} → ${bold(boardName(to as State))}`;
    if (from !== to)
      tell(
        `  ${name}`,
        `${arrow} ${dim(`· ${why}${actor === "run" || actor === "schedule" || actor === "performer" ? "" : ` (${actor})`}`)}`,
      );
    else if (event === "pr.opened" || event === "human.approved") tell(`  ${name}`, dim(`${why} (${actor})`));
  };

function actors(dir: string): ReadonlyMap<string, Agent> {
  const path = join(dir, "scenes.json");
  writeFileSync(path, JSON.stringify(scenes));
  const common = { scenes: path, searchPath: process.env["PATH"] ?? "/usr/bin:/bin", clock: systemClock() };
  return new Map([
    [
      "claude-code",
      scriptedAgent({ ...common, name: "claude-code", family: "anthropic", model: "claude-opus-5-5" }),
    ],
    ["codex", scriptedAgent({ ...common, name: "codex", family: "openai", model: "gpt-5.5" })],
  ]);
}

async function realAgents(environment: Environment): Promise<ReadonlyMap<string, Agent>> {
  const { runtimeAgents } = await import("./agents.ts");
  const agents = runtimeAgents(environment);
  for (const agent of agents.values()) {
    const { found, why } = await agent.probe();
    if (!found)
      throw new Failure(
        exitCodes.usage,
        `${agent.name} is not installed: ${why ?? "not on the PATH"}. Install both \`claude\` and \`codex\`, or run the demo with scripted agents.`,
      );
  }
  return agents;
}
