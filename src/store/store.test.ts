import { caps } from "../../test/caps.ts";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Effect } from "../state-machine/effect.ts";
import { newTicket, states, type State, type Ticket } from "../state-machine/ticket.ts";
import { migrateEngine } from "../engine/migrate.ts";
import { all, openSqlite, run, type Sql, type Statement } from "../sql.ts";
import { migrate } from "./database.ts";
import { reserve } from "./reservations.ts";
import { openStore, type Store } from "./store.ts";
import { stackedTickets, ticketsAtHand } from "./ticket-lists.ts";
import type { Sending } from "./outbox.ts";
import type { Order } from "./steps.ts";
import { openStates } from "./tickets.ts";
import { temporaryFolder } from "../../test/temporary.ts";

const policy = { maxAttempts: 3, maxCycles: 3, maxUnreviewed: 3, mergeAfterApproval: true };
const id = "github:1#42";
const atHand = ["Ready", "Rework", "Gate", "In Progress", "Adversarial Review"] as const;
let open: Sql[] = [];
afterEach(() => {
  for (const sql of open) sql.close();
  open = [];
});

async function fresh(): Promise<{ sql: Sql; store: Store; started: string[] }> {
  const sql = openSqlite(join(temporaryFolder("store-"), "t.db"));
  open.push(sql);
  await migrateEngine(sql);
  await migrate(sql);
  const started: string[] = [];
  sql.script("create table started (run text)");
  const store = openStore(sql, {
    start: (spec) => run("insert into started values (?)", spec.run),
    cancel: (name) => run("delete from started where run = ?", name),
    hold: (name) => run("delete from started where run = ?", name),
    resume: (name) => run("insert into started values (?)", name),
  });
  await store.name(
    id,
    { repo: 1, number: 42, ref: "o/r#42", title: "t", url: "", author: "a", branch: "forgehand/42-t" },
    1,
  );
  return { sql, store, started };
}
const orderOf = (over: Partial<Order> = {}): Order => ({
  ticket: id,
  eventId: "e1",
  event: { type: "slot.granted" },
  actor: "schedule",
  policy,
  caps,
  runLimitMs: 1_000,
  now: 10,
  ...over,
});
/** Takes an event that makes this of the ticket as it is. */
async function take(
  store: Store,
  after: Partial<Ticket>,
  over: Partial<Order> & { readonly effects?: readonly Effect[] } = {},
) {
  const { effects = [], ...order } = over;
  const { decided } = await store.commit(orderOf(order), (before) => ({
    after: { ...before, ...after },
    effects,
    row: "a row",
  }));
  return decided;
}

test("an event is taken once, however often it arrives", async () => {
  const { store } = await fresh();
  expect((await take(store, { state: "Ready" }))?.after.state).toBe("Ready");
  expect(await take(store, { state: "Gate" })).toBeUndefined();
  expect((await store.linesOf(id)).length).toBe(1);
  expect((await store.load(id))?.ticket.state).toBe("Ready");
});

test("events that arrive together are each decided upon what the one before left", async () => {
  const { store } = await fresh();
  const events = Array.from({ length: 20 }, (_, index) => `e${index}`);
  await Promise.all(
    events.map((eventId) =>
      store.commit(orderOf({ eventId }), (before) => ({
        after: { ...before, runs: before.runs + 1 },
        effects: [],
        row: "a row",
      })),
    ),
  );
  const stored = await store.load(id);
  expect([stored?.ticket.runs, stored?.version]).toEqual([20, 20]);
});

test("a ticket is found in whatever state it is in and in no other, closed and opened again too", async () => {
  const { store } = await fresh();
  // Each state is entered from every other.
  const road = states.flatMap((from) => states.flatMap((to) => (from === to ? [] : [from, to])));
  for (const [index, state] of road.entries()) {
    await take(store, { state }, { eventId: `e${index}` });
    const idsIn = async (wanted: readonly State[]) =>
      (await store.ticketsIn(wanted)).map(({ ticket }) => ticket.id);
    expect(await idsIn([state])).toEqual([id]);
    expect(await idsIn(states.filter((other) => other !== state))).toEqual([]);
    expect(await idsIn(openStates)).toEqual(openStates.includes(state) ? [id] : []);
    const isAtHand = atHand.some((one) => one === state);
    expect((await store.ticketsAtHand(atHand)).length).toBe(isAtHand ? 1 : 0);
    expect((await store.openTicketNames()).length).toBe(openStates.includes(state) ? 1 : 0);
    for (const wanted of atHand)
      expect((await store.ticketsAtHand([wanted])).length).toBe(wanted === state ? 1 : 0);
  }
});

test("a ticket counts as stacked while it is open and stands on another", async () => {
  const { store } = await fresh();
  const stacked = async () => (await store.stackedTickets()).map(({ ticket }) => ticket.upon?.ref);
  const upon = { ticket: "github:1#7", ref: "o/r#7", head: "a".repeat(40) } as const;
  expect(await stacked()).toEqual([]);
  await take(store, { state: "In Review", upon }, { eventId: "e1" });
  expect(await stacked()).toEqual(["o/r#7"]);
  await take(store, { state: "Blocked" }, { eventId: "e2" });
  expect(await stacked()).toEqual(["o/r#7"]);
  await take(store, { state: "Ready", upon: undefined }, { eventId: "e3" });
  expect(await stacked()).toEqual([]);
  await take(store, { state: "Cancelled", upon }, { eventId: "e4" });
  expect(await stacked()).toEqual([]);
});

test.each([
  ["the queue and what is at work", ticketsAtHand(["Ready"]), "ticket_open \\(active=\\?\\)"],
  ["what is stacked", stackedTickets(), "ticket_stacked"],
])("%s is found without a look at the tickets that wait for people", async (_which, verb, index) => {
  const { sql } = await fresh();
  const { sql: text, args } = verb.next().value as Statement;
  const plan = await sql.read(() => all<{ readonly detail: string }>(`explain query plan ${text}`, ...args));
  expect(plan.map(({ detail }) => detail).join("\n")).toMatch(
    new RegExp(`(?:SCAN|SEARCH) ticket USING INDEX ${index}`, "u"),
  );
});

test("an event that no row takes leaves no line", async () => {
  const { store } = await fresh();
  const { before, decided } = await store.commit(orderOf(), () => undefined);
  expect([before, decided]).toEqual([newTicket(id), undefined]);
  expect(await store.linesOf(id)).toEqual([]);
});

test("a ticket that nobody named takes no event", async () => {
  const { store } = await fresh();
  await expect(store.commit(orderOf({ ticket: "github:1#43" }), () => undefined)).rejects.toThrow(
    "github:1#43 has no name yet",
  );
});

test("ticket, line, outbox, run, deadline and reservation commit together", async () => {
  const { store, sql } = await fresh();
  const gate = { type: "run.start", phase: "gate", run: `${id}/1`, head: undefined } as const;
  await take(store, { state: "Gate", run: gate.run, runs: 1 }, { effects: [gate, { type: "workpad" }] });
  expect(await sql.read(() => all("select run from started"))).toEqual([{ run: gate.run }]);
  expect((await store.timersOf(id)).map((timer) => timer.dueAt)).toEqual([1_010]);
  expect((await store.spendingSince(0)).map(({ reservedUsd }) => reservedUsd)).toEqual([5]);
  expect((await store.sendable(10, 10)).map(({ effect }) => effect.type)).toEqual(["workpad"]);
  await take(
    store,
    { state: "Backlog", run: undefined },
    { eventId: "e2", effects: [{ type: "run.stop", run: gate.run }] },
  );
  expect(await sql.read(() => all("select run from started"))).toEqual([]);
  expect(await store.spendingSince(0)).toEqual([]);
});

test("a run that ended by itself keeps neither money nor deadline once the ticket has moved on", async () => {
  const { store } = await fresh();
  const [first, second] = [`${id}/1`, `${id}/2`];
  const starts = (phase: "gate" | "build", run: string) =>
    [{ type: "run.start", phase, run, head: undefined }] as const;
  await take(store, { state: "Gate", run: first }, { effects: starts("gate", first) });
  await take(
    store,
    { state: "In Progress", run: second },
    { eventId: "e2", effects: starts("build", second) },
  );
  expect((await store.timersOf(id)).map((timer) => timer.id)).toEqual([`deadline:${second}`]);
  expect(await store.reservationOf(first)).toBeUndefined();
  expect(await store.reservationOf(second)).toBeDefined();
  await take(store, { state: "In Review", run: undefined }, { eventId: "e3" });
  expect([await store.timersOf(id), await store.spendingSince(0)]).toEqual([[], []]);
});

test("a deadline is told once, and the run keeps its money until the ticket moves on", async () => {
  const { store } = await fresh();
  const run = `${id}/1`;
  const effects = [{ type: "run.start", phase: "gate", run, head: undefined }] as const;
  await take(store, { state: "Gate", run }, { effects });
  expect([await store.nextTimer(), await store.fireTimers(1_009)]).toEqual([1_010, 0]);
  expect([await store.fireTimers(1_010), await store.fireTimers(2_000)]).toEqual([1, 0]);
  expect(await store.unread(0, 10)).toMatchObject([
    { name: "deadline", ticket: id, body: JSON.stringify({ run }) },
  ]);
  expect(await store.nextTimer()).toBeUndefined();
  expect(await store.reservationOf(run)).toBeDefined();
});

/** The effect that goes next. */
async function nextOf(store: Store): Promise<Sending> {
  const [next] = await store.sendable(10, 1);
  if (next === undefined) throw new Error("nothing is to be sent");
  return next;
}

test("effects that only mirror are coalesced to the newest, others are all kept", async () => {
  const { store } = await fresh();
  for (const [index, type] of (["workpad", "merge.disarm", "workpad", "merge.disarm"] as const).entries()) {
    await take(store, {}, { eventId: `e${index}`, effects: [{ type }] });
  }
  expect((await store.effectsOf(id)).filter(({ state }) => state === "new").map(({ type }) => type)).toEqual([
    "merge.disarm",
    "workpad",
    "merge.disarm",
  ]);
});

test("a ticket's effects go in order: trouble holds the later ones, a snooze lets them pass", async () => {
  const { store } = await fresh();
  await take(store, {}, { effects: [{ type: "pull.close" }, { type: "clean" }] });
  const first = await nextOf(store);
  expect(first.effect.type).toBe("pull.close");
  await store.backOff(first, 100, "502");
  expect(await store.sendable(10, 10)).toEqual([]);
  await store.snooze(first, 100, "not yet");
  expect((await store.sendable(10, 10)).map(({ effect }) => effect.type)).toEqual(["clean"]);
  expect(await store.nextSending(10)).toBe(100);
});

test("a look that finds it is too early wrote nothing, and ends a row of troubles", async () => {
  const { store } = await fresh();
  await take(store, {}, { effects: [{ type: "pull.close" }] });
  await store.countWrite(id, "writes");
  await store.backOff(await nextOf(store), 10, "502");
  await store.countWrite(id, "writes");
  await store.snooze(await nextOf(store), 10, "not yet", "writes");
  expect(await nextOf(store)).toMatchObject({ attempts: 0 });
  expect(await store.load(id)).toMatchObject({ writes: 1, answers: 0 });
  await store.backOff(await nextOf(store), 10, "502");
  await store.snooze(await nextOf(store), 10, "put off from outside");
  expect(await nextOf(store)).toMatchObject({ attempts: 1 });
  expect(await store.load(id)).toMatchObject({ writes: 1 });
});

test("a try that only met what passes is counted as no write", async () => {
  const { store } = await fresh();
  await take(store, {}, { effects: [{ type: "pull.close" }] });
  for (let nth = 0; nth < 400; nth += 1) {
    await store.countWrite(id, "writes");
    await store.backOff(await nextOf(store), 10, "signed out", "writes");
  }
  expect(await store.load(id)).toMatchObject({ writes: 0 });
  expect(await nextOf(store)).toMatchObject({ attempts: 400 });
});

test("a disarming waits behind nothing that meets trouble", async () => {
  const { store } = await fresh();
  await take(store, {}, { effects: [{ type: "pull.close" }, { type: "merge.disarm" }, { type: "clean" }] });
  await store.backOff(await nextOf(store), 100, "502");
  expect((await store.sendable(10, 10)).map(({ effect }) => effect.type)).toEqual(["merge.disarm"]);
});

test("what became of an effect stays known, though a newer one took its place while it was carried out", async () => {
  const { store } = await fresh();
  await take(store, {}, { effects: [{ type: "workpad" }] });
  const first = await nextOf(store);
  await take(store, {}, { eventId: "e2", effects: [{ type: "workpad" }] });
  const ended = { at: 20, note: "written", news: [] };
  await store.sent(first, { ...ended, state: "done" });
  expect((await store.effectsOf(id)).map(({ state, note }) => [state, note])).toEqual([
    ["done", "written"],
    ["new", null],
  ]);
  await store.sent(await nextOf(store), { ...ended, state: "failed" });
  expect(await store.outboxCounts()).toEqual({ waiting: 0, failed: 1 });
});

test("a foreign check is sent once for its cause, also after it has ended", async () => {
  const { store } = await fresh();
  const check = { type: "check.foreign", repo: 1, head: "a".repeat(40) } as const;
  await store.sendForeign("foreign:1", check, 10);
  await store.sendForeign("foreign:1", check, 10);
  const [first, ...others] = await store.sendable(10, 10);
  if (first === undefined) throw new Error("nothing is to be sent");
  expect([first.effect, others]).toEqual([check, []]);
  await store.sent(first, { state: "done", note: "", at: 11, news: [] });
  await store.sendForeign("foreign:1", check, 12);
  expect(await store.sendable(12, 10)).toEqual([]);
  await store.sendForeign("foreign:2", check, 12);
  expect((await store.sendable(12, 10)).map(({ key }) => key)).toEqual(["foreign:2"]);
});

test("a timer fires once and leaves an inbox item", async () => {
  const { store } = await fresh();
  await store.setTimer({ id: "x", ticket: id, name: "objections", body: "{}", dueAt: 5 });
  expect(await store.fireTimers(4)).toBe(0);
  expect(await store.fireTimers(5)).toBe(1);
  expect(await store.fireTimers(6)).toBe(0);
  expect((await store.unread(0, 10)).map(({ name }) => name)).toEqual(["objections"]);
});

test("the day's spending counts what is spent and what is set aside, never both for one dollar", async () => {
  const { store } = await fresh();
  await take(
    store,
    { state: "Gate" },
    { effects: [{ type: "run.start", phase: "gate", run: `${id}/1`, head: undefined }] },
  );
  const session = "s1";
  await store.openSession({
    key: session,
    run: `${id}/1`,
    ticket: id,
    role: "gate",
    runtime: "codex",
    logPath: undefined,
    at: 10,
  });
  await store.changeSession(session, { usd: 2, inputTokens: 10, model: "gpt-5.5", family: "openai" });
  await store.changeSession(session, { usd: 1, inputTokens: 5 });
  expect(await store.spendingSince(0)).toEqual([
    { repo: 1, owner: "", workspace: "", spentUsd: 3, reservedUsd: 2 },
  ]);
  expect((await store.sessionsOf(id))[0]).toMatchObject({ usd: 3, inputTokens: 15, model: "gpt-5.5" });
});

test("the database belongs to one process until it leaves or is dead", async () => {
  const { store } = await fresh();
  const me = { pid: 1, startedAt: "a", host: "h" };
  const other = { pid: 2, startedAt: "b", host: "h" };
  expect(await store.takeInstance(me, () => false, 1)).toBe("taken");
  expect(await store.takeInstance(other, () => false, 2)).toEqual({ ...me, since: 1 });
  expect(await store.takeInstance(other, () => true, 3)).toBe("taken");
  await store.leaveInstance(me);
  expect(await store.instanceOwner()).toEqual({ ...other, since: 3 });
});

test("migrating twice changes nothing, and a newer file is refused", async () => {
  const { sql } = await fresh();
  await migrate(sql);
  sql.script("insert into store_migration values (9999, 'from the future')");
  await expect(migrate(sql)).rejects.toThrow("migration 9999");
});

test("tickets are found by number, reference and id", async () => {
  const { store } = await fresh();
  for (const text of ["42", "#42", "o/r#42", "O/R#42", id])
    expect((await store.findTickets(text)).length).toBe(1);
  expect(await store.findTickets("43")).toEqual([]);
});

test("a run that ends leaves its report in the inbox, in the same statement", async () => {
  const { store, sql } = await fresh();
  sql.script(
    "insert into run (id, workflow, input, status, created_at) values ('github:1#42/7', 'gate', '{}', 'running', 1)",
  );
  sql.script(
    `update run set status = 'finished', output = '{"event":{"type":"gate.passed"}}', settled_at = 9 where id = 'github:1#42/7'`,
  );
  const [item] = await store.unread(0, 10);
  expect(item).toMatchObject({
    id: "run:github:1#42/7",
    source: "run",
    name: "gate",
    ticket: id,
    receivedAt: 9,
  });
  expect(JSON.parse(item?.body ?? "")).toMatchObject({
    run: "github:1#42/7",
    status: "finished",
    output: { event: { type: "gate.passed" } },
  });
});

test("a run that goes on without a person's word has what is left of its cap, with one so much more", async () => {
  const { store, sql } = await fresh();
  const wanted = { run: `${id}/1`, ticket: id, repo: 1, caps, at: 1 };
  await store.openSession({
    key: "s",
    run: wanted.run,
    ticket: id,
    role: "build",
    runtime: "codex",
    logPath: undefined,
    at: 1,
  });
  await store.changeSession("s", { usd: 3 });
  await sql.commit(() => reserve({ ...wanted, allowedUsd: undefined }));
  expect(await store.reservationOf(wanted.run)).toEqual({
    usd: 5,
    spentUsd: 3,
    level: "run",
    capUsd: 5,
    at: 1,
  });
  await sql.commit(() => reserve({ ...wanted, allowedUsd: 4 }));
  expect(await store.reservationOf(wanted.run)).toEqual({
    usd: 7,
    spentUsd: 3,
    level: "run",
    capUsd: 7,
    at: 1,
  });
});
