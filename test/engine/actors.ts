/** Agents and a shell that play a part, for tests of the engine. */
import type { AgentEnd, AgentOrder, AgentSaid, Host, HostAgent, ShellOrder, ShellResult } from "#engine";

/** What an agent says in one turn; a function sees the order first. */
export type Turn =
  | readonly AgentSaid[]
  | ((order: AgentOrder, signal: AbortSignal) => AsyncIterable<AgentSaid>);

export const session = (id: string): AgentSaid => ({ type: "session", id });
export const spent = (usd: number, outputTokens = 10): AgentSaid => ({
  type: "usage",
  usage: { inputTokens: 100, cachedInputTokens: 0, outputTokens, reasoningTokens: 0, usd },
});
const result = (outcome: AgentEnd): AgentSaid => ({ type: "result", outcome });
export const done = (text: string, structured?: unknown): AgentSaid =>
  result({ is: "done", text, structured });
export const fails = (
  how: "retry" | "blocked" | "give-up" | "unfinished",
  code: string,
  more: { readonly why?: string; readonly retryAt?: number } = {},
): AgentSaid => result({ is: "failed", how, code, why: `${code} happened`, ...more });

/** Works until it is stopped, as one does who never ends by itself. */
export const untilStopped = (...first: readonly AgentSaid[]): Turn =>
  async function* (_order, signal) {
    yield* first;
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve());
    });
    yield fails("give-up", "aborted");
  };

/** An agent that plays these turns, one an order, and keeps the orders. */
export function actor(
  name: string,
  ...turns: readonly Turn[]
): HostAgent & { readonly orders: AgentOrder[] } {
  const orders: AgentOrder[] = [];
  return {
    name,
    orders,
    work: async function* (order, signal) {
      const turn = turns[orders.length];
      orders.push(order);
      if (turn === undefined) throw new Error(`${name} has no turn ${orders.length}`);
      yield* typeof turn === "function" ? turn(order, signal) : turn;
    },
  };
}

/** A machine with these agents, and a shell that answers by a function. */
export const hostOf = (
  agents: readonly HostAgent[],
  shell: (order: ShellOrder, signal: AbortSignal) => Partial<ShellResult> = () => ({}),
): Host => ({
  folder: "/nowhere",
  shell: async (order, signal) => ({
    exit: 0,
    timedOut: false,
    stdout: "",
    stderr: "",
    ...shell(order, signal),
  }),
  agents: new Map(agents.map((agent) => [agent.name, agent])),
  redact: (text) => text.replaceAll("hunter2", "[removed]"),
  snapshots: undefined,
  worktrees: undefined,
});
