import { mkdir } from "node:fs/promises";
import type { Clock } from "../../../ports.ts";
import type { McpServer, WorkOrder } from "../../../ports-agents.ts";
import { permittedTools } from "../tools.ts";
import type { Load } from "./packages.ts";
import { processTransport } from "./mcp-process.ts";
import { shortened, type AgentTool, type ToolAnswer } from "./tool.ts";

/** A server that does not answer is not waited for. */
const connectMs = 30_000;
const callMs = 5 * 60_000;
const goodbyeMs = 5_000;
/** Names of tools as every maker takes them. */
const longestName = 64;

/** A server of tools cannot be used. */
export class ServerUnusable extends Error {
  constructor(name: string, reason: string, options: { readonly cause: unknown }) {
    super(`the server of tools \`${name}\` could not be used: ${reason}`, options);
    this.name = "ServerUnusable";
  }
}

export interface ServerTool extends AgentTool {
  /** As rules about tools call it. */
  readonly rule: `mcp:${string}`;
}
export interface Servers {
  readonly tools: readonly ServerTool[];
  /** Ends every process of theirs; never rejects. */
  close(): Promise<void>;
}

interface Setting {
  readonly order: WorkOrder;
  /**
   * Where its processes stand: no worktree, because files there decide what `npx` and others run, and these run
   * outside the sandbox.
   */
  readonly folder: string;
  /** Of processes, beside what the operator gave the server itself. */
  readonly env: Readonly<Record<string, string>>;
  readonly fetch: typeof globalThis.fetch;
  readonly load: Load;
  readonly clock: Clock;
}

/** Starts or reaches the servers of which an order may call anything, and asks for their tools. */
export async function openServers(setting: Setting, signal: AbortSignal): Promise<Servers> {
  const opened: Server[] = [];
  await mkdir(setting.folder, { recursive: true, mode: 0o700 });
  const close = async (): Promise<void> => {
    await Promise.allSettled(opened.map((server) => server.close()));
  };
  try {
    for (const { server } of permittedTools(setting.order).servers)
      opened.push(await openServer(server, setting, signal));
  } catch (error) {
    await close();
    throw error;
  }
  return { tools: opened.flatMap(({ tools }) => tools), close };
}

interface Server {
  readonly tools: readonly ServerTool[];
  close(): Promise<void>;
}

async function openServer(server: McpServer, setting: Setting, signal: AbortSignal): Promise<Server> {
  const { createMCPClient } = await setting.load("@ai-sdk/mcp");
  const { order, folder, env, fetch, clock } = setting;
  const connecting = { clock, ms: connectMs, signal };
  const transport =
    server.is === "http"
      ? { type: "http" as const, url: server.url, headers: { ...server.headers }, fetch }
      : processTransport(
          {
            file: server.command,
            args: server.args,
            cwd: folder,
            env: { ...env, ...server.env },
            runId: order.runId,
            // It may be silent for as long as nobody asks it anything.
            stallMs: order.limits.turnMs,
            turnMs: order.limits.turnMs,
            // All servers stand there: being at work there makes nobody this one's.
            place: "shared",
          },
          clock,
        );
  const stop = async (): Promise<void> => {
    if ("close" in transport) await transport.close();
  };
  try {
    const client = await within(connecting, () => createMCPClient({ transport, clientName: "forgehand" }));
    const { tools } = await within(connecting, (signal) => client.listTools({ options: { signal } }));
    const offered =
      order.access === "write"
        ? tools
        : tools.filter(({ annotations }) => annotations?.readOnlyHint === true);
    return {
      tools: offered.map((tool) => ({
        name: `${server.name}__${tool.name}`.replaceAll(/[^\w-]/gu, "_").slice(0, longestName),
        rule: `mcp:${server.name}/${tool.name}` as const,
        description: shortened(tool.description ?? tool.name, 4_000),
        input: { ...tool.inputSchema },
        run: async (input, signal) => {
          try {
            const given = typeof input === "object" && input !== null ? { ...input } : {};
            const ask = (signal: AbortSignal) =>
              client.callTool({ name: tool.name, arguments: given, options: { signal, timeout: callMs } });
            return answerOf(await within({ clock, ms: callMs, signal }, ask));
          } catch (error) {
            signal.throwIfAborted();
            return { is: "error", text: `${server.name} failed: ${reasonOf(error)}` };
          }
        },
      })),
      close: async () => {
        const goodbye = { clock, ms: goodbyeMs, signal: new AbortController().signal };
        await within(goodbye, () => client.close()).catch(() => undefined);
        await stop();
      },
    };
  } catch (error) {
    await stop();
    signal.throwIfAborted();
    const said = "ended" in transport ? transport.ended() : "";
    throw new ServerUnusable(server.name, [reasonOf(error), said].filter((one) => one !== "").join("; "), {
      cause: error,
    });
  }
}

/** What a server answered, as text: a model reads nothing else here. */
function answerOf(result: object): ToolAnswer {
  const { content, isError, structuredContent } = result as {
    readonly content?: unknown;
    readonly isError?: unknown;
    readonly structuredContent?: unknown;
  };
  const texts = (Array.isArray(content) ? (content as readonly unknown[]) : []).map((part) =>
    typeof part === "object" && part !== null && "text" in part && typeof part.text === "string"
      ? part.text
      : JSON.stringify(part, (_name, value: unknown) =>
          typeof value === "string" ? shortened(value, 1_000) : value,
        ),
  );
  const text = texts.length > 0 ? texts.join("\n") : JSON.stringify(structuredContent ?? result);
  return { is: isError === true ? "error" : "ok", text: shortened(text) };
}

/** Lets it work, but no longer than this; whoever hears the signal is told when that is over. */
async function within<T>(
  limit: { readonly clock: Clock; readonly ms: number; readonly signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { clock, ms, signal } = limit;
  signal.throwIfAborted();
  const over = new AbortController();
  const settled = new AbortController();
  const waiting = AbortSignal.any([signal, settled.signal]);
  const tooLong = clock.until(clock.now() + ms, waiting).then(() => {
    throw new Error(`it did not answer in ${ms / 1_000} s`);
  });
  const working = work(AbortSignal.any([signal, over.signal]));
  // The one that comes second is heard by nobody.
  working.catch(() => undefined);
  tooLong.catch(() => undefined);
  try {
    return await Promise.race([working, tooLong]);
  } finally {
    settled.abort();
    over.abort();
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
