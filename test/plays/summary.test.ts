import { afterEach, expect, test } from "vitest";
import type { WorkOrder } from "../../src/ports-agents.ts";
import { summariesOf } from "../../src/engine/index.ts";
import { openSqlite } from "../../src/sql.ts";
import { join } from "node:path";
import { openWorld, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const environment = { summary: { runtime: "codex", model: "gpt-mini" } };
const mine = "Sum up in one paragraph";

async function toReview(): Promise<string> {
  const { people, repo } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  return `github:${repo.id}#${issue}`;
}
async function told(ticket: string) {
  const runs = [1, 2, 3].map((n) => `${ticket}/${n}`);
  const sql = openSqlite(join(world.dir, "data", "forgehand.db"), { readonly: true });
  try {
    return await sql.read(() => summariesOf(runs));
  } finally {
    sql.close();
  }
}
const asked = async (ticket: string) =>
  (await world.forgehand.store.sessionsOf(ticket)).filter(({ role }) => role === "advise");

test("every run that has ended is told from the record", async () => {
  world = await openWorld();
  const ticket = await toReview();
  const [gate, build, review, ...more] = await told(ticket);
  expect(more).toEqual([]);
  expect(gate?.text).toMatch(/^The gate run ended after \d+s: the spec gate passed\. Agents: gate by /u);
  expect(build).toMatchObject({ by: "forgehand", note: undefined });
  expect(build?.text).toContain("build delivered: wrote src/done.txt");
  expect(build?.text).toContain("1 tool call (write 1). It wrote src/done.txt.");
  expect(build?.text).toContain("1000 tokens in, 100 out and $0.02.");
  expect(review?.text).toContain("does what the ticket asks");
  expect(await asked(ticket)).toEqual([]);
});

test("a small model that is named tells it in its words, on the bill, with the conversation fenced", async () => {
  const orders: WorkOrder[] = [];
  world = await openWorld({
    environment,
    recast: (agent) => ({
      ...agent,
      work: (order, signal) => {
        orders.push(order);
        return agent.work(order, signal);
      },
    }),
    scenes: [
      {
        role: "advise",
        prompt: mine,
        steps: [usage, { done: "It wrote\n one file,\u202e and it is fine." }],
      },
    ],
  });
  const ticket = await toReview();
  for (const one of await told(ticket))
    expect(one).toMatchObject({ text: "It wrote one file, and it is fine.", by: "codex (gpt-5.5)" });
  const sessions = await asked(ticket);
  expect(sessions.map(({ run }) => run)).toEqual([1, 2, 3].map((n) => `${ticket}/${n}`));
  expect(sessions.every(({ usd, outcome }) => usd === 0.02 && outcome === "done")).toBe(true);
  const prices = orders.map(({ role, limits }) => [role, limits.prices] as const);
  expect(prices.filter(([, known]) => known === undefined)).toEqual([]);
  // It has nothing to do with files: no tool is offered to it.
  expect(orders.flatMap(({ role, tools, mcp }) => (role === "advise" ? [[tools, mcp]] : []))).toEqual(
    [1, 2, 3].map(() => [{ allow: [] }, undefined]),
  );
});

test("a model that fails costs nothing but its words", async () => {
  world = await openWorld({
    environment,
    scenes: [
      {
        role: "advise",
        prompt: mine,
        steps: [{ fail: { how: "blocked", code: "quota", why: "no money is left" } }],
      },
    ],
  });
  const ticket = await toReview();
  const all = await told(ticket);
  expect(all).toHaveLength(3);
  for (const one of all) {
    expect(one.by).toBe("forgehand");
    expect(one.note).toContain("no money is left");
    expect(one.text).toMatch(/^The \w+ run ended/u);
  }
});

test("a day that has spent its dollars has none for a summary", async () => {
  world = await openWorld({ environment: { ...environment, dayStopUsd: 15 } });
  const { people, repo, forgehand } = world;
  const { store } = forgehand;
  const id = `github:${repo.id}#1`;
  await world.settled();
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "Gate");
  await store.openSession({
    key: "dear",
    run: `${id}/0`,
    ticket: id,
    role: "build",
    runtime: "codex",
    logPath: undefined,
    at: Date.now(),
  });
  await store.changeSession("dear", { usd: 14.9 });
  await world.until("the gate is told", async () => (await told(id)).length > 0);
  await world.settled();
  expect((await told(id))[0]?.note).toContain("the dollars of the day are spent");
  expect(await asked(id)).toEqual([]);
});

test("what a process that died had set aside for a summary returns, though none is asked for any more", async () => {
  world = await openWorld();
  const ticket = await toReview();
  const key = `summary/${ticket}/1@1`;
  const caps = {
    runUsd: 5,
    ticketUsd: 25,
    repositoryDayUsd: undefined,
    tenantDayUsd: undefined,
    dayUsd: 100,
    dayStart: 0,
  };
  await world.forgehand.store.reserve({
    run: key,
    ticket,
    repo: world.repo.id,
    allowedUsd: 0.2,
    caps,
    at: Date.now(),
  });
  await world.forgehand.stop(0);
  await world.start();
  expect(await world.forgehand.store.reservationOf(key)).toBeUndefined();
});

test("a process that dies while a summary is written asks nobody again, and the record stands", async () => {
  world = await openWorld({
    environment,
    scenes: [{ role: "advise", prompt: ["gate run"], steps: [{ sleep: 60_000 }] }],
  });
  const { people, repo } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  const ticket = `github:${repo.id}#${issue}`;
  await world.until("the model is asked", async () => (await asked(ticket)).length === 1);
  await world.untilState(issue, "In Review");
  await world.forgehand.stop(0);
  await world.start();
  await world.settled();
  const [gate, ...later] = await told(ticket);
  expect(gate?.by).toBe("forgehand");
  expect(gate?.text).toMatch(/^The gate run ended/u);
  expect(later).toHaveLength(2);
  expect((await asked(ticket)).filter(({ run }) => run === `${ticket}/1`)).toHaveLength(1);
  expect((await asked(ticket)).every(({ endedAt }) => endedAt !== null)).toBe(true);
});
