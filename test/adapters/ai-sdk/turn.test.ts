/** The in-process agent against a model on the loopback that says what a script tells it, in three makers' dialects. */
import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Enter } from "../../../src/adapters/agents/ai-sdk/process-tools.ts";
import type { AgentSays } from "../../../src/ports-agents.ts";
import type { Failure } from "../../../src/simulator/model/scenario.ts";
import { comes, key, makers, modelOf, openStand, outcomeIn, sessionIn, tool, usages, work } from "./stand.ts";
import type { Stand } from "./stand.ts";

let stand: Stand;
beforeEach(async () => {
  stand = await openStand();
});
afterEach(() => stand.close());

const schema = {
  type: "object",
  properties: { verdict: { type: "string", enum: ["pass", "fail"] } },
  required: ["verdict"],
  additionalProperties: false,
};

describe.each(makers)("%s", (maker) => {
  const steps = [
    [{ say: "I look first." }, tool("read", { path: "a.txt" })],
    [
      tool("edit", { path: "a.txt", old: "one", new: "two" }),
      tool("write", { path: "deep/er/b.txt", text: "new\n" }),
      { usage: { inputTokens: 3_000, cachedInputTokens: 2_000, outputTokens: 70, reasoningTokens: 30 } },
    ],
    { say: "Done." },
  ];

  test("it edits the worktree and says session, model, each use of a tool and every call's usage", async () => {
    writeFileSync(stand.at("tree", "a.txt"), "one\n");
    const { says, outcome } = await work(stand.agent(maker), stand.order(steps));
    expect(outcome).toEqual({ is: "done", text: "Done.", structured: undefined });
    expect(readFileSync(stand.at("tree", "a.txt"), "utf8")).toBe("two\n");
    expect(readFileSync(stand.at("tree", "deep/er/b.txt"), "utf8")).toBe("new\n");
    expect(says.map((one) => (one.type === "tool" ? `${one.name} ${one.detail}` : one.type))).toEqual([
      "session",
      "model",
      "usage",
      "text",
      "read a.txt",
      "usage",
      "edit a.txt",
      "write deep/er/b.txt",
      "usage",
      "text",
      "result",
    ]);
    expect(says).toContainEqual({ type: "model", id: modelOf[maker] });
    // Anthropic counts thinking among the output and does not tell it apart.
    const reasoningTokens = maker === "anthropic" ? 0 : 30;
    expect(usages(says)[1]).toEqual({
      inputTokens: 3_000,
      cachedInputTokens: 2_000,
      outputTokens: 70,
      reasoningTokens,
      usd: undefined,
    });
    expect(stand.asked()[1]).toContain("one");
  });

  test("a session goes on in another process with all that was said", async () => {
    writeFileSync(stand.at("tree", "a.txt"), "one\n");
    const first = await work(stand.agent(maker), stand.order(steps));
    const resume = sessionIn(first.says);
    const second = await work(stand.agent(maker), stand.order([{ say: "Still here." }], { resume }));
    expect(second.outcome).toMatchObject({ is: "done", text: "Still here." });
    expect(sessionIn(second.says)).toBe(resume);
    const last = stand.asked().at(-1) ?? "";
    for (const said of ["[[s1]]", "I look first.", "deep/er/b.txt is written", "Done.", "[[s2]]"])
      expect(last).toContain(said);
  });

  test("a session nobody knows, or of another agent, is told as such", async () => {
    const { says } = await work(stand.agent(maker), stand.order([{ say: "Hello." }]));
    const other = stand.agent(maker, { name: "other" });
    for (const resume of [sessionIn(says), "00000000-0000-4000-8000-000000000000", "not-ours"]) {
      const known = await work(
        resume === sessionIn(says) ? other : stand.agent(maker),
        stand.order([{ say: "?" }], { resume }),
      );
      expect(known.outcome).toMatchObject({ how: "give-up", code: "session-unknown" });
      expect(known.says).toHaveLength(1);
    }
  });

  test("an answer of the asked form comes through the maker's own field for it", async () => {
    const { outcome } = await work(
      stand.agent(maker, { entry: stand.entry(maker, { structured: "native" }) }),
      stand.order([tool("list", {}), { answer: { verdict: "pass" } }], { schema }),
    );
    expect(outcome).toMatchObject({ is: "done", structured: { verdict: "pass" } });
    const asked = JSON.parse(stand.asked()[0] ?? "{}") as Record<string, unknown>;
    const format = {
      anthropic: { output_config: { format: { type: "json_schema", schema } } },
      openai: { text: { format: { type: "json_schema", strict: true, schema } } },
      "openai-compatible": { response_format: { type: "json_schema", json_schema: { schema } } },
    }[maker];
    expect(asked).toMatchObject(format);
    expect(stand.asked()[0]).toContain("fits this JSON schema");
  });

  test("an answer of another form is asked for again, twice", async () => {
    const ignored = { say: 'Sure: {"verdict":"perhaps"}' };
    const repaired = await work(
      stand.agent(maker),
      stand.order([ignored, { say: 'Here:\n```json\n{"verdict":"fail"}\n```' }], { schema }),
    );
    expect(repaired.outcome).toMatchObject({ is: "done", structured: { verdict: "fail" } });
    expect(stand.asked().at(-1)).toMatch(/not of the asked form.*expected one of/u);
    const never = await work(stand.agent(maker), stand.order([{ say: "No JSON today." }], { schema }));
    expect(never.outcome).toMatchObject({
      how: "retry",
      code: "structured-output",
      why: expect.stringContaining("it holds no JSON"),
    });
    expect(usages(never.says)).toHaveLength(3);
  });

  test.each<[Failure, string, string, string]>([
    ["unauthorized", "blocked", "logged-out", "set MODEL_KEY to a key"],
    ["quota", "blocked", "quota", "check its plan and billing"],
    ["billing", "blocked", "quota", "check its plan and billing"],
    ["context-length", "give-up", "context", "split the ticket"],
  ])("%s is %s at the first call: %s", async (fails, how, code, why) => {
    const { outcome, says } = await work(stand.agent(maker), stand.order([{ fails }]));
    expect(outcome).toMatchObject({ how, code, why: expect.stringContaining(why) });
    expect(stand.model.calls).toHaveLength(1);
    expect(usages(says)).toEqual([]);
  });

  test("a refusal is no answer, and nothing of it stays in the session", async () => {
    const refused = await work(stand.agent(maker), stand.order([{ stop: "refusal" }]));
    expect(refused.outcome).toMatchObject({ how: "give-up", code: "refused" });
    expect(usages(refused.says)).toHaveLength(1);
    const resume = sessionIn(refused.says);
    const on = await work(stand.agent(maker), stand.order([{ say: "Gladly." }], { resume }));
    expect(on.outcome).toMatchObject({ is: "done" });
    expect(stand.asked().at(-1)).not.toContain("cannot help");
  });

  test.each<[Failure, string]>([
    ["rate-limited", "rate-limit"],
    ["server-error", "server"],
    ["overloaded", "server"],
  ])("after %s it waits and asks again, and in the end gives its place back", async (fails, code) => {
    const { clock } = stand;
    const passing = await work(stand.agent(maker), stand.order([{ fails }, { fails }, { say: "Now." }]), {
      clock,
    });
    expect(passing.outcome).toMatchObject({ is: "done", text: "Now." });
    const waits = (says: readonly AgentSays[]) =>
      says.flatMap((one) => (one.type === "waiting" ? [one.ms] : []));
    expect(waits(passing.says)).toEqual([1_000, 4_000]);
    const lasting = await work(stand.agent(maker), stand.order([{ fails }]), { clock });
    expect(lasting.outcome).toMatchObject({ how: "retry", code });
    expect(waits(lasting.says)).toEqual([1_000, 4_000, 16_000]);
  });

  test("a server that names a delay is obeyed: here when it is short, by the caller when it is long", async () => {
    const { clock } = stand;
    const short = await work(
      stand.agent(maker),
      stand.order([{ fails: "rate-limited", retryAfterSeconds: 7 }, { say: "Now." }]),
      { clock },
    );
    expect(short.says).toContainEqual(expect.objectContaining({ type: "waiting", ms: 7_000 }));
    expect(short.outcome).toMatchObject({ is: "done" });
    const long = await work(
      stand.agent(maker),
      stand.order([{ fails: "rate-limited", retryAfterSeconds: 3_600 }]),
    );
    expect(long.outcome).toMatchObject({
      how: "retry",
      code: "rate-limit",
      retryAt: clock.now() + 3_600_000,
    });
  });

  test.each(["cut", "malformed"] as const)(
    "a %s stream is charged, not believed, and asked for again",
    async (breaks) => {
      const { clock } = stand;
      const { says, outcome } = await work(stand.agent(maker), stand.order([{ breaks }, { say: "Whole." }]), {
        clock,
      });
      expect(outcome).toMatchObject({ is: "done", text: "Whole." });
      expect(says.filter(({ type }) => type === "text")).toHaveLength(1);
      expect(usages(says)[0]?.outputTokens).toBeGreaterThan(0);
      expect(usages(says)[0]?.inputTokens).toBeGreaterThan(50);
      expect(stand.asked().at(-1)).not.toContain("about to say");
      const lasting = await work(stand.agent(maker), stand.order([{ breaks }]), { clock });
      expect(lasting.outcome).toMatchObject({ how: "retry", code: "stream" });
    },
  );

  test("silence, a turn that takes too long and an abort end it, each with its reason", async () => {
    const hang = [{ breaks: "hang" } as const];
    const { limits } = stand.order(hang);
    const ending = async (change: Partial<typeof limits>, byMs: number) => {
      const before = stand.model.calls.length;
      const running = work(stand.agent(maker), stand.order(hang, { limits: { ...limits, ...change } }));
      await comes(() => stand.model.calls.length > before);
      // Bytes on their way count as heard when they come, so the clock goes on until it is over.
      let over = false;
      const settled = running.finally(() => (over = true));
      await comes(() => (void stand.clock.advance(byMs), over));
      return (await settled).outcome;
    };
    expect(await ending({ stallMs: 5_000 }, 5_000)).toMatchObject({ how: "retry", code: "stalled" });
    expect(await ending({ turnMs: 60_000 }, 60_000)).toMatchObject({ how: "unfinished", code: "turn-limit" });
    const stop = new AbortController();
    const before = stand.model.calls.length;
    const running = work(stand.agent(maker), stand.order(hang), { signal: stop.signal });
    await comes(() => stand.model.calls.length > before);
    stop.abort();
    const aborted = await running;
    expect(aborted.outcome).toMatchObject({ how: "give-up", code: "aborted" });
    expect(usages(aborted.says)[0]?.inputTokens).toBeGreaterThan(50);
  });

  test("an order aborted before it began asks nobody and keeps no session", async () => {
    const { says, outcome } = await work(stand.agent(maker), stand.order([{ say: "?" }]), {
      signal: AbortSignal.abort(),
    });
    expect(outcome).toMatchObject({ how: "give-up", code: "aborted" });
    expect(says).toHaveLength(1);
    expect(stand.model.calls).toHaveLength(0);
  });

  test("turns, tokens and dollars have limits that leave the session intact", async () => {
    const busy = [[tool("list", {}), { usage: { outputTokens: 900 } }]];
    const { limits } = stand.order(busy);
    const turns = await work(
      stand.agent(maker, { entry: stand.entry(maker, { max_steps: 2 }) }),
      stand.order(busy),
    );
    expect(turns.outcome).toMatchObject({ how: "unfinished", code: "max-turns" });
    const tokens = await work(
      stand.agent(maker),
      stand.order(busy, { limits: { ...limits, outputTokens: 2_000 } }),
    );
    expect(tokens.outcome).toMatchObject({ how: "unfinished", code: "output-limit" });
    expect(usages(tokens.says)).toHaveLength(3);
    const prices = { input: 0, cached: 0, output: 1_000 };
    const dollars = await work(
      stand.agent(maker, { entry: stand.entry(maker, { prices }) }),
      stand.order(busy, { limits: { ...limits, usd: 1 } }),
    );
    expect(dollars.outcome).toMatchObject({ how: "unfinished", code: "budget" });
    expect(usages(dollars.says).map(({ usd }) => usd)).toEqual([0.9, 0.9]);
    // The second answer could have a dollar's tenth, and was told so.
    expect(stand.asked().at(-1)).toMatch(/"max_(?:output_|completion_)?tokens":(?:99|100)\b/u);
    const on = await work(
      stand.agent(maker),
      stand.order([{ say: "Done after all." }], { resume: sessionIn(dollars.says) }),
    );
    expect(on.outcome).toMatchObject({ is: "done" });
  });

  test("an answer cut at the model's own limit is gone on with, and not for ever", async () => {
    const cut = [{ say: "Half of" }, { stop: "length" as const }];
    const passing = await work(stand.agent(maker), stand.order([cut, { say: "it." }]));
    expect(passing.outcome).toMatchObject({ is: "done", text: "it." });
    const lasting = await work(stand.agent(maker), stand.order([cut]));
    expect(lasting.outcome).toMatchObject({ how: "unfinished", code: "max-output-tokens" });
  });

  test("without a key nobody is asked, and the key is never said", async () => {
    const keyless = stand.agent(maker, {
      host: { home: stand.at("home"), searchPath: "/bin", tmp: "/tmp", own: {} },
    });
    expect((await work(keyless, stand.order([{ say: "?" }]))).outcome).toMatchObject({
      how: "blocked",
      code: "logged-out",
      why: expect.stringContaining("set MODEL_KEY"),
    });
    expect(stand.model.calls).toHaveLength(0);
    const wrongModel = await work(stand.agent(maker), stand.order("[[", { model: `no such ${key}` }));
    expect(wrongModel.outcome).toMatchObject({ how: "blocked", code: "model-unknown" });
  });
});

test("a server that is only asked for JSON is told the schema and no format, which it might take for a ban on tools", async () => {
  const order = stand.order([tool("list", {}), { answer: { verdict: "pass" } }], { schema });
  const { outcome } = await work(stand.agent("openai-compatible"), order);
  expect(outcome).toMatchObject({ is: "done", structured: { verdict: "pass" } });
  expect(stand.asked()[0]).not.toContain("response_format");
  expect(stand.asked()[0]).toContain("fits this JSON schema");
});

test("an earlier draft is never taken in the place of an answer that does not fit", async () => {
  const draft = '```json\n{"verdict":"pass"}\n```\nNo:\n```json\n{"verdict":"unsure"}\n```';
  const order = stand.order([{ say: draft }, { say: '{"verdict":"fail"}' }], { schema });
  const { outcome } = await work(stand.agent("openai"), order);
  expect(outcome).toMatchObject({ is: "done", structured: { verdict: "fail" } });
});

test("a stream that says more than it may is ended at its source", async () => {
  const order = stand.order([{ say: "word ".repeat(60_000) }], {
    limits: { turnMs: 60_000, stallMs: 60_000, outputTokens: 100, usd: 5 },
  });
  const { outcome, says } = await work(stand.agent("openai"), order);
  expect(outcome).toMatchObject({ is: "failed", code: "stream" });
  expect(usages(says)).toHaveLength(1);
});

test("what tools answered long ago is left out once the context is full, and then it goes on", async () => {
  writeFileSync(stand.at("tree", "long.txt"), "word ".repeat(2_000));
  const look = tool("read", { path: "long.txt" });
  const full = { fails: "context-length" } as const;
  const steps = [look, look, look, look, look, look, full, { say: "Done." }];
  const { outcome } = await work(stand.agent("anthropic"), stand.order(steps));
  expect(outcome).toMatchObject({ is: "done" });
  const [before, after] = stand.asked().slice(-2);
  expect(after?.match(/left out to make room/gu)).toHaveLength(2);
  expect((after ?? "").length).toBeLessThan((before ?? "").length * 0.8);
});

test("a consumer that stops listening ends the call", async () => {
  const says: AgentSays[] = [];
  for await (const one of stand
    .agent("openai")
    .work(stand.order([tool("list", {})]), new AbortController().signal)) {
    says.push(one);
    if (one.type === "tool") break;
  }
  expect(says.at(-1)?.type).toBe("tool");
  expect(stand.clock.waiting()).toEqual([]);
  expect(() => outcomeIn(says)).toThrow();
});

test("what the model runs is run in the place made for the order, and that is given back", async () => {
  const seen: string[] = [];
  const agent = stand.agent("openai", {
    lodge: async function* (order, work) {
      seen.push(`made for ${order.cwd}`);
      const env = { PATH: process.env["PATH"] ?? "/bin", HOME: "/nowhere-else" };
      const enter: Enter = async (order) => ({ order, leave: async () => void seen.push("left") });
      try {
        yield* work({ env, enter });
      } finally {
        seen.push("given back");
      }
    },
  });
  const { outcome } = await work(agent, stand.order([tool("run", { command: "env" }), { say: "Done." }]));
  expect(outcome).toMatchObject({ is: "done" });
  expect(stand.asked().at(-1)).toContain("HOME=/nowhere-else");
  expect(seen).toEqual([`made for ${stand.at("tree")}`, "left", "given back"]);
});
