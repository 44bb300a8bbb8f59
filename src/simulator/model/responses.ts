import { createHash } from "node:crypto";
import { z } from "zod";
import type { Answer, Asked, Dialect, StreamEvent } from "./dialect.ts";
import { halves, quoted, writing } from "./pieces.ts";
import { usageOf } from "./scenario.ts";
import type { Failure, Part } from "./scenario.ts";

const Item = z.looseObject({
  role: z.string().nullish(),
  // Codex sends `null` with the reasoning it gives back.
  content: z.union([z.string(), z.array(z.looseObject({ text: z.string().nullish() }))]).nullish(),
});
const Request = z.looseObject({
  model: z.string(),
  stream: z.boolean().optional(),
  prompt_cache_key: z.string().optional(),
  input: z.union([z.string(), z.array(Item)]),
  tools: z.array(z.looseObject({ type: z.string(), name: z.string().optional() })).optional(),
});

/** The Responses API, as Codex speaks it. */
export const responses: Dialect = {
  name: "responses",
  path: "/v1/responses",
  read: (body, headers) => {
    const request = Request.parse(body);
    const items =
      typeof request.input === "string" ? [{ role: "user", content: request.input }] : request.input;
    const prompts = items.filter(({ role }) => role === "user").map(({ content }) => textOf(content));
    const session = request.prompt_cache_key ?? headers["session_id"];
    return {
      conversation: typeof session === "string" ? session : firstOf(prompts),
      model: request.model,
      isStream: request.stream ?? false,
      prompts,
      tools: request.tools?.flatMap(({ name }) => name ?? []) ?? [],
      cwd: prompts.map((prompt) => /<cwd>(.+?)<\/cwd>/.exec(prompt)?.[1]).find((cwd) => cwd !== undefined),
    };
  },
  answer,
  failure: (failure, message) => {
    const { status, type, code, text } = failures[failure];
    return { status, body: { error: { message: message ?? text, type, code, param: null } } };
  },
};

const textOf = (content: z.infer<typeof Item>["content"]): string =>
  typeof content === "string" ? content : (content ?? []).map(({ text }) => text ?? "").join("\n");
const firstOf = (prompts: readonly string[]): string =>
  createHash("sha256")
    .update(prompts[0] ?? "")
    .digest("hex");

const failures: Readonly<
  Record<
    Failure,
    { readonly status: number; readonly type: string; readonly code: string | null; readonly text: string }
  >
> = {
  unauthorized: {
    status: 401,
    type: "invalid_request_error",
    code: "invalid_api_key",
    text: "Incorrect API key provided.",
  },
  "rate-limited": {
    status: 429,
    type: "requests",
    code: "rate_limit_exceeded",
    text: "Rate limit reached for requests.",
  },
  quota: {
    status: 429,
    type: "insufficient_quota",
    code: "insufficient_quota",
    text: "You exceeded your current quota, please check your plan and billing details.",
  },
  billing: {
    status: 429,
    type: "insufficient_quota",
    code: "billing_hard_limit_reached",
    text: "Billing hard limit has been reached.",
  },
  "context-length": {
    status: 400,
    type: "invalid_request_error",
    code: "context_length_exceeded",
    text: "Your input exceeds the context window of this model.",
  },
  "server-error": {
    status: 500,
    type: "server_error",
    code: null,
    text: "The server had an error while processing your request.",
  },
  overloaded: {
    status: 503,
    type: "server_error",
    code: "server_is_overloaded",
    text: "The engine is currently overloaded, please try again later.",
  },
};

type Output = Readonly<Record<string, unknown>>;

function answer(asked: Asked, parts: readonly Part[], id: (prefix: string) => string): Answer {
  const output = parts.map((part) => itemOf(asked, part, id)).filter((item) => item !== undefined);
  const stop = parts.find((part) => "stop" in part)?.stop;
  const usage = usageOf(parts);
  const response = { id: id("resp_"), object: "response", created_at: 0, model: asked.model };
  const done = {
    ...response,
    status: stop === "length" ? "incomplete" : "completed",
    ...(stop === "length" ? { incomplete_details: { reason: "max_output_tokens" } } : {}),
    output,
    usage: {
      input_tokens: usage.inputTokens,
      input_tokens_details: { cached_tokens: usage.cachedInputTokens },
      output_tokens: usage.outputTokens,
      output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
      total_tokens: usage.inputTokens + usage.outputTokens,
    },
  };
  const type = stop === "length" ? "response.incomplete" : "response.completed";
  const events = [
    { type: "response.created", response: { ...response, status: "in_progress", output: [] } },
    ...output.flatMap((item, index) => itemEvents(item, index)),
    { type, response: done },
  ];
  return {
    events: events.map((data, number): StreamEvent => ({
      event: data.type,
      data: { ...data, sequence_number: number },
    })),
    whole: done,
  };
}

/** The calls and words of one part, or undefined when it is none of the output. */
function itemOf(asked: Asked, part: Part, id: (prefix: string) => string): Output | undefined {
  const say = (text: string, type: "output_text" | "refusal" = "output_text"): Output => ({
    type: "message",
    id: id("msg_"),
    role: "assistant",
    status: "completed",
    content: [type === "refusal" ? { type, refusal: text } : { type, text, annotations: [] }],
  });
  const call = (name: string, input: Output | string, namespace?: string): Output =>
    typeof input === "string"
      ? {
          type: "custom_tool_call",
          id: id("ctc_"),
          call_id: id("call_"),
          name,
          input,
          status: "completed",
        }
      : {
          type: "function_call",
          id: id("fc_"),
          call_id: id("call_"),
          name,
          ...(namespace === undefined ? {} : { namespace }),
          arguments: JSON.stringify(input),
          status: "completed",
        };
  const run = (command: string): Output => {
    if (asked.tools.includes("shell_command")) return call("shell_command", { command });
    if (asked.tools.includes("shell")) return call("shell", { command: ["bash", "-lc", command] });
    return call("exec_command", { cmd: command });
  };
  const patch = (lines: readonly string[]): Output =>
    call("apply_patch", ["*** Begin Patch", ...lines, "*** End Patch", ""].join("\n"));
  if ("say" in part) return say(part.say);
  if ("answer" in part) return say(JSON.stringify(part.answer));
  if ("think" in part)
    return { type: "reasoning", id: id("rs_"), summary: [{ type: "summary_text", text: part.think }] };
  if ("run" in part) return run(part.run);
  if ("read" in part) return run(`cat -- ${quoted(part.read)}`);
  if ("write" in part)
    return asked.tools.includes("apply_patch")
      ? patch([`*** Add File: ${part.write.path}`, ...linesOf(part.write.text, "+")])
      : run(writing(part.write));
  if ("edit" in part)
    return patch([
      `*** Update File: ${part.edit.path}`,
      "@@",
      ...linesOf(part.edit.from, "-"),
      ...linesOf(part.edit.to, "+"),
    ]);
  if ("tool" in part) return call(part.tool.name, part.tool.input, part.tool.namespace);
  if ("stop" in part) return part.stop === "refusal" ? say("I cannot help with that.", "refusal") : undefined;
  return undefined;
}

const linesOf = (text: string, sign: "+" | "-"): readonly string[] =>
  text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => `${sign}${line}`);

/** What a stream says of one item of the output: that it begins, its text in pieces, that it ends. */
function itemEvents(
  item: Output,
  index: number,
): readonly ({ readonly type: string } & Readonly<Record<string, unknown>>)[] {
  const at = { item_id: item["id"], output_index: index };
  const pieces = (kind: string, text: string, name: string, more = {}) => [
    ...halves(text).map((delta) => ({ type: `response.${kind}.delta`, ...at, ...more, delta })),
    { type: `response.${kind}.done`, ...at, ...more, [name]: text },
  ];
  const texts = (): readonly { readonly type: string }[] => {
    if (item["type"] === "function_call")
      return pieces("function_call_arguments", String(item["arguments"]), "arguments");
    if (item["type"] === "custom_tool_call")
      return pieces("custom_tool_call_input", String(item["input"]), "input");
    const [content] = Array.isArray(item["content"]) ? (item["content"] as readonly Output[]) : [];
    if (typeof content?.["refusal"] === "string")
      return pieces("refusal", content["refusal"], "refusal", { content_index: 0 });
    return typeof content?.["text"] === "string"
      ? pieces("output_text", content["text"], "text", { content_index: 0 })
      : [];
  };
  return [
    { type: "response.output_item.added", output_index: index, item: { ...item, status: "in_progress" } },
    ...texts(),
    { type: "response.output_item.done", output_index: index, item },
  ];
}
