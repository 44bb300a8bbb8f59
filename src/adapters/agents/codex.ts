import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../ports.ts";
import type { Agent, AgentOutcome, AgentSays, WorkOrder } from "../../ports-agents.ts";
import { agentEnvironment, type AgentHost } from "./environment.ts";
import { failed, type RuntimeFacts } from "./failure.ts";
import { askRuntime, hasKey, probeRuntime } from "./probe.ts";
import { testedVersions } from "./versions.ts";
import { runTurn, type Seen } from "./turn.ts";
import { codexConnection, type CodexConnection } from "./codex-connection.ts";
import { codexFurnisher, keyOnly, throughDoor } from "./codex-login.ts";
import { codexRollout } from "./codex-rollout.ts";
import { codexStream } from "./codex-stream.ts";
import { codexTools, type CodexSandbox, type CodexTools } from "./codex-tools.ts";
import { inQuarters, opensModel, type Lodged } from "../sandboxes/lodging.ts";
import type { Quarters } from "../sandboxes/premises.ts";
import { withPrivateFile } from "../private-file.ts";
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

/** What is the same in both ways to run Codex. */
export function codexHost(options: CodexOptions) {
  const { binary, host, codexHome, clock, quarters } = options;
  const runtime: RuntimeFacts = {
    title: "Codex",
    binary,
    install: "npm install -g @openai/codex",
    login: `run \`${binary} login\`, or set OPENAI_API_KEY`,
  };
  // `codex exec` takes a key from CODEX_API_KEY only.
  const key = host.own["CODEX_API_KEY"] ?? host.own["OPENAI_API_KEY"];
  const env = {
    ...agentEnvironment(host),
    ...(key === undefined ? {} : { CODEX_API_KEY: key }),
    CODEX_HOME: codexHome,
  };
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
    runtime,
    env,
    furnisher,
    hasKey: key !== undefined,
    probe: () =>
      quarters?.network === "model"
        ? probeRuntime({ ...runtime, login: keyOnly }, env, () => opensModel(furnisher), clock)
        : probeRuntime(runtime, env, loggedIn, clock),
  };
}

/** Who keeps it in: its own sandbox, or one of ours in which it could make none. */
export const sandboxIn = (place: Lodged | undefined, own: CodexTools["sandbox"]): CodexSandbox =>
  place === undefined || place.sandbox.name === "local" || place.sandbox.name === "ssh"
    ? own
    : "danger-full-access";
/** In ours, not to write is a matter of the place. */
export const orderWithin = (order: WorkOrder, own: CodexTools["sandbox"]): WorkOrder =>
  own === "read-only" ? { ...order, access: "read" } : order;

/** Codex as an agent: one process per order, its prompt on stdin. */
export function codex(options: CodexOptions): Agent {
  const { binary, codexHome, stateDir, clock, quarters } = options;
  const { runtime, env, furnisher, probe } = codexHost(options);
  const totals = totalsStore(stateDir, "codex");
  return {
    name: "codex",
    family: "openai",
    tested: testedVersions.codex,
    probe,
    work: async function* (order, signal): AsyncGenerator<AgentSays> {
      const tools = codexTools(order, env);
      if ("is" in tools) return yield { type: "result", outcome: tools };
      let connection: CodexConnection;
      try {
        connection = await codexConnection(codexHome);
      } catch (error) {
        return yield { type: "result", outcome: unreadable(codexHome, error) };
      }
      const within = orderWithin(order, tools.sandbox);
      yield* inQuarters(quarters, within, { ...runtime, name: "codex" }, furnisher, clock, (place) =>
        workIn(place, { order, tools, connection }, signal),
      );
    },
  };

  function workIn(
    place: Lodged | undefined,
    { order, tools, connection }: Told,
    signal: AbortSignal,
  ): AsyncIterable<AgentSays> {
    const reached = throughDoor(connection, place?.door);
    const told = {
      settings: [...reached.settings, ...tools.settings],
      sandbox: sandboxIn(place, tools.sandbox),
    };
    const schema = order.schema && JSON.stringify(order.schema);
    const folder = place?.folder ?? stateDir;
    return withPrivateFile({ folder, name: "schema", text: schema }, runtime, (schemaPath) =>
      runTurn(
        {
          runtime,
          order,
          process: {
            file: binary,
            args: codexArguments(order, schemaPath, told),
            env: { ...reached.env, ...tools.env, ...(place?.env ?? env) },
          },
          place,
          stream: codexStream(runtime, order.schema === undefined ? "text" : "json", clock),
          totals,
          clock,
          beside: besideTheStream(order, place === undefined ? codexHome : join(place.home, ".codex")),
          priced: "by-us",
        },
        signal,
      ),
    );
  }
}

interface Told {
  readonly order: WorkOrder;
  readonly tools: CodexTools;
  readonly connection: CodexConnection;
}

/** What follows `codex`. A resumed session falls back to a read-only sandbox unless it is told again. */
export function codexArguments(
  order: WorkOrder,
  schemaPath: string | undefined,
  { sandbox, settings }: Pick<CodexTools, "settings"> & { readonly sandbox: CodexSandbox },
): readonly string[] {
  const { model, effort, resume } = order;
  const told = [
    ...settings,
    // The order's own word comes after the operator's.
    ...(effort === undefined ? [] : [`model_reasoning_effort="${effort}"`]),
    // Tools get neither our environment nor the runtime's key; the mark by which strays are found, they do get.
    'shell_environment_policy.inherit="core"',
    `shell_environment_policy.set={RUN_ID=${JSON.stringify(order.runId)}}`,
    ...(resume === undefined ? [] : [`sandbox_mode="${sandbox}"`]),
  ];
  const flags = [
    // Servers, hooks, profiles and instructions of the operator's own stay out; the login is no part of it.
    "--ignore-user-config",
    "--ignore-rules",
    ...told.flatMap((setting) => ["-c", setting]),
    ...(model === undefined ? [] : ["-m", model]),
    ...(schemaPath === undefined ? [] : ["--output-schema", schemaPath]),
  ];
  return resume === undefined
    ? ["exec", "--json", "--sandbox", sandbox, "-C", order.cwd, ...flags, "-"]
    : ["exec", "resume", "--json", ...flags, resume, "-"];
}

/** The operator's own settings say how to reach the model, and they are broken. */
export function unreadable(codexHome: string, error: unknown): AgentOutcome {
  const reason = error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error);
  const why = `${join(codexHome, "config.toml")} cannot be read: ${reason}. Correct it, then retry the ticket`;
  return failed("blocked", "runtime-misconfigured", why);
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
