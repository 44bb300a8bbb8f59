/** Reviews one change, in an engine and a workspace that are gone afterwards. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { sweep } from "../adapters/processes/agent-process.ts";
import { withinSchemas } from "../adapters/agents/answer-schema.ts";
import { runCommand } from "../adapters/processes/command.ts";
import { openWorkspace } from "../adapters/git/git.ts";
import { isDead, thisProcess } from "../adapters/owner.ts";
import type { Premises } from "../adapters/sandboxes/premises.ts";
import { runMarks } from "../adapters/processes/run-marks.ts";
import { cancelRun, migrateEngine, openEngine, startRun, type Engine, type RunRow } from "../engine/index.ts";
import type { Clock } from "../ports.ts";
import { findingSchema } from "../review/verdict.ts";
import { openSqlite, type Sql } from "../sql.ts";
import { reportSchema } from "../workflows/report.ts";
import { review } from "../workflows/review.tsx";
import { ticketHost } from "../workflows/ticket-host.ts";
import { changeTicket, changeWork, type ChangeOrder } from "./review-work.ts";

/** What a reviewer found, as far as a single review can tell. */
const reviewedSchema = z.object({
  event: reportSchema,
  findings: z.array(findingSchema.extend({ id: z.string(), by: z.array(z.string()).optional() })),
  families: z.object({ builder: z.string(), reviewer: z.string() }),
  models: z.array(z.string()),
});
export type ReviewedFinding = z.infer<typeof reviewedSchema>["findings"][number];

export interface ReviewedChange {
  readonly verdict: "pass" | "fail" | "blocked";
  /** Of the reviewers; of a blocked one the reason. */
  readonly summary: string;
  readonly findings: readonly ReviewedFinding[];
  readonly families: { readonly builder: string; readonly reviewer: string };
  readonly models: readonly string[];
  /** The change as the reviewers and the gates read it. */
  readonly diff: string;
  readonly usd: number;
}
export interface ReviewHost {
  /** Private and empty; whoever made it takes it away. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly searchPath: string;
  readonly premises: Premises;
  readonly timeoutMs: number;
  /** A person's interrupt. */
  readonly signal: AbortSignal;
  readonly tell: (line: string) => void;
}

const gitMs = 5 * 60_000;
const run = `${changeTicket}/review-1`;
/** Whatever does not tell of itself is seen this soon. */
const lookMs = 500;
/** Agents have so long to end after an interrupt. */
const drainMs = 0;

/** Lets the reviewers judge the change cold and read-only, as one of a ticket is judged. */
export async function reviewChange(order: ChangeOrder, host: ReviewHost): Promise<ReviewedChange> {
  const { stateDir, clock, searchPath, premises, tell } = host;
  const workspace = await openWorkspace({
    root: join(stateDir, "workspaces"),
    credentials: async () => undefined,
    author: { name: "forgehand", email: "forgehand@localhost" },
    searchPath,
    limits: { gitMs, hookMs: gitMs },
    premises,
    clock,
    warn: tell,
  });
  const diff = await diffOf(order, workspace);
  const database = join(stateDir, "review.db");
  const marks = runMarks(database);
  const sql = openSqlite(database);
  const spent = new AbortController();
  try {
    await migrateEngine(sql);
    const home = join(stateDir, "home");
    mkdirSync(home, { recursive: true, mode: 0o700 });
    const agents = new Map(
      [...order.agents].map(([name, agent]) => [name, marks.agent(withinSchemas(agent))]),
    );
    const { work, bill } = changeWork(
      { ...order, agents },
      {
        workspace,
        clock,
        tell,
        stop: async () => spent.abort(),
        command: (command, signal) =>
          runCommand(
            { ...command, runId: marks.of(command.runId) },
            { searchPath, home, premises, clock },
            signal,
          ),
      },
    );
    let wake: () => void = () => undefined;
    const engine = openEngine({
      sql,
      clock,
      random: Math.random,
      owner: thisProcess(),
      isDead,
      workflows: [review(work)],
      host: ticketHost(work),
      checkDeterminism: false,
      log: { info: () => undefined, error: (_, message) => tell(message) },
      sweep: (runs) => sweep(...runs.map(marks.of)),
      onLeft: () => wake(),
    });
    const left = (): Promise<void> => new Promise((resolve) => (wake = resolve));
    await sql.commit(() =>
      startRun({
        run,
        workflow: "review",
        input: { ticket: changeTicket, head: order.head },
        at: clock.now(),
      }),
    );
    const ended = await carry({ engine, sql, left }, order, host, spent.signal);
    return { ...ended, diff, usd: bill.usd };
  } finally {
    sql.close();
  }
}

/** The deterministic gates read it whatever becomes of the reviewers. */
async function diffOf(
  order: ChangeOrder,
  workspace: Awaited<ReturnType<typeof openWorkspace>>,
): Promise<string> {
  const repo = {
    id: 1,
    owner: "local",
    name: "change",
    installation: 0,
    defaultBranch: order.branch,
    private: true,
  };
  return await workspace.headDiff({ repo, url: order.url }, order.head);
}

type Ended = Omit<ReviewedChange, "diff" | "usd">;

/** Carries the run on until it has ended, or somebody or something ends it. */
async function carry(
  { engine, sql, left }: { readonly engine: Engine; readonly sql: Sql; readonly left: () => Promise<void> },
  order: ChangeOrder,
  { clock, timeoutMs, signal }: ReviewHost,
  spent: AbortSignal,
): Promise<Ended> {
  const until = clock.now() + timeoutMs;
  const minutes = Number((timeoutMs / 60_000).toFixed(1));
  try {
    for (;;) {
      const news = left();
      engine.poke();
      const row = await engine.run(run);
      if (row !== undefined && isOver(row)) return endOf(row, await lastError(engine));
      if (spent.aborted)
        return blocked(`the review has spent the $${order.usd.toFixed(2)} it may (--budget)`);
      signal.throwIfAborted();
      const error = await lastError(engine);
      if (clock.now() >= until || (row?.wakeAt ?? 0) > until)
        return blocked(
          `no verdict within ${minutes} minutes (--timeout)${error === undefined ? "" : `; last: ${error}`}`,
        );
      await pause(clock, Math.min(clock.now() + lookMs, until), AbortSignal.any([signal, spent]), news);
    }
  } finally {
    await sql.commit(() => cancelRun(run, clock.now()));
    await engine.down(drainMs);
  }
}

async function pause(clock: Clock, until: number, signal: AbortSignal, news: Promise<void>): Promise<void> {
  const patience = new AbortController();
  const over = clock.until(until, AbortSignal.any([signal, patience.signal])).catch(() => undefined);
  await Promise.race([over, news]);
  patience.abort();
}

/** Over, or only a person could carry it on, and nobody will. */
const isOver = ({ status, settledAt, wakeAt }: RunRow): boolean =>
  settledAt !== undefined || status === "paused" || (status === "waiting" && wakeAt === undefined);

async function lastError(engine: Engine): Promise<string | undefined> {
  return (await engine.attempts(run)).findLast(({ error }) => error !== undefined)?.error;
}

const blocked = (summary: string): Ended => ({
  verdict: "blocked",
  summary,
  findings: [],
  families: { builder: "unknown", reviewer: "unknown" },
  models: [],
});

function endOf(row: RunRow, error: string | undefined): Ended {
  const read = reviewedSchema.safeParse(row.output);
  if (row.status !== "finished" || !read.success)
    return blocked(row.error ?? error ?? "the review ended without an answer");
  const { event, ...rest } = read.data;
  switch (event.type) {
    case "review.passed":
      return { verdict: "pass", summary: event.summary, ...rest };
    case "review.failed":
      return { verdict: "fail", summary: event.summary, ...rest };
    case "review.blocked":
      return { verdict: "blocked", summary: event.why, ...rest };
    default:
      return blocked(`the review ended as ${event.type}`);
  }
}
