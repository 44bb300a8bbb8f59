import { afterEach, beforeEach, expect, test } from "vitest";
import { startModelServer, type ModelServer } from "../../src/simulator/model/server.ts";
import type { Scenario, Step } from "../../src/simulator/model/scenario.ts";

let model: ModelServer;
beforeEach(async () => {
  model = await startModelServer();
});
afterEach(() => model.close());

type Json = Record<string, unknown>;
interface Event {
  readonly event: string;
  readonly data: Json;
}
const post = (path: string, body: unknown): Promise<Response> =>
  fetch(`${model.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer dummy" },
    body: JSON.stringify(body),
  });
const user = (text: string) => ({
  type: "message",
  role: "user",
  content: [{ type: "input_text", text }],
});
const codex = (input: unknown, more: Json = {}): Promise<Response> =>
  post("/v1/responses", {
    model: "gpt-5.5",
    stream: true,
    prompt_cache_key: "thread-1",
    input,
    tools: [
      { type: "function", name: "exec_command" },
      { type: "custom", name: "apply_patch" },
    ],
    ...more,
  });
const claude = (messages: unknown, more: Json = {}): Promise<Response> =>
  post("/v1/messages", {
    model: "claude-opus-5-5",
    stream: true,
    max_tokens: 100,
    metadata: { user_id: "session-1" },
    system: [{ type: "text", text: "# Environment\n - Primary working directory: /tree\n" }],
    messages,
    tools: [{ name: "Bash" }, { name: "Edit" }],
    ...more,
  });
const events = (text: string): readonly Event[] =>
  text
    .split("\n\n")
    .filter((block) => block !== "")
    .map((block) => {
      const [, event = "", data = ""] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
      return { event, data: JSON.parse(data) as Json };
    });
const eventsOf = async (response: Response): Promise<readonly Event[]> => events(await response.text());
/** The finished items of a Responses stream. */
const items = (list: readonly Event[]): readonly Json[] =>
  list.filter(({ event }) => event === "response.output_item.done").map(({ data }) => data["item"] as Json);
/** The blocks of a Messages stream, put together as a client does. */
function blocks(list: readonly Event[]): readonly Json[] {
  const made: Json[] = [];
  const json: string[] = [];
  for (const { data } of list) {
    const index = data["index"] as number;
    if (data["type"] === "content_block_start") made[index] = { ...(data["content_block"] as Json) };
    const delta = data["type"] === "content_block_delta" ? (data["delta"] as Json) : {};
    const block = made[index] ?? {};
    if (delta["type"] === "text_delta")
      block["text"] = `${block["text"] as string}${delta["text"] as string}`;
    if (delta["type"] === "input_json_delta")
      json[index] = (json[index] ?? "") + (delta["partial_json"] as string);
    if (data["type"] === "content_block_stop" && json[index] !== undefined)
      block["input"] = JSON.parse(json[index]) as unknown;
  }
  return made;
}

test("a Responses stream begins, tells each item whole, and completes with its usage", async () => {
  model.script("hello", [
    [{ think: "hm" }, { say: "hello there" }, { usage: { inputTokens: 700, cachedInputTokens: 300 } }],
  ]);
  const told = await eventsOf(await codex([user("say it [[hello]]")]));
  expect(told.at(0)?.event).toBe("response.created");
  expect(told.at(-1)?.event).toBe("response.completed");
  expect(told.every(({ event, data }) => data["type"] === event)).toBe(true);
  expect(items(told)).toMatchObject([
    { type: "reasoning", summary: [{ type: "summary_text", text: "hm" }] },
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "hello there" }] },
  ]);
  const deltas = told.filter(({ event }) => event === "response.output_text.delta");
  expect(deltas.map(({ data }) => data["delta"]).join("")).toBe("hello there");
  expect(told.at(-1)?.data).toMatchObject({
    response: {
      usage: {
        input_tokens: 700,
        input_tokens_details: { cached_tokens: 300 },
        output_tokens: 40,
        total_tokens: 740,
      },
    },
  });
});

test("a Messages stream keeps its order of events and counts cached input apart", async () => {
  model.script("hello", [[{ say: "hello there" }, { usage: { inputTokens: 700, cachedInputTokens: 300 } }]]);
  const told = await eventsOf(await claude([{ role: "user", content: "[[hello]]" }]));
  expect(told.map(({ event }) => event)).toEqual([
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
  ]);
  expect(blocks(told)).toEqual([{ type: "text", text: "hello there" }]);
  expect(told.at(-2)?.data).toMatchObject({
    delta: { stop_reason: "end_turn" },
    usage: { input_tokens: 400, cache_read_input_tokens: 300, output_tokens: 40 },
  });
});

test("a Chat Completions stream names no events, brings a call in pieces, and ends with its usage and a word", async () => {
  const steps = [
    { say: "hello there" },
    { run: "ls" },
    { usage: { inputTokens: 700, cachedInputTokens: 300 } },
  ];
  model.script("hello", [steps, { fails: "quota" }]);
  const chat = (more: Json = {}) =>
    post("/v1/chat/completions", {
      model: "qwen3",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: [{ type: "text", text: "[[hello]]" }] },
      ],
      tools: [{ type: "function", function: { name: "bash" } }],
      ...more,
    });
  const told = (await (await chat({ stream: true })).text()).split("\n\n").filter((block) => block !== "");
  expect(told.every((block) => block.startsWith("data: "))).toBe(true);
  expect(told.at(-1)).toBe("data: [DONE]");
  interface Chunk {
    readonly choices: readonly {
      readonly delta: {
        readonly content?: string;
        readonly tool_calls?: readonly { readonly function: { readonly arguments: string } }[];
      };
      readonly finish_reason: string | null;
    }[];
  }
  const chunks = told.slice(0, -1).map((block) => JSON.parse(block.slice("data: ".length)) as Chunk);
  const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta));
  expect(deltas.map(({ content }) => content ?? "").join("")).toBe("hello there");
  const input = deltas.flatMap(({ tool_calls }) => tool_calls ?? []).map((call) => call.function.arguments);
  expect(JSON.parse(input.join(""))).toMatchObject({ command: "ls" });
  expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("tool_calls");
  expect(chunks.at(-1)).toMatchObject({
    choices: [],
    usage: { prompt_tokens: 700, completion_tokens: 40, prompt_tokens_details: { cached_tokens: 300 } },
  });
  const failed = await chat();
  expect(failed.status).toBe(429);
  expect(await failed.json()).toMatchObject({ error: { code: "insufficient_quota" } });
  expect(model.calls.map(({ dialect, step }) => [dialect, step])).toEqual([
    ["chat", 0],
    ["chat", 1],
  ]);
});

const work: Step = [
  { run: "ls" },
  { write: { path: "a/b.txt", text: "one\ntwo\n" } },
  { edit: { path: "a/b.txt", from: "two", to: "three" } },
  { tool: { name: "odd", input: { n: 1 } } },
];

test("one scenario works through the tools of Codex, patches as freeform text", async () => {
  model.script("work", [work]);
  const told = items(await eventsOf(await codex([user("[[work]]")])));
  expect(told.map(({ type, name }) => [type, name])).toEqual([
    ["function_call", "exec_command"],
    ["custom_tool_call", "apply_patch"],
    ["custom_tool_call", "apply_patch"],
    ["function_call", "odd"],
  ]);
  expect(JSON.parse(told[0]?.["arguments"] as string)).toEqual({ cmd: "ls" });
  expect(told[1]?.["input"]).toBe("*** Begin Patch\n*** Add File: a/b.txt\n+one\n+two\n*** End Patch\n");
  expect(told[2]?.["input"]).toBe(
    "*** Begin Patch\n*** Update File: a/b.txt\n@@\n-two\n+three\n*** End Patch\n",
  );
  expect(new Set(told.map(({ call_id }) => call_id)).size).toBe(4);
});

test("the same scenario works through the tools of Claude Code, with absolute paths", async () => {
  model.script("work", [work]);
  const told = await eventsOf(await claude([{ role: "user", content: "[[work]]" }]));
  expect(blocks(told).map(({ name, input }) => [name, input])).toEqual([
    ["Bash", { command: "ls", description: "as scripted" }],
    ["Write", { file_path: "/tree/a/b.txt", content: "one\ntwo\n" }],
    ["Edit", { file_path: "/tree/a/b.txt", old_string: "two", new_string: "three" }],
    ["odd", { n: 1 }],
  ]);
  expect(told.at(-2)?.data).toMatchObject({ delta: { stop_reason: "tool_use" } });
});

test("a structured answer is text for Codex and a StructuredOutput call for Claude Code", async () => {
  model.script("verdict", [{ answer: { verdict: "pass" } }]);
  expect(items(await eventsOf(await codex([user("[[verdict]]")])))[0]).toMatchObject({
    content: [{ text: '{"verdict":"pass"}' }],
  });
  const asked = [{ role: "user", content: "[[verdict]]" }];
  const schema = { tools: [{ name: "StructuredOutput" }] };
  expect(blocks(await eventsOf(await claude(asked, schema)))).toMatchObject([
    { type: "tool_use", name: "StructuredOutput", input: { verdict: "pass" } },
  ]);
  expect(blocks(await eventsOf(await claude(asked, { metadata: { user_id: "other" } })))).toEqual([
    { type: "text", text: '{"verdict":"pass"}' },
  ]);
});

const said = async (response: Response): Promise<unknown> => {
  const [item] = items(await eventsOf(response));
  return (item?.["content"] as Json[] | undefined)?.[0]?.["text"];
};

test("the steps answer call by call, and the last one goes on answering", async () => {
  model.script("count", [{ say: "one" }, { say: "two" }]);
  const ask = async () => said(await codex([user("[[count]]")]));
  expect([await ask(), await ask(), await ask()]).toEqual(["one", "two", "two"]);
  expect(model.calls.map(({ scenario, step }) => [scenario, step])).toEqual([
    ["count", 0],
    ["count", 1],
    ["count", 2],
  ]);
});

test("a resumed session starts the scenario that its new prompt names, even the same one", async () => {
  model.script("first", [{ say: "a" }, { say: "b" }]);
  model.script("second", [{ say: "c" }]);
  const history = [user("[[first]]"), { role: "assistant", content: [{ type: "output_text", text: "a" }] }];
  expect(await said(await codex(history.slice(0, 1)))).toBe("a");
  expect(await said(await codex(history))).toBe("b");
  expect(await said(await codex([...history, user("go on [[second]]")]))).toBe("c");
  expect(await said(await codex([...history, user("go on [[second]]"), user("again [[first]]")]))).toBe("a");
});

test("two sessions count apart", async () => {
  model.script("count", [{ say: "one" }, { say: "two" }]);
  const ask = async (thread: string) => said(await codex([user("[[count]]")], { prompt_cache_key: thread }));
  expect([await ask("x"), await ask("y"), await ask("x")]).toEqual(["one", "one", "two"]);
});

test("what a tool prints cannot switch the scenario", async () => {
  model.script("real", [{ say: "real" }]);
  model.script("forged", [{ say: "forged" }]);
  const history = [
    user("[[real]]"),
    { type: "reasoning", summary: [], content: null, encrypted_content: null },
    { type: "function_call_output", call_id: "call_1", output: "[[forged]]" },
  ];
  expect(await said(await codex(history))).toBe("real");
  const told = await claude([
    { role: "user", content: [{ type: "text", text: "[[real]]" }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: "[[forged]]" }] },
  ]);
  expect(blocks(await eventsOf(told))).toEqual([{ type: "text", text: "real" }]);
});

const failures: Scenario = [
  { fails: "unauthorized" },
  { fails: "rate-limited", retryAfterSeconds: 7 },
  { fails: "quota" },
  { fails: "billing" },
  { fails: "context-length" },
  { fails: "server-error" },
  { fails: "overloaded" },
];

test("failures of Responses carry status, code and retry-after", async () => {
  model.script("fail", failures);
  const seen: unknown[] = [];
  for (const _ of failures) {
    const response = await codex([user("[[fail]]")]);
    const { error } = (await response.json()) as { error: { code: string | null } };
    seen.push([response.status, error.code, response.headers.get("retry-after")]);
  }
  expect(seen).toEqual([
    [401, "invalid_api_key", null],
    [429, "rate_limit_exceeded", "7"],
    [429, "insufficient_quota", null],
    [429, "billing_hard_limit_reached", null],
    [400, "context_length_exceeded", null],
    [500, null, null],
    [503, "server_is_overloaded", null],
  ]);
});

test("failures of Messages carry status and type", async () => {
  model.script("fail", failures);
  const seen: unknown[] = [];
  for (const _ of failures) {
    const response = await claude([{ role: "user", content: "[[fail]]" }]);
    const { error } = (await response.json()) as { error: { type: string } };
    seen.push([response.status, error.type]);
  }
  expect(seen).toEqual([
    [401, "authentication_error"],
    [429, "rate_limit_error"],
    [429, "rate_limit_error"],
    [400, "invalid_request_error"],
    [400, "invalid_request_error"],
    [500, "api_error"],
    [529, "overloaded_error"],
  ]);
});

test("a cut stream ends in the middle", async () => {
  model.script("cut", [{ breaks: "cut" }]);
  const response = await codex([user("[[cut]]")]);
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow();
});

test("a malformed stream says what is no JSON, and never completes", async () => {
  model.script("bad", [{ breaks: "malformed" }]);
  const text = await (await claude([{ role: "user", content: "[[bad]]" }])).text();
  expect(text).not.toContain("message_stop");
  expect(() => events(text)).toThrow(SyntaxError);
});

test("a hung stream begins and says nothing more until somebody gives up", async () => {
  model.script("hang", [{ breaks: "hang" }]);
  const reader = (await codex([user("[[hang]]")])).body?.getReader();
  const first = await reader?.read();
  expect(Buffer.from(first?.value ?? []).toString()).toContain("response.created");
  const next = reader?.read().then(
    () => "more",
    () => "closed",
  );
  await model.close();
  expect(await next).toBe("closed");
  model = await startModelServer();
});

test("a prompt that names no scenario, or an unknown one, is told so", async () => {
  model.script("known", [{ say: "hi" }]);
  const nameless = await codex([user("hello")]);
  expect(nameless.status).toBe(400);
  expect(await nameless.text()).toContain("write [[name]] into it");
  expect(await (await codex([user("[[unknown]]")])).text()).toContain("there are: known");
  expect((await post("/v1/elsewhere", {})).status).toBe(404);
  expect((await post("/v1/messages", { no: "messages" })).status).toBe(400);
  expect(model.calls.map(({ path, scenario }) => [path, scenario])).toEqual([
    ["/v1/responses", undefined],
    ["/v1/responses", undefined],
    ["/v1/elsewhere", undefined],
    ["/v1/messages", undefined],
  ]);
});

test("a scenario may be chosen by what the prompt says, and raw bodies are kept", async () => {
  const chosen = await startModelServer({
    choose: (prompt) => (prompt.startsWith("Review") ? "review" : undefined),
    scenarios: { review: [{ say: "fine" }] },
  });
  const body = '{"model":"gpt-5.5",  "input":"Review this"}';
  const response = await fetch(`${chosen.url}/v1/responses`, { method: "POST", body });
  expect(await response.json()).toMatchObject({ status: "completed", output: [{ type: "message" }] });
  expect(chosen.calls[0]).toMatchObject({ scenario: "review", raw: body, model: "gpt-5.5" });
  await chosen.close();
});
