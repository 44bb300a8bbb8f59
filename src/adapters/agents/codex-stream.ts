import { z } from "zod";
import type { Clock } from "../../ports.ts";
import type { AgentOutcome, Usage } from "../../ports-agents.ts";
import { causeOf, endedWithoutAnswer, failureOf, type RuntimeFacts } from "./failure.ts";
import type { ProcessEnd } from "../processes/agent-process.ts";
import type { AgentStream, Seen } from "./turn.ts";
import { detailOf, shortLine } from "./tool-detail.ts";

const maybe = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);
const number = maybe(z.number().nonnegative());
const text = maybe(z.string());

const codexUsage = z.object({
  input_tokens: number,
  cached_input_tokens: number,
  cache_write_input_tokens: number,
  output_tokens: number,
  reasoning_output_tokens: number,
});
const item = z.object({
  type: z.string(),
  text,
  message: text,
  command: text,
  changes: maybe(z.array(z.object({ path: z.string(), kind: text }))),
  server: text,
  tool: text,
  query: text,
});
type Item = z.infer<typeof item>;
const event = z.object({
  type: z.string(),
  thread_id: text,
  item: maybe(item),
  usage: maybe(codexUsage),
  message: text,
  error: maybe(z.object({ message: text })),
});

/** Tokens of a thread as the runtime counts them, in our words. Reasoning is part of the output. */
export function codexTotals(said: unknown): Usage | undefined {
  const usage = codexUsage.safeParse(said).data;
  if (usage?.input_tokens === undefined && usage?.output_tokens === undefined) return undefined;
  const written = usage.cache_write_input_tokens ?? 0;
  return {
    inputTokens: usage.input_tokens ?? 0,
    cachedInputTokens: usage.cached_input_tokens ?? 0,
    ...(written === 0 ? {} : { cacheWriteTokens: written }),
    outputTokens: usage.output_tokens ?? 0,
    reasoningTokens: usage.reasoning_output_tokens ?? 0,
    usd: undefined,
  };
}

/** Reads what `codex exec --json` prints. `answer` says whether the last message is wanted as JSON. */
export function codexStream(runtime: RuntimeFacts, answer: "text" | "json", clock: Clock): AgentStream {
  let session: string | undefined;
  let message: string | undefined;
  let trouble: string | undefined;
  let turn: "none" | "completed" | "failed" = "none";
  let characters = 0;

  function onItem(said: Item, stage: "started" | "completed"): Seen[] {
    const words = `${said.text ?? ""}${said.command ?? ""}`;
    if (stage === "completed") characters += words.length;
    switch (said.type) {
      case "agent_message":
        if (stage === "started" || said.text === undefined) return [];
        message = said.text;
        return [{ type: "text", text: said.text }];
      case "command_execution":
        return stage === "started"
          ? [{ type: "tool", name: "shell", detail: shortLine(said.command ?? "") }]
          : [];
      case "file_change": {
        const paths = (said.changes ?? []).map(({ path, kind }) => `${kind ?? "change"} ${path}`);
        return stage === "started"
          ? [{ type: "tool", name: "patch", detail: shortLine(paths.join(", ")) }]
          : [];
      }
      case "reasoning":
      case "todo_list":
        return [];
      case "error":
        // A warning: what ends a turn comes as an event of its own.
        return stage === "completed"
          ? [{ type: "tool", name: "warning", detail: shortLine(said.message ?? "") }]
          : [];
      default: {
        const detail =
          said.tool === undefined ? detailOf({ query: said.query }) : `${said.server ?? ""} ${said.tool}`;
        return stage === "started" ? [{ type: "tool", name: said.type, detail: shortLine(detail) }] : [];
      }
    }
  }

  function estimated(): Seen {
    const outputTokens = Math.ceil(characters / 4);
    return {
      type: "estimate",
      usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens, reasoningTokens: 0, usd: undefined },
    };
  }

  function onEvent(said: z.infer<typeof event>): Seen[] {
    switch (said.type) {
      case "thread.started":
        if (said.thread_id === undefined || said.thread_id === "" || said.thread_id === session) return [];
        session = said.thread_id;
        return [{ type: "session", id: session }];
      case "item.started":
        return said.item === undefined ? [] : onItem(said.item, "started");
      case "item.completed":
        return said.item === undefined ? [] : [...onItem(said.item, "completed"), estimated()];
      case "turn.completed": {
        turn = "completed";
        const usage = codexTotals(said.usage);
        return usage === undefined ? [] : [{ type: "total", usage }];
      }
      case "turn.failed":
        turn = "failed";
        trouble = said.error?.message ?? trouble;
        return [];
      case "error": {
        const words = said.message ?? "";
        if (/^reconnecting/iu.test(words)) return [{ type: "waiting", why: shortLine(words), ms: 0 }];
        trouble = words;
        return [];
      }
      default:
        return [];
    }
  }

  return {
    read: (line) => {
      const said = event.safeParse(tryJson(line)).data;
      return said === undefined ? [] : onEvent(said);
    },
    answered: () => turn !== "none",
    outcome: (end) => {
      if (end.exit === 0 && turn === "completed") {
        const words = message ?? "";
        return { is: "done", text: words, structured: answer === "json" ? tryJson(words) : undefined };
      }
      return judge(trouble, end, runtime, clock);
    },
  };
}

function judge(
  trouble: string | undefined,
  end: ProcessEnd,
  runtime: RuntimeFacts,
  clock: Clock,
): AgentOutcome {
  if (trouble === undefined) return endedWithoutAnswer(end, runtime, clock.now());
  return failureOf(causeOf(trouble) ?? "agent-failed", runtime, trouble, clock.now());
}

function tryJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
