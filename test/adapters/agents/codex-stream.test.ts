import { expect, test } from "vitest";
import type { RuntimeFacts } from "../../../src/adapters/agents/failure.ts";
import { codexStream } from "../../../src/adapters/agents/codex-stream.ts";
import { virtualClock } from "../../../src/simulator/virtual-clock.ts";
import { cleanEnd, play, readSample, sampleNames } from "./samples.ts";

const now = Date.UTC(2026, 0, 1);
const clock = virtualClock(now);
const runtime: RuntimeFacts = { title: "Codex", binary: "codex", install: "npm install it", login: "log in" };
const listen = (name: string, answer: "text" | "json" = "text") =>
  play(codexStream(runtime, answer, clock), readSample(name));

const expected: Readonly<Record<string, { how: string; code?: string; why?: RegExp }>> = {
  "codex-cut": { how: "retry", code: "stream" },
  "codex-cx-badtool": { how: "done" },
  "codex-e400ctx": { how: "give-up", code: "context", why: /split the ticket/u },
  "codex-e401": { how: "blocked", code: "logged-out", why: /^Codex is not logged in: log in/u },
  "codex-e429": { how: "retry", code: "rate-limit" },
  "codex-e500": { how: "retry", code: "server" },
  "codex-edit": { how: "done" },
  "codex-equota": { how: "blocked", code: "quota", why: /plan and billing/u },
  "codex-hang-SIGINT": { how: "retry", code: "no-result" },
  "codex-hang-SIGTERM": { how: "retry", code: "killed", why: /SIGTERM/u },
  "codex-malformed": { how: "retry", code: "stream" },
  "codex-not-a-git-repo": { how: "give-up", code: "not-a-repository" },
  "codex-once429": { how: "done" },
  "codex-resume": { how: "done" },
  "codex-resume-unknown": { how: "give-up", code: "session-unknown" },
  "codex-schema": { how: "done" },
};

test("every recorded stream has a row in the table of outcomes", () => {
  expect(Object.keys(expected)).toEqual(sampleNames("codex"));
});

test.each(Object.entries(expected))("%s ends as it should", (name, { how, code, why }) => {
  const { outcome } = listen(name);
  expect(outcome.is === "done" ? { how: "done" } : { how: outcome.how, code: outcome.code }).toEqual(
    code === undefined ? { how } : { how, code },
  );
  if (why !== undefined) expect(outcome).toHaveProperty("why", expect.stringMatching(why));
});

test("an edit is told in order: thread, words, tools, and the counts of the whole thread", () => {
  const { seen, outcome } = listen("codex-edit");
  expect(seen.filter(({ type }) => type !== "estimate")).toEqual([
    { type: "session", id: "01a1fbeb-daee-7a73-bc5f-d4c80b2af1dc" },
    { type: "text", text: "I will look first." },
    { type: "tool", name: "shell", detail: "/bin/bash -lc 'cat greet.txt'" },
    { type: "tool", name: "patch", detail: "update /WORK/wt-cx/greet.txt, add /WORK/wt-cx/notes.md" },
    { type: "tool", name: "shell", detail: "/bin/bash -lc 'git status --short; false'" },
    { type: "text", text: "Done: greet.txt says moon." },
    {
      type: "total",
      usage: {
        inputTokens: 4400,
        cachedInputTokens: 1800,
        outputTokens: 132,
        reasoningTokens: 0,
        usd: undefined,
      },
    },
  ]);
  expect(outcome).toEqual({ is: "done", text: "Done: greet.txt says moon.", structured: undefined });
});

test("a stream names no model, so none is said", () => {
  expect(
    sampleNames("codex").flatMap((name) => listen(name).seen.filter(({ type }) => type === "model")),
  ).toEqual([]);
});

test("reconnecting is waiting, not failing", () => {
  const { seen, outcome } = listen("codex-once429");
  expect(seen).toContainEqual({
    type: "waiting",
    why: expect.stringMatching(/^Reconnecting\.\.\. 1\/1/u),
    ms: 0,
  });
  expect(outcome).toMatchObject({ is: "done", text: "recovered" });
});

test("the last message is the answer only where one in JSON was asked for", () => {
  expect(listen("codex-schema", "json").outcome).toMatchObject({
    structured: { status: "done", summary: "all good" },
  });
  expect(listen("codex-schema", "text").outcome).toMatchObject({ structured: undefined });
  expect(listen("codex-edit", "json").outcome).toMatchObject({ is: "done", structured: undefined });
});

test("a limited rate names when to come back", () => {
  expect(listen("codex-e429").outcome).toHaveProperty("retryAt", now + 60_000);
  const stream = codexStream(runtime, "text", clock);
  stream.read(
    JSON.stringify({
      type: "turn.failed",
      error: { message: "Rate limit reached. Please try again in 1.5s." },
    }),
  );
  expect(stream.outcome({ ...cleanEnd, exit: 1 })).toMatchObject({
    code: "rate-limit",
    retryAt: now + 1_500,
  });
});

test("numbers inside an address decide nothing", () => {
  const stream = codexStream(runtime, "text", clock);
  const message =
    "unexpected status 503 Service Unavailable, url: http://127.0.0.1/401/v1/quota exceeded?429";
  stream.read(
    JSON.stringify({ type: "turn.failed", error: { message: message.replace("quota exceeded", "quota") } }),
  );
  expect(stream.outcome({ ...cleanEnd, exit: 1 })).toMatchObject({ how: "retry", code: "server" });
});

test("a completed turn does not excuse a bad exit", () => {
  const stream = codexStream(runtime, "text", clock);
  stream.read(JSON.stringify({ type: "turn.completed", usage: {} }));
  expect(stream.outcome({ ...cleanEnd, exit: 1 })).toMatchObject({ is: "failed", how: "retry" });
});

test("exit 0 without a completed turn is no success", () => {
  expect(codexStream(runtime, "text", clock).outcome(cleanEnd)).toMatchObject({
    how: "retry",
    code: "no-result",
  });
});
