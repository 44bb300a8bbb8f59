import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { processIds, runIdOf } from "../../../src/adapters/processes/process-table.ts";
import { acpStage, texts, type Part } from "./acp-stage.ts";
import { usages, work } from "./turns.ts";

let stage: ReturnType<typeof acpStage>;
beforeEach(() => {
  stage = acpStage();
});
afterEach(() => stage.remove());

const limits = { turnMs: 60_000, stallMs: 60_000, outputTokens: 100_000, usd: 5 };
const carrying = (runId: string) => processIds().filter((pid) => runIdOf(pid) === runId);

describe("a turn that fails", () => {
  const error = (code: number, message: string, data?: unknown) => ({ promptError: { code, message, data } });
  test.each<[what: string, part: Part, outcome: { readonly how: string; readonly code: string }]>([
    [
      "an agent that is not logged in",
      error(-32000, "Authentication required"),
      { how: "blocked", code: "logged-out" },
    ],
    [
      "a wrong key",
      error(-32603, "Internal error: invalid x-api-key"),
      { how: "blocked", code: "logged-out" },
    ],
    [
      "a limit of the rate",
      error(
        -32603,
        "Internal error: API Error: Request rejected (429) · This request would exceed your rate limit.",
      ),
      { how: "retry", code: "rate-limit" },
    ],
    [
      "a quota that only the data speaks of",
      error(-32603, "Internal error", { message: "Quota exceeded. Check your plan and billing details." }),
      { how: "blocked", code: "quota" },
    ],
    ["a server's status for a code", error(503, "the model is away"), { how: "retry", code: "server" }],
    [
      "a connection that broke",
      error(-32603, "Connection to the API was lost (ECONNRESET)"),
      { how: "retry", code: "stream" },
    ],
    [
      "an answer that grew too long",
      error(-32603, "Claude's response exceeded the 128000 output token maximum."),
      { how: "unfinished", code: "max-output-tokens" },
    ],
    ["an error nobody explains", error(-32603, "Internal error"), { how: "retry", code: "agent-failed" }],
    ["a refusal", { answer: { stopReason: "refusal" } }, { how: "give-up", code: "refused" }],
    [
      "the model's own limit",
      { answer: { stopReason: "max_tokens" } },
      { how: "unfinished", code: "max-output-tokens" },
    ],
    [
      "its turns used up",
      { answer: { stopReason: "max_turn_requests" } },
      { how: "unfinished", code: "max-turns" },
    ],
    [
      "a stop that nobody asked for",
      { answer: { stopReason: "cancelled" } },
      { how: "retry", code: "agent-failed" },
    ],
    ["a success without a word", {}, { how: "retry", code: "no-result" }],
    [
      "a success with an error inside",
      { steps: [{ say: "exceeded retry limit, last status: 429 Too Many Requests" }] },
      { how: "retry", code: "rate-limit" },
    ],
    [
      "a success whose last piece is an error, after work and retries",
      {
        steps: [
          {
            update: {
              sessionUpdate: "tool_call",
              toolCallId: "c",
              status: "completed",
              kind: "read",
              title: "look",
            },
          },
          { say: "Info: Request failed due to a transient API error. Retrying..." },
          {
            say: "Error: Failed to get response from the AI model; retried 5 times. Last error: 500 Internal",
          },
        ],
      },
      { how: "retry", code: "server" },
    ],
    [
      "a success whose agent says that its thread broke",
      {
        steps: [
          {
            update: {
              sessionUpdate: "session_info_update",
              _meta: { codex: { threadStatus: { type: "systemError" } } },
            },
          },
          { say: "stream disconnected before completion: network error" },
        ],
        answer: { stopReason: "end_turn", usage: { inputTokens: 10, outputTokens: 5 } },
      },
      { how: "retry", code: "stream" },
    ],
    ["an answer to the prompt that is none", { answer: {} }, { how: "retry", code: "agent-failed" }],
    [
      "another version of the protocol",
      { hello: { protocolVersion: 2 } },
      { how: "blocked", code: "protocol-version" },
    ],
    ["no session", { session: { sessionId: 7 } }, { how: "retry", code: "agent-failed" }],
  ])("%s", async (_, part, outcome) => {
    stage.script(part);
    expect((await work(stage.agent(), stage.order())).outcome).toMatchObject({ is: "failed", ...outcome });
  });

  test("a short answer about money is none, when a model was at work", async () => {
    stage.script({
      steps: [{ say: "The billing code is right." }],
      answer: { stopReason: "end_turn", usage: { inputTokens: 10, outputTokens: 5 } },
    });
    expect((await work(stage.agent(), stage.order())).outcome.is).toBe("done");
  });
});

describe("a stream", () => {
  test("is read past lines that are no messages, bytes that are no text, and noise on stderr", async () => {
    stage.script({
      stderr: "Debugger attached.\n",
      steps: [
        { raw: "Welcome to House!\n{\n[]\nnull\n42\n" },
        {
          raw: '{"jsonrpc":"2.0","method":"session/update"}\n{"jsonrpc":"2.0","id":99,"result":{}}\n{"id":{}}\n',
        },
        { bytes: Buffer.from([0xff, 0xfe, 0x80, 0x0a, 0xc3, 0x28, 0x0a]).toString("base64") },
        { stderr: '{"jsonrpc":"2.0","id":3,"error":{"code":-32000,"message":"not this"}}\n' },
        { say: "Still here." },
      ],
    });
    expect((await work(stage.agent(), stage.order())).outcome).toMatchObject({
      is: "done",
      text: "Still here.",
    });
  });

  test("holds a line of 50 MB without keeping it", async () => {
    stage.script({ steps: [{ long: 50 * 1024 * 1024 }, { say: "Still here." }] });
    const { says, outcome } = await work(stage.agent(), stage.order());
    expect(outcome).toMatchObject({ is: "done", text: "Still here." });
    expect(texts(says)).toEqual(["Still here."]);
  });

  test("that is cut in the middle of a message is retried", async () => {
    stage.script({ steps: [{ say: "I was about" }, { raw: '{"jsonrpc":"2.0","id":3,"res' }, { exit: 1 }] });
    const { outcome } = await work(stage.agent(), stage.order());
    expect(outcome).toMatchObject({ how: "retry", code: "no-result" });
  });

  test("that ends well without an answer is no success", async () => {
    stage.script({ steps: [{ say: "Done." }, { exit: 0 }] });
    const { outcome } = await work(stage.agent(), stage.order());
    expect(outcome).toMatchObject({ how: "retry", code: "no-result" });
  });

  test("that a signal ends in the middle of a tool is retried, and what was shown is charged", async () => {
    const call = {
      sessionUpdate: "tool_call",
      toolCallId: "c",
      kind: "execute",
      status: "in_progress",
      title: "make",
    };
    stage.script({ steps: [{ say: "x".repeat(400) }, { update: call }, { kill: "SIGKILL" }] });
    const { says, outcome } = await work(stage.agent(), stage.order());
    expect(outcome).toMatchObject({ how: "retry", code: "killed" });
    expect(says.find(({ type }) => type === "session")).toEqual({ type: "session", id: "ses_1" });
    expect(usages(says)[0]?.outputTokens).toBeGreaterThanOrEqual(100);
  });

  test("of a binary that is absent, or that speaks nothing, says what to type", async () => {
    const absent = await work(stage.agent({ command: ["/nowhere/house"] }), stage.order());
    expect(absent.outcome).toMatchObject({ how: "blocked", code: "runtime-absent" });
    expect(absent.outcome).toMatchObject({ why: expect.stringContaining("`get house`") as string });
    stage.script({ exitAtOnce: 2, stderr: "unknown option --acp\n" });
    const mute = await work(stage.agent(), stage.order());
    expect(mute.outcome).toMatchObject({ how: "blocked", code: "other-version" });
    expect(mute.outcome).toMatchObject({ why: expect.stringContaining("unknown option --acp") as string });
  });
});

describe("an agent that does not end", () => {
  test.each(["initialize", "session/new", "session/prompt"])(
    "and is silent at %s is stopped",
    async (silentAt) => {
      stage.script({ silentAt });
      const order = stage.order({ limits: { ...limits, stallMs: 1_500 } });
      expect((await work(stage.agent(), order)).outcome).toMatchObject({ how: "retry", code: "stalled" });
      expect(carrying(order.runId)).toEqual([]);
    },
  );

  test("is stopped with all it started when its turn is over, stubborn ones too", async () => {
    stage.script({ steps: [{ stubborn: "" }, { child: "" }, { say: "working" }, { hang: "" }] });
    const order = stage.order({ limits: { ...limits, turnMs: 2_000 } });
    const { says, outcome } = await work(stage.agent(), order);
    expect(outcome).toMatchObject({ how: "unfinished", code: "turn-limit" });
    expect(says.some(({ type }) => type === "session")).toBe(true);
    expect(carrying(order.runId)).toEqual([]);
  });

  test("is gone when its run is aborted", async () => {
    const stop = new AbortController();
    stage.script({
      steps: [
        { say: "x" },
        { update: { sessionUpdate: "tool_call", toolCallId: "c", status: "in_progress" } },
        { hang: "" },
      ],
    });
    const order = stage.order();
    const says = [];
    for await (const one of stage.agent().work(order, stop.signal)) {
      says.push(one);
      if (one.type === "tool") stop.abort();
    }
    expect(says.at(-1)).toMatchObject({ type: "result", outcome: { how: "give-up", code: "aborted" } });
    expect(carrying(order.runId)).toEqual([]);
  });

  test("after its answer is ended without spoiling it", async () => {
    stage.script({ stays: true, steps: [{ stubborn: "" }, { child: "" }, { say: "Done." }] });
    const order = stage.order();
    expect((await work(stage.agent(), order)).outcome).toMatchObject({ is: "done", text: "Done." });
    expect(carrying(order.runId)).toEqual([]);
  });

  test("at its limits is stopped while it speaks", async () => {
    stage.script({ steps: [{ say: "x".repeat(4_000) }, { hang: "" }] });
    const wordy = stage.order({ limits: { ...limits, outputTokens: 900 } });
    expect((await work(stage.agent(), wordy)).outcome).toMatchObject({
      how: "unfinished",
      code: "output-limit",
    });
    const cost = { sessionUpdate: "usage_update", used: 1, size: 2, cost: { amount: 0.5, currency: "USD" } };
    stage.script({ steps: [{ say: "x" }, { update: cost }, { hang: "" }] });
    const dear = stage.order({ limits: { ...limits, usd: 0.25 } });
    const { says, outcome } = await work(stage.agent(), dear);
    expect(outcome).toMatchObject({ how: "unfinished", code: "budget" });
    expect(usages(says)).toMatchObject([{ usd: 0.5 }]);
  });
});

describe("a probe", () => {
  test("shakes hands and finds version and login", async () => {
    expect(await stage.agent().probe()).toEqual({ found: true, version: "1.2.3", why: undefined });
    expect(stage.heard("session/prompt")).toEqual([]);
  });

  test("opens no session where a key stands", async () => {
    stage.script({ needsLogin: true });
    const keyed = await stage.agent({ own: { HOUSE_API_KEY: "dummy" } }).probe();
    expect(keyed).toEqual({ found: true, version: "1.2.3", why: undefined });
    expect(stage.heard("session/new")).toEqual([]);
    expect(await stage.agent().probe()).toMatchObject({
      found: true,
      why: "House is not logged in: run `house login`",
    });
  });

  test.each<[string, Part, string]>([
    ["another version of the protocol", { hello: { protocolVersion: 2 } }, "speaks version 2"],
    ["an agent that ends at once", { exitAtOnce: 2 }, "ended with exit code 2"],
    [
      "an agent that opens no session",
      { errors: { "session/new": { code: -32603, message: "no git" } } },
      "no git",
    ],
  ])("finds %s unusable", async (_, part, why) => {
    stage.script(part);
    const found = await stage.agent().probe();
    expect(found).toMatchObject({ found: true, problem: "unusable" });
    expect(found.why).toContain(why);
  });

  test("finds nothing where there is no binary", async () => {
    const found = await stage.agent({ command: ["/nowhere/house"] }).probe();
    expect(found).toMatchObject({ found: false, why: expect.stringContaining("`get house`") as string });
  });
});
