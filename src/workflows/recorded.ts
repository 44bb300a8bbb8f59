/** Agents at work with everything that is asked, said and streamed on record. */
import type { Agent, AgentSays, Usage, WorkOrder } from "../ports-agents.ts";
import type { LogKind } from "../session-logs.ts";
import type { SessionRecorder } from "./work.ts";

/** The agent at work on this order; what its session keeps goes by this key. */
export async function* recorded(
  sessions: Pick<SessionRecorder, "log">,
  key: string,
  agent: Agent,
  order: WorkOrder,
  signal: AbortSignal,
): AsyncGenerator<AgentSays> {
  sessions.log(key, "prompt", order.prompt);
  const keep: WorkOrder["keep"] = (line, from) => sessions.log(key, from, line);
  for await (const said of agent.work({ ...order, keep }, signal)) {
    const words = wordsOf(said);
    if (words !== undefined) sessions.log(key, words.kind, words.text);
    yield said;
  }
}

/** What is told of it in a transcript; undefined where that says nothing. */
export function wordsOf(said: AgentSays): { readonly kind: LogKind; readonly text: string } | undefined {
  switch (said.type) {
    case "session":
    case "model":
      return { kind: "session", text: `${said.type} ${said.id}` };
    case "text":
      return { kind: "text", text: said.text };
    case "tool":
      return { kind: "tool", text: `${said.name} ${said.detail}`.trim() };
    case "waiting":
      return { kind: "waiting", text: `${said.why} (${Math.ceil(said.ms / 1000)} s)` };
    case "usage":
      return { kind: "usage", text: usageInWords(said.usage) };
    case "result": {
      const { outcome } = said;
      return outcome.is === "done"
        ? { kind: "result", text: "done" }
        : { kind: "result", text: `${outcome.how}, ${outcome.code}: ${outcome.why}` };
    }
  }
}

function usageInWords({ inputTokens, cachedInputTokens, outputTokens, usd }: Usage): string {
  const cached = cachedInputTokens === 0 ? "" : ` (${cachedInputTokens} cached)`;
  const dollars = usd === undefined ? "" : `, $${usd.toFixed(4)}`;
  return `${inputTokens} tokens in${cached}, ${outputTokens} out${dollars}`;
}
