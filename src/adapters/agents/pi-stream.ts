import { z } from "zod";
import type { Clock } from "../../ports.ts";
import type { AgentOutcome, Usage } from "../../ports-agents.ts";
import { answerInWords } from "./answer-in-words.ts";
import {
  causeOf,
  endedWithoutAnswer,
  failed,
  failureOf,
  type FailureCode,
  type RuntimeFacts,
} from "./failure.ts";
import type { ProcessEnd } from "../processes/agent-process.ts";
import type { AgentStream, Seen } from "./turn.ts";
import { noUsage, plus } from "./session-totals.ts";
import { detailOf, shortLine } from "./tool-detail.ts";

const maybe = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);
const number = maybe(z.number().nonnegative());
const text = maybe(z.string());

const message = z.object({
  role: text,
  model: text,
  content: maybe(z.array(z.unknown())),
  usage: maybe(
    z.object({
      input: number,
      output: number,
      cacheRead: number,
      cacheWrite: number,
      cost: maybe(z.object({ total: number })),
    }),
  ),
  stopReason: text,
  errorMessage: text,
});
type Message = z.infer<typeof message>;
const event = z.object({
  type: z.string(),
  id: text,
  message: maybe(message),
  toolName: text,
  args: z.unknown().optional(),
  attempt: number,
  maxAttempts: number,
  delayMs: number,
  errorMessage: text,
  result: maybe(z.object({ summary: text, tokensBefore: number })),
});
type Event = z.infer<typeof event>;
const block = z.object({ type: z.literal("text"), text: z.string() });

/** Output shown but not counted is taken to be a token in so many characters. */
const charactersPerToken = 4;
/** Its type stands first in every event. Most events repeat the whole message so far, and need no reading. */
const typeFirst = /^\{"type":"(\w+)"/u;
const delta =
  /^\{"type":"message_update","assistantMessageEvent":\{"type":"\w+","contentIndex":\d+,"delta":"([^"]*)"/u;
const unread = new Set(["message_update", "tool_execution_update", "tool_execution_end", "turn_end"]);

/** A stream that can tell, after its end, what an answer cost that nobody let finish. */
export interface PiStream extends AgentStream {
  cutOff(): readonly Seen[];
}

/** Reads what `pi --mode json` prints. `answer` says whether the last message is wanted as JSON. */
export function piStream(runtime: RuntimeFacts, answer: "text" | "json", clock: Clock): PiStream {
  let session: string | undefined;
  let last: Message | undefined;
  let isOver = false;
  let coming: { readonly message: Message; characters: number } | undefined;
  let used = noUsage;
  const models = new Set<string>();

  /** Said once the model has spoken: a request that was refused shows what was asked for, not who answered. */
  const sawModel = (id: string | undefined): Seen[] => {
    if (id === undefined || id === "" || models.has(id)) return [];
    models.add(id);
    return [{ type: "model", id }];
  };

  function onMessageEnd(said: Message): Seen[] {
    coming = undefined;
    last = said;
    const usage = usageOf(said);
    const seen = said.stopReason === "error" && usage.outputTokens === 0 ? [] : sawModel(said.model);
    const words = textOf(said);
    if (words !== "") seen.push({ type: "text", text: words });
    if (usage.inputTokens === 0 && usage.outputTokens === 0) return seen;
    used = sum(used, usage);
    return [...seen, { type: "total", usage: used }];
  }

  function onUpdate(line: string): Seen[] {
    if (coming === undefined) return [];
    coming.characters += delta.exec(line)?.[1]?.length ?? 0;
    return sawModel(coming.message.model);
  }

  function onEvent(said: Event): Seen[] {
    switch (said.type) {
      case "session":
        if (said.id === undefined || said.id === "" || said.id === session) return [];
        session = said.id;
        return [{ type: "session", id: session }];
      case "agent_start":
        isOver = false;
        return [];
      case "message_start":
        if (said.message?.role !== "assistant") return [];
        last = undefined;
        coming = { message: said.message, characters: 0 };
        return [];
      case "message_end":
        return said.message?.role === "assistant" ? onMessageEnd(said.message) : [];
      case "tool_execution_start":
        return [{ type: "tool", name: said.toolName ?? "tool", detail: detailOf(said.args) }];
      case "auto_retry_start": {
        isOver = false;
        const why = `${shortLine(said.errorMessage ?? "trouble")}, attempt ${said.attempt ?? "?"} of ${said.maxAttempts ?? "?"}`;
        return [{ type: "waiting", why, ms: said.delayMs ?? 0 }];
      }
      case "compaction_end": {
        if (said.result === undefined) return [];
        // Shortening a conversation asks the model, too, but nobody counts it.
        const { tokensBefore = 0, summary = "" } = said.result;
        const outputTokens = Math.ceil(summary.length / charactersPerToken);
        used = sum(used, atRateOf(used, { ...noUsage, inputTokens: tokensBefore, outputTokens }));
        return [{ type: "total", usage: used }];
      }
      default:
        return [];
    }
  }

  return {
    read: (line) => {
      const type = typeFirst.exec(line)?.[1] ?? "";
      if (type === "message_update") return onUpdate(line);
      if (type === "agent_end") {
        // Repeats the whole run, so it may be cut for its length.
        isOver = true;
        return [];
      }
      if (unread.has(type)) return [];
      const said = event.safeParse(tryJson(line)).data;
      return said === undefined ? [] : onEvent(said);
    },
    answered: () => isOver && last?.stopReason === "stop",
    outcome: (end) => judge({ last, isOver, answer, end, runtime, clock }),
    cutOff: () => {
      if (coming === undefined) return [];
      const lost = atRateOf(used, inFlight(coming));
      return [{ type: "total", usage: sum(used, lost) }];
    },
  };
}

const inFlight = ({ message: begun, characters }: { message: Message; characters: number }): Usage => {
  const usage = usageOf(begun);
  return { ...usage, outputTokens: Math.max(usage.outputTokens, Math.ceil(characters / charactersPerToken)) };
};

/** In our words the input includes what was cached. A price of nothing is no price: the model is not in its table. */
function usageOf({ usage }: Message): Usage {
  const cached = usage?.cacheRead ?? 0;
  const written = usage?.cacheWrite ?? 0;
  const usd = usage?.cost?.total ?? 0;
  return {
    inputTokens: (usage?.input ?? 0) + cached + written,
    cachedInputTokens: cached,
    ...(written === 0 ? {} : { cacheWriteTokens: written }),
    outputTokens: usage?.output ?? 0,
    reasoningTokens: 0,
    usd: usd === 0 ? undefined : usd,
  };
}

/** Dollars are known of all or of none. */
function sum(a: Usage, b: Usage): Usage {
  if (a === noUsage) return b;
  const isPriced = a.usd !== undefined && b.usd !== undefined;
  return { ...plus(a, b), usd: isPriced ? plus(a, b).usd : undefined };
}

/** What nobody priced costs as much per token as what was. */
function atRateOf(known: Usage, usage: Usage): Usage {
  const tokens = known.inputTokens + known.outputTokens;
  if (known.usd === undefined || tokens === 0) return { ...usage, usd: undefined };
  return { ...usage, usd: (known.usd * (usage.inputTokens + usage.outputTokens)) / tokens };
}

function textOf(said: Message): string {
  return (said.content ?? []).flatMap((part) => block.safeParse(part).data?.text ?? []).join("\n");
}

interface Heard {
  readonly last: Message | undefined;
  readonly isOver: boolean;
  readonly answer: "text" | "json";
  readonly end: ProcessEnd;
  readonly runtime: RuntimeFacts;
  readonly clock: Clock;
}

/** Its exit code is 0 whatever became of the work: only the last message tells. */
function judge({ last, isOver, answer, end, runtime, clock }: Heard): AgentOutcome {
  const { title } = runtime;
  if (!isOver || last === undefined) return endedWithoutAnswer(end, runtime, clock.now());
  switch (last.stopReason) {
    case "stop": {
      const words = textOf(last);
      if (end.exit === 0)
        return { is: "done", text: words, structured: answer === "json" ? answerInWords(words) : undefined };
      const how = end.signal ?? `exit code ${end.exit}`;
      return failed(
        "retry",
        "agent-failed",
        `${title} answered and then ended with ${how}; it is tried again by itself`,
      );
    }
    case "length":
      return failed(
        "unfinished",
        "max-output-tokens",
        `${title}'s answer was cut at the model's own limit; the session can go on`,
      );
    case "error":
      return failureOf(causeIn(last), runtime, ownWords(last), clock.now());
    default:
      return endedWithoutAnswer(end, runtime, clock.now());
  }
}

/** A parse error quotes what the model said, and that is no reason of ours. */
const ownWords = (last: Message): string => (last.errorMessage ?? "").replace(/; data=.*$/su, "");

function causeIn(last: Message): FailureCode {
  const said = ownWords(last);
  // What it says when a maker ended an answer that had come whole: no transport or status is at fault.
  if (/^an unknown error occurred$|finish_reason: content_filter/iu.test(said)) return "refused";
  return causeOf(said) ?? "agent-failed";
}

function tryJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
