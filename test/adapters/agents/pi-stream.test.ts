import { expect, test } from "vitest";
import type { RuntimeFacts } from "../../../src/adapters/agents/failure.ts";
import { piStream } from "../../../src/adapters/agents/pi-stream.ts";
import { virtualClock } from "../../../src/simulator/virtual-clock.ts";
import { cleanEnd, play, readSample, sampleNames } from "./samples.ts";

const clock = virtualClock(Date.UTC(2026, 0, 1));
const runtime: RuntimeFacts = { title: "pi", binary: "pi", install: "npm install it", login: "log in" };
const open = (answer: "text" | "json" = "text") => piStream(runtime, answer, clock);
const listen = (name: string, answer: "text" | "json" = "text") => play(open(answer), readSample(name));

const expected: Readonly<Record<string, { how: string; code?: string; why?: RegExp }>> = {
  "pi-cut": { how: "retry", code: "stream" },
  "pi-e400ctx": { how: "give-up", code: "context", why: /split the ticket/u },
  "pi-e401": { how: "blocked", code: "logged-out", why: /^pi is not logged in: log in/u },
  "pi-e429": { how: "retry", code: "rate-limit" },
  "pi-e500": { how: "retry", code: "server" },
  "pi-e529": { how: "retry", code: "server" },
  "pi-ebilling": { how: "blocked", code: "quota", why: /plan and billing/u },
  "pi-edit": { how: "done" },
  "pi-equota": { how: "blocked", code: "quota" },
  "pi-hang-SIGTERM": { how: "retry", code: "killed" },
  "pi-length": { how: "unfinished", code: "max-output-tokens" },
  "pi-malformed": { how: "retry", code: "stream" },
  "pi-model-unknown": { how: "blocked", code: "model-unknown", why: /correct its name/u },
  "pi-no-login": { how: "blocked", code: "logged-out" },
  "pi-once429": { how: "done" },
  "pi-refuse": { how: "give-up", code: "refused" },
  "pi-resume": { how: "done" },
  "pi-schema": { how: "done" },
};

test("every recorded stream has a row in the table of outcomes", () => {
  expect(Object.keys(expected)).toEqual(sampleNames("pi"));
});

test.each(Object.entries(expected))("%s ends as it should", (name, { how, code, why }) => {
  const { outcome } = listen(name);
  expect(outcome.is === "done" ? { how: "done" } : { how: outcome.how, code: outcome.code }).toEqual(
    code === undefined ? { how } : { how, code },
  );
  if (why !== undefined) expect(outcome).toHaveProperty("why", expect.stringMatching(why));
});

test("an edit is told in order: session, model, words, tools, and the growing count", () => {
  const { seen, outcome } = listen("pi-edit");
  expect(seen.filter(({ type }) => type !== "total")).toEqual([
    { type: "session", id: expect.stringMatching(/^[\da-f-]{36}$/u) },
    { type: "model", id: "claude-opus-4-5" },
    { type: "text", text: "I will look first." },
    { type: "tool", name: "bash", detail: "cat greet.txt" },
    { type: "tool", name: "edit", detail: "greet.txt" },
    { type: "tool", name: "write", detail: "notes.md" },
    { type: "text", text: "Done: greet.txt says moon." },
  ]);
  const totals = seen.flatMap((one) => (one.type === "total" ? [one.usage] : []));
  expect(totals.map(({ outputTokens }) => outputTokens)).toEqual([40, 80, 120, 160]);
  expect(totals.at(-1)).toEqual({
    inputTokens: 4000,
    cachedInputTokens: 0,
    outputTokens: 160,
    reasoningTokens: 0,
    usd: expect.closeTo(0.024, 9),
  });
  expect(outcome).toEqual({ is: "done", text: "Done: greet.txt says moon.", structured: undefined });
});

test("a resumed session goes on under its old name", () => {
  const session = ({ seen }: ReturnType<typeof listen>) => seen.find(({ type }) => type === "session");
  expect(session(listen("pi-resume"))).toEqual(session(listen("pi-edit")));
});

test("a model that never spoke was not observed", () => {
  const models = (name: string) => listen(name).seen.filter(({ type }) => type === "model");
  expect(models("pi-e401")).toEqual([]);
  expect(models("pi-no-login")).toEqual([]);
  expect(models("pi-hang-SIGTERM")).toEqual([{ type: "model", id: "claude-opus-4-5" }]);
});

test("an answer that nobody let finish is charged by what was seen of it", () => {
  const stream = open();
  for (const line of readSample("pi-hang-SIGTERM").lines) stream.read(line);
  expect(stream.cutOff()).toMatchObject([{ type: "total", usage: { inputTokens: 1000, outputTokens: 7 } }]);
  const whole = open();
  for (const line of readSample("pi-edit").lines) whole.read(line);
  expect(whole.cutOff()).toEqual([]);
});

test("trying again is waiting, not failing", () => {
  const { seen } = listen("pi-e429");
  expect(seen).toContainEqual({
    type: "waiting",
    why: expect.stringMatching(/rate limit.*, attempt 1 of 1$/u),
    ms: 300,
  });
});

test("the last message is the answer only where one in JSON was asked for", () => {
  expect(listen("pi-schema", "json").outcome).toMatchObject({
    structured: { status: "done", summary: "all good" },
  });
  expect(listen("pi-schema", "text").outcome).toMatchObject({ structured: undefined });
  expect(listen("pi-edit", "json").outcome).toMatchObject({ is: "done", structured: undefined });
});

const said = (message: object) =>
  JSON.stringify({ type: "message_end", message: { role: "assistant", ...message } });
const over = '{"type":"agent_end","messages":[]}';

test("exit 0 is no success without a last message that ends the work", () => {
  const ends = (...lines: readonly string[]) => {
    const stream = open();
    for (const line of lines) stream.read(line);
    return stream.outcome(cleanEnd);
  };
  const stop = said({ stopReason: "stop", content: [{ type: "text", text: "Done." }] });
  expect(ends(stop, over)).toMatchObject({ is: "done", text: "Done." });
  expect(ends()).toMatchObject({ how: "retry", code: "no-result" });
  expect(ends(over)).toMatchObject({ code: "no-result" });
  expect(ends(stop)).toMatchObject({ code: "no-result" });
  expect(ends(said({ stopReason: "toolUse" }), over)).toMatchObject({ code: "no-result" });
  expect(ends(stop, over, '{"type":"agent_start"}')).toMatchObject({ code: "no-result" });
  // The last message was damaged: the one before it is not the answer.
  expect(
    ends(stop, '{"type":"message_start","message":{"role":"assistant"}}', "{damaged", over),
  ).toMatchObject({
    code: "no-result",
  });
});

test("a finished answer does not excuse a bad exit", () => {
  const stream = open();
  for (const line of readSample("pi-edit").lines) stream.read(line);
  expect(stream.outcome({ ...cleanEnd, exit: 1 })).toMatchObject({ is: "failed", how: "retry" });
});

test("the end of a long run counts although it was cut for its length", () => {
  const stream = open();
  stream.read(said({ stopReason: "stop", content: [{ type: "text", text: "Done." }] }));
  stream.read(`{"type":"agent_end","messages":[{"role":"user","content":"${"x".repeat(1000)}`);
  expect(stream.outcome(cleanEnd)).toMatchObject({ is: "done" });
});

test("what the model said inside a parse error decides nothing", () => {
  const stream = open();
  const errorMessage =
    'Could not parse Anthropic SSE event: Unexpected token; data={"text":"401 quota exceeded"}';
  stream.read(said({ stopReason: "error", errorMessage }));
  stream.read(over);
  expect(stream.outcome(cleanEnd)).toMatchObject({ how: "retry", code: "stream" });
});

test("a price of nothing is an unknown price, and shortening the conversation costs too", () => {
  const usage = (input: number, total: number) => ({
    input,
    output: 0,
    cacheRead: 0,
    cacheWrite: 0,
    cost: { total },
  });
  const free = open();
  expect(free.read(said({ stopReason: "toolUse", usage: usage(10, 0) }))).toMatchObject([
    { type: "total", usage: { inputTokens: 10, usd: undefined } },
  ]);
  const dear = open();
  dear.read(said({ stopReason: "toolUse", usage: usage(100, 0.5) }));
  const compacted = { type: "compaction_end", result: { summary: "x".repeat(40), tokensBefore: 90 } };
  expect(dear.read(JSON.stringify(compacted))).toMatchObject([
    { type: "total", usage: { inputTokens: 190, outputTokens: 10, usd: 1 } },
  ]);
});
