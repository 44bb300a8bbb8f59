import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { z } from "zod";
import type { Answer, Asked, Dialect, StreamEvent } from "./dialect.ts";
import { halves } from "./pieces.ts";
import { usageOf } from "./scenario.ts";
import type { Failure, Part } from "./scenario.ts";

const Block = z.looseObject({ type: z.string(), text: z.string().optional() });
const Content = z.union([z.string(), z.array(Block)]);
const Request = z.looseObject({
  model: z.string(),
  stream: z.boolean().optional(),
  system: Content.optional(),
  messages: z.array(z.looseObject({ role: z.string(), content: Content })),
  tools: z.array(z.looseObject({ name: z.string() })).optional(),
  metadata: z.looseObject({ user_id: z.string().optional() }).optional(),
});

/** The Messages API, as Claude Code speaks it. */
export const messages: Dialect = {
  name: "messages",
  path: "/v1/messages",
  read: (body) => {
    const request = Request.parse(body);
    const prompts = request.messages
      .filter(({ role }) => role === "user")
      .map(({ content }) => textOf(content))
      .filter((text) => text !== "");
    // The environment is told in the system prompt or in a message of the system's, as the version likes.
    const everything = [request.system ?? "", ...request.messages.map(({ content }) => content)];
    return {
      conversation:
        request.metadata?.user_id ??
        createHash("sha256")
          .update(prompts[0] ?? "")
          .digest("hex"),
      model: request.model,
      isStream: request.stream ?? false,
      prompts,
      tools: request.tools?.map(({ name }) => name) ?? [],
      cwd: /working directory: *(\S.*)/i.exec(everything.map(textOf).join("\n"))?.[1]?.trim(),
    };
  },
  answer,
  failure: (failure, message) => {
    const { status, type, text } = failures[failure];
    return { status, body: { type: "error", error: { type, message: message ?? text } } };
  },
};

const textOf = (content: z.infer<typeof Content>): string =>
  typeof content === "string"
    ? content
    : content.flatMap(({ type, text }) => (type === "text" ? (text ?? "") : [])).join("\n");

const failures: Readonly<
  Record<Failure, { readonly status: number; readonly type: string; readonly text: string }>
> = {
  unauthorized: { status: 401, type: "authentication_error", text: "invalid x-api-key" },
  "rate-limited": {
    status: 429,
    type: "rate_limit_error",
    text: "This request would exceed your rate limit.",
  },
  quota: { status: 429, type: "rate_limit_error", text: "You have reached your specified API usage limits." },
  billing: {
    status: 400,
    type: "invalid_request_error",
    text: "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
  },
  "context-length": {
    status: 400,
    type: "invalid_request_error",
    text: "prompt is too long: 1200000 tokens > 1000000 maximum",
  },
  "server-error": { status: 500, type: "api_error", text: "Internal server error" },
  overloaded: { status: 529, type: "overloaded_error", text: "Overloaded" },
};

type Output = Readonly<Record<string, unknown>>;

function answer(asked: Asked, parts: readonly Part[], id: (prefix: string) => string): Answer {
  const content = parts.map((part) => blockOf(asked, part, id)).filter((block) => block !== undefined);
  const stop = parts.find((part) => "stop" in part)?.stop;
  const ended = content.some((block) => block["type"] === "tool_use") ? "tool_use" : "end_turn";
  const stopReason = stop === undefined ? ended : { refusal: "refusal", length: "max_tokens" }[stop];
  const usage = usageOf(parts);
  const input = {
    input_tokens: usage.inputTokens - usage.cachedInputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: usage.cachedInputTokens,
  };
  const message = { id: id("msg_"), type: "message", role: "assistant", model: asked.model };
  const events: readonly ({ readonly type: string } & Output)[] = [
    {
      type: "message_start",
      message: {
        ...message,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...input, output_tokens: 1 },
      },
    },
    ...content.flatMap(blockEvents),
    {
      type: "message_delta",
      delta: { stop_reason: stopReason, stop_sequence: null },
      usage: { ...input, output_tokens: usage.outputTokens },
    },
    { type: "message_stop" },
  ];
  return {
    events: events.map((data): StreamEvent => ({ event: data.type, data })),
    whole: {
      ...message,
      content,
      stop_reason: stopReason,
      stop_sequence: null,
      usage: { ...input, output_tokens: usage.outputTokens },
    },
  };
}

/** The words or the tool call of one part, or undefined when it is none of the content. */
function blockOf(asked: Asked, part: Part, id: (prefix: string) => string): Output | undefined {
  const say = (text: string): Output => ({ type: "text", text });
  const call = (name: string, input: unknown): Output => ({
    type: "tool_use",
    id: id("toolu_"),
    name,
    input,
  });
  // Its file tools take absolute paths only.
  const place = (path: string): string => (asked.cwd === undefined ? path : resolve(asked.cwd, path));
  if ("say" in part) return say(part.say);
  if ("think" in part) return { type: "thinking", thinking: part.think, signature: id("sig_") };
  if ("answer" in part)
    return asked.tools.includes("StructuredOutput")
      ? call("StructuredOutput", part.answer)
      : say(JSON.stringify(part.answer));
  if ("run" in part) return call("Bash", { command: part.run, description: "as scripted" });
  if ("read" in part) return call("Read", { file_path: place(part.read) });
  if ("write" in part) return call("Write", { file_path: place(part.write.path), content: part.write.text });
  if ("edit" in part)
    return call("Edit", {
      file_path: place(part.edit.path),
      old_string: part.edit.from,
      new_string: part.edit.to,
    });
  if ("tool" in part) return call(part.tool.name, part.tool.input);
  return undefined;
}

/** What a stream says of one block of the content: that it begins, its text in pieces, that it ends. */
function blockEvents(block: Output, index: number): readonly ({ readonly type: string } & Output)[] {
  const delta = (piece: Output) => ({ type: "content_block_delta", index, delta: piece });
  const [empty, pieces] = inPieces(block);
  return [
    { type: "content_block_start", index, content_block: empty },
    ...pieces.map(delta),
    { type: "content_block_stop", index },
  ];
}

function inPieces(block: Output): readonly [Output, readonly Output[]] {
  switch (block["type"]) {
    case "tool_use":
      return [
        { ...block, input: {} },
        halves(JSON.stringify(block["input"])).map((partial) => ({
          type: "input_json_delta",
          partial_json: partial,
        })),
      ];
    case "thinking":
      return [
        { type: "thinking", thinking: "", signature: "" },
        [
          ...halves(String(block["thinking"])).map((thinking) => ({ type: "thinking_delta", thinking })),
          { type: "signature_delta", signature: block["signature"] },
        ],
      ];
    default:
      return [
        { type: "text", text: "" },
        halves(String(block["text"])).map((text) => ({ type: "text_delta", text })),
      ];
  }
}
