import { expect, test } from "vitest";
import { z } from "zod";
import {
  leaf,
  Loop,
  saidIn,
  Sequence,
  Task,
  usedIn,
  type AgentSaid,
  type HostAgent,
  type Node,
} from "#engine";
import { actor, done, fails, hostOf, session, spent, untilStopped } from "./actors.ts";
import { open, simple, until } from "./world.ts";

const Verdict = z.object({ verdict: z.enum(["pass", "fail"]), score: z.number() });
const verdict = leaf("verdict", Verdict);
const good = { verdict: "pass", score: 3 } as const;
const asJson = JSON.stringify(good);

const at = async (agents: readonly HostAgent[], render: () => Node, path?: string) =>
  await open(simple(render), path, undefined, { host: hostOf(agents) });
const judge = (more: object = {}): (() => Node) => {
  const props = { agent: "ada", prompt: "Judge it.", ...more };
  return () => <Task {...verdict} {...props} />;
};
type World = Awaited<ReturnType<typeof at>>;
const outputOf = async (world: World) => (await world.engine.attempts("r")).at(-1)?.output;
const errorOf = async (world: World) => (await world.engine.attempts("r")).at(-1)?.error;
const transcript = async (world: World) =>
  (await world.sql.read(() => saidIn("r"))).flatMap(({ lines }) =>
    lines.map(({ kind, text }) => `${kind}: ${text}`),
  );

test("an agent is told the task, its schema and its folder, and its structured answer is the output", async () => {
  const ada = actor("ada", [session("s1"), done("see there", good)]);
  const world = await at([ada], judge({ access: "read", model: "m-1", usd: 2 }));
  await world.start();
  expect(await outputOf(world)).toEqual(good);
  expect(ada.orders).toMatchObject([
    { folder: "/nowhere", resume: undefined, access: "read", model: "m-1", usd: 2, run: "r" },
  ]);
  expect(ada.orders[0]?.schema).toMatchObject({ type: "object", required: ["verdict", "score"] });
  expect(ada.orders[0]?.prompt).toMatch(/^Judge it\.\n\nWhen all is done, answer with nothing but JSON/);
});

test.each([
  ["the whole text", asJson],
  ["a fence", `Here it is:\n\n\`\`\`json\n${asJson}\n\`\`\`\nDone.`],
  [
    "the last fence of several",
    `\`\`\`\n{"verdict":"fail","score":0}\n\`\`\`\nNo:\n~~~~json\n${asJson}\n~~~~`,
  ],
  [
    "a fence before one about something else",
    `\`\`\`json\n${asJson}\n\`\`\`\nI ran\n\`\`\`json\n{"name":"x"}\n\`\`\``,
  ],
])("an answer is found in %s", async (_where, text) => {
  const ada = actor("ada", [done(text)]);
  const world = await at([ada], judge());
  await world.start();
  expect(await outputOf(world)).toEqual(good);
});

test("an earlier draft is never taken in the place of an answer that does not fit", async () => {
  const text = `\`\`\`json\n${asJson}\n\`\`\`\nThinking again:\n\`\`\`json\n{"verdict":"unsure","score":1}\n\`\`\``;
  const ada = actor("ada", [session("s"), done(text)], [done('{"verdict":"fail","score":1}')]);
  const world = await at([ada], judge());
  await world.start();
  expect(await outputOf(world)).toEqual({ verdict: "fail", score: 1 });
});

test("plain text is the answer where text is asked for, and no schema is given for it", async () => {
  const ada = actor("ada", [done("It is ```fine```.\n")]);
  const world = await at([ada], () => <Task id="t" output={z.string()} agent="ada" prompt="Say." />);
  await world.start();
  expect(await outputOf(world)).toBe("It is ```fine```.");
  expect(ada.orders).toMatchObject([{ schema: undefined, prompt: "Say." }]);
});

test("an answer that does not fit is repaired in the same session, told path, reason and value", async () => {
  const ada = actor(
    "ada",
    [session("s1"), done('{"verdict":"maybe","score":3}')],
    [session("s1"), done("I am sorry.")],
    [session("s1"), done(asJson)],
  );
  const world = await at([ada], judge());
  await world.start();
  expect(await outputOf(world)).toEqual(good);
  expect(ada.orders.map(({ resume }) => resume)).toEqual([undefined, "s1", "s1"]);
  expect(ada.orders[1]?.prompt).toContain(
    '`verdict`: Invalid option: expected one of "pass"|"fail"; the value is "maybe"',
  );
  expect(ada.orders[2]?.prompt).toContain('there is no JSON that fits in the answer; it was: "I am sorry."');
});

test("after the last repair it fails for good, with path and value, secrets removed", async () => {
  const wrong = [session("s1"), done('{"verdict":"hunter2","score":3}')];
  const ada = actor("ada", wrong, wrong, wrong);
  const world = await at([ada], judge({ repairs: 2 }));
  const row = await world.start();
  expect(row).toMatchObject({ status: "failed" });
  expect(await errorOf(world)).toMatch(
    /the answer of ada to "verdict" does not fit after 2 rounds of repair: `verdict`: .*; the value is "\[removed\]"/,
  );
  expect(ada.orders).toHaveLength(3);
  expect((await transcript(world)).join("\n")).not.toContain("hunter2");
});

test("an agent without sessions is told everything again to repair its answer", async () => {
  const ada = actor("ada", [done("{}")], [done(asJson)]);
  const world = await at([ada], judge());
  await world.start();
  expect(ada.orders[1]).toMatchObject({ resume: undefined });
  expect(ada.orders[1]?.prompt).toMatch(/^Judge it\.[^]*You answered:\n\{\}\n\nYour answer does not fit/);
});

test("a crash while an agent works goes on in the same session, by its id, in the next process", async () => {
  const before = actor("ada", untilStopped(session("s1"), spent(0.5)));
  const world = await at([before], judge());
  await world.begin();
  await until(async () => (await world.engine.attempts("r"))[0]?.memory !== undefined);
  await until(async () => (await world.sql.read(() => usedIn("r"))).usd === 0.5);
  await world.engine.down(0);
  const after = actor("ada", [session("s1"), spent(0.25), done(asJson)]);
  const next = await at([after], judge(), world.path);
  await next.start();
  expect(await next.statuses()).toEqual(["verdict lost", "verdict finished"]);
  expect(after.orders).toMatchObject([{ resume: "s1" }]);
  expect(after.orders[0]?.prompt).toMatch(/^You were interrupted\. Go on where you stopped/);
  expect(after.orders[0]?.prompt).not.toContain("Judge it.");
  expect(await next.sql.read(() => usedIn("r"))).toMatchObject({
    usd: 0.75,
    inputTokens: 200,
    outputTokens: 20,
  });
});

test("a session that goes on with another prompt is told the new one", async () => {
  const before = actor("ada", untilStopped(session("s1"), spent(0.5)));
  const world = await at([before], judge());
  await world.begin();
  await until(async () => (await world.sql.read(() => usedIn("r"))).usd === 0.5);
  await world.engine.down(0);
  const after = actor("ada", [done(asJson)]);
  const next = await at([after], judge({ prompt: "Judge it kindly." }), world.path);
  await next.start();
  expect(after.orders[0]).toMatchObject({ resume: "s1" });
  expect(after.orders[0]?.prompt).toContain("It is now:\n\nJudge it kindly.");
});

test("a session that ended before it did anything is told the whole task again", async () => {
  const before = actor("ada", untilStopped(session("s1")));
  const world = await at([before], judge());
  await world.begin();
  await until(async () => JSON.stringify((await world.engine.attempts("r"))[0]?.memory ?? "").includes("s1"));
  await world.engine.down(0);
  const after = actor("ada", [session("s1"), done(asJson)]);
  const next = await at([after], judge(), world.path);
  await next.start();
  expect(after.orders[0]).toMatchObject({ resume: "s1" });
  expect(after.orders[0]?.prompt).toMatch(/^Judge it\./);
});

const calls = (times: number): readonly AgentSaid[] =>
  Array.from({ length: times }, () => ({ type: "tool", name: "Bash", detail: "ls" }));
const inCircles = untilStopped(session("s1"), ...calls(10));
const among = async (files: () => string, agents: readonly HostAgent[], render: () => Node) =>
  await open(simple(render), undefined, undefined, {
    host: { ...hostOf(agents), fingerprint: async () => files() },
  });

test("an agent in circles is stopped and told so, and goes on in its session", async () => {
  const ada = actor("ada", inCircles, [session("s1"), done(asJson)]);
  const world = await among(() => "same", [ada], judge({ access: "write" }));
  await world.start();
  expect(await outputOf(world)).toEqual(good);
  expect(ada.orders.map(({ resume }) => resume)).toEqual([undefined, "s1"]);
  expect(ada.orders[1]?.prompt).toMatch(/^You were stopped.*`Bash ls` 10 times in a row/);
  expect(await transcript(world)).toContain("waiting: it called `Bash ls` 10 times in a row; it is told so");
});

test("one that goes on in circles is begun once more, then fails with all that was noticed", async () => {
  const silent: readonly AgentSaid[] = [session("s1"), fails("retry", "stalled")];
  const ada = actor("ada", inCircles, silent, inCircles);
  const world = await among(() => "same", [ada], judge({ access: "write", retries: 0 }));
  await world.start();
  expect(await errorOf(world)).toMatch(
    /ada got nowhere with "verdict", was told so and begun once more: it called .*; then stalled happened; then it called/,
  );
  expect(ada.orders[2]?.prompt).toContain("Judge it.");
});

test("one that stays silent is replaced by the next, in a session of its own; with nobody left the task is tried again", async () => {
  const silent: readonly AgentSaid[] = [session("s1"), fails("retry", "stalled")];
  const ada = actor("ada", silent, silent, silent);
  const bob = actor("bob", [session("s2"), done(asJson)]);
  const world = await among(() => "same", [ada, bob], judge({ agent: ["ada", "bob"], access: "write" }));
  await world.start();
  expect(await outputOf(world)).toEqual(good);
  expect([ada.orders.length, bob.orders.length]).toEqual([3, 1]);
  expect(bob.orders[0]).toMatchObject({ resume: undefined, folder: ada.orders[0]?.folder });
  expect((await transcript(world)).join("\n")).toMatch(
    /ada cannot work on "verdict": ada got nowhere .*\nbob is tried in its place/,
  );

  const alone = actor("ada", silent, silent, silent, [session("s3"), done(asJson)]);
  const again = await among(() => "same", [alone], judge({ access: "write", retries: 1 }));
  await again.begin();
  await until(async () => (await again.statuses()).some((one) => one.endsWith("failed")));
  again.clock.turn(500_000);
  await until(async () => (await again.engine.run("r"))?.status === "finished");
  expect(alone.orders.map(({ resume }) => resume)).toEqual([undefined, "s1", "s1", undefined]);
});

test("alike calls are work while files change, and where nobody can tell whether they do", async () => {
  let changes = 0;
  const ada = actor("ada", [session("s1"), ...calls(40), done(asJson)]);
  const world = await among(() => `${(changes += 1)}`, [ada], judge({ access: "write" }));
  await world.start();
  expect(await outputOf(world)).toEqual(good);
  const bob = actor("bob", [session("s1"), ...calls(40), done(asJson)]);
  const other = await at([bob], judge({ agent: "bob", access: "write" }));
  await other.start();
  expect(await outputOf(other)).toEqual(good);
});

test("a session nobody knows any more starts afresh, once", async () => {
  const ada = actor(
    "ada",
    [session("s1"), fails("retry", "server")],
    [fails("give-up", "session-unknown")],
    [session("s2"), done(asJson)],
  );
  const world = await at([ada], judge());
  await world.start();
  world.clock.turn(10_000);
  await until(async () => (await world.engine.run("r"))?.status === "finished");
  expect(ada.orders.map(({ resume }) => resume)).toEqual([undefined, "s1", undefined]);
  expect(ada.orders[2]?.prompt).toMatch(/^Judge it\./);
});

test("a rate limit, a server's fault and a lost process cost no attempt, however many; the work's own failures do", async () => {
  const limits = Array.from({ length: 5 }, () => [
    session("s1"),
    fails("retry", "rate-limit", { retryAt: 500_000 }),
  ]);
  const faults = Array.from({ length: 5 }, () => [session("s1"), fails("retry", "server")]);
  const own = [session("s1"), fails("give-up", "refused")];
  const lost: readonly never[] = [];
  const ada = actor("ada", ...limits, ...faults, lost, own, own);
  const world = await at([ada], judge({ retries: 1 }));
  await world.begin();
  for (let turn = 1; turn <= 13; turn += 1) {
    await until(async () => (await world.statuses()).filter((one) => one.endsWith("failed")).length === turn);
    world.clock.turn(500_000);
  }
  await until(async () => (await world.engine.run("r"))?.status === "failed");
  const attempts = await world.engine.attempts("r");
  expect(attempts.map(({ paused }) => paused)).toEqual([
    ...Array.from({ length: 11 }, () => true),
    false,
    false,
  ]);
  expect(attempts[0]?.dueAt).toBe(500_000);
  // The order that could not be done in one session is tried in a new one.
  expect(ada.orders.at(-1)).toMatchObject({ resume: undefined });
});

test("the same own failure three times over is stuck, and pauses between do not hide it", async () => {
  const own = [fails("give-up", "refused")];
  const pause = [fails("retry", "rate-limit")];
  const ada = actor("ada", own, pause, own, pause, own);
  const world = await at([ada], judge({ retries: 9 }));
  await world.begin();
  for (let turn = 1; turn <= 5; turn += 1) {
    await until(async () => (await world.statuses()).filter((one) => one.endsWith("failed")).length === turn);
    world.clock.turn(500_000);
  }
  await until(async () => (await world.engine.run("r"))?.status === "failed");
  expect(await errorOf(world)).toBe("stuck, it fails the same way again and again: refused happened");
});

test("an agent that is blocked or missing is replaced by the next, and the transcript says so", async () => {
  const ada = actor("ada", [session("s1"), fails("blocked", "quota", { why: "no quota left" })]);
  const bob = actor("bob", [session("b1"), fails("retry", "server")], [session("b1"), done(asJson)]);
  const world = await at([ada, bob], judge({ agent: ["eve", "ada", "bob"], model: "m-1" }));
  await world.start();
  world.clock.turn(10_000);
  await until(async () => (await world.engine.run("r"))?.status === "finished");
  const said = (await transcript(world)).join("\n");
  expect(said).toContain(
    'eve cannot work on "verdict": no agent of this name is configured here; configured: ada, bob\nada is tried',
  );
  expect(said).toContain('ada cannot work on "verdict": no quota left\nbob is tried in its place');
  // Whoever worked goes on; the model was named for the first choice only.
  expect(bob.orders).toMatchObject([
    { resume: undefined, model: undefined },
    { resume: "b1", model: undefined },
  ]);
  expect(ada.orders).toHaveLength(1);
});

test("when every agent is blocked it fails at once, naming each with its reason", async () => {
  const ada = actor("ada", [fails("blocked", "logged-out", { why: "log in with hunter2" })]);
  const world = await at([ada], judge({ agent: ["ada", "eve"] }));
  expect(await world.start()).toMatchObject({ status: "failed" });
  expect(await errorOf(world)).toBe(
    'ada cannot work on "verdict": log in with [removed]\neve cannot work on "verdict": no agent of this name is configured here; configured: ada',
  );
});

test("a session that ran out of turns is continued three times, and then counts as failed", async () => {
  const out = [session("s1"), fails("unfinished", "turn-limit")];
  const ada = actor("ada", out, out, out, out);
  const world = await at([ada], judge({ retries: 0 }));
  expect(await world.start()).toMatchObject({ status: "failed" });
  expect(ada.orders.map(({ resume }) => resume)).toEqual([undefined, "s1", "s1", "s1"]);
  expect(await errorOf(world)).toContain('ada is not done with "verdict" after 4 turns');
});

test("what a task may spend counts over all its turns, and when it is spent it fails for good", async () => {
  const ada = actor(
    "ada",
    [session("s1"), spent(0.75), fails("unfinished", "turn-limit")],
    [session("s1"), spent(0.25), fails("unfinished", "budget")],
  );
  const world = await at([ada], judge({ usd: 1 }));
  expect(await world.start()).toMatchObject({ status: "failed" });
  expect(ada.orders.map(({ usd }) => usd)).toEqual([1, 0.25]);
  expect(await errorOf(world)).toBe('"verdict" has spent $1.00 of the $1 it may; raise `usd`');
});

test("a task that continues another begins in its session, with the agent that has it", async () => {
  const build = leaf("build", z.string());
  const ada = actor("ada", [fails("blocked", "quota")]);
  const bob = actor("bob", [session("b1"), done("built")], [session("b1"), done(asJson)]);
  const world = await at([ada, bob], () => (
    <Loop id="l" max={1} until={true}>
      <Task {...build} agent={["ada", "bob"]} prompt="Build." />
      <Task {...verdict} agent={["ada", "bob"]} prompt="Judge it." continues={build} />
    </Loop>
  ));
  await world.start();
  expect(await outputOf(world)).toEqual(good);
  expect(bob.orders[1]).toMatchObject({ resume: "b1" });
  expect(bob.orders[1]?.prompt).toMatch(/^Judge it\./);
  expect(ada.orders).toHaveLength(1);
});

test("a task that takes too long says so and goes on in its session at the next attempt", async () => {
  const ada = actor("ada", untilStopped(session("s1")), [session("s1"), done(asJson)]);
  const world = await at([ada], judge({ timeoutMs: 20 }));
  await world.start();
  expect(await errorOf(world)).toBe('"verdict" took longer than the 20 ms it may');
  world.clock.turn(10_000);
  await until(async () => (await world.engine.run("r"))?.status === "finished");
  expect(ada.orders[1]).toMatchObject({ resume: "s1" });
});

test("the transcript holds what was asked, said, done and used, in order, whole when the run has left", async () => {
  const ada = actor("ada", [
    session("s1"),
    { type: "model", id: "m-1" },
    { type: "text", text: "I look at hunter2." },
    { type: "tool", name: "Bash", detail: "ls" },
    { type: "waiting", why: "rate limit", ms: 1_500 },
    spent(0.5),
    done(asJson),
  ]);
  const world = await at([ada], judge());
  await world.start();
  const [spoken] = await world.sql.read(() => saidIn("r"));
  expect(spoken).toMatchObject({
    leaf: "verdict",
    iteration: "",
    attempt: 1,
    agent: "ada",
    session: "s1",
    models: ["m-1"],
  });
  expect((await transcript(world)).slice(1)).toEqual([
    "text: I look at [removed].",
    "tool: Bash ls",
    "waiting: rate limit (2 s)",
    "usage: 100 tokens in, 10 out, $0.5000 (100 tokens in, 10 out, $0.5000 so far)",
    `output: ${asJson}`,
  ]);
});

test.each([
  ["no agent", { agent: [] }, "names no agent"],
  ["an agent that cannot be one", { agent: "a, b" }, 'names the agent "a, b"'],
  ["repairs that are no number of rounds", { repairs: 0.5 }, "needs a whole number of repairs"],
  ["no money at all", { usd: 0 }, "needs usd above 0"],
])("%s is refused when the workflow renders", async (_what, props, words) => {
  const world = await at([], judge(props));
  expect(await world.start()).toMatchObject({ status: "failed", error: expect.stringContaining(words) });
});

test("only an agent with leave to write is said to change files", () => {
  const tasks = [
    <Task id="a" output={z.string()} agent="ada" prompt="p" />,
    <Task id="b" output={z.string()} agent="ada" prompt="p" access="read" />,
    <Task id="c" command="make" />,
    <Task id="d" command="make" writes />,
    <Task id="e" output={z.number()} value={1} />,
  ];
  expect(tasks.map((task) => task.kind === "task" && task.writes)).toEqual([true, false, false, true, false]);
  expect(<Sequence>{tasks}</Sequence>).toMatchObject({
    children: [
      { made: { is: "agent", agent: "ada", prompt: "p" } },
      {},
      { made: { is: "shell", command: "make" } },
      {},
      { made: { is: "static" } },
    ],
  });
});
