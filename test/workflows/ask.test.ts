/** The turns of one question, with agents that do exactly what is asked of them here. */
import { expect, test, vi } from "vitest";
import type { Json, Step } from "../../src/engine/node.ts";
import type { Agent, AgentOutcome, AgentSays, WorkOrder } from "../../src/ports-agents.ts";
import { ask } from "../../src/workflows/ask.ts";
import type { Question } from "../../src/workflows/talk.ts";
import type { TicketWork, WorkFacts } from "../../src/workflows/work.ts";

type Act = AgentSays | (() => unknown) | "die";
const session: AgentSays = { type: "session", id: "s1" };
const text: AgentSays = { type: "text", text: "I work." };
const call = (detail: string): AgentSays => ({ type: "tool", name: "Bash", detail });
const end = (outcome: AgentOutcome): AgentSays => ({ type: "result", outcome });
const done = end({ is: "done", text: "done", structured: undefined });
const failed = (how: "retry" | "give-up" | "unfinished", code: string): AgentSays =>
  end({ is: "failed", how, code, why: `because of ${code}` });

class Killed extends Error {}

/** A ticket at work, and a builder that plays these turns one after the other. */
function stage(turns: readonly (readonly Act[])[]) {
  const orders: WorkOrder[] = [];
  const prods: string[] = [];
  const log: string[] = [];
  const people: string[] = [];
  const memories: Json[] = [];
  const steered: string[] = [];
  let print = 0;
  let now = 0;
  const agent: Agent = {
    name: "builder",
    family: "openai",
    probe: async () => ({ found: true, version: "1", why: undefined }),
    work: async function* (order, signal): AsyncGenerator<AgentSays> {
      const turn = turns[orders.length] ?? [];
      orders.push(order);
      for (const act of turn) {
        if (signal.aborted) {
          yield failed("give-up", "aborted");
          return;
        }
        if (act === "die") throw new Killed("the process died here");
        if (typeof act === "function") await act();
        else yield act;
      }
    },
  };
  const facts = (): WorkFacts =>
    ({
      orders: [...people],
      limits: { turnMs: 1, stallMs: 1, outputTokens: 1, continuations: 3, repeats: 3 },
    }) as unknown as WorkFacts;
  const work = {
    facts: async () => facts(),
    agents: new Map([["builder", agent]]),
    clock: { now: () => now, until: async () => undefined },
    nonce: () => "0123456789abcdef0123456789abcdef",
    prodded: async ({ id, how, why }: { id: string; how: string; why: string }) =>
      void prods.push(`${id} ${how}: ${why}`),
    money: { left: async () => 5, spent: async () => "told" },
    sessions: {
      open: async () => undefined,
      saw: async () => undefined,
      usage: async () => undefined,
      log: async (_key: string, _kind: string, line: string) => void log.push(line),
      close: async () => undefined,
    },
  } as unknown as TicketWork;
  const question = (more: Partial<Question> = {}): Question => ({
    role: "build",
    runtime: "builder",
    brief: ({ orders: all }) => `BRIEF with ${all.length} orders`,
    cwd: "/",
    access: "write",
    schema: undefined,
    resume: undefined,
    equipment: { model: undefined, effort: undefined, mcp: [], tools: undefined },
    fingerprint: async () => `${print}`,
    ...more,
  });
  const attempt = (number: number): Step =>
    ({
      run: "github:1#2/1",
      key: "github:1#2/1/code@0",
      attempt: number,
      signal: new AbortController().signal,
      memory: memories.at(-1),
      remember: async (memory: Json) => void memories.push(structuredClone(memory)),
    }) as unknown as Step;
  let attempts = 0;
  return {
    agent,
    orders,
    prods,
    log,
    people,
    steered,
    memories,
    prompts: () => orders.map(({ prompt }) => prompt),
    write: (): void => void (print += 1),
    later: (): void => void (now += 60_000),
    ask: (more?: Partial<Question>) => ask(work, facts(), question(more), attempt((attempts += 1))),
  };
}

test("silence is told to the agent, then it begins once more, then it is given up with all reasons", async () => {
  const silent = [session, text, failed("retry", "stalled")];
  const { ask: go, prompts, prods, orders, log } = stage([silent, silent, silent]);
  const { outcome } = await go();
  // Not a byte, every time: that is the runtime's trouble, not the work's.
  expect(outcome).toMatchObject({ is: "failed", how: "give-up", code: "stalled" });
  expect(outcome).toHaveProperty("why", expect.stringMatching(/stalled; then because of stalled; then/));
  expect(prods).toEqual([
    "github:1#2/1/code@0:1:nudged nudged: because of stalled",
    "github:1#2/1/code@0:2:stopped stopped: because of stalled",
    expect.stringMatching(/:2:resumed resumed: with the whole task once more, in the same session/),
  ]);
  expect(prompts()[1]).not.toContain("BRIEF");
  expect(prompts()[2]).toMatch(/^You were stopped.*\n\nBRIEF with 0 orders$/s);
  expect(orders.map(({ resume }) => resume)).toEqual([undefined, "s1", "s1"]);
  expect(log).toContain("given up: because of stalled");
});

test("one that was silent and went round, too, fails at the work", async () => {
  const silent = [session, text, failed("retry", "stalled")];
  const round = [session, text, call("ls"), call("ls"), call("ls"), text];
  for (const turns of [
    [silent, round, silent],
    [round, silent, silent],
    [silent, silent, round],
  ])
    expect((await stage(turns).ask()).outcome).toMatchObject({ how: "give-up", code: "no-headway" });
});

test("silence counts over the end of the process", async () => {
  const silent = [session, text, failed("retry", "stalled")];
  const world = stage([silent, silent, ["die"], silent]);
  await expect(world.ask()).rejects.toThrow(Killed);
  expect((await world.ask()).outcome).toMatchObject({ how: "give-up", code: "stalled" });
  expect(world.orders).toHaveLength(4);
});

test("the ladder holds over the end of the process", async () => {
  const stuck = [session, text, call("ls"), call("ls"), call("ls"), text];
  const { ask: go, prods } = stage([
    stuck,
    [text, "die"],
    [text, call("ls"), call("ls"), call("ls"), text],
    stuck,
  ]);
  await expect(go()).rejects.toThrow(Killed);
  const { outcome } = await go();
  expect(outcome).toMatchObject({ code: "no-headway" });
  expect(prods.map((line) => line.split(" ")[1])).toEqual(["nudged:", "stopped:", "resumed:"]);
});

test("a change of files between alike calls takes the suspicion away", async () => {
  const world = stage([
    [...[1, 2, 3, 4].flatMap(() => [call("make"), call("make"), () => world.write(), call("make")]), done],
  ]);
  const { outcome } = await world.ask();
  expect(outcome).toMatchObject({ is: "done" });
  expect(world.prods).toEqual([]);
});

test("files that cannot be looked at are no sign of anything", async () => {
  const { ask: go, prods } = stage([[session, call("ls"), call("ls"), call("ls"), done]]);
  const { outcome } = await go({ fingerprint: () => Promise.reject(new Error("gone")) });
  expect(outcome).toMatchObject({ is: "done" });
  expect(prods).toEqual([]);
});

test("words of people that came meanwhile are said once, before the answer is taken", async () => {
  const world = stage([
    [session, text, () => world.people.push("use tabs"), done],
    [text, done],
  ]);
  const { outcome } = await world.ask();
  expect(outcome).toMatchObject({ is: "done" });
  expect(world.prompts()).toHaveLength(2);
  expect(world.prompts()[1]).toContain("use tabs");
  expect(world.prompts()[1]).not.toContain("you may have been told before");
});

test("words that were on their way when the process died are said again, and marked so", async () => {
  const world = stage([
    [session, text, () => world.people.push("use tabs"), done],
    ["die"],
    [text, "die"],
    [text, done],
  ]);
  await expect(world.ask()).rejects.toThrow(Killed);
  await expect(world.ask()).rejects.toThrow(Killed);
  await world.ask();
  const [, first, second, third] = world.prompts();
  expect(first).toContain("use tabs");
  expect(second).toMatch(/you may have been told before; then do it only once[\s\S]*use tabs/);
  expect(third).toContain("You were interrupted");
  expect(third).not.toContain("use tabs");
});

test("a session that died before it acted is briefed in full", async () => {
  const world = stage([
    [session, "die"],
    [text, done],
  ]);
  await expect(world.ask()).rejects.toThrow(Killed);
  await world.ask();
  expect(world.prompts()).toEqual(["BRIEF with 0 orders", "BRIEF with 0 orders"]);
  expect(world.orders[1]?.resume).toBe("s1");
});

test("an agent that can be spoken to at work hears at once, and not again afterwards", async () => {
  const world = stage([
    [session, text, () => world.people.push("use tabs"), () => world.later(), text, text, done],
  ]);
  world.agent.steering = () => ({
    say: async (words) => {
      world.steered.push(words);
      return "heard";
    },
    interrupt: async () => "too late",
  });
  await world.ask();
  expect(world.steered).toEqual([expect.stringContaining("use tabs")]);
  expect(world.prompts()).toHaveLength(1);
});

test("what it cannot hear at work it hears before its next turn", async () => {
  const world = stage([
    [session, text, () => world.people.push("use tabs"), () => world.later(), text, done],
    [text, done],
  ]);
  world.agent.steering = () => ({ say: async () => "too late", interrupt: async () => "too late" });
  await world.ask();
  expect(world.prompts()).toHaveLength(2);
  expect(world.prompts()[1]).toContain("use tabs");
});

test.each([
  ["heard", 1],
  ["too late", 2],
] as const)(
  "an agent whose answer to being told (%s) comes among what it says is not waited for before that",
  async (answer, turns) => {
    let say: (answer: "heard" | "too late") => void = () => undefined;
    const told = (): Promise<void> => vi.waitFor(() => expect(world.steered).toHaveLength(1));
    const world = stage([
      [
        session,
        text,
        () => world.people.push("use tabs"),
        () => world.later(),
        text,
        told,
        text,
        () => say(answer),
        text,
        done,
      ],
      [text, done],
    ]);
    world.agent.steering = () => ({
      say: (words) => {
        world.steered.push(words);
        return new Promise((resolve) => (say = resolve));
      },
      interrupt: async () => "too late",
    });
    await world.ask();
    expect(world.prompts()).toHaveLength(turns);
    expect(world.prompts().join().includes("use tabs")).toBe(answer === "too late");
  },
);

test("a judge is told nothing of what people say to the builder", async () => {
  const world = stage([[session, text, () => world.people.push("let it pass"), done]]);
  await world.ask({ role: "review" });
  expect(world.prompts()).toHaveLength(1);
});

test("a session that is gone is begun afresh once, not for ever", async () => {
  const gone = [session, failed("give-up", "session-unknown")];
  const world = stage([gone, gone, [session, text, done]]);
  const { outcome } = await world.ask({ resume: "old" });
  expect(world.orders.map(({ resume }) => resume)).toEqual(["old", undefined]);
  expect(outcome).toMatchObject({ code: "session-unknown" });
});

test("an answer that does not fit is sent back twice and then stands", async () => {
  const answer = [session, text, done];
  const world = stage([answer, answer, answer]);
  await world.ask({ role: "gate", flaw: () => "`decision` is missing" });
  expect(world.prompts()).toHaveLength(3);
  expect(world.prompts()[2]).toContain("`decision` is missing");
});
