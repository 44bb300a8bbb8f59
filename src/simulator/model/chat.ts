import { createHash } from "node:crypto";
import { z } from "zod";
import type { Answer, Asked, Dialect, StreamEvent } from "./dialect.ts";
import { halves, quoted, writing } from "./pieces.ts";
import { usageOf } from "./scenario.ts";
import type { Failure, Part } from "./scenario.ts";

const Content = z
  .union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))])
  .nullish();
const Request = z.looseObject({
  model: z.string(),
  stream: z.boolean().optional(),
  messages: z.array(z.looseObject({ role: z.string(), content: Content })),
  tools: z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) })).optional(),
});

/** The Chat Completions API, as most servers of open models speak it. */
export const chat: Dialect = {
  name: "chat",
  path: "/v1/chat/completions",
  read: (body) => {
    const request = Request.parse(body);
    const prompts = request.messages
      .filter(({ role }) => role === "user")
      .map(({ content }) => textOf(content));
    return {
      conversation: createHash("sha256")
        .update(prompts[0] ?? "")
        .digest("hex"),
      model: request.model,
      isStream: request.stream ?? false,
      prompts,
      tools: request.tools?.map((tool) => tool.function.name) ?? [],
      cwd: undefined,
    };
  },
  answer,
  failure: (failure, message) => {
    const { status, code, text } = failures[failure];
    return { status, body: { error: { message: message ?? text, type: code, code, param: null } } };
  },
};

const textOf = (content: z.infer<typeof Content>): string =>
  typeof content === "string" ? content : (content ?? []).flatMap(({ text }) => text ?? []).join("\n");

const failures: Readonly<
  Record<Failure, { readonly status: number; readonly code: string; readonly text: string }>
> = {
  unauthorized: { status: 401, code: "invalid_api_key", text: "Incorrect API key provided." },
  "rate-limited": { status: 429, code: "rate_limit_exceeded", text: "Rate limit reached for requests." },
  quota: {
    status: 429,
    code: "insufficient_quota",
    text: "You exceeded your current quota, please check your plan and billing details.",
  },
  billing: { status: 402, code: "billing", text: "Insufficient credits." },
  "context-length": {
    status: 400,
    code: "context_length_exceeded",
    text: "This model's maximum context length is 128000 tokens.",
  },
  "server-error": { status: 500, code: "server_error", text: "The server had an error." },
  overloaded: { status: 503, code: "server_is_overloaded", text: "The engine is overloaded." },
};

type Output = Readonly<Record<string, unknown>>;
interface ToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

function answer(asked: Asked, parts: readonly Part[], id: (prefix: string) => string): Answer {
  const texts = parts.flatMap((part) =>
    "say" in part ? [part.say] : "answer" in part ? [JSON.stringify(part.answer)] : [],
  );
  const calls = parts.flatMap((part) => callOf(asked, part, id) ?? []);
  const stop = parts.find((part) => "stop" in part)?.stop;
  const ended = calls.length > 0 ? "tool_calls" : "stop";
  const reason = stop === undefined ? ended : { refusal: "content_filter", length: "length" }[stop];
  const used = usageOf(parts);
  const usage = {
    prompt_tokens: used.inputTokens,
    completion_tokens: used.outputTokens,
    total_tokens: used.inputTokens + used.outputTokens,
    prompt_tokens_details: { cached_tokens: used.cachedInputTokens },
    completion_tokens_details: { reasoning_tokens: used.reasoningTokens },
  };
  const completion = { id: id("chatcmpl-"), created: 0, model: asked.model };
  const chunk = (delta: Output, finish: string | null = null): Output => ({
    ...completion,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const chunks: readonly Output[] = [
    chunk({ role: "assistant", content: "" }),
    ...texts.flatMap(halves).map((content) => chunk({ content })),
    ...calls.flatMap((call, index) => callChunks(call, index).map((delta) => chunk(delta))),
    chunk({}, reason),
    { ...completion, object: "chat.completion.chunk", choices: [], usage },
  ];
  const message = {
    role: "assistant",
    content: texts.join("") || null,
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  return {
    events: [
      ...chunks.map((data): StreamEvent => ({ event: undefined, data })),
      { event: undefined, data: "[DONE]" },
    ],
    whole: {
      ...completion,
      object: "chat.completion",
      choices: [{ index: 0, message, finish_reason: reason }],
      usage,
    },
  };
}

const callChunks = (call: ToolCall, index: number): readonly Output[] => [
  {
    tool_calls: [
      { index, id: call.id, type: "function", function: { name: call.function.name, arguments: "" } },
    ],
  },
  ...halves(call.function.arguments).map((piece) => ({
    tool_calls: [{ index, function: { arguments: piece } }],
  })),
];

/** Every agent has a shell under one of these names. */
const shells = ["run", "bash", "shell"];

function callOf(asked: Asked, part: Part, id: (prefix: string) => string): ToolCall | undefined {
  const call = (name: string, input: unknown): ToolCall => ({
    id: id("call_"),
    type: "function",
    function: { name, arguments: JSON.stringify(input) },
  });
  const run = (command: string): ToolCall =>
    call(shells.find((name) => asked.tools.includes(name)) ?? "bash", {
      command,
      description: "as scripted",
    });
  if ("run" in part) return run(part.run);
  if ("read" in part) return run(`cat -- ${quoted(part.read)}`);
  if ("write" in part) return run(writing(part.write));
  if ("tool" in part) return call(part.tool.name, part.tool.input);
  return undefined;
}
