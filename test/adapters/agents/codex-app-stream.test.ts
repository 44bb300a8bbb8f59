import { expect, test } from "vitest";
import type { RuntimeFacts } from "../../../src/adapters/agents/failure.ts";
import { codexConversation } from "../../../src/adapters/agents/codex-conversation.ts";
import type { WorkOrder } from "../../../src/ports-agents.ts";
import { virtualClock } from "../../../src/simulator/virtual-clock.ts";
import { PassThrough } from "node:stream";
import { cleanEnd, play, readSample, sampleNames } from "./samples.ts";

const clock = virtualClock(Date.UTC(2026, 0, 1));
const runtime: RuntimeFacts = { title: "Codex", binary: "codex", install: "npm install it", login: "log in" };
const order: WorkOrder = {
  role: "build",
  prompt: "Do it.",
  cwd: "/WORK/wt-app",
  resume: undefined,
  access: "write",
  schema: undefined,
  runId: "run",
  model: undefined,
  limits: { turnMs: 1, stallMs: 1, outputTokens: 1, usd: 1 },
};
/** A conversation whose words to the process can be read. */
function talk(change: Partial<WorkOrder> = {}) {
  const conversation = codexConversation({
    order: { ...order, ...change },
    sandbox: change.access === "read" ? "read-only" : "workspace-write",
    runtime,
    clock,
  });
  const pipe = new PassThrough();
  conversation.input.join(pipe, () => undefined);
  const heard = (): readonly Record<string, unknown>[] => {
    const text = (pipe.read() as Buffer | null)?.toString("utf8") ?? "";
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return { conversation, heard, hasEnded: () => pipe.writableEnded };
}
const listen = (name: string, change: Partial<WorkOrder> = {}) =>
  play(talk(change).conversation, readSample(name));
const linesOf = (name: string) => readSample(name).lines;

const expected: Readonly<Record<string, { how: string; code?: string; why?: RegExp }>> = {
  "app-server-cut": { how: "retry", code: "stream" },
  "app-server-e400ctx": { how: "give-up", code: "context", why: /split the ticket/u },
  "app-server-e401": { how: "blocked", code: "logged-out", why: /^Codex is not logged in: log in/u },
  "app-server-e429": { how: "retry", code: "rate-limit" },
  "app-server-e500": { how: "retry", code: "server" },
  "app-server-ebilling": { how: "blocked", code: "quota", why: /plan and billing/u },
  "app-server-edit": { how: "done" },
  "app-server-equota": { how: "blocked", code: "quota" },
  "app-server-hang-SIGTERM": { how: "retry", code: "no-result" },
  "app-server-interrupted": { how: "unfinished", code: "interrupted" },
  "app-server-length": { how: "unfinished", code: "max-output-tokens" },
  "app-server-malformed": { how: "retry", code: "stream" },
  "app-server-once429": { how: "done" },
  "app-server-refuse": { how: "done" },
  "app-server-resume": { how: "done" },
  "app-server-resume-unknown": { how: "give-up", code: "session-unknown" },
  "app-server-schema": { how: "done" },
  "app-server-steered": { how: "done" },
};

test("every recorded conversation has a row in the table of outcomes", () => {
  expect(Object.keys(expected)).toEqual(sampleNames("app-server"));
});

test.each(Object.entries(expected))("%s ends as it should", (name, { how, code, why }) => {
  const { outcome } = listen(name);
  expect(outcome.is === "done" ? { how: "done" } : { how: outcome.how, code: outcome.code }).toEqual(
    code === undefined ? { how } : { how, code },
  );
  if (why !== undefined) expect(outcome).toHaveProperty("why", expect.stringMatching(why));
});

test("an edit is told in order: thread, model, words, tools, and the count of the whole thread", () => {
  const { seen, outcome } = listen("app-server-edit");
  expect(seen.filter(({ type }) => type !== "estimate" && type !== "total")).toEqual([
    { type: "session", id: "01a1feb2-e0dd-7672-8b01-1cd07d64384a" },
    { type: "model", id: "gpt-5.5" },
    { type: "text", text: "I will look first." },
    { type: "tool", name: "shell", detail: "/bin/bash -lc 'cat greet.txt'" },
    { type: "tool", name: "patch", detail: "update /WORK/wt-app/greet.txt" },
    { type: "tool", name: "patch", detail: "add /WORK/wt-app/notes.md" },
    { type: "text", text: "Done: greet.txt says moon." },
  ]);
  const totals = seen.flatMap((one) => (one.type === "total" ? [one.usage] : []));
  expect(totals.map(({ outputTokens }) => outputTokens)).toEqual([40, 80, 120, 160]);
  expect(outcome).toEqual({ is: "done", text: "Done: greet.txt says moon.", structured: undefined });
});

test("hands are shaken, a thread opened and a turn begun, each after the answer to the last", () => {
  const { conversation, heard, hasEnded } = talk({ model: "gpt-6", schema: { type: "object" } });
  const [hello, opened, begun, ...rest] = linesOf("app-server-edit").filter(
    (line) => !line.startsWith('{"method"'),
  );
  expect(rest).toEqual([]);
  expect(heard()).toMatchObject([
    { id: 1, method: "initialize", params: { clientInfo: { name: "forgehand" } } },
  ]);
  conversation.read(hello ?? "");
  expect(heard()).toEqual([
    { jsonrpc: "2.0", method: "initialized" },
    {
      jsonrpc: "2.0",
      id: 2,
      method: "thread/start",
      params: { cwd: "/WORK/wt-app", approvalPolicy: "never", model: "gpt-6" },
    },
  ]);
  conversation.read(opened ?? "");
  expect(heard()).toMatchObject([
    {
      id: 3,
      method: "turn/start",
      params: {
        threadId: "01a1feb2-e0dd-7672-8b01-1cd07d64384a",
        input: [{ type: "text", text: "Do it." }],
        outputSchema: { type: "object" },
      },
    },
  ]);
  conversation.read(begun ?? "");
  expect(hasEnded()).toBe(false);
  conversation.read(linesOf("app-server-edit").at(-1) ?? "");
  expect(hasEnded()).toBe(true);
});

test("a session is resumed by its thread", () => {
  const { conversation, heard } = talk({ resume: "01a1feb2-e0dd-7672-8b01-1cd07d64384a" });
  conversation.read(linesOf("app-server-resume")[0] ?? "");
  expect(heard().at(-1)).toMatchObject({
    method: "thread/resume",
    // It remembers the sandbox of its last turn.
    params: { threadId: "01a1feb2-e0dd-7672-8b01-1cd07d64384a", sandbox: "workspace-write" },
  });
});

test("a thread in another sandbox, or one that would ask people, gets no turn", () => {
  const [hello = "", opened = ""] = linesOf("app-server-edit").filter(
    (line) => !line.startsWith('{"method"'),
  );
  const asks = opened.replace('"approvalPolicy":"never"', '"approvalPolicy":"on-request"');
  expect(asks).not.toBe(opened);
  for (const [change, line] of [
    [{ access: "read" }, opened],
    [{}, asks],
    [{}, opened.replace("workspaceWrite", "dangerFullAccess")],
  ] as const) {
    const { conversation, heard, hasEnded } = talk(change);
    conversation.read(hello);
    expect(conversation.read(line)).toEqual([]);
    expect(heard().some(({ method }) => method === "turn/start")).toBe(false);
    expect(hasEnded()).toBe(true);
    expect(conversation.outcome(cleanEnd)).toMatchObject({ how: "blocked", code: "sandbox-refused" });
  }
});

test("whatever it wants to be allowed is declined", () => {
  const { conversation, heard } = talk();
  heard();
  conversation.read('{"id":7,"method":"item/commandExecution/requestApproval","params":{"command":"curl"}}');
  conversation.read('{"id":"x","method":"account/chatgptAuthTokens/refresh","params":{}}');
  expect(heard()).toMatchObject([
    { id: 7, result: { decision: "decline" } },
    { id: "x", error: { code: -32_601 } },
  ]);
});

const upTo = (name: string, method: string): readonly string[] => {
  const lines = linesOf(name);
  return lines.slice(
    0,
    lines.findIndex((line) => line.includes(`"method":"${method}"`)),
  );
};

test("a thread that goes on is told again how hard to think, since it remembers its last time", () => {
  const { conversation, heard } = talk({ effort: "high", resume: "01a1feb2-e0dd-7672-8b01-1cd07d64384a" });
  for (const line of linesOf("app-server-resume")) conversation.read(line);
  expect(heard().find(({ method }) => method === "turn/start")).toMatchObject({ params: { effort: "high" } });
});

test("it hears people while it works, and says when it is too late", async () => {
  const { conversation, heard } = talk();
  expect(await conversation.say("Mind the dog.")).toBe("too late");
  for (const line of upTo("app-server-steered", "turn/completed").filter((one) => !one.startsWith('{"id":4')))
    conversation.read(line);
  heard();
  const said = conversation.say("Mind the dog.");
  expect(heard()).toMatchObject([
    {
      id: 4,
      method: "turn/steer",
      params: {
        input: [{ text: "Mind the dog." }],
        expectedTurnId: expect.stringMatching(/^[\da-f-]{36}$/u),
      },
    },
  ]);
  conversation.read('{"id":4,"result":{"turnId":"t"}}');
  expect(await said).toBe("heard");
  const refused = conversation.say("Again.");
  conversation.read('{"id":5,"error":{"code":-32600,"message":"no active turn to steer"}}');
  expect(await refused).toBe("too late");
  const unanswered = conversation.interrupt();
  conversation.close();
  expect(await unanswered).toBe("too late");
  expect(await conversation.interrupt()).toBe("too late");
});

test("what another thread or another turn does is not this one's", () => {
  const { conversation } = talk();
  for (const line of upTo("app-server-edit", "turn/completed")) conversation.read(line);
  const thread = "01a1feb2-e0dd-7672-8b01-1cd07d64384a";
  const completed = (threadId: string, id: string) =>
    JSON.stringify({ method: "turn/completed", params: { threadId, turn: { id, status: "completed" } } });
  conversation.read(completed("another", "t"));
  conversation.read(completed(thread, "another"));
  expect(conversation.answered()).toBe(false);
  expect(conversation.outcome(cleanEnd)).toMatchObject({ how: "retry", code: "no-result" });
});

test("reconnecting is waiting, not failing", () => {
  const { seen, outcome } = listen("app-server-once429");
  expect(seen).toContainEqual({ type: "waiting", why: expect.stringMatching(/^Reconnecting.*429/u), ms: 0 });
  expect(outcome).toMatchObject({ is: "done", text: "recovered" });
});

test("the last message is the answer only where one in JSON was asked for", () => {
  const schema = { type: "object" };
  expect(listen("app-server-schema", { schema }).outcome).toMatchObject({
    structured: { status: "done", summary: "all good" },
  });
  expect(listen("app-server-schema").outcome).toMatchObject({ structured: undefined });
  expect(listen("app-server-edit", { schema }).outcome).toMatchObject({ is: "done", structured: undefined });
});
