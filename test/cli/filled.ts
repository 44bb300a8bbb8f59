import { caps } from "../caps.ts";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packMember } from "../../src/adapters/logs/gzip-members.ts";
import { openSessionLog } from "../../src/adapters/logs/session-log.ts";
import { keepSummary, migrateEngine, runVerbs } from "../../src/engine/index.ts";
import { step as take } from "../../src/shell/step.ts";
import { openSqlite } from "../../src/sql.ts";
import type { TicketEvent } from "../../src/state-machine/event.ts";
import { virtualClock } from "../../src/simulator/virtual-clock.ts";
import type { State } from "../../src/state-machine/ticket.ts";
import { migrate } from "../../src/store/database.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { temporaryFolder } from "../temporary.ts";

export const policy = { maxAttempts: 3, maxCycles: 3, maxUnreviewed: 3, mergeAfterApproval: true };
/** When everything in the filled database begins. */
const dawn = Date.UTC(2026, 0, 5, 9);
const repo = {
  id: 77,
  owner: "acme",
  name: "web",
  installation: 5,
  defaultBranch: "main",
  private: false,
};
const head = "a".repeat(40);
type Move = TicketEvent["type"];

/** How a ticket comes to each state. */
export const roads: Readonly<Record<State, readonly Move[]>> = {
  Backlog: ["ready.granted", "slot.granted", "gate.flagged"],
  Ready: ["ready.granted"],
  Gate: ["ready.granted", "slot.granted"],
  "In Progress": ["ready.granted", "slot.granted", "gate.passed"],
  "Adversarial Review": ["ready.granted", "slot.granted", "gate.passed", "build.delivered", "pr.opened"],
  "In Review": [
    "ready.granted",
    "slot.granted",
    "gate.passed",
    "build.delivered",
    "pr.opened",
    "review.passed",
  ],
  Merging: [
    "ready.granted",
    "slot.granted",
    "gate.passed",
    "build.delivered",
    "pr.opened",
    "review.passed",
    "human.approved",
  ],
  Rework: ["ready.granted", "slot.granted", "gate.passed", "build.delivered", "pr.opened", "review.failed"],
  Blocked: ["ready.granted", "slot.granted", "gate.passed", "build.delivered", "pr.opened", "review.blocked"],
  Done: [
    "ready.granted",
    "slot.granted",
    "gate.passed",
    "build.delivered",
    "pr.opened",
    "review.passed",
    "human.approved",
    "pr.merged",
  ],
  Cancelled: ["ready.granted", "ticket.cancelled"],
};
export const places = Object.keys(roads) as readonly State[];
/** The issue whose ticket is in this state. */
export const issueIn = (state: State): number => places.indexOf(state) + 1;

export interface Filled {
  readonly dir: string;
  readonly database: string;
  /** Opened for one look, and closed. */
  look<Result>(work: (store: Store) => Promise<Result>): Promise<Result>;
  close(): void;
}

/** A database with one ticket in every state, brought there through the store's own verbs; issue 6 has an agent's log. */
export async function fillDatabase(): Promise<Filled> {
  const template = await (templateMade ??= makeTemplate());
  const dir = mkdtempSync(join(tmpdir(), "cli-"));
  cpSync(template, dir, { recursive: true });
  const database = join(dir, "forgehand.db");
  const look = lookInto(database);
  const sql = openSqlite(database);
  sql.script(`update agent_session set log_path = replace(log_path, '${template}', '${dir}')`);
  sql.close();
  return { dir, database, look, close: () => rmSync(dir, { recursive: true, force: true }) };
}

const lookInto =
  (database: string): Filled["look"] =>
  async (work) => {
    const sql = openSqlite(database);
    try {
      await migrateEngine(sql);
      await migrate(sql);
      return await work(openStore(sql, runVerbs));
    } finally {
      sql.close();
    }
  };

/** Filled once in a file of tests: each of them has a copy of its own. */
let templateMade: Promise<string> | undefined;
async function makeTemplate(): Promise<string> {
  const dir = temporaryFolder("cli-template-");
  const database = join(dir, "forgehand.db");
  await lookInto(database)(async (store) => {
    await store.knowRepo(repo);
    let at = dawn;
    for (const state of places) {
      const number = issueIn(state);
      const id = `github:${repo.id}#${number}`;
      await store.name(
        id,
        {
          repo: repo.id,
          number,
          ref: `acme/web#${number}`,
          title: `A ticket in ${state}\u001b[31m`,
          url: `https://github.com/acme/web/issues/${number}`,
          author: "ada",
          branch: `forgehand/${number}-a-ticket`,
        },
        at,
      );
      for (const move of roads[state]) await step(store, id, move, (at += 60_000));
    }
    await speak(store, dir, `github:${repo.id}#${issueIn("In Review")}`);
  });
  const sql = openSqlite(database);
  const run = `github:${repo.id}#${issueIn("In Review")}/2`;
  // The trigger of its report is for runs that end by themselves.
  sql.script(`update run set settled_at = ${dawn} where id = '${run}'`);
  const text = "It wrote \u001b[2Jthe page.";
  await sql.commit(() => keepSummary(run, dawn, { text, by: "codex (small)", note: undefined }));
  sql.close();
  return dir;
}

/** One more event that the ticket takes. */
export async function step(store: Store, id: string, move: Move, now: number): Promise<void> {
  const stored = await store.load(id);
  if (stored === undefined) throw new Error(`no ${id}`);
  const { row, from } = await take(store, {
    ticket: id,
    event: eventOf(move, stored.ticket.run),
    eventId: `${id}/${stored.version}`,
    actor: "bob",
    policy,
    caps,
    runLimitMs: 60_000,
    now,
  });
  if (row === undefined) throw new Error(`no row takes ${move} in ${from}`);
}

function eventOf(type: Move, run: string | undefined): TicketEvent {
  const facts = {
    // Only what a run reports carries the run.
    ...(/^(?:gate|build|review)\./u.test(type) ? { run } : {}),
    head,
    spec: "b".repeat(64),
    gaps: [{ about: "Where", missing: "which page?" }],
    comment: "Too little is said.",
    summary: "it does what was asked",
    needsPerson: [],
    why: "both models are of one family",
    pull: 40,
    by: "bob",
    merge: "c".repeat(40),
  };
  // More facts than any one event has; what is read of them is its own.
  return { type, ...facts } as unknown as TicketEvent;
}

/** What is kept of the sessions of the tickets below this folder. */
export const sessionLogIn = (dir: string) =>
  openSessionLog({
    folder: join(dir, "logs"),
    clock: virtualClock(dawn),
    redact: (text) => text,
    warn: () => undefined,
  });

async function speak(store: Store, dir: string, ticket: string): Promise<void> {
  const log = sessionLogIn(dir);
  const logPath = log.pathOf("one");
  log.add("one", "text", "I read \u001b[2Jthe issue.");
  log.add("one", "stdout", '{"type":"thread.started","thread_id":"t"}');
  log.add("one", "stderr", "a warning of the runtime");
  log.add("one", "tool", "Read src/page.ts");
  log.closeAll();
  // As a crash leaves it.
  writeFileSync(logPath, packMember("lost").subarray(0, 21), { flag: "a" });
  const session = { key: "one", run: `${ticket}/2`, ticket, role: "build", runtime: "codex", logPath };
  await store.openSession({ ...session, at: dawn });
  await store.changeSession("one", {
    model: "gpt-5.5",
    family: "openai",
    inputTokens: 1200,
    outputTokens: 340,
    usd: 0.42,
    pricedBy: "table",
    outcome: "done",
    endedAt: dawn + 90_000,
  });
}
