import { constants } from "node:fs";
import { mkdir, open, readdir, readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Clock } from "../../ports.ts";
import type { Agent, AgentSays, OwnTool, SessionId, WorkOrder } from "../../ports-agents.ts";
import { promptInWords } from "./answer-in-words.ts";
import { familyOf } from "../../review/pairing.ts";
import { agentEnvironment, type AgentHost } from "./environment.ts";
import { failed, failureOf, type RuntimeFacts } from "./failure.ts";
import { hasKey, probeRuntime } from "./probe.ts";
import { permittedTools, type OpenServer } from "./tools.ts";
import { testedVersions } from "./versions.ts";
import { runTurn } from "./turn.ts";
import { inQuarters, opensModel, type Lodged } from "../sandboxes/lodging.ts";
import { keyOnly, piFolder, piFurnisher } from "./pi-login.ts";
import type { Quarters } from "../sandboxes/premises.ts";
import { piStream } from "./pi-stream.ts";
import { countsEachRun } from "./session-totals.ts";

export interface PiOptions {
  /** Of the runtime, as labels and configuration name it; `pi` when left out. */
  readonly name?: string | undefined;
  readonly binary: string;
  readonly host: AgentHost;
  /** Private folder in which its sessions lie, apart from the operator's own, where it has no quarters. */
  readonly stateDir: string;
  readonly clock: Clock;
  /** Where it lives and works; as whom and where we do when left out. */
  readonly quarters?: Quarters | undefined;
  /** Where an order names none, such as `anthropic/claude-opus-4-5`; else pi's own choice. */
  readonly model?: string | undefined;
}

/** Its version check, its package updates and its telemetry all hang on the first. */
const quiet = { PI_OFFLINE: "1", PI_TELEMETRY: "0", PI_SKIP_VERSION_CHECK: "1" } as const;

/** Nothing of it stays inside the worktree by itself: it has no fence of its own. It knows no helpers to delegate to. */
const toolNames: Readonly<Record<OwnTool, readonly string[]>> = {
  read: ["read"],
  search: ["grep", "find", "ls"],
  edit: ["edit", "write"],
  shell: ["bash"],
  delegate: [],
};
/** Its word for as hard as it can. */
const thinking = { low: "low", medium: "medium", high: "high", xhigh: "xhigh", max: "xhigh" } as const;

/** The first line of a session's file is read this far. */
const longestHeader = 4096;

/** pi as an agent: one process per order in its JSON mode, its prompt on stdin. */
export function pi(options: PiOptions): Agent {
  const { binary, host, stateDir, clock, quarters } = options;
  const runtime: RuntimeFacts = {
    title: "pi",
    binary,
    install: "npm install -g @mariozechner/pi-coding-agent",
    login: `run \`${binary}\` once and type /login, or set the API key of a provider such as ANTHROPIC_API_KEY`,
  };
  const env = { ...agentEnvironment(host), ...quiet };
  const furnisherFor = (model: string | undefined) => piFurnisher(host, env, model);
  const isLent = quarters?.network === "model";
  const named = { ...runtime, name: options.name ?? "pi" };
  return {
    name: named.name,
    // What a reviewer is chosen by; what counts is what is observed of it then.
    family: options.model === undefined ? "unknown" : familyOf(options.model),
    tested: testedVersions.pi,
    probe: () =>
      isLent
        ? probeRuntime(
            { ...runtime, login: keyOnly },
            env,
            () => opensModel(furnisherFor(options.model)),
            clock,
          )
        : probeRuntime(runtime, env, () => loggedIn(host), clock),
    work: async function* (wanted, signal): AsyncGenerator<AgentSays> {
      const order = { ...wanted, model: wanted.model ?? options.model };
      const { servers } = permittedTools(order);
      if (servers.length > 0) return yield { type: "result", outcome: noServers(servers) };
      yield* inQuarters(quarters, order, named, furnisherFor(order.model), clock, (place) =>
        workIn(place, order, signal),
      );
    },
  };

  async function* workIn(
    place: Lodged | undefined,
    order: WorkOrder,
    signal: AbortSignal,
  ): AsyncGenerator<AgentSays> {
    // In the home that is the session's, so that those of other work are neither there nor kept for ever.
    let sessions = join(place?.home ?? stateDir, "pi-sessions");
    let kept: KeptSession | undefined;
    try {
      await mkdir(sessions, { recursive: true, mode: 0o700 });
      // Of the home it is a link into what outlives the run.
      sessions = await realpath(sessions);
      kept = order.resume === undefined ? undefined : await findSession(sessions, order.resume, order.cwd);
    } catch (error) {
      const why = `the sessions of pi below ${sessions} cannot be used: ${error instanceof Error ? error.message : String(error)}`;
      return yield { type: "result", outcome: failed("retry", "agent-failed", why) };
    }
    if (order.resume !== undefined && kept === undefined) {
      const said = `no session ${order.resume} below ${sessions}`;
      return yield { type: "result", outcome: failureOf("session-unknown", runtime, said, clock.now()) };
    }
    const stream = piStream(runtime, order.schema === undefined ? "text" : "json", clock);
    yield* runTurn(
      {
        runtime,
        order: { ...order, prompt: promptInWords(order) },
        process: { file: binary, args: piArguments(order, { sessions, kept }), env: place?.env ?? env },
        place,
        stream,
        totals: countsEachRun,
        clock,
        beside: async (line) => (line === undefined ? stream.cutOff() : []),
        priced: "by-us",
      },
      signal,
    );
  }
}

const noServers = (servers: readonly OpenServer[]) =>
  failed(
    "blocked",
    "tools-unsupported",
    `pi knows no MCP, and the order names ${servers.map(({ server }) => server.name).join(", ")}: take the servers out of \`runtime.mcp\`, or choose another runtime`,
  );

/** What follows `pi`. Whatever would run code out of the worktree or out of the operator's own setup stays off. */
export function piArguments(
  order: WorkOrder,
  place: { readonly sessions: string; readonly kept: KeptSession | undefined },
): readonly string[] {
  const { kept, sessions } = place;
  const tools = [...permittedTools(order).own].flatMap((tool) => toolNames[tool]);
  return [
    "--print",
    "--mode",
    "json",
    "--offline",
    "--no-extensions",
    "--no-skills",
    "--no-prompt-templates",
    "--no-themes",
    // Those of the folders above the worktree and of the operator's home are among them.
    "--no-context-files",
    "--session-dir",
    sessions,
    ...(tools.length === 0 ? ["--no-tools"] : ["--tools", tools.join(",")]),
    ...(order.effort === undefined ? [] : ["--thinking", thinking[order.effort]]),
    ...(order.model === undefined ? [] : ["--model", order.model]),
    ...(kept === undefined ? [] : [kept.goesOn === "here" ? "--session" : "--fork", kept.path]),
  ];
}

export interface KeptSession {
  readonly path: string;
  /** A session works where it began, wherever it is taken up; in another folder a copy of it goes on. */
  readonly goesOn: "here" | "as a copy";
}
const header = z.object({ type: z.literal("session"), id: z.string(), cwd: z.string() });

/** By its file: asked by id it would look among the operator's sessions, too, and ask on stdin what to do with one. */
async function findSession(folder: string, id: SessionId, cwd: string): Promise<KeptSession | undefined> {
  const name = (await readdir(folder)).find((entry) => entry.endsWith(`_${id}.jsonl`));
  if (name === undefined) return undefined;
  const path = join(folder, name);
  // Whoever worked there before may have left anything under this name.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(longestHeader), 0, longestHeader, 0);
    const line = buffer.subarray(0, bytesRead).toString("utf8").split("\n")[0] ?? "";
    // A broken file would be emptied and begun anew without a word.
    const said = header.safeParse(tryJson(line)).data;
    if (said?.id !== id) return undefined;
    const here = await realpath(cwd).catch(() => cwd);
    return { path, goesOn: said.cwd === here ? "here" : "as a copy" };
  } finally {
    await file.close();
  }
}

const logins = z.record(z.string(), z.unknown());
const providers = z.object({
  providers: z.record(z.string(), z.object({ apiKey: z.string().optional() })),
});

/** A key in its environment, a login it keeps, or a provider of the operator's with a key of its own. */
async function loggedIn(host: AgentHost): Promise<boolean> {
  if (hasKey(host.own)) return true;
  const folder = piFolder(host);
  const [auth, models] = await Promise.all(
    ["auth.json", "models.json"].map(async (name) =>
      tryJson(await readFile(join(folder, name), "utf8").catch(() => "")),
    ),
  );
  // It writes an empty file of logins at its first start.
  if (Object.keys(logins.safeParse(auth).data ?? {}).length > 0) return true;
  return Object.values(providers.safeParse(models).data?.providers ?? {}).some(
    ({ apiKey }) => apiKey !== undefined,
  );
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
