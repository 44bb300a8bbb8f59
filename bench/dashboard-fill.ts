/** Two years of a busy house in one file: 100,000 tickets, 1,000,000 ledger lines, their sessions, runs and effects. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { TicketEvent } from "../src/state-machine/event.ts";
import { newTicket, type State, type Ticket } from "../src/state-machine/ticket.ts";
import { all, run, type Sql, type SqlValue, type Verb } from "../src/sql.ts";
import { hashOf } from "../src/store/ledger.ts";
import { openHouseDatabase } from "./built.ts";

export const sizes = { tickets: 100_000, lines: 1_000_000, open: 500, days: 730 } as const;
/** The ticket with the longest life, and what there is to filter by. */
export const landmarks = {
  long: "github:1#77",
  restless: "github:1#99991",
  repository: "owner-1/repo-1",
  rareRepository: "owner-0/rare",
  rareLabel: "security",
  label: "bug",
  rareRuntime: "acp",
  runtime: "codex",
} as const;
const longLives = 400;
const atOnce = 5_000;
const dayMs = 86_400_000;
const head = "a".repeat(40);
const policy = JSON.stringify({ maxAttempts: 3, maxCycles: 3, maxUnreviewed: 3, mergeAfterApproval: true });
/** The rare one is number 21. */
const repos = 20;

/** The same numbers every time. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
const pick = <One>(roll: (below: number) => number, some: readonly One[]): One => {
  const one = some[roll(some.length)];
  if (one === undefined) throw new Error("nothing to pick");
  return one;
};

const verbs = ["Show", "Fix", "Remember", "Export", "Rotate", "Page", "Write", "Drop", "Test", "Move"];
const things = [
  "the cart",
  "invoices",
  "session cookies",
  "the audit table",
  "dates",
  "imports",
  "the theme",
];
const manners = [
  "in words",
  "as CSV",
  "at login",
  "by key",
  "in each country",
  "twice a day",
  "with no flicker",
];
const openAs: readonly State[] = [
  "Backlog",
  "Ready",
  "Gate",
  "In Progress",
  "Adversarial Review",
  "In Review",
  "Merging",
  "Rework",
  "Blocked",
];

interface Life {
  readonly number: number;
  readonly repo: number;
  readonly state: State;
  /** Rounds that ended in rework. */
  readonly cycles: number;
  readonly endedAt: number;
  readonly roll: (below: number) => number;
}

/** Events with the states between them; enough of them for the wanted number of lines. */
function storyOf(
  { number, state, cycles }: Life,
  id: string,
): readonly (readonly [TicketEvent, State, State])[] {
  const first: (readonly [TicketEvent, State, State])[] = [
    [{ type: "ready.granted", spec: "5".repeat(64) }, "Backlog", "Ready"],
    [{ type: "slot.granted" }, "Ready", "Gate"],
    [{ type: "gate.passed", run: `${id}/1` }, "Gate", "In Progress"],
    [delivered(id, 2), "In Progress", "Adversarial Review"],
    [{ type: "pr.opened", pull: 100_000 + number, head }, "Adversarial Review", "Adversarial Review"],
  ];
  for (let round = 0; round < cycles; round += 1) {
    const next = 3 + round * 2;
    const failed = { type: "review.failed", run: `${id}/${next}`, head, summary: "One blocker." } as const;
    // More of an event is not read by any page.
    first.push(
      [failed, "Adversarial Review", "Rework"],
      [{ type: "slot.granted" }, "Rework", "In Progress"],
      [delivered(id, next + 1), "In Progress", "Adversarial Review"],
    );
  }
  const passed = { type: "review.passed", run: `${id}/${3 + cycles * 2}`, head } as const;
  const last: readonly (readonly [TicketEvent, State, State])[] = [
    [{ ...passed, summary: "It does what was asked.", needsPerson: [] }, "Adversarial Review", "In Review"],
    [{ type: "human.approved", head, by: "ada" }, "In Review", "Merging"],
    [{ type: "checks.passed", head }, "Merging", "Merging"],
    [{ type: "pr.merged", head, merge: "b".repeat(40) }, "Merging", "Done"],
  ];
  const whole = [...first, ...last];
  if (state === "Done") return whole;
  const at = whole.findIndex(([, , to]) => to === state);
  if (at >= 0) return whole.slice(0, at + 1);
  const ends = { Cancelled: "ticket.cancelled", Blocked: "halt.raised" } as Partial<Record<State, string>>;
  const type = ends[state];
  return [
    ...first.slice(0, 4),
    ...(type === undefined ? [] : [[{ type } as TicketEvent, "Adversarial Review", state] as const]),
  ];
}
const delivered = (id: string, run: number): TicketEvent => ({
  type: "build.delivered",
  run: `${id}/${run}`,
  head,
  summary: "It writes the page, tests it, and leaves the rest of the file alone.",
});

/** By table: each is always given the same columns. */
const inserts = new Map<string, string>();
const insert = (table: string, row: Readonly<Record<string, SqlValue>>): Verb<void> => {
  let sql = inserts.get(table);
  if (sql === undefined) {
    const columns = Object.keys(row);
    sql = `insert into ${table} (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`;
    inserts.set(table, sql);
  }
  return run(sql, ...Object.values(row));
};

interface Ledger {
  seq: number;
  prev: string;
}

function* write(life: Life, ledger: Ledger): Verb<void> {
  const { number, repo, state, cycles, endedAt, roll } = life;
  const id = `github:${repo}#${number}`;
  const story = storyOf(life, id);
  const title = `${pick(roll, verbs)} ${pick(roll, things)} ${pick(roll, manners)} ${number}`;
  const ref = `${nameOf(repo)}#${number}`;
  const runs = state === "Backlog" || state === "Ready" ? 0 : 3 + cycles * 2;
  const isOver = state === "Done" || state === "Cancelled";
  const pull = story.some(([event]) => event.type === "pr.opened") ? 100_000 + number : undefined;
  const took = (1 + roll(300)) * 60_000;
  const beganAt = endedAt - took;
  const ticket: Ticket = {
    ...newTicket(id),
    state,
    runs,
    pull,
    head: pull === undefined ? undefined : head,
    counters: { attempts: 0, cycles: Math.min(3, cycles), unreviewed: 0 },
  };
  yield* insert("ticket", {
    id,
    repo,
    number,
    ref,
    title,
    url: `https://github.com/${nameOf(repo)}/issues/${number}`,
    author: `person-${roll(40)}`,
    branch: `forgehand/${number}-${title.toLowerCase().replaceAll(" ", "-")}`,
    version: story.length,
    state,
    body: JSON.stringify(ticket),
    pull: pull ?? null,
    head: pull === undefined ? null : head,
    since: endedAt,
    updated_at: endedAt,
    queued_at: null,
    active: isOver ? null : state === "Backlog" || state === "Blocked" ? 0 : 1,
  });
  yield* insert("ticket_text", { ticket: id, text: `${ref} ${title}`.toLowerCase() });
  for (const label of labelsOf(roll)) yield* insert("ticket_label", { ticket: id, label });
  let version = 0;
  for (const [event, from, to] of story) {
    version += 1;
    const row = {
      seq: (ledger.seq += 1),
      ticket: id,
      version,
      event_id: `${id}:${version}`,
      at: beganAt + Math.floor((took * version) / story.length),
      actor: event.type.startsWith("human.") ? "ada" : "run",
      permission: null,
      event: JSON.stringify(event),
      row: `${from}, ${event.type}`,
      from_state: from,
      to_state: to,
    };
    ledger.prev = hashOf({ ...row, policy, prev: ledger.prev });
    yield* insert("ledger", { ...row, policy: 1, hash: ledger.prev });
  }
  yield* agents(life, { id, runs, beganAt, took });
  for (let seq = 0; seq < 4; seq += 1)
    yield* insert("ended_effect", {
      ticket: id,
      seq: ledger.seq * 1_000 + seq,
      key: `${id}:${seq}`,
      type: "workpad.write",
      body: "{}",
      state: "done",
      attempts: 1,
      note: "written",
      created_at: beganAt,
      ended_at: endedAt,
    });
  yield* insert("inbox", {
    id: `delivery:${id}`,
    source: "github",
    name: "issues",
    action: "labeled",
    ticket: id,
    body: JSON.stringify({ action: "labeled", issue: { number, title } }),
    received_at: beganAt,
    state: "read",
    read_at: beganAt,
  });
}

interface Worked {
  readonly id: string;
  readonly runs: number;
  readonly beganAt: number;
  readonly took: number;
}
function* agents({ roll }: Life, { id, runs, beganAt, took }: Worked): Verb<void> {
  for (let index = 1; index <= runs; index += 1) {
    const role = index === 1 ? "gate" : index % 2 === 0 ? "build" : "review";
    const luck = roll(100);
    const runtime = luck < 1 && roll(10) === 0 ? "acp" : luck < 55 ? "codex" : "claude-code";
    const model = pick(
      roll,
      runtime === "codex" ? ["gpt-5.5", "gpt-5.5-mini"] : ["opus-5", "sonnet-5", "haiku-5"],
    );
    const startedAt = beganAt + Math.floor((took * index) / (runs + 1));
    const input = 2_000 + roll(200_000);
    yield* insert("agent_session", {
      key: `${id}/${index}:1`,
      run: `${id}/${index}`,
      ticket: id,
      role,
      runtime,
      model,
      family: runtime === "codex" ? "openai" : "anthropic",
      input_tokens: input,
      cached_input_tokens: Math.floor(input * 0.7),
      output_tokens: 200 + roll(9_000),
      usd: roll(10_000) / 100_000,
      priced_by: roll(30) === 0 ? "guess" : "runtime",
      outcome: roll(20) === 0 ? "stalled" : "done",
      log_path: `logs/${id}/${index}.jsonl.gz`,
      started_at: startedAt,
      ended_at: startedAt + 60_000,
    });
    yield* insert("run", {
      id: `${id}/${index}`,
      workflow: role,
      input: "{}",
      status: "finished",
      output: "{}",
      created_at: startedAt,
      settled_at: startedAt + 60_000,
      summarised_at: startedAt + 60_000,
    });
    yield* insert("summary", {
      run: `${id}/${index}`,
      settled_at: startedAt + 60_000,
      text: `The ${role} run ended after 1m. ${runtime} (${model}) wrote two files and ran the tests, which were green.`,
      '"by"': index % 2 === 0 ? `${runtime} (small)` : "forgehand",
    });
  }
}

const nameOf = (repo: number): string =>
  repo > repos ? landmarks.rareRepository : `owner-${repo % 4}/repo-${repo}`;

function labelsOf(roll: (below: number) => number): readonly string[] {
  const luck = roll(1_000);
  return [
    ...(luck < 350 ? ["bug"] : luck < 600 ? ["feature"] : luck < 605 ? [landmarks.rareLabel] : []),
    `area/${roll(10)}`,
  ];
}

/** Evenly over the days, the open ones last. */
function lifeAt(index: number, now: number, roll: (below: number) => number): Life {
  const number = index + 1;
  const isOpen = index >= sizes.tickets - sizes.open;
  const id = `github:${1}#${number}`;
  const state =
    id === landmarks.restless
      ? "Backlog"
      : isOpen
        ? pick(roll, openAs)
        : roll(100) < 8
          ? "Cancelled"
          : "Done";
  return {
    number,
    repo:
      id === landmarks.long || id === landmarks.restless
        ? 1
        : index % 2_500 === 7
          ? repos + 1
          : 1 + roll(repos),
    state: id === landmarks.long ? "Done" : state,
    cycles: id === landmarks.long ? Math.ceil(longLives / 3) : pick(roll, [0, 0, 0, 1, 1, 2]),
    endedAt: now - Math.floor((sizes.days * dayMs * (sizes.tickets - index)) / sizes.tickets),
    roll,
  };
}

/** Fills a file with no more lines than wanted; made once for a day and a form of the tables. */
export async function filledDatabase(
  folder: string,
  now: number,
  say: (line: string) => void,
): Promise<string> {
  const path = join(folder, `dashboard-${formOf(now)}.db`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  for (const old of readdirSync(folder).filter((name) => name.startsWith("dashboard-")))
    rmSync(join(folder, old), { force: true });
  const making = `${path}.part`;
  const { sql, store } = await openHouseDatabase(making);
  const makeIndices = await withoutIndices(sql);
  const roll = dice(7);
  const ledger: Ledger = { seq: 0, prev: "0".repeat(64) };
  await sql.commit(() => insert("policy", { id: 1, body: policy }));
  for (let repo = 1; repo <= repos + 1; repo += 1) {
    const [owner = "", name = ""] = nameOf(repo).split("/");
    await store.knowRepo({ id: repo, owner, name, installation: 1, defaultBranch: "main", private: false });
  }
  for (let from = 0; from < sizes.tickets; from += atOnce) {
    await sql.commit(function* () {
      for (let index = from; index < from + atOnce; index += 1)
        yield* write(lifeAt(index, now, roll), ledger);
    });
    if (from % 20_000 === 0) say(`${from} tickets, ${ledger.seq} lines`);
  }
  makeIndices();
  say("indices");
  await sql.commit(() =>
    run(
      "insert into over_count (repo, state, n) select repo, state, count(*) from ticket where active is null group by 1, 2",
    ),
  );
  await store.rebuildCosts();
  await sql.read(() => all("pragma journal_mode = wal"));
  sql.close();
  renameSync(making, path);
  return path;
}

/** Nothing but rows for a while: what has fallen over here is made anew. Answers what makes the rest. */
async function withoutIndices(sql: Sql): Promise<() => void> {
  for (const pragma of ["journal_mode = off", "synchronous = off", "cache_size = -400000"])
    await sql.read(() => all(`pragma ${pragma}`));
  const made = await sql.read(() =>
    all<{ readonly type: string; readonly name: string; readonly sql: string }>(
      "select type, name, sql from sqlite_schema where type in ('index', 'trigger') and sql is not null and tbl_name <> 'repo'",
    ),
  );
  for (const { type, name } of made) sql.script(`drop ${type} ${name}`);
  return () => {
    for (const { sql: text } of made) sql.script(text);
    sql.script("insert into ticket_words (ticket_words) values ('rebuild')");
  };
}

/** Another form of tables, or another day, is another file. */
function formOf(now: number): string {
  const hash = createHash("sha256");
  const folders = [new URL("../src/store/migrations/", import.meta.url)];
  for (const folder of folders)
    for (const name of readdirSync(folder).toSorted()) hash.update(readFileSync(new URL(name, folder)));
  hash.update(readFileSync(new URL("../src/engine/migrate.ts", import.meta.url)));
  hash.update(readFileSync(new URL(import.meta.url)));
  return `${Math.floor(now / dayMs)}-${hash.digest("hex").slice(0, 12)}`;
}
