/** The real machine of workflows: processes that are ended whole, an environment without secrets, agents by their ports. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sweep } from "../../src/adapters/processes/agent-process.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { processAt } from "../../src/adapters/processes/process-table.ts";
import { runMarks } from "../../src/adapters/processes/run-marks.ts";
import { scriptedAgent } from "../../src/adapters/agents/scripted.ts";
import { openHost } from "../../src/adapters/workflows/host.ts";
import type { AgentOrder, AgentSaid } from "#engine";
import type { ServerBundles } from "../../src/config-servers.ts";
import type { Agent, WorkOrder } from "../../src/ports-agents.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "workflow-host-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const clock = systemClock();
const searchPath = process.env["PATH"] ?? "/usr/bin:/bin";
const hostOf = (agents: readonly Agent[] = [], bundles?: ServerBundles) => {
  const marks = runMarks(join(folder, "w.db"));
  const host = openHost({
    folder,
    agents: new Map(agents.map((agent) => [agent.name, agent])),
    marks,
    searchPath,
    home: homedir(),
    clock,
    ...(bundles === undefined ? {} : { bundles }),
  });
  const shell = (command: string, more: { timeoutMs?: number; signal?: AbortSignal; run?: string } = {}) =>
    host.shell(
      { command, folder, run: more.run ?? "r1", timeoutMs: more.timeoutMs },
      more.signal ?? new AbortController().signal,
    );
  return { host, marks, shell };
};
const order = (more: Partial<AgentOrder> = {}): AgentOrder => ({
  key: "r1/a@#1",
  prompt: "Work.",
  folder,
  resume: undefined,
  access: "write",
  schema: undefined,
  run: "r1",
  model: undefined,
  usd: undefined,
  ...more,
});
const pidIn = (name: string): number => Number(readFileSync(join(folder, name), "utf8"));
const comes = async (fact: () => boolean): Promise<void> => {
  for (let looks = 0; !fact(); looks += 1) {
    if (looks === 1_000) throw new Error("it never came");
    await clock.until(clock.now() + 10);
  }
};
const written = (name: string) => () =>
  existsSync(join(folder, name)) && readFileSync(join(folder, name), "utf8").endsWith("\n");

test("a command works in its folder and gives its exit code and both streams", async () => {
  const { shell } = hostOf();
  expect(await shell("pwd; echo careful >&2; exit 3")).toMatchObject({
    exit: 3,
    timedOut: false,
    stdout: `${folder}\n`,
    stderr: "careful\n",
  });
});

test("a command sees no variable of this process but where programs are, and is marked as the run's", async () => {
  process.env["GITHUB_TOKEN"] = "never-seen";
  const { shell, marks } = hostOf();
  const { stdout } = await shell("env");
  delete process.env["GITHUB_TOKEN"];
  expect(stdout).not.toContain("never-seen");
  expect(stdout).toMatch(new RegExp(`^RUN_ID=${marks.of("r1")} \\d+$`, "mu"));
});

test("of more output than anybody reads, the end is kept, and the command is not ended for it", async () => {
  const { shell } = hostOf();
  const { exit, stdout } = await shell("head -c 40000000 /dev/zero | tr '\\0' é; echo; echo the end");
  expect(exit).toBe(0);
  expect(Buffer.byteLength(stdout)).toBeLessThanOrEqual(64 * 1024);
  expect(stdout).toMatch(/the end\n$/u);
});

test("a command that takes too long says so, with what it wrote", async () => {
  const { shell } = hostOf();
  expect(await shell("echo begun; sleep 60", { timeoutMs: 300 })).toMatchObject({
    timedOut: true,
    stdout: "begun\n",
  });
});

test("on cancel, children that ignore SIGTERM are ended, and those that left its session", async () => {
  const { shell } = hostOf();
  const control = new AbortController();
  const stubborn = `trap '' TERM; echo $$ > own; (trap '' TERM; sh -c 'echo $$ > child; sleep 600; true') & setsid sh -c 'trap "" TERM; echo $$ > away; sleep 600; true' & sleep 600; true`;
  const running = shell(stubborn, { signal: control.signal });
  for (const name of ["own", "child", "away"]) await comes(written(name));
  const pids = ["own", "child", "away"].map(pidIn);
  expect(pids.map((pid) => processAt(pid) !== undefined)).toEqual([true, true, true]);
  control.abort();
  await running;
  expect(pids.map(processAt)).toEqual([undefined, undefined, undefined]);
});

test("the end of one command ends nothing of another of the same run", async () => {
  const { shell } = hostOf();
  const control = new AbortController();
  const long = shell("echo $$ > long; sleep 600; true", { signal: control.signal });
  await comes(written("long"));
  for (let times = 0; times < 5; times += 1) await shell("sh -c true & wait");
  expect(processAt(pidIn("long"))).toBeDefined();
  control.abort();
  await long;
});

test("somebody else at work in the same folder is left alone", async () => {
  const { shell } = hostOf();
  const other = runMarks(join(folder, "other.db"));
  const neighbour = openHost({
    folder,
    agents: new Map(),
    marks: other,
    searchPath,
    home: homedir(),
    clock,
  });
  const control = new AbortController();
  const theirs = { command: "echo $$ > theirs; sleep 600; true", folder, run: "r1", timeoutMs: undefined };
  const at = neighbour.shell(theirs, control.signal);
  await comes(written("theirs"));
  await shell("true");
  await sweep(runMarks(join(folder, "w.db")).of("r1"));
  expect(processAt(pidIn("theirs"))).toBeDefined();
  control.abort();
  await at;
});

test("a sweep by the run's mark ends all of the run's orders, and none of a run whose name begins so", async () => {
  const { shell, marks } = hostOf();
  const ended = Promise.all([shell("echo $$ > a; sleep 600; true"), shell("echo $$ > b; sleep 600; true")]);
  const control = new AbortController();
  const other = shell("echo $$ > c; sleep 600; true", { run: "r12", signal: control.signal });
  for (const name of ["a", "b", "c"]) await comes(written(name));
  await sweep(marks.of("r1"));
  expect((await ended).map(({ exit }) => exit)).toEqual([undefined, undefined]);
  expect(processAt(pidIn("c"))).toBeDefined();
  control.abort();
  await other;
});

test("a folder that is gone is said so, for good", async () => {
  const { host } = hostOf();
  const gone = join(folder, "gone");
  const signal = new AbortController().signal;
  await expect(
    host.shell({ command: "true", folder: gone, run: "r", timeoutMs: undefined }, signal),
  ).rejects.toMatchObject({
    message: `${gone} does not exist, so there is nowhere to work`,
    permanent: true,
  });
});

test("an agent is given its order in the words of the port, and tokens without a price are priced", async () => {
  const given: WorkOrder[] = [];
  const usage = {
    inputTokens: 1_000_000,
    cachedInputTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
    usd: undefined,
  };
  const codex: Agent = {
    name: "codex",
    family: "openai",
    probe: async () => ({ found: true, version: "1", why: undefined }),
    work: async function* (one) {
      given.push(one);
      yield { type: "model", id: "gpt-5" };
      yield { type: "usage", usage };
      yield { type: "result", outcome: { is: "done", text: "ok", structured: undefined } };
    },
  };
  const { host, marks } = hostOf([codex]);
  const said: AgentSaid[] = [];
  const schema = { type: "object", required: ["a"], properties: { a: { type: "number", minimum: 1 } } };
  const work = host.agents
    .get("codex")
    ?.work(order({ schema, usd: 1.5, resume: "s1" }), new AbortController().signal);
  for await (const one of work ?? []) said.push(one);
  expect(given).toMatchObject([
    {
      cwd: folder,
      resume: "s1",
      access: "write",
      limits: { usd: 1.5, outputTokens: 100_000 },
      place: "shared",
    },
  ]);
  expect(given[0]?.runId).toBe(`${marks.of("r1")} 1`);
  expect(given[0]?.schema).toMatchObject({
    additionalProperties: false,
    properties: { a: { type: "number" } },
  });
  const priced = said.find(({ type }) => type === "usage");
  expect(priced?.type === "usage" ? priced.usage.usd : undefined).toBeGreaterThan(0);
});

const listener = (orders: WorkOrder[]): Agent => ({
  name: "claude-code",
  family: "anthropic",
  probe: async () => ({ found: true, version: undefined, why: undefined }),
  work: async function* (given) {
    orders.push(given);
    yield { type: "result", outcome: { is: "done", text: "", structured: null } };
  },
});
const docs = { is: "process", name: "search", command: "/opt/docs", args: [], env: {} } as const;
const offered: ServerBundles = new Map([["docs", { access: "write", servers: [docs] }]]);
const told = async (more: Partial<AgentOrder>): Promise<WorkOrder | undefined> => {
  const orders: WorkOrder[] = [];
  const agent = hostOf([listener(orders)], offered).host.agents.get("claude-code");
  if (agent === undefined) throw new Error("it is not there");
  for await (const said of agent.work(order(more), new AbortController().signal)) void said;
  return orders[0];
};

test("what a task asks of its agent comes with the order; what it does not say is the runtime's own choice", async () => {
  const way = {
    role: "plan",
    tier: "high",
    persona: "planner",
    mcp: ["docs"],
    tools: { deny: ["delegate"] },
  };
  expect(await told({ way })).toMatchObject({
    role: "plan",
    model: "opus",
    effort: "high",
    mcp: [docs],
    tools: { deny: ["delegate"] },
  });
  expect((await told({ way }))?.prompt).toMatch(/You plan; others build[^]*Work\.$/u);
  expect((await told({ way, model: "claude-opus-5-5" }))?.model).toBe("claude-opus-5-5");
  expect(await told({})).toMatchObject({
    role: "build",
    prompt: "Work.",
    model: undefined,
    effort: undefined,
    mcp: [],
  });
});

test.each<[string, Partial<AgentOrder>, RegExp]>([
  ["a tier", { way: { tier: "top" } }, /`tier`/u],
  ["a persona", { way: { persona: "nobody" } }, /no persona `nobody`; there is .*builder/u],
  ["a bundle", { way: { mcp: ["mail"] } }, /no MCP bundle `mail`; there is `docs`/u],
  ["writing servers for who only looks", { access: "read", way: { mcp: ["docs"] } }, /`docs` may write/u],
])("a task that asks for what is not there is refused for good: %s", async (_, more, why) => {
  await expect(told(more)).rejects.toMatchObject({ permanent: true, message: expect.stringMatching(why) });
});

test("an agent that ignores SIGTERM and SIGPIPE, and what it left in another session, is ended with its order", async () => {
  const scenes = join(folder, "scenes.json");
  const steps = [{ stubborn: true }, { orphan: 600_000 }, { say: "at work" }, { sleep: 600_000 }];
  writeFileSync(scenes, JSON.stringify([{ steps }]));
  const agent = scriptedAgent({ name: "ada", family: "unknown", model: "m", scenes, searchPath, clock });
  const { host, marks } = hostOf([agent]);
  const control = new AbortController();
  const said: AgentSaid["type"][] = [];
  for await (const one of host.agents.get("ada")?.work(order(), control.signal) ?? []) {
    said.push(one.type);
    if (one.type === "text") control.abort();
  }
  expect(said.at(-1)).toBe("result");
  expect(await sweep(marks.of("r1"))).toEqual([]);
});

test("what looks like a credential is taken out of what is kept", () => {
  const token = `ghp_${"a1B2".repeat(10)}`;
  expect(hostOf().host.redact(`use ${token}`)).not.toContain(token);
});
