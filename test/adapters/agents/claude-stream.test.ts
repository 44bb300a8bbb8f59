import { expect, test } from "vitest";
import type { RuntimeFacts } from "../../../src/adapters/agents/failure.ts";
import { claudeStream } from "../../../src/adapters/agents/claude-stream.ts";
import { virtualClock } from "../../../src/simulator/virtual-clock.ts";
import { cleanEnd, play, readSample, sampleNames } from "./samples.ts";

const now = Date.UTC(2026, 0, 1);
const clock = virtualClock(now);
const runtime: RuntimeFacts = {
  title: "Claude Code",
  binary: "claude",
  install: "npm install it",
  login: "log in",
};
const listen = (name: string) => play(claudeStream(runtime, clock), readSample(name));
const event = (fields: Record<string, unknown>): string => JSON.stringify(fields);
const result = (fields: Record<string, unknown>): string =>
  event({ type: "result", subtype: "success", is_error: true, result: "", ...fields });

const expected: Readonly<Record<string, { how: string; code?: string; why?: RegExp }>> = {
  "claude-cut": { how: "retry", code: "stream", why: /ECONNRESET/u },
  "claude-denied-default-mode": { how: "done" },
  "claude-e400ctx": { how: "give-up", code: "context", why: /split the ticket/u },
  "claude-e401": { how: "blocked", code: "logged-out", why: /^Claude Code is not logged in: log in/u },
  "claude-e429": { how: "retry", code: "rate-limit" },
  "claude-e500": { how: "retry", code: "server" },
  "claude-e529": { how: "retry", code: "server" },
  "claude-ebilling": { how: "blocked", code: "quota", why: /plan and billing/u },
  "claude-edit": { how: "done" },
  "claude-hang-SIGINT": { how: "retry", code: "no-result", why: /exit code 0 and no result/u },
  "claude-hang-SIGTERM": { how: "retry", code: "killed", why: /signal 15/u },
  "claude-json-bare": { how: "done" },
  "claude-malformed": { how: "retry", code: "stream" },
  "claude-max-budget": { how: "unfinished", code: "budget", why: /\$1\.5/u },
  "claude-max-turns": { how: "unfinished", code: "max-turns" },
  "claude-once429": { how: "done" },
  "claude-refuse": { how: "give-up", code: "refused" },
  "claude-resume": { how: "done" },
  "claude-resume-unknown": { how: "give-up", code: "session-unknown" },
  "claude-schema": { how: "done" },
  "claude-schema-bad": { how: "done" },
};

test("every recorded stream has a row in the table of outcomes", () => {
  expect(Object.keys(expected)).toEqual(sampleNames("claude"));
});

test.each(Object.entries(expected))("%s ends as it should", (name, { how, code, why }) => {
  const { outcome } = listen(name);
  expect(outcome.is === "done" ? { how: "done" } : { how: outcome.how, code: outcome.code }).toEqual(
    code === undefined ? { how } : { how, code },
  );
  if (why !== undefined) expect(outcome).toHaveProperty("why", expect.stringMatching(why));
});

test("an edit is told in order: session, model, words, tools, and the counts of the whole session", () => {
  const { seen, outcome } = listen("claude-edit");
  expect(seen.filter(({ type }) => type !== "estimate")).toEqual([
    { type: "session", id: "15d0b09c-e278-41f1-8bab-d0e365ff4fab" },
    { type: "model", id: "claude-opus-5-5" },
    { type: "text", text: "Reading." },
    { type: "tool", name: "Read", detail: "/WORK/wt-cl/greet.txt" },
    { type: "tool", name: "Edit", detail: "/WORK/wt-cl/greet.txt" },
    { type: "tool", name: "Write", detail: "/WORK/wt-cl/notes.md" },
    { type: "tool", name: "Bash", detail: "git status --short" },
    { type: "text", text: "Done: greet.txt says moon." },
    {
      type: "total",
      usage: {
        inputTokens: 5100,
        cachedInputTokens: 800,
        outputTokens: 160,
        reasoningTokens: 0,
        usd: 0.020560000000000002,
      },
    },
  ]);
  expect(outcome).toEqual({ is: "done", text: "Done: greet.txt says moon.", structured: undefined });
});

test("a run by itself counts each message once, however many events it comes in", () => {
  const { seen } = listen("claude-edit");
  const last = seen.filter(({ type }) => type === "estimate").at(-1);
  expect(last).toMatchObject({ usage: { inputTokens: 5100, cachedInputTokens: 800 } });
});

test("words the runtime puts into the model's mouth are neither text nor a model", () => {
  const { seen } = listen("claude-e401");
  expect(seen.filter(({ type }) => type === "text")).toEqual([]);
  expect(seen.filter(({ type }) => type === "model")).toEqual([{ type: "model", id: "claude-opus-5-5" }]);
});

test("waiting for the model is told with its delay", () => {
  expect(listen("claude-once429").seen).toContainEqual({
    type: "waiting",
    why: "rate_limit (429), attempt 1 of 1",
    ms: 1189,
  });
});

test("an answer in the asked form is handed on, and a missing one is undefined", () => {
  expect(listen("claude-schema").outcome).toMatchObject({
    structured: { status: "done", summary: "all good" },
  });
  expect(listen("claude-schema-bad").outcome).toEqual({
    is: "done",
    text: "not json",
    structured: undefined,
  });
});

test("a session that could not be continued is not announced", () => {
  expect(listen("claude-resume-unknown").seen).toEqual([]);
});

test("a limited rate names when to come back", () => {
  expect(listen("claude-e429").outcome).toHaveProperty("retryAt", now + 60_000);
  const stream = claudeStream(runtime, clock);
  stream.read(result({ api_error_status: 429, result: "API Error: 429, retry after 5 minutes" }));
  expect(stream.outcome({ ...cleanEnd, exit: 1 })).toHaveProperty("retryAt", now + 300_000);
});

test("tools it was denied are named where it failed", () => {
  const stream = claudeStream(runtime, clock);
  stream.read(
    result({
      subtype: "error_max_turns",
      permission_denials: [{ tool_name: "Bash" }, { tool_name: "Bash" }, { tool_name: "Write" }],
    }),
  );
  expect(stream.outcome({ ...cleanEnd, exit: 1 })).toMatchObject({
    code: "max-turns",
    why: expect.stringMatching(/denied Bash, Write$/u),
  });
});

test.each([
  ["exit 0 and an error", result({ api_error_status: 500 }), 0, "server"],
  ["an exit code after a good answer", result({ is_error: false, result: "fine" }), 1, "agent-failed"],
  ["an error without is_error", event({ type: "result", subtype: "error_max_turns" }), 0, "max-turns"],
  ["403", result({ api_error_status: 403 }), 1, "forbidden"],
  [
    "an unknown model",
    result({ api_error_status: 404, result: "model gpt-nine not found" }),
    1,
    "model-unknown",
  ],
  ["nothing known", result({ result: "?" }), 1, "agent-failed"],
] as const)("%s is a failure", (_, line, exit, code) => {
  const stream = claudeStream(runtime, clock);
  stream.read(line);
  expect(stream.outcome({ ...cleanEnd, exit })).toMatchObject({ is: "failed", code });
});

test.each([
  ["max_output_tokens", "unfinished", "max-output-tokens"],
  ["billing_error", "blocked", "quota"],
  ["rate_limit", "retry", "rate-limit"],
] as const)("the machine code %s decides", (error, how, code) => {
  const stream = claudeStream(runtime, clock);
  stream.read(event({ type: "assistant", error, message: { model: "<synthetic>", content: [] } }));
  stream.read(result({ api_error_status: 400 }));
  expect(stream.outcome({ ...cleanEnd, exit: 1 })).toMatchObject({ how, code });
});

test("words of a model never decide what kind of failure it was", () => {
  const stream = claudeStream(runtime, clock);
  stream.read(
    event({
      type: "assistant",
      message: { id: "m", model: "claude-opus-5-5", content: [{ type: "text", text: "401 quota exceeded" }] },
    }),
  );
  expect(stream.outcome({ ...cleanEnd, exit: 1 })).toMatchObject({ how: "retry", code: "no-result" });
});

test.each([
  ["API Error: Request rejected (429) · You have reached your specified API usage limits.", "quota"],
  ["You've hit your usage limit · resets 3am", "rate-limit"],
  ["API Error: Request rejected (429)", "rate-limit"],
])("%j, a limited rate by its code, is %s", (words, code) => {
  const stream = claudeStream(runtime, clock);
  const event = (said: object): void => void stream.read(JSON.stringify(said));
  event({ type: "assistant", error: "rate_limit", message: { model: "<synthetic>", content: [] } });
  event({ type: "result", subtype: "success", is_error: true, api_error_status: 429, result: words });
  expect(stream.outcome({ ...cleanEnd, exit: 1 })).toMatchObject({ code });
});
