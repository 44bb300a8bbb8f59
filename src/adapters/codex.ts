import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Agent, AgentOutcome, AgentSays, Clock, WorkOrder } from "../ports.ts";
import { agentEnvironment, type AgentHost } from "./agent-environment.ts";
import { failed, type RuntimeFacts } from "./agent-failure.ts";
import { askRuntime, hasKey, probeRuntime } from "./agent-probe.ts";
import { testedVersions } from "./agent-versions.ts";
import { runTurn, type Seen } from "./agent-turn.ts";
import { codexConnection, type CodexConnection } from "./codex-connection.ts";
import { codexRollout } from "./codex-rollout.ts";
import { codexStream } from "./codex-stream.ts";
import { codexTools, type CodexTools } from "./codex-tools.ts";
import { withPrivateFile } from "./private-file.ts";
import { totalsStore } from "./session-totals.ts";

export interface CodexOptions {
  readonly binary: string;
  readonly host: AgentHost;
  /** `CODEX_HOME`: its config, its login and its record of threads. */
  readonly codexHome: string;
  /** Private folder in which the counts of each session outlive this process. */
  readonly stateDir: string;
  readonly clock: Clock;
}

/** What is the same in both ways to run Codex. */
export function codexHost(options: CodexOptions) {
  const { binary, host, codexHome, clock } = options;
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
  return {
    runtime,
    env,
    hasKey: key !== undefined,
    probe: () => probeRuntime(runtime, env, loggedIn, clock),
  };
}

/** Codex as an agent: one process per order, its prompt on stdin. */
export function codex(options: CodexOptions): Agent {
  const { binary, codexHome, stateDir, clock } = options;
  const { runtime, env, probe } = codexHost(options);
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
      const told = { settings: [...connection.settings, ...tools.settings], sandbox: tools.sandbox };
      const schema = order.schema && JSON.stringify(order.schema);
      yield* withPrivateFile({ folder: stateDir, name: "schema", text: schema }, runtime, (schemaPath) =>
        runTurn(
          {
            runtime,
            order,
            process: {
              file: binary,
              args: codexArguments(order, schemaPath, told),
              env: { ...connection.env, ...tools.env, ...env },
            },
            stream: codexStream(runtime, order.schema === undefined ? "text" : "json", clock),
            totals,
            clock,
            beside: besideTheStream(order, codexHome),
            priced: "by-us",
          },
          signal,
        ),
      );
    },
  };
}

/** What follows `codex`. A resumed session falls back to a read-only sandbox unless it is told again. */
export function codexArguments(
  order: WorkOrder,
  schemaPath: string | undefined,
  { sandbox, settings }: Pick<CodexTools, "sandbox" | "settings">,
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
