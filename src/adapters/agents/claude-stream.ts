import { z } from "zod";
import type { Clock } from "../../ports.ts";
import type { AgentOutcome, Usage } from "../../ports-agents.ts";
import {
  causeOf,
  causeOfStatus,
  endedWithoutAnswer,
  failed,
  failureOf,
  type FailureCode,
  type RuntimeFacts,
} from "./failure.ts";
import type { ProcessEnd } from "../processes/agent-process.ts";
import type { AgentStream, Seen } from "./turn.ts";
import { noUsage, plus } from "./session-totals.ts";
import { detailOf } from "./tool-detail.ts";

/** Fields nobody promised may be absent, null or of another type: they are then unknown, and the event still counts. */
const maybe = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);
const number = maybe(z.number().nonnegative());
const text = maybe(z.string());

const block = z.object({ type: z.string(), text, thinking: text, name: text, input: z.unknown().optional() });
const assistant = z.object({
  message: z.object({
    id: text,
    model: text,
    content: maybe(z.array(z.unknown())),
    usage: maybe(
      z.object({
        input_tokens: number,
        cache_creation_input_tokens: number,
        cache_read_input_tokens: number,
        output_tokens: number,
      }),
    ),
  }),
  error: text,
});
const system = z.object({
  subtype: z.string(),
  model: text,
  attempt: number,
  max_retries: number,
  retry_delay_ms: number,
  error_status: number,
  error: text,
  tool_name: text,
  message: text,
});
const modelUse = z.object({
  inputTokens: number,
  outputTokens: number,
  thinkingTokens: number,
  cacheReadInputTokens: number,
  cacheCreationInputTokens: number,
  canonicalModel: text,
});
const result = z.object({
  subtype: text,
  is_error: maybe(z.boolean()),
  result: text,
  session_id: text,
  total_cost_usd: number,
  modelUsage: maybe(z.record(z.string(), modelUse)),
  permission_denials: maybe(z.array(z.object({ tool_name: text }))),
  terminal_reason: text,
  stop_reason: text,
  api_error_status: number,
  api_error: text,
  errors: maybe(z.array(z.string())),
  structured_output: z.unknown().optional(),
});
type Result = z.infer<typeof result>;
const event = z.object({ type: z.string(), session_id: text });

/** The name the runtime gives to words it wrote itself in the model's place. */
const notAModel = "<synthetic>";

/** Output shown but not counted is taken to be a token in so many characters. */
const charactersPerToken = 4;

/** Machine codes of the runtime's own error messages. */
const codes: Readonly<Record<string, FailureCode>> = {
  authentication_failed: "logged-out",
  oauth_org_not_allowed: "forbidden",
  billing_error: "quota",
  rate_limit: "rate-limit",
  server_error: "server",
  overloaded: "server",
  model_not_found: "model-unknown",
};

/** Reads what `claude -p --output-format stream-json` prints. */
export function claudeStream(runtime: RuntimeFacts, clock: Clock): AgentStream {
  let session: string | undefined;
  let refused = false;
  let errorCode: string | undefined;
  let last: Result | undefined;
  const models = new Set<string>();
  const estimate = estimator();

  const sawModel = (id: string | undefined): Seen[] => {
    if (id === undefined || id === "" || id === notAModel || models.has(id)) return [];
    models.add(id);
    return [{ type: "model", id }];
  };
  const sawSession = (id: string | undefined): Seen[] => {
    if (id === undefined || id === "" || id === session) return [];
    session = id;
    return [{ type: "session", id }];
  };

  function onSystem(said: z.infer<typeof system>): Seen[] {
    switch (said.subtype) {
      case "init":
        return sawModel(said.model);
      case "api_retry": {
        const status = said.error_status === undefined ? "" : ` (${said.error_status})`;
        const why = `${said.error ?? "trouble"}${status}, attempt ${said.attempt ?? "?"} of ${said.max_retries ?? "?"}`;
        return [{ type: "waiting", why, ms: said.retry_delay_ms ?? 0 }];
      }
      case "permission_denied":
        return [
          { type: "tool", name: said.tool_name ?? "tool", detail: `denied: ${said.message ?? ""}`.trim() },
        ];
      case "model_refusal_no_fallback":
        refused = true;
        return [];
      default:
        return [];
    }
  }

  function onAssistant(said: z.infer<typeof assistant>): Seen[] {
    const { message } = said;
    if (message.model === notAModel) {
      errorCode = said.error ?? errorCode;
      return [];
    }
    const seen = sawModel(message.model);
    let characters = 0;
    for (const one of message.content ?? []) {
      const part = block.safeParse(one).data;
      if (part === undefined) continue;
      characters += (part.text ?? part.thinking ?? JSON.stringify(part.input) ?? "").length;
      if (part.type === "text" && part.text !== undefined) seen.push({ type: "text", text: part.text });
      if (part.type === "tool_use")
        seen.push({ type: "tool", name: part.name ?? "tool", detail: detailOf(part.input) });
    }
    return [...seen, { type: "estimate", usage: estimate(message, characters) }];
  }

  function onResult(said: Result): Seen[] {
    last = said;
    // A session that could not be continued is named here, too, and is none.
    const seen = said.subtype === "error_during_execution" ? [] : sawSession(said.session_id);
    for (const [name, use] of Object.entries(said.modelUsage ?? {}))
      seen.push(...sawModel(use.canonicalModel ?? name));
    const usage = totalOf(said);
    return usage === undefined ? seen : [...seen, { type: "total", usage }];
  }

  return {
    read: (line) => {
      const json = tryJson(line);
      const head = event.safeParse(json).data;
      if (head === undefined) return [];
      if (head.type === "result") {
        const said = result.safeParse(json).data;
        return said === undefined ? [] : onResult(said);
      }
      const seen = sawSession(head.session_id);
      if (head.type === "system") {
        const said = system.safeParse(json).data;
        if (said !== undefined) seen.push(...onSystem(said));
      } else if (head.type === "assistant") {
        const said = assistant.safeParse(json).data;
        if (said !== undefined) seen.push(...onAssistant(said));
      }
      return seen;
    },
    answered: () => last !== undefined,
    outcome: (end) => judge({ last, end, errorCode, refused, runtime, clock }),
  };
}

/**
 * Counts a run from its messages. Each comes as one event per content block, all with the counts of the message's start:
 * the input is right, the output is not there yet.
 */
function estimator(): (message: z.infer<typeof assistant>["message"], characters: number) => Usage {
  const messages = new Map<string, Usage>();
  return ({ id, usage }, characters) => {
    const key = id ?? `#${messages.size}`;
    const earlier = messages.get(key)?.outputTokens ?? 0;
    const cached = usage?.cache_read_input_tokens ?? 0;
    const written = usage?.cache_creation_input_tokens ?? 0;
    messages.set(key, {
      inputTokens: (usage?.input_tokens ?? 0) + written + cached,
      cachedInputTokens: cached,
      cacheWriteTokens: written,
      outputTokens: Math.max(earlier + Math.ceil(characters / charactersPerToken), usage?.output_tokens ?? 0),
      reasoningTokens: 0,
      usd: undefined,
    });
    return sum(messages.values());
  };
}

/** Of the whole session: `usage` of the result is this run's only, and lags when a budget ends it. */
function totalOf(said: Result): Usage | undefined {
  const uses = Object.values(said.modelUsage ?? {});
  if (uses.length === 0) return undefined;
  const total = sum(
    uses.map((use) => ({
      inputTokens:
        (use.inputTokens ?? 0) + (use.cacheReadInputTokens ?? 0) + (use.cacheCreationInputTokens ?? 0),
      cachedInputTokens: use.cacheReadInputTokens ?? 0,
      cacheWriteTokens: use.cacheCreationInputTokens ?? 0,
      outputTokens: use.outputTokens ?? 0,
      reasoningTokens: use.thinkingTokens ?? 0,
      usd: undefined,
    })),
  );
  return { ...total, usd: said.total_cost_usd };
}

interface Heard {
  readonly last: Result | undefined;
  readonly end: ProcessEnd;
  readonly errorCode: string | undefined;
  readonly refused: boolean;
  readonly runtime: RuntimeFacts;
  readonly clock: Clock;
}

function judge(heard: Heard): AgentOutcome {
  const { last, end, runtime, clock } = heard;
  if (last === undefined) return endedWithoutAnswer(end, runtime, clock.now());
  // API errors, too, have the subtype "success".
  if (end.exit === 0 && last.subtype === "success" && last.is_error === false)
    return { is: "done", text: last.result ?? "", structured: last.structured_output };
  const outcome = failure(heard, last);
  const denied = [...new Set((last.permission_denials ?? []).map(({ tool_name }) => tool_name ?? "a tool"))];
  return denied.length === 0
    ? outcome
    : { ...outcome, why: `${outcome.why}; it was denied ${denied.join(", ")}` };
}

function failure(heard: Heard, last: Result): Extract<AgentOutcome, { is: "failed" }> {
  const { end, runtime, clock } = heard;
  const { title } = runtime;
  const said = [last.result, ...(last.errors ?? [])]
    .filter((part) => part !== undefined && part !== "")
    .join("; ");
  if (last.subtype === "error_max_turns")
    return failed("unfinished", "max-turns", `${title} ran out of turns; the session can go on`);
  if (last.subtype === "error_max_budget_usd" || last.terminal_reason === "budget_exhausted")
    return failed("unfinished", "budget", `${title} spent the dollars it may (${said})`);
  if (last.subtype === "error_max_structured_output_retries")
    return failed(
      "retry",
      "structured-output",
      `${title} never gave an answer of the asked form; it is tried again by itself`,
    );
  if (heard.errorCode === "max_output_tokens")
    return failed(
      "unfinished",
      "max-output-tokens",
      `${title}'s answer was cut at the model's own limit; the session can go on`,
    );
  if (last.is_error === false && last.subtype === "success")
    return failed(
      "retry",
      "agent-failed",
      `${title} answered and then ended with ${end.signal ?? `exit code ${end.exit}`}; it is tried again by itself`,
    );
  return failureOf(
    causeIn(heard, last, said) ?? "agent-failed",
    runtime,
    said === "" ? end.stderr : said,
    clock.now(),
  );
}

function causeIn({ errorCode, refused }: Heard, last: Result, said: string): FailureCode | undefined {
  if (last.terminal_reason === "prompt_too_long") return "context";
  if (refused || last.stop_reason === "refusal") return "refused";
  if (last.api_error === "connection_failed") return "stream";
  // A rate that is limited for good is told by its words alone; one that resets needs no person.
  if (errorCode === "rate_limit" && causeOf(said) === "quota" && !/\breset/iu.test(said)) return "quota";
  const coded = errorCode === undefined ? undefined : codes[errorCode];
  if (coded !== undefined) return coded;
  const status = last.api_error_status === undefined ? undefined : causeOfStatus(last.api_error_status);
  return status ?? causeOf(said);
}

const sum = (usages: Iterable<Usage>): Usage => [...usages].reduce(plus, noUsage);

function tryJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
