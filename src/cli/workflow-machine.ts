/** The machine that workflows of this folder work on: its shell, its agents, and the marks its processes carry. */
import { homedir } from "node:os";
import { dirname, resolve } from "node:path";
import { systemClock } from "../adapters/clock.ts";
import { runMarks, type RunMarks } from "../adapters/processes/run-marks.ts";
import { scriptedAgent } from "../adapters/agents/scripted.ts";
import { runLogFolder } from "../adapters/logs/log-paths.ts";
import { openSessionLog } from "../adapters/logs/session-log.ts";
import { openHost } from "../adapters/workflows/host.ts";
import { openWorktrees } from "../adapters/workflows/worktrees.ts";
import { secretValues } from "../config-secrets.ts";
import { agentsNeeded, type AnyWorkflow, type Host } from "../engine/index.ts";
import { nearest } from "../nearest.ts";
import type { Agent } from "../ports-agents.ts";
import { exitCodes } from "../problems.ts";
import { ownSettings } from "./own-settings.ts";
import { agentsFileIn, runtimeAgents } from "./agents.ts";
import { redactKnown } from "../secrets.ts";
import { Failure, oneLine, terminal } from "./output.ts";
import { ownPrices } from "./prices.ts";
import { serverBundles } from "./servers.ts";
import { snapshotsBeside } from "../workflow-snapshots.ts";

export interface Machine {
  readonly host: Host;
  readonly marks: RunMarks;
  readonly agents: ReadonlyMap<string, Agent>;
  /** Of disk for what its agents said. */
  readonly logBytes: number | undefined;
}

/** Whose name stands in the commits of worktrees. */
const committer = { name: "forgehand", email: "forgehand@localhost" };
const gitMs = 120_000;

/** Opens the machine for the runs of one database; what its agents keep lies beside that. */
export function openMachine(
  database: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Machine {
  const environment = ownSettings(env);
  const searchPath = env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin";
  const clock = systemClock();
  const marks = runMarks(database);
  const real = runtimeAgents(
    {
      ...environment,
      dataDir: dirname(resolve(database)),
      // What agents keep lies beside the database; which there are, the operator says in one place.
      agents: environment.agents ?? agentsFileIn(environment.dataDir),
    },
    env,
  );
  const agents =
    environment.scenes === undefined ? real : actors(resolve(environment.scenes), real, searchPath);
  const home = env["HOME"] ?? homedir();
  const snapshots = snapshotsBeside(database, env);
  const bundles = serverBundles(environment, env);
  return {
    host: openHost({
      folder: process.cwd(),
      agents,
      marks,
      searchPath,
      home,
      clock,
      logOf: (run) =>
        openSessionLog({
          folder: runLogFolder(database, run),
          clock,
          redact: redactKnown(secretValues(environment, env, bundles)),
          warn: ({ path, why }, message) => terminal.err(`${message}: ${oneLine(`${path}: ${why}`)}\n`),
        }),
      bundles,
      limits: { prices: ownPrices(environment) },
      snapshots,
      fingerprint: snapshots.treeOf,
      worktrees: openWorktrees({ author: committer, searchPath, gitMs }),
    }),
    marks,
    agents,
    logBytes: environment.logBytes,
  };
}

/** In the place of each agent one that plays its part, and one more that has no family. */
export function actors(
  scenes: string,
  agents: ReadonlyMap<string, Agent>,
  searchPath: string,
): ReadonlyMap<string, Agent> {
  const common = { scenes, searchPath, clock: systemClock(), model: "scripted" };
  return new Map(
    [...agents.values(), { name: "scripted", family: "unknown" } as const].map(({ name, family }) => [
      name,
      scriptedAgent({ ...common, name, family }),
    ]),
  );
}

/** Refuses a workflow whose first tree needs an agent that this machine does not have, with what to type. */
export async function refuseMissingAgents(
  workflow: AnyWorkflow,
  input: unknown,
  { agents }: Machine,
): Promise<void> {
  const tasks = neededBy(workflow, input);
  const known = [...agents.keys()];
  const lacks = new Map<string, string>();
  for (const name of new Set(tasks.flatMap((task) => task.agents))) {
    const agent = agents.get(name);
    if (agent === undefined) {
      const meant = nearest(name, known);
      lacks.set(
        name,
        `no agent is called "${name}"${meant === undefined ? "" : `; did you mean ${meant}?`} Configured: ${known.join(", ")}`,
      );
      continue;
    }
    const { found, why } = await agent.probe();
    if (!found) lacks.set(name, why ?? `${name} is not installed`);
  }
  // A chain needs one of its agents, not all.
  const stuck = tasks.filter((task) => task.agents.every((name) => lacks.has(name)));
  if (stuck.length === 0) return;
  const lines = [...new Set(stuck.flatMap((task) => task.agents))].map((name) => {
    const leaves = stuck.filter((task) => task.agents.includes(name)).map(({ leaf }) => `"${leaf}"`);
    return `${leaves.join(", ")} in workflow "${workflow.name}" needs ${name}: ${lacks.get(name)}`;
  });
  throw new Failure(exitCodes.usage, lines.join("\n"));
}

/** A first tree that cannot be rendered is the run's own failure, which says more. */
function neededBy(workflow: AnyWorkflow, input: unknown): ReturnType<typeof agentsNeeded> {
  try {
    return agentsNeeded(workflow, input);
  } catch {
    return [];
  }
}
