import { execa } from "execa";
import { tail } from "../agent-process.ts";
import { follow } from "../descendants.ts";

/** One line longer than this ends the conversation. */
const mostLine = 8 * 1024 * 1024;
const keptOfStderr = 2_000;
const graceMs = 3_000;

type Message = Parameters<NonNullable<import("@ai-sdk/mcp").MCPTransport["onmessage"]>>[0];

/** A server of tools as a process of ours: JSON lines on its stdin and stdout, ended with everything it started. */
export function processTransport(order: {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly runId: string;
}): import("@ai-sdk/mcp").MCPTransport & { readonly stderr: () => string } {
  const ending = new AbortController();
  const stderr = tail(keptOfStderr);
  let send: ((line: string) => Promise<void>) | undefined;
  let ended: Promise<void> = Promise.resolve();
  const transport: ReturnType<typeof processTransport> = {
    stderr: () => stderr.text().trim(),
    start: async () => {
      const child = execa(order.command, [...order.args], {
        cwd: order.cwd,
        env: { ...order.env, RUN_ID: order.runId },
        extendEnv: false,
        reject: false,
        buffer: false,
        stdin: "pipe",
        encoding: "buffer",
        killDescendants: true,
        forceKillAfterDelay: graceMs,
        cancelSignal: ending.signal,
      });
      // Only what grows from it is its own: the folder is at the agent's own commands' disposal too.
      const followed = follow({ pid: child.nodeChildProcess.pid, runId: order.runId, folder: undefined });
      child.stderr.on("data", (bytes: Buffer) => stderr.push(bytes));
      child.stdout.on(
        "data",
        linesOf(receive, () => ending.abort()),
      );
      // Whoever ended without reading what we said has ended, which is told below.
      child.stdin.on("error", () => undefined);
      send = (line) =>
        new Promise((sent, failed) => child.stdin.write(line, (error) => (error ? failed(error) : sent())));
      let swept: Promise<unknown> = Promise.resolve();
      child.nodeChildProcess.once("exit", () => {
        swept = followed.end();
      });
      ended = child.then(async () => {
        await swept;
        await followed.end();
        followed.leave();
        transport.onclose?.();
      });
      await new Promise<void>((started, failed) => {
        child.nodeChildProcess.once("spawn", started);
        child.nodeChildProcess.once("error", failed);
      });
    },
    send: async (message) => {
      if (send === undefined) throw new Error("the server was not started");
      await send(`${JSON.stringify(message)}\n`);
    },
    close: async () => {
      ending.abort();
      await ended;
    },
  };
  const receive = (line: string): void => {
    if (line.trim() === "") return;
    try {
      // What is no message of the protocol is refused by whoever reads it.
      transport.onmessage?.(JSON.parse(line) as Message);
    } catch (error) {
      transport.onerror?.(error instanceof Error ? error : new Error(String(error)));
    }
  };
  return transport;
}

function linesOf(receive: (line: string) => void, tooLong: () => void): (bytes: Buffer) => void {
  let pieces: Buffer[] = [];
  let length = 0;
  return (bytes) => {
    let from = 0;
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, from)) {
      receive(Buffer.concat([...pieces, bytes.subarray(from, at)]).toString("utf8"));
      pieces = [];
      length = 0;
      from = at + 1;
    }
    const rest = bytes.subarray(from);
    length += rest.length;
    if (length > mostLine) {
      pieces = [];
      return tooLong();
    }
    if (rest.length > 0) pieces.push(rest);
  };
}
