import { caps } from "../../test/caps.ts";
import { temporaryFolder } from "../../test/temporary.ts";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../adapters/clock.ts";
import { defaultConfig, policyOf } from "../config.ts";
import { migrateEngine } from "../engine/migrate.ts";
import { runVerbs } from "../engine/run-verbs.ts";
import { openSqlite } from "../sql.ts";
import { migrate } from "../store/database.ts";
import { openStore } from "../store/store.ts";
import { openIntake } from "./intake.ts";
import { step } from "./step.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import { specHash } from "../webhooks/spec-hash.ts";
import type { Workshop } from "./workshop.ts";

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

const id = "github:1#7";
const text = { title: "t", body: "b" };
const issue = {
  ...text,
  id,
  ref: "o/r#7",
  open: true,
  declined: false,
  labels: ["agent-ready", "runtime/codex"],
  author: "a",
  url: "",
  updatedAt: 0,
};
const delivered = {
  issue: { number: 7, ...text, state: "open", labels: [] },
  repository: { id: 1, full_name: "o/r", private: false, default_branch: "main", owner: { login: "o" } },
  sender: { login: "bob", id: 2, type: "User" },
  installation: { id: 1 },
};
const labelled = {
  ...delivered,
  name: "issues",
  action: "labeled",
  label: { name: "agent-ready" },
};
const said = (body: string) => ({
  ...delivered,
  name: "issue_comment",
  action: "created",
  comment: { id: 5, body, created_at: "2026-01-01T00:00:00Z", user: delivered.sender },
});

/** Reads a delivery of which a process had stepped these events when it died; `before` are older ones. */
async function readAgain(
  { name, ...payload }: { readonly name: string; readonly action: string },
  stepped: readonly TicketEvent[],
  world: { readonly before?: readonly TicketEvent[]; readonly issue?: typeof issue } = {},
) {
  const sql = openSqlite(join(temporaryFolder("intake-"), "t.db"));
  await migrateEngine(sql);
  await migrate(sql);
  const store = openStore(sql, runVerbs);
  const config = defaultConfig();
  const rules = { config, policy: policyOf(config), problems: [] };
  const repo = { id: 1, owner: "o", name: "r", installation: 1, defaultBranch: "main", private: false };
  await store.knowRepo(repo);
  const shop = {
    store,
    clock: systemClock(),
    random: () => 0,
    log: quiet,
    app: { id: 9, login: "forgehand[bot]" },
    runtimes: ["claude-code", "codex"],
    workflows: () => ["docs"],
    limits: { dayStopUsd: 100, tenantDayUsd: undefined },
    rulesOf: () => rules,
    poke: () => undefined,
    forge: { permission: async () => "write", pull: async () => undefined },
    tracker: { ticket: async () => world.issue ?? issue },
  } as unknown as Workshop;
  await store.receive({
    id: "d1",
    source: "github",
    name,
    action: payload.action,
    body: JSON.stringify(payload),
    receivedAt: 1,
  });
  await store.name(id, { ...text, repo: 1, number: 7, ref: "o/r#7", url: "", author: "a", branch: "x" }, 1);
  const take = async (event: TicketEvent, eventId: string): Promise<void> => {
    const { row } = await step(store, {
      ticket: id,
      event,
      eventId,
      actor: "bob",
      policy: rules.policy,
      caps,
      runLimitMs: 1_000,
      now: 2,
    });
    expect(row, eventId).toBeDefined();
  };
  for (const [at, event] of (world.before ?? []).entries()) await take(event, `before ${at}`);
  for (const event of stepped) await take(event, `d1#${id}#${event.type}`);
  const intake = openIntake(shop);
  intake.poke();
  while (!(await intake.idle())) await new Promise((wake) => setImmediate(wake));
  await intake.stop();
  const ticket = (await store.load(id))?.ticket;
  const lines = await store.linesOf(id);
  sql.close();
  return { ticket, events: lines.map(({ event }) => event) };
}

test("an item read again after a crash still steps what comes after the event that was stepped", async () => {
  const { ticket } = await readAgain(labelled, [{ type: "runtime.chosen", runtime: "codex" }]);
  expect(ticket).toMatchObject({ state: "Ready", runtime: "codex" });
});

const accepted = (command: string) => ({ type: "human.asked", ask: { about: "accepted", command } });
const granted = { type: "ready.granted", spec: specHash(issue) } as const;

test("a release read again after a crash is still voided by an edit, and answered as it was meant", async () => {
  const edited = { ...issue, body: "another text altogether" };
  const { ticket, events } = await readAgain(said("/forgehand run"), [granted], { issue: edited });
  expect(ticket?.state).toBe("Backlog");
  expect(events.map(({ type }) => type)).toEqual([
    "ready.granted",
    "runtime.chosen",
    "spec.edited",
    "human.asked",
  ]);
  expect(events.at(-1)).toMatchObject(accepted("run"));
});

test("an order read again after a crash is not judged by what it made of the ticket", async () => {
  const { ticket, events } = await readAgain(said("/forgehand stop"), [{ type: "operator.stopped" }], {
    before: [granted],
  });
  expect(ticket?.state).toBe("Blocked");
  expect(events.at(-1)).toMatchObject(accepted("stop"));
});

test("the same order, said when it is done already, is refused", async () => {
  const { events } = await readAgain(said("/forgehand stop"), [], {
    before: [granted, { type: "operator.stopped" }],
  });
  expect(events.at(-1)).toMatchObject({ type: "human.asked", ask: { about: "refused", command: "stop" } });
});
