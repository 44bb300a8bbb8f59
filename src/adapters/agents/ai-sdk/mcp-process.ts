import type { MCPTransport } from "@ai-sdk/mcp";
import type { Clock } from "../../../ports.ts";
import { runProcess, type ProcessEnd, type ProcessOrder } from "../../processes/agent-process.ts";
import { openInput } from "../../processes/process-input.ts";

type Message = Parameters<NonNullable<MCPTransport["onmessage"]>>[0];
export interface ProcessTransport extends MCPTransport {
  /** Why it ended, in its own words; empty while it has not. */
  ended(): string;
}

/** A server of tools as a process of ours: JSON lines on its stdin and stdout, ended with everything it started. */
export function processTransport(
  order: Omit<ProcessOrder, "stdin" | "input">,
  clock: Clock,
): ProcessTransport {
  const ending = new AbortController();
  const input = openInput();
  let end: ProcessEnd | undefined;
  let running: Promise<void> = Promise.resolve();
  const transport: ProcessTransport = {
    ended: () => (end === undefined ? "" : (end.failedToStart ?? end.stderr).trim()),
    start: async () => {
      running = listen().catch((error: unknown) => {
        transport.onerror?.(error instanceof Error ? error : new Error(String(error)));
        transport.onclose?.();
      });
    },
    send: async (message) => input.say(JSON.stringify(message)),
    close: async () => {
      ending.abort();
      await running;
    },
  };
  const listen = async (): Promise<void> => {
    for await (const said of runProcess({ ...order, stdin: undefined, input }, clock, ending.signal)) {
      if (said.type === "end") end = said.end;
      else receive(said.line);
    }
    transport.onclose?.();
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
