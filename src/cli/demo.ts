import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { pino } from "pino";
import { systemClock } from "../adapters/clock.ts";
import { scriptedAgent } from "../adapters/agents/scripted.ts";
import { readEnvironment, type Environment } from "../config-environment.ts";
import { openForgehand, type Forgehand } from "../main.ts";
import type { Agent } from "../ports-agents.ts";
import { exitCodes } from "../problems.ts";
import { boardName, dollars } from "../says.ts";
import { startHub, type RunningHub } from "../simulator/hub/hub.ts";
import { peopleOn, type People } from "../simulator/hub/people.ts";
import type { SimRepo } from "../simulator/hub/state.ts";
import type { State } from "../state-machine/ticket.ts";
import { files, repository, scenes, stories } from "./demo-story.ts";
import { bold, dim, fail, Failure, terminal } from "./output.ts";

const run = promisify(execFile);
/** A demo that takes longer than this has a fault; real agents think longer. */
const patienceMs = { scripted: 60_000, real: 30 * 60_000 } as const;
/** Effects follow a transition within this, or not at all. */
const effectsMs = 5_000;
const lookMs = 50;

interface DemoOptions {
  readonly agents: "scripted" | "real";
  readonly dir?: string | undefined;
  readonly json?: true | undefined;
}
interface Stage {
  readonly hub: RunningHub;
  readonly repo: SimRepo;
  readonly people: People;
  readonly forgehand: Forgehand;
  readonly environment: Environment;
  readonly tell: (who: string, what: string) => void;
  untilState(issue: number, states: readonly State[]): Promise<State>;
  /** Waits a while for something that must follow. */
  comesTrue(fact: () => boolean): Promise<boolean>;
}

/** The main job end to end on a simulated forge: one ticket flagged, two merged, and main's tests green. */
export async function demo(options: DemoOptions): Promise<void> {
  try {
    const dir =
      options.dir === undefined ? mkdtempSync(join(tmpdir(), "forgehand-demo-")) : resolve(options.dir);
    mkdirSync(dir, { recursive: true });
    const stage = await openStage(dir, options);
    try {
      const outcome = await play(stage);
      await finish(stage, dir, outcome, options);
    } finally {
      await stage.forgehand.stop(0);
      await stage.hub.close();
    }
  } catch (error) {
    fail(error, { ...options, schema: "demo/1" });
  }
}

async function openStage(dir: string, options: DemoOptions): Promise<Stage> {
  const clock = systemClock();
  const started = clock.now();
  const line = (text: string): void =>
    options.json === true ? terminal.err(`${text}\n`) : terminal.out(`${text}\n`);
  const tell = (who: string, what: string): void =>
    line(
      `${dim(`[+${((clock.now() - started) / 1000).toFixed(1).padStart(5)}s]`)} ${who.padEnd(12)} ${what}`,
    );
  const hub = await startHub({ root: join(dir, "forge") });
  const repo = await hub.seed({ ...repository, files });
  const people = peopleOn(hub, repo);
  people.person("ada", "write");
  const base = readEnvironment({}, () => "");
  const environment: Environment = {
    ...base,
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
  const forgehand = await openForgehand({
    environment,
    agents: options.agents === "real" ? await realAgents(base) : actors(dir),
    log: pino({ level: "warn", base: null }, pino.destination(join(dir, "forgehand.log"))),
    onStep: ({ ref, event, from, to, why, actor }) => {
      const number = ref.slice(ref.indexOf("#"));
      const arrow =
        from === to
          ? boardName(to as State)
          : `${boardName(from as State)} → ${bold(boardName(to as State))}`;
      if (from !== to)
        tell(
          `  ${number}`,
          `${arrow} ${dim(`· ${why}${actor === "run" || actor === "schedule" || actor === "performer" ? "" : ` (${actor})`}`)}`,
        );
      else if (event === "pr.opened" || event === "human.approved")
        tell(`  ${number}`, dim(`${why} (${actor})`));
    },
  });
  hub.courier.target(`${forgehand.url}/webhooks/github`);
  line(
    `${bold("forgehand demo")}: a simulated forge at ${hub.url}, ${options.agents} agents, everything below ${dir}\n`,
  );
  const limit = clock.now() + patienceMs[options.agents];
  const untilState = async (issue: number, states: readonly State[]): Promise<State> => {
    for (;;) {
      const state = (await forgehand.store.load(`github:${repo.id}#${issue}`))?.ticket.state;
      if (state !== undefined && states.includes(state)) return state;
      if (clock.now() > limit)
        throw new Failure(
          exitCodes.failed,
          `#${issue} is still ${state ?? "unknown"}, not ${states.join(" or ")}; look with \`forgehand explain ${issue} --database ${environment.database}\``,
        );
      await clock.until(clock.now() + lookMs);
    }
  };
  const comesTrue = async (fact: () => boolean): Promise<boolean> => {
    const patience = clock.now() + effectsMs;
    while (!fact() && clock.now() < patience) await clock.until(clock.now() + lookMs);
    return fact();
  };
  return { hub, repo, people, forgehand, environment, tell, untilState, comesTrue };
}

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

interface Outcome {
  readonly good: number;
  readonly vague: number;
  readonly rejected: number;
  readonly flagged: boolean;
}

/** What a person does, and waits for. */
async function play({ people, tell, untilState, comesTrue, repo }: Stage): Promise<Outcome> {
  const open = (story: (typeof stories)[keyof typeof stories]): number => {
    const issue = people.openIssue({ by: "ada", title: story.title, body: story.body });
    tell("ada", `opens #${issue} “${story.title}” and labels it ${story.labels.join(", ")}`);
    // The release comes last, so that the other labels are there when it is heard.
    for (const label of story.labels.toSorted(
      (one, other) => Number(one === "agent-ready") - Number(other === "agent-ready"),
    ))
      people.label(issue, label, "ada");
    return issue;
  };
  const approve = async (issue: number): Promise<void> => {
    const pull = [...repo.threads.values()].find((thread) =>
      thread.pull?.headRef.startsWith(`forgehand/${issue}-`),
    )?.number;
    if (pull === undefined) throw new Failure(exitCodes.failed, `#${issue} has no pull request`);
    tell("ada", `reads pull request #${pull} and approves it`);
    await people.approve(pull, "ada");
  };
  const good = open(stories.good);
  const vague = open(stories.vague);
  if ((await untilState(good, ["In Review", "Blocked"])) === "In Review") await approve(good);
  await untilState(good, ["Done", "Blocked"]);
  const rejected = open(stories.rejected);
  await untilState(rejected, ["Done", "Blocked"]);
  const isBack = (await untilState(vague, ["Backlog", "Blocked", "Done"])) === "Backlog";
  // The label follows the state: it is an effect.
  const flagged = isBack && (await comesTrue(() => people.thread(vague).labels.has("needs-spec")));
  return { good, vague, rejected, flagged };
}

/** Believes nothing but the remote: clones main, looks for both changes, runs its tests. */
async function finish(
  { hub, repo, forgehand, environment, tell, people }: Stage,
  dir: string,
  outcome: Outcome,
  options: DemoOptions,
): Promise<void> {
  await settle(hub, forgehand);
  const clone = join(dir, "main");
  await run("git", ["clone", "-q", repo.dir, clone]);
  const { stdout: log } = await run("git", ["-C", clone, "log", "--format=%s"]);
  const merged = [outcome.good, outcome.rejected].filter((issue) => log.includes(`(#${issue})`));
  const tests = await run("npm", ["test", "--silent"], { cwd: clone })
    .then(() => "pass" as const)
    .catch(() => "fail" as const);
  const sessions = (
    await Promise.all(
      [outcome.good, outcome.vague, outcome.rejected].map((issue) =>
        forgehand.store.sessionsOf(`github:${repo.id}#${issue}`),
      ),
    )
  ).flat();
  const usd = sessions.reduce((sum, session) => sum + session.usd, 0);
  tell(
    "remote",
    `main holds ${merged.length} of 2 merges, its tests ${tests}, #${outcome.vague} is ${outcome.flagged ? "flagged with what is missing" : "not flagged"}`,
  );
  const isGood = merged.length === 2 && tests === "pass" && outcome.flagged;
  const data = {
    good: isGood,
    merged,
    flagged: outcome.flagged,
    tests,
    usd,
    agents: sessions.length,
    database: environment.database,
    dir,
  };
  const command = `node ${resolve(process.argv[1] ?? "dist/cli/forgehand.js")}`;
  if (options.json === true) terminal.out(`${JSON.stringify({ schema: "demo/1", data, error: null })}\n`);
  else {
    terminal.out(
      [
        "",
        isGood ? bold("One flagged, two merged.") : bold("The demo did not end as it should."),
        `${sessions.length} agent sessions, ${dollars(
          usd,
          sessions.some((session) => session.pricedBy === "guess"),
        )} at list price. What the reviewer caught in #${outcome.rejected} is in its pull request's review.`,
        "",
        "Look closer:",
        `  ${command} inspect ${outcome.rejected} --database ${environment.database}`,
        `  ${command} explain ${outcome.vague} --database ${environment.database}`,
        `  ${command} ledger verify --database ${environment.database}`,
        `  git -C ${clone} log --stat`,
        "",
      ].join("\n"),
    );
  }
  if (people.thread(outcome.good).state !== "closed" || !isGood) process.exitCode = exitCodes.failed;
}

async function settle(hub: RunningHub, forgehand: Forgehand): Promise<void> {
  const clock = systemClock();
  for (let looks = 0; looks < 200; looks += 1) {
    await hub.courier.idle();
    if (await forgehand.idle()) return;
    await clock.until(clock.now() + lookMs);
  }
}
