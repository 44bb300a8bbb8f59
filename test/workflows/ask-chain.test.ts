/** One question to several runtimes: who is asked, with what, and what is kept when one cannot answer. */
import { expect, test } from "vitest";
import type { Json, Step } from "../../src/engine/node.ts";
import { Trouble } from "../../src/ports.ts";
import type { Agent, AgentOutcome, AgentSays, WorkOrder } from "../../src/ports-agents.ts";
import { downUntil } from "../../src/shell/runtime-health.ts";
import { askInChain, type ChainQuestion } from "../../src/workflows/ask-chain.ts";
import type { Down } from "../../src/workflows/roles.ts";
import type { TicketWork, WorkFacts } from "../../src/workflows/work.ts";

type Failed = Extract<AgentOutcome, { is: "failed" }>;
const failed = (how: Failed["how"], code: string): Failed => ({ is: "failed", how, code, why: `${code}!` });
const done: AgentOutcome = { is: "done", text: "done", structured: null };

/** A stand with runtimes that answer as they are told; `asked` is who was, and with which order. */
function stand(answers: Readonly<Record<string, readonly AgentOutcome[]>>) {
  const money: { left: number; says: "told" | "nothing set aside" } = { left: 5, says: "told" };
  const asked: [runtime: string, order: WorkOrder][] = [];
  const logged: string[] = [];
  const prods: string[] = [];
  const closed: (readonly [key: string, outcome: string, why: string | undefined])[] = [];
  const troubles = new Map<string, { failures: number; down: Down | undefined }>();
  let memory: Json | undefined;
  const agents = Object.entries(answers).map(([name, outcomes]): [string, Agent] => {
    const left = [...outcomes];
    return [
      name,
      {
        name,
        family: "unknown",
        probe: async () => ({ found: true, version: undefined, why: undefined }),
        work: async function* (order): AsyncGenerator<AgentSays> {
          asked.push([name, order]);
          yield { type: "session", id: `session-of-${name}` };
          yield { type: "result", outcome: left.shift() ?? done };
        },
      },
    ];
  });
  const nothing = async (): Promise<void> => undefined;
  const work = {
    agents: new Map(agents),
    facts: async () => facts,
    clock: { now: () => 0 },
    nonce: () => "0123456789abcdef",
    prodded: async ({ id, how, why }: { id: string; how: string; why: string }) =>
      void prods.push(`${id} ${how}: ${why}`),
    money: { left: async () => money.left, spent: async () => money.says },
    sessions: {
      open: nothing,
      saw: nothing,
      acted: nothing,
      usage: nothing,
      log: async (_key: string, _kind: string, text: string) => void logged.push(text),
      close: async (...end: [string, string, string?]) => void closed.push([end[0], end[1], end[2]]),
    },
    health: {
      down: async () =>
        new Map(
          [...troubles].flatMap(([name, { down }]) => (down === undefined ? [] : [[name, down] as const])),
        ),
      worked: async (name: string) => void troubles.delete(name),
      failed: async (
        runtime: string,
        how: {
          readonly code: string;
          readonly why: string;
          readonly how: "blocked" | "retry";
          readonly retryAt: number | undefined;
        },
      ) => {
        const failures = (troubles.get(runtime)?.failures ?? 0) + 1;
        const until = downUntil({ ...how, failures }, 0);
        const down = until > 0 ? { runtime, code: how.code, why: how.why, since: 0, until } : undefined;
        troubles.set(runtime, { failures, down });
      },
    },
  } as unknown as TicketWork;
  const facts = {
    limits: { turnMs: 1, stallMs: 1, outputTokens: 1, continuations: 1, repeats: 5 },
    orders: [],
    standing: [],
    assign: () => ({
      fallback: [],
      persona: undefined,
      equip: (runtime: string) => ({
        model: `model-of-${runtime}`,
        effort: "low",
        mcp: [],
        tools: undefined,
      }),
    }),
  } as unknown as WorkFacts;
  const question: ChainQuestion = {
    role: "build",
    chain: ["first", "second"],
    brief: () => "Build it.",
    cwd: "/tree",
    access: "write",
    schema: undefined,
    resume: (runtime) => (runtime === "second" ? "earlier" : undefined),
  };
  const ask = (change: Partial<ChainQuestion> = {}, attempt = 1) => {
    const step = {
      run: "t/1",
      key: "code",
      attempt,
      signal: new AbortController().signal,
      memory,
      remember: async (kept: Json) => void (memory = kept),
    } as unknown as Step;
    return askInChain(work, facts, { ...question, ...change }, step);
  };
  return { ask, asked, logged, closed, prods, troubles, money, who: () => asked.map(([name]) => name) };
}

test("the first answers, with the model that its role gives it", async () => {
  const { ask, asked } = stand({ first: [], second: [] });
  expect(await ask()).toMatchObject({ runtime: "first", session: "session-of-first" });
  expect(asked.map(([name, { model, prompt }]) => [name, model, prompt])).toEqual([
    ["first", "model-of-first", "Build it."],
  ]);
});

test.each(["quota", "logged-out", "runtime-absent", "model-unknown", "tools-unsupported"])(
  "%s hands over to the next, in its own session and with its own model, and the reason is kept",
  async (code) => {
    const { ask, asked, logged, closed } = stand({ first: [failed("blocked", code)], second: [] });
    expect(await ask()).toMatchObject({ runtime: "second" });
    const [, order] = asked[1] ?? [];
    expect(order).toMatchObject({ resume: "earlier", model: "model-of-second" });
    expect(order?.prompt).toContain("Another agent began this work");
    expect(closed).toContainEqual(["code#1", code, `${code}!`]);
    expect(closed.map(([key]) => key)).toContain("code@second#1");
    expect(logged.join()).toContain(`first cannot work (${code}): ${code}!; second takes over`);
  },
);

test("who is down is not asked again until it is due; where everybody is, somebody is asked all the same", async () => {
  const one = stand({ first: [failed("blocked", "quota")], second: [done, failed("blocked", "quota")] });
  await one.ask();
  await one.ask({}, 2).catch(() => undefined);
  expect(one.who()).toEqual(["first", "second", "second"]);
  expect(one.logged.join()).toContain("first is left out: quota!");
  await one.ask({}, 3);
  expect(one.who().at(-1)).not.toBeUndefined();
  expect(one.who()).toHaveLength(4);
});

test("trouble that passes is tried again by the same runtime, until there is too much of it", async () => {
  const server = failed("retry", "server");
  const { ask, who } = stand({ first: [server, server, server], second: [] });
  await expect(ask()).rejects.toMatchObject({ code: "server", permanent: false });
  await expect(ask({}, 2)).rejects.toMatchObject({ code: "server" });
  expect(await ask({}, 3)).toMatchObject({ runtime: "second" });
  expect(who()).toEqual(["first", "first", "first", "second"]);
});

test("a chain of one fails with the reason of that one", async () => {
  const { ask } = stand({ first: [failed("blocked", "quota")] });
  await expect(ask({ chain: ["first"] })).rejects.toMatchObject({ code: "quota", permanent: true });
});

test("where all fail, the reasons of all are told; who is not on this host is no reason", async () => {
  const { ask, who } = stand({
    first: [failed("blocked", "quota")],
    second: [failed("blocked", "logged-out")],
  });
  await expect(ask({ chain: ["first", "absent", "second"] })).rejects.toMatchObject({
    code: "logged-out",
    permanent: true,
    message: "first cannot work (quota): quota!; logged-out!",
  });
  expect(who()).toEqual(["first", "second"]);
  await expect(stand({}).ask({ chain: ["absent"] })).rejects.toMatchObject({ code: "runtime-missing" });
});

test("what no other runtime would do better is handed to nobody", async () => {
  const { ask, who } = stand({ first: [failed("give-up", "refused")], second: [] });
  expect(await ask()).toMatchObject({ runtime: "first", outcome: { code: "refused" } });
  expect(who()).toEqual(["first"]);
});

test("trouble of the host's own is no runtime's fault", async () => {
  const { ask, who } = stand({ first: [], second: [] });
  const facts = new Trouble("servers-missing", "no such bundle", { permanent: true });
  await expect(
    ask({
      resume: () => {
        throw facts;
      },
    }),
  ).rejects.toBe(facts);
  expect(who()).toEqual([]);
});

const silent = failed("retry", "stalled");

test("one that stays silent whatever is tried hands over to the next, in its own session, and the ledger says why", async () => {
  const { ask, asked, who, logged, closed, prods, troubles } = stand({
    first: [silent, silent, silent],
    second: [],
  });
  expect(await ask()).toMatchObject({ runtime: "second", session: "session-of-second" });
  expect(who()).toEqual(["first", "first", "first", "second"]);
  expect(asked[3]?.[1]).toMatchObject({ cwd: "/tree", resume: "earlier", model: "model-of-second" });
  expect(asked[3]?.[1].prompt).toContain("Another agent began this work");
  expect(prods.map((line) => line.split(":")[0])).toEqual(["code", "code", "code", "code"]);
  expect(prods.at(-1)).toMatch(/^code:replaced replaced: first got nowhere, .*stalled!; second takes over$/);
  expect(logged.join()).toMatch(/first cannot work \(stalled\): first got nowhere.*; second takes over/);
  expect(closed).toContainEqual(["code#1", "stalled", expect.stringContaining("first got nowhere")]);
  expect(troubles.get("first")?.down).toMatchObject({ code: "stalled" });
  // The next question does not wait for it three times more.
  await ask({}, 2);
  expect(who().slice(4)).toEqual(["second"]);
});

test("who may not go on with what others left stands in for nobody; the reason is told, and the first is asked again", async () => {
  const { ask, who, logged } = stand({ first: [failed("blocked", "quota")], second: [] });
  const unfit = async (name: string) => (name === "second" ? "nobody could judge it" : undefined);
  await expect(ask({ unfit })).rejects.toMatchObject({
    code: "quota",
    permanent: true,
    message: expect.stringContaining("second may not take over: nobody could judge it"),
  });
  expect(await ask({ unfit }, 2)).toMatchObject({ runtime: "first" });
  expect(who()).toEqual(["first", "first"]);
  expect(logged.join()).not.toContain("takes over");
});

test("silence of one for whom nobody may stand in ends the attempt", async () => {
  const silent = failed("give-up", "stalled");
  const { ask, who } = stand({ first: [silent, silent, silent, silent], second: [] });
  expect(await ask({ unfit: async () => "nobody could judge it" })).toMatchObject({
    runtime: "first",
    outcome: {
      code: "stalled",
      why: expect.stringMatching(/second may not take over: nobody could judge it$/),
    },
  });
  expect(new Set(who())).toEqual(new Set(["first"]));
});

test("silence with nobody to take over ends the attempt", async () => {
  const one = stand({ first: [silent, silent, silent] });
  expect(await one.ask({ chain: ["first", "absent"] })).toMatchObject({
    runtime: "first",
    outcome: { is: "failed", how: "give-up", code: "stalled" },
  });
  expect(one.prods.join()).not.toContain("replaced");
  const two = stand({ first: [silent, silent, silent], second: [silent, silent, silent] });
  expect(await two.ask()).toMatchObject({ runtime: "second", outcome: { how: "give-up", code: "stalled" } });
  expect(two.who()).toHaveLength(6);
});

test("one that went round or changed nothing is not replaced: the work is too hard", async () => {
  const { ask, who, prods, troubles } = stand({ first: [failed("give-up", "no-headway")], second: [] });
  expect(await ask()).toMatchObject({ runtime: "first", outcome: { code: "no-headway" } });
  expect(who()).toEqual(["first"]);
  expect([prods, troubles.size]).toEqual([[], 0]);
});

test("a crash while one is replaced asks the silent one no more", async () => {
  const { ask, who, prods } = stand({
    first: [silent, silent, silent],
    second: [failed("retry", "killed")],
  });
  await expect(ask()).rejects.toMatchObject({ code: "killed" });
  expect(await ask({}, 2)).toMatchObject({ runtime: "second" });
  expect(who()).toEqual(["first", "first", "first", "second", "second"]);
  expect(prods.filter((line) => line.includes("replaced"))).toHaveLength(1);
});

test("a run for which nothing was set aside ends with the reason, and no runtime is blamed or asked", async () => {
  const { ask, who, money, troubles } = stand({ first: [], second: [] });
  Object.assign(money, { left: 0, says: "nothing set aside" });
  await expect(ask()).rejects.toMatchObject({ code: "run-without-money", permanent: true });
  expect(who()).toEqual([]);
  expect(troubles.size).toBe(0);
});

test("after a crash the one who was at it goes on in its session, and one who takes over never in another's", async () => {
  const unfinished = failed("retry", "killed");
  const { ask, asked } = stand({ first: [failed("blocked", "model-unknown")], second: [unfinished] });
  await expect(ask()).rejects.toMatchObject({ code: "killed" });
  await ask({}, 2);
  expect(asked.map(([name, { resume }]) => [name, resume])).toEqual([
    ["first", undefined],
    ["second", "earlier"],
    ["second", "session-of-second"],
  ]);
});
