import type { FinishReason, LanguageModel, LanguageModelUsage, ModelMessage, ToolSet } from "ai";
import type { Effort, Usage } from "../../../ports-agents.ts";
import { makerOptions } from "./model.ts";
import type { Load } from "./packages.ts";
import type { AgentTool } from "./tool.ts";

/** One question to a model. */
export interface Call {
  readonly model: Exclude<LanguageModel, string>;
  readonly instructions: string;
  readonly messages: readonly ModelMessage[];
  readonly tools: ReadonlyMap<string, AgentTool>;
  readonly schema: Readonly<Record<string, unknown>> | undefined;
  readonly effort: Effort | undefined;
  readonly mostTokens: number;
  readonly load: Load;
}
export type Called =
  | {
      readonly is: "answered";
      /** To be said again with the next call. */
      readonly messages: readonly ModelMessage[];
      readonly texts: readonly string[];
      readonly finish: FinishReason;
      readonly usage: Usage;
      readonly model: string | undefined;
    }
  | {
      readonly is: "failed";
      readonly error: unknown;
      /** Our own count, when it had begun to answer: its maker counts that too. */
      readonly usage: Usage | undefined;
      readonly model: string | undefined;
    };

/** A token is about so many characters. */
const charactersPerToken = 4;

/** Asks once. Tools are named to the model and never run here. Never throws: one that was aborted has failed, and is charged. */
export async function callModel(call: Call, signal: AbortSignal): Promise<Called> {
  const heard = { begun: false, characters: 0, model: undefined as string | undefined };
  const estimate = (): Usage => ({
    inputTokens: tokensIn(JSON.stringify([call.instructions, call.messages]).length),
    cachedInputTokens: 0,
    outputTokens: tokensIn(heard.characters),
    reasoningTokens: 0,
    usd: undefined,
  });
  const stop = new AbortController();
  try {
    const texts = new Map<string, string>();
    let finish: { readonly reason: FinishReason; readonly usage: LanguageModelUsage } | undefined;
    const result = await begin(call, heard, AbortSignal.any([signal, stop.signal]));
    for await (const part of result.fullStream) {
      switch (part.type) {
        case "text-delta":
          texts.set(part.id, (texts.get(part.id) ?? "") + part.text);
          heard.characters += part.text.length;
          break;
        case "reasoning-delta":
          heard.characters += part.text.length;
          break;
        case "tool-input-delta":
          heard.characters += part.delta.length;
          break;
        case "error":
          throw part.error;
        case "finish-step":
          finish = { reason: part.finishReason, usage: part.usage };
          break;
        default:
          break;
      }
      if (tokensIn(heard.characters) > 2 * call.mostTokens + 1_000)
        throw new Error(`malformed answer: it is longer than the ${call.mostTokens} tokens it may have`);
    }
    signal.throwIfAborted();
    if (finish === undefined || finish.reason === "other" || finish.reason === "error")
      throw new Error("the stream closed before the answer was whole");
    return {
      is: "answered",
      messages: await result.responseMessages,
      texts: [...texts.values()].filter((text) => text.trim() !== ""),
      finish: finish.reason,
      usage: usageOf(finish.usage, estimate()),
      model: heard.model,
    };
  } catch (error) {
    // An aborted call may have been taken on before we heard of it.
    const isCounted = heard.begun || signal.aborted;
    return { is: "failed", error, usage: isCounted ? estimate() : undefined, model: heard.model };
  } finally {
    // The SDK would read on for others who listen; nobody does.
    stop.abort();
  }
}

async function begin(call: Call, heard: { begun: boolean; model: string | undefined }, signal: AbortSignal) {
  const { streamText, jsonSchema, wrapLanguageModel, Output } = await call.load("ai");
  // Else it would write warnings about a model's abilities among our own lines.
  globalThis.AI_SDK_LOG_WARNINGS = false;
  const model = wrapLanguageModel({
    model: call.model,
    middleware: {
      specificationVersion: "v4",
      wrapStream: async ({ doStream }) => {
        const { stream, ...rest } = await doStream();
        heard.begun = true;
        // What the SDK calls the response's model is the one asked for, until the stream names another.
        const seen = new TransformStream<StreamPart, StreamPart>({
          transform: (part, on) => {
            if (part.type === "response-metadata") heard.model ??= part.modelId;
            // Google's package drops the name, so it is taken from what came.
            if (part.type === "raw") heard.model ??= modelIn(part.rawValue);
            on.enqueue(part);
          },
        });
        return { ...rest, stream: stream.pipeThrough(seen) };
      },
    },
  });
  const tools: ToolSet = {};
  for (const { name, description, input } of call.tools.values())
    tools[name] = { description, inputSchema: jsonSchema<never>({ ...input }) };
  return streamText({
    model,
    instructions: call.instructions,
    messages: [...call.messages],
    tools,
    ...(call.schema === undefined
      ? {}
      : { output: Output.object({ name: "answer", schema: jsonSchema({ ...call.schema }) }) }),
    ...(call.effort === undefined ? {} : { reasoning: call.effort }),
    maxOutputTokens: call.mostTokens,
    // We wait and ask again ourselves, where limits, clock and listener are.
    maxRetries: 0,
    abortSignal: signal,
    providerOptions: makerOptions,
    includeRawChunks: true,
    onError: () => undefined,
  });
}

type StreamPart =
  Awaited<
    ReturnType<Extract<Call["model"], { specificationVersion: "v4" }>["doStream"]>
  >["stream"] extends ReadableStream<infer Part>
    ? Part
    : never;

const modelIn = (raw: unknown): string | undefined =>
  typeof raw === "object" && raw !== null && "modelVersion" in raw && typeof raw.modelVersion === "string"
    ? raw.modelVersion
    : undefined;

const tokensIn = (characters: number): number => Math.ceil(characters / charactersPerToken);

/** What the maker counted, and our own count where it named none. */
function usageOf(usage: LanguageModelUsage, estimate: Usage): Usage {
  const written = usage.inputTokenDetails.cacheWriteTokens ?? 0;
  return {
    inputTokens: usage.inputTokens ?? estimate.inputTokens,
    cachedInputTokens: usage.inputTokenDetails.cacheReadTokens ?? 0,
    ...(written === 0 ? {} : { cacheWriteTokens: written }),
    outputTokens: usage.outputTokens ?? estimate.outputTokens,
    reasoningTokens: usage.outputTokenDetails.reasoningTokens ?? 0,
    usd: undefined,
  };
}
