import { mkdir, readlink, rm, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Agent, AgentSays, WorkOrder } from "../../ports-agents.ts";
import { failed } from "./failure.ts";
import { testedVersions } from "./versions.ts";
import { runTurn } from "./turn.ts";
import { codexHost, orderWithin, sandboxIn, unreadable, type CodexOptions } from "./codex.ts";
import { codexConnection, type CodexConnection } from "./codex-connection.ts";
import { codexConversation, type CodexConversation } from "./codex-conversation.ts";
import { throughDoor } from "./codex-login.ts";
import { codexTools, inToml, type CodexSandbox, type CodexTools } from "./codex-tools.ts";
import { inQuarters, type Lodged } from "../sandboxes/lodging.ts";
import { totalsStore } from "./session-totals.ts";

export interface CodexAppServerOptions extends CodexOptions {
  /** Of the runtime, as labels and configuration name it; `codex-app-server` when left out. */
  readonly name?: string | undefined;
  /** Where an order names none. */
  readonly model?: string | undefined;
}

/**
 * Codex by its app server instead of `codex exec`: one process and one turn per order, told over stdio. It names its
 * errors by code, counts while it works, and listens to people meanwhile.
 */
export function codexAppServer(options: CodexAppServerOptions): Agent {
  const { binary, codexHome, stateDir, clock, quarters } = options;
  const host = codexHost(options);
  const { runtime } = host;
  const totals = totalsStore(stateDir, "codex-app-server");
  const home = join(stateDir, "codex-app-server");
  const underWay = new Map<string, CodexConversation>();
  return {
    name: options.name ?? "codex-app-server",
    family: "openai",
    tested: testedVersions.codex,
    probe: host.probe,
    steering: (runId) => underWay.get(runId),
    work: async function* (wanted, signal): AsyncGenerator<AgentSays> {
      const order = { ...wanted, model: wanted.model ?? options.model };
      const tools = codexTools(order, host.env);
      if ("is" in tools) return yield { type: "result", outcome: tools };
      let connection: CodexConnection;
      try {
        connection = await codexConnection(codexHome);
      } catch (error) {
        return yield { type: "result", outcome: unreadable(codexHome, error) };
      }
      const within = orderWithin(order, tools.sandbox);
      const named = { ...runtime, name: options.name ?? "codex-app-server" };
      yield* inQuarters(quarters, within, named, host.furnisher, clock, (place) =>
        workIn(place, { order, tools, connection }, signal),
      );
    },
  };

  async function* workIn(
    place: Lodged | undefined,
    { order, tools, connection }: Told,
    signal: AbortSignal,
  ): AsyncGenerator<AgentSays> {
    try {
      if (place === undefined) await ownHome(home, codexHome);
    } catch (error) {
      const why = `${home}, where Codex keeps its threads, cannot be used: ${error instanceof Error ? error.message : String(error)}`;
      return yield { type: "result", outcome: failed("retry", "agent-failed", why) };
    }
    const reached = throughDoor(connection, place?.door);
    const sandbox = sandboxIn(place, tools.sandbox);
    const conversation = codexConversation({ order, sandbox, runtime, clock });
    const access = host.hasKey || place?.door !== undefined ? "key" : "login";
    underWay.set(order.runId, conversation);
    try {
      yield* runTurn(
        {
          runtime,
          order,
          process: {
            file: binary,
            args: appServerArguments(order, reached, { ...tools, sandbox }, access),
            env: { ...reached.env, ...tools.env, ...(place?.env ?? { ...host.env, CODEX_HOME: home }) },
            input: conversation.input,
          },
          place,
          stream: conversation,
          totals,
          clock,
          priced: "by-us",
        },
        signal,
      );
    } finally {
      if (underWay.get(order.runId) === conversation) underWay.delete(order.runId);
      conversation.close();
    }
  }
}

interface Told {
  readonly order: WorkOrder;
  readonly tools: CodexTools;
  readonly connection: CodexConnection;
}

/**
 * A home of our own, since an app server reads all of `config.toml` and cannot be told to leave it: nothing of the
 * operator's is in it but the login, by a link, so that a renewed login stays one.
 */
async function ownHome(home: string, codexHome: string): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const login = resolve(codexHome, "auth.json");
  const link = join(home, "auth.json");
  if ((await readlink(link).catch(() => undefined)) === login) return;
  await rm(link, { force: true });
  await symlink(login, link).catch((error: unknown) => {
    // Another order of ours was faster.
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  });
}

/** What follows `codex`. Unlike `codex exec` it takes no key out of its environment, unless a provider names it. */
export function appServerArguments(
  order: WorkOrder,
  connection: CodexConnection,
  { sandbox, settings }: Pick<CodexTools, "settings"> & { readonly sandbox: CodexSandbox },
  access: "key" | "login",
): readonly string[] {
  const told = [
    ...connection.settings,
    ...(access === "key" ? providerByKey(connection) : []),
    ...settings,
    // A helper's tokens are counted in a thread of its own, out of our sight.
    "features.multi_agent=false",
    ...(order.effort === undefined ? [] : [`model_reasoning_effort="${order.effort}"`]),
    `sandbox_mode="${sandbox}"`,
    'approval_policy="never"',
    // What stands in the repository's own `.codex` may start programs of anybody's choice.
    `projects={${inToml(order.cwd)}={trust_level="untrusted"}}`,
    'shell_environment_policy.inherit="core"',
    `shell_environment_policy.set={RUN_ID=${JSON.stringify(order.runId)}}`,
  ];
  return ["app-server", ...told.flatMap((setting) => ["-c", setting])];
}

const openai = "https://api.openai.com/v1";

function providerByKey({ settings }: CodexConnection): readonly string[] {
  if (settings.some((setting) => setting.startsWith("model_provider="))) return [];
  const base = settings.find((setting) => setting.startsWith("openai_base_url="));
  const url = base?.slice(base.indexOf("=") + 1) ?? inToml(openai);
  return [
    'model_provider="openai-by-key"',
    `model_providers={"openai-by-key"={name="OpenAI",base_url=${url},env_key="CODEX_API_KEY",wire_api="responses"}}`,
  ];
}
