import { z } from "zod";
import type { Clock } from "../../ports.ts";
import type { AgentOutcome } from "../../ports-agents.ts";
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
import type { Seen } from "./turn.ts";
import { codexTotals } from "./codex-stream.ts";
import { noUsage } from "./session-totals.ts";
import { detailOf, shortLine } from "./tool-detail.ts";

const maybe = <T extends z.ZodType>(schema: T) => schema.nullish().catch(undefined);
const text = maybe(z.string());

const problem = z.object({
  message: z.string().catch(""),
  codexErrorInfo: z.unknown().optional(),
  additionalDetails: text,
});
type Problem = z.infer<typeof problem>;
const item = z.object({
  type: z.string(),
  text,
  command: text,
  changes: maybe(z.array(z.object({ path: z.string(), kind: maybe(z.object({ type: text })) }))),
  server: text,
  tool: text,
  query: text,
});
type Item = z.infer<typeof item>;
const told = z.object({
  threadId: text,
  turnId: text,
  item: maybe(item),
  delta: text,
  tokenUsage: maybe(
    z.object({
      total: z.object({
        inputTokens: maybe(z.number().nonnegative()),
        cachedInputTokens: maybe(z.number().nonnegative()),
        cacheWriteInputTokens: maybe(z.number().nonnegative()),
        outputTokens: maybe(z.number().nonnegative()),
        reasoningOutputTokens: maybe(z.number().nonnegative()),
      }),
    }),
  ),
  error: maybe(problem),
  willRetry: maybe(z.boolean()),
  turn: maybe(z.object({ id: text, status: text, error: maybe(problem) })),
  toModel: text,
  message: text,
  summary: text,
});
type Told = z.infer<typeof told>;

/** Output shown but not counted is taken to be a token in so many characters. */
const charactersPerToken = 4;

/** What has become of the turn so far. */
export interface TurnState {
  readonly thread: string | undefined;
  /** The one we began, once it has a name. */
  readonly turn: string | undefined;
  readonly is: "not begun" | "under way" | "completed" | "interrupted" | "failed";
}

/** Reads the notifications of `codex app-server` about one turn of one thread. */
export function codexAppStream(runtime: RuntimeFacts, clock: Clock) {
  let thread: string | undefined;
  let turn: string | undefined;
  let is: TurnState["is"] = "not begun";
  let asked: string | undefined;
  let message: string | undefined;
  let trouble: Problem | undefined;
  let characters = 0;
  const sawModel = modelsSeen();

  function onItem(said: Item, stage: "started" | "completed"): Seen[] {
    if (said.type === "userMessage") return [];
    // The first that comes of a model: until then only what was asked for is known.
    const seen = sawModel(asked);
    if (stage === "started") return [...seen, ...toolIn(said)];
    if (said.type !== "agentMessage" || typeof said.text !== "string") return seen;
    message = said.text;
    return [...seen, { type: "text", text: said.text }];
  }

  function onError(said: Told): Seen[] {
    if (said.error === undefined || said.error === null) return [];
    if (said.willRetry !== true) {
      trouble = said.error;
      return [];
    }
    const { message: words, additionalDetails } = said.error;
    return [{ type: "waiting", why: shortLine(`${words} ${additionalDetails ?? ""}`), ms: 0 }];
  }

  function onNotice(method: string, said: Told): Seen[] {
    switch (method) {
      case "item/started":
      case "item/completed":
        return said.item === undefined || said.item === null
          ? []
          : onItem(said.item, method === "item/started" ? "started" : "completed");
      case "item/agentMessage/delta":
        characters += said.delta?.length ?? 0;
        return [
          {
            type: "estimate",
            usage: { ...noUsage, outputTokens: Math.ceil(characters / charactersPerToken) },
          },
        ];
      case "thread/tokenUsage/updated":
        // Of a resumed thread the first count is that of its last turn.
        return [...(said.turnId === turn ? sawModel(asked) : []), ...usageIn(said)];
      case "model/rerouted":
        return sawModel(said.toModel);
      case "error":
        return onError(said);
      case "warning":
      case "configWarning":
        return [{ type: "tool", name: "warning", detail: shortLine(said.message ?? said.summary ?? "") }];
      case "turn/completed":
        if (turn !== undefined && said.turn?.id !== turn) return [];
        is =
          said.turn?.status === "completed" || said.turn?.status === "interrupted"
            ? said.turn.status
            : "failed";
        trouble = said.turn?.error ?? trouble;
        return [];
      default:
        return [];
    }
  }

  return {
    state: (): TurnState => ({ thread, turn, is }),
    /** The thread is there, with the model it will ask. */
    opened: (id: string, model: string | undefined): readonly Seen[] => {
      thread = id;
      asked = model;
      return [{ type: "session", id }];
    },
    begun: (id: string | undefined): void => {
      turn = id;
      is = "under way";
    },
    /** A request of ours was refused. */
    refused: (words: string): void => {
      trouble = { message: words };
      is = "failed";
    },
    notice: (method: string, params: unknown): readonly Seen[] => {
      const said = told.safeParse(params).data;
      if (said === undefined) return [];
      const isOurs = said.threadId === undefined || said.threadId === null || said.threadId === thread;
      return isOurs ? onNotice(method, said) : [];
    },
    /** Its exit code says nothing about the turn: it serves until its input ends. */
    outcome: (end: ProcessEnd, structured: (words: string) => unknown): AgentOutcome => {
      if (is === "completed")
        return { is: "done", text: message ?? "", structured: structured(message ?? "") };
      if (is === "interrupted")
        return failed(
          "unfinished",
          "interrupted",
          `${runtime.title} was interrupted at its work; the session can go on`,
        );
      return is === "failed"
        ? failure(trouble, runtime, clock)
        : endedWithoutAnswer(end, runtime, clock.now());
    },
  };
}

/** Says each model once. */
function modelsSeen(): (id: string | null | undefined) => Seen[] {
  const models = new Set<string>();
  return (id) => {
    if (id === undefined || id === null || id === "" || models.has(id)) return [];
    models.add(id);
    return [{ type: "model", id }];
  };
}

/** Of the whole thread. */
function usageIn({ tokenUsage }: Told): Seen[] {
  const { inputTokens, cachedInputTokens, cacheWriteInputTokens, outputTokens, reasoningOutputTokens } =
    tokenUsage?.total ?? {};
  const usage = codexTotals({
    input_tokens: inputTokens ?? undefined,
    cached_input_tokens: cachedInputTokens ?? undefined,
    cache_write_input_tokens: cacheWriteInputTokens ?? undefined,
    output_tokens: outputTokens ?? undefined,
    reasoning_output_tokens: reasoningOutputTokens ?? undefined,
  });
  return usage === undefined ? [] : [{ type: "total", usage }];
}

function toolIn(said: Item): Seen[] {
  switch (said.type) {
    case "agentMessage":
    case "reasoning":
    case "plan":
    case "contextCompaction":
      return [];
    case "commandExecution":
      return [{ type: "tool", name: "shell", detail: shortLine(said.command ?? "") }];
    case "fileChange": {
      const paths = (said.changes ?? []).map(({ path, kind }) => `${kind?.type ?? "change"} ${path}`);
      return [{ type: "tool", name: "patch", detail: shortLine(paths.join(", ")) }];
    }
    default: {
      const { tool, server, query } = said;
      const detail =
        tool === undefined || tool === null
          ? detailOf({ query: query ?? undefined })
          : `${server ?? ""} ${tool}`;
      return [{ type: "tool", name: said.type, detail: shortLine(detail) }];
    }
  }
}

/** Machine codes of its own errors; the others are told apart by their words. */
const codes: Readonly<Record<string, FailureCode>> = {
  contextWindowExceeded: "context",
  usageLimitExceeded: "quota",
  sessionBudgetExceeded: "quota",
  rateLimitExceeded: "rate-limit",
  serverOverloaded: "server",
  internalServerError: "server",
  flexUnavailable: "server",
  policyCapacityUnavailable: "server",
  modelNotFound: "model-unknown",
  unauthorized: "logged-out",
  cyberPolicy: "refused",
  misalignmentPolicyViolation: "refused",
  inferenceHookDenied: "refused",
};

function failure(trouble: Problem | undefined, runtime: RuntimeFacts, clock: Clock): AgentOutcome {
  const said = trouble?.message ?? "";
  if (/max_output_tokens/u.test(said))
    return failed(
      "unfinished",
      "max-output-tokens",
      `${runtime.title}'s answer was cut at the model's own limit; the session can go on`,
    );
  const info = trouble?.codexErrorInfo;
  const code = typeof info === "string" ? codes[info] : undefined;
  const cause = code ?? causeByStatus(info) ?? causeOf(said) ?? "agent-failed";
  return failureOf(cause, runtime, said, clock.now());
}

const withStatus = z.record(z.string(), z.object({ httpStatusCode: z.number().nullish() }));

/** `{ responseTooManyFailedAttempts: { httpStatusCode: 429 } }` */
function causeByStatus(info: unknown): FailureCode | undefined {
  const [inner] = Object.values(withStatus.safeParse(info).data ?? {});
  const status = inner?.httpStatusCode ?? undefined;
  return status === undefined ? undefined : causeOfStatus(status);
}
