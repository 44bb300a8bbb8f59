import { access, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Agent, AgentSays, Clock, WorkOrder } from "../ports.ts";
import { agentEnvironment, type AgentHost } from "./agent-environment.ts";
import { failed, type RuntimeFacts } from "./agent-failure.ts";
import { askRuntime, hasKey, probeRuntime } from "./agent-probe.ts";
import { runTurn, type Seen } from "./agent-turn.ts";
import { codexFurnisher } from "./codex-login.ts";
import { codexRollout } from "./codex-rollout.ts";
import { codexStream } from "./codex-stream.ts";
import { inQuarters, type Lodged } from "./lodging.ts";
import type { Quarters } from "./premises.ts";
import { totalsStore } from "./session-totals.ts";

export interface CodexOptions {
  readonly binary: string;
  readonly host: AgentHost;
  /** `CODEX_HOME`: its config, its login and its record of threads. */
  readonly codexHome: string;
  /** Private folder in which the counts of each session outlive this process. */
  readonly stateDir: string;
  readonly clock: Clock;
  /** Where it lives and works; as whom and where we do when left out. */
  readonly quarters?: Quarters | undefined;
}

/** Codex as an agent: one process per order, its prompt on stdin. */
export function codex(options: CodexOptions): Agent {
  const { binary, host, codexHome, stateDir, clock, quarters } = options;
  const runtime = {
    name: "codex",
    title: "Codex",
    binary,
    install: "npm install -g @openai/codex",
    login: `run \`${binary} login\`, or set OPENAI_API_KEY`,
  } satisfies RuntimeFacts & { readonly name: string };
  // `codex exec` takes a key from CODEX_API_KEY only.
  const key = host.own["CODEX_API_KEY"] ?? host.own["OPENAI_API_KEY"];
  const env = {
    ...agentEnvironment(host),
    ...(key === undefined ? {} : { CODEX_API_KEY: key }),
    CODEX_HOME: codexHome,
  };
  const totals = totalsStore(stateDir, "codex");
  const loggedIn = async (): Promise<boolean> => {
    if (hasKey(host.own)) return true;
    const kept = await access(join(codexHome, "auth.json")).then(
      () => true,
      () => false,
    );
    return kept || (await askRuntime(binary, ["login", "status"], env, clock)).end?.exit === 0;
  };
  const furnisher = codexFurnisher(host, codexHome, env);
  return {
    name: "codex",
    family: "openai",
    probe: () => probeRuntime(runtime, env, loggedIn, clock),
    work: (order, signal) =>
      inQuarters(quarters, order, runtime, furnisher, clock, (place) => workIn(place, order, signal)),
  };

  async function* workIn(
    place: Lodged | undefined,
    order: WorkOrder,
    signal: AbortSignal,
  ): AsyncGenerator<AgentSays> {
    const folder = place?.folder ?? stateDir;
    let schema: SchemaFile | undefined;
    try {
      schema = await schemaFile(order, folder);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const why = `the schema for Codex could not be written below ${folder}: ${reason}`;
      yield { type: "result", outcome: failed("retry", "agent-failed", why) };
      return;
    }
    try {
      yield* runTurn(
        {
          runtime,
          order,
          process: {
            file: binary,
            args: codexArguments(order, schema?.path, fenceAround(place)),
            env: place?.env ?? env,
          },
          place,
          stream: codexStream(runtime, order.schema === undefined ? "text" : "json", clock),
          totals,
          clock,
          beside: besideTheStream(order, place === undefined ? codexHome : join(place.home, ".codex")),
          priced: "by-us",
        },
        signal,
      );
    } finally {
      await schema?.remove();
    }
  }
}

/** Who keeps it in: its own sandbox, or one of ours in which it could make none. */
export type Fence = "its-own" | "ours";
const fenceAround = (place: Lodged | undefined): Fence =>
  place === undefined || place.sandbox.name === "local" || place.sandbox.name === "ssh" ? "its-own" : "ours";

/** What follows `codex`. A resumed session falls back to a read-only sandbox unless it is told again. */
export function codexArguments(
  order: WorkOrder,
  schemaPath: string | undefined,
  fence: Fence = "its-own",
): readonly string[] {
  const own = order.access === "write" ? "workspace-write" : "read-only";
  const sandbox = fence === "ours" ? "danger-full-access" : own;
  const settings = [
    // Tools get neither our environment nor the runtime's key; the mark by which strays are found, they do get.
    "-c",
    'shell_environment_policy.inherit="core"',
    "-c",
    `shell_environment_policy.set={RUN_ID=${JSON.stringify(order.runId)}}`,
    ...(order.model === undefined ? [] : ["-m", order.model]),
    ...(schemaPath === undefined ? [] : ["--output-schema", schemaPath]),
  ];
  if (order.resume === undefined)
    return ["exec", "--json", "--sandbox", sandbox, "-C", order.cwd, ...settings, "-"];
  return ["exec", "resume", "--json", "-c", `sandbox_mode="${sandbox}"`, ...settings, order.resume, "-"];
}

/** Model and counts as the runtime records them; asked again with every finished item, so that limits hold during a turn. */
function besideTheStream(
  order: WorkOrder,
  codexHome: string,
): (line: string | undefined) => Promise<readonly Seen[]> {
  const rollout = codexRollout(codexHome);
  let thread: string | undefined;
  let asked = order.model;
  return async (line) => {
    thread ??= line === undefined ? undefined : threadIn(line);
    if (thread === undefined) return [];
    if (line !== undefined && !line.startsWith('{"type":"item.completed"')) return [];
    const seen = await rollout.look(thread);
    if (seen.some(({ type }) => type === "model")) asked = undefined;
    // Nothing recorded: the model that was asked for by name is the best that is known; without one, none is.
    return line === undefined && asked !== undefined ? [...seen, { type: "model", id: asked }] : seen;
  };
}

function threadIn(line: string): string | undefined {
  return /^\{"type":"thread\.started","thread_id":"([\w-]+)"/u.exec(line)?.[1];
}

interface SchemaFile {
  readonly path: string;
  remove(): Promise<void>;
}

/** Outside the worktree, in a folder only this user can open. */
async function schemaFile(order: WorkOrder, stateDir: string): Promise<SchemaFile | undefined> {
  if (order.schema === undefined) return undefined;
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(stateDir, "schema-"));
  const path = join(folder, "schema.json");
  await writeFile(path, JSON.stringify(order.schema), { mode: 0o600 });
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}
