/** The state of the house in the shapes that clients of Symphony know. Its paths are nobody's business, so they are null. */
import { mayIn, seenBy, type Viewer } from "../../ports-dashboard.ts";
import type {
  BlockedEntry,
  Identified,
  IssueSummary,
  RetryEntry,
  RunningEntry,
  StateSummary,
} from "../../ports-dashboard-api.ts";
import { waitSentence, type WaitView } from "../../says.ts";
import { linearIssueOf } from "../../state-machine/ticket-id.ts";
import { phases } from "../../state-machine/ticket.ts";
import type { Line } from "../../store/ledger.ts";
import type { SessionSummary } from "../../store/sessions.ts";
import { openStates, type Stored } from "../../store/tickets.ts";
import { dayStart } from "../day.ts";
import { textOf } from "../view.ts";
import { openWaits } from "../waits.ts";
import type { Workshop } from "../workshop.ts";

/** Of each kind no more are listed, those that have waited longest first; the counts tell of all. */
const listed = 200;
/** So many of its newest lines a ticket shows here. */
const recent = 20;

const iso = (at: number): string => new Date(at).toISOString();

type Status = IssueSummary["status"];
/** Retrying is whatever waits for another run after one. */
function statusOf({ ticket }: Stored): Status {
  const { state, run, runs } = ticket;
  switch (state) {
    case "Blocked":
      return "blocked";
    case "Done":
      return "done";
    case "Cancelled":
      return "cancelled";
    case "Ready":
    case "Rework":
      return runs > 0 ? "retrying" : "waiting";
    default:
      return run !== undefined && state in phases ? "running" : "waiting";
  }
}

/** `ENG-42` where the tracker says so, else `owner/repo#42`. */
function identified({ ticket, ref, url }: Stored): Identified {
  const isLinear = linearIssueOf(ticket.id) !== undefined;
  return {
    issue_id: ticket.id,
    issue_identifier: isLinear ? ref.slice(ref.lastIndexOf("/") + 1) : ref,
    issue_url: url === "" ? null : url,
  };
}

/** What there is to tell of one ticket. */
interface Told {
  readonly stored: Stored;
  readonly lines: readonly Line[];
  readonly sessions: readonly SessionSummary[];
  readonly wait: WaitView | undefined;
}
type Teller = (stored: Stored) => Promise<Told>;

/** Told of together, tickets are told of as of one moment. */
function openTeller(shop: Workshop): Teller {
  const { store, clock, limits } = shop;
  const waitsOf = openWaits(store, clock.now(), limits);
  return async (stored) => {
    const repo = await store.repoById(stored.repo);
    if (repo === undefined) throw new Error(`${stored.ref} is of no known repository`);
    const { id } = stored.ticket;
    const [lines, sessions, wait] = await Promise.all([
      store.linesOf(id),
      store.sessionsOf(id),
      waitsOf(stored, { ...repo, ...shop.rulesOf(repo) }),
    ]);
    return { stored, lines, sessions, wait };
  };
}

export async function stateSummary(shop: Workshop, viewer: Viewer): Promise<StateSummary> {
  const { store, clock } = shop;
  const now = clock.now();
  const tell = openTeller(shop);
  const open = (await store.ticketsIn(openStates)).filter(({ repo }) => mayIn(viewer, repo, "see"));
  const of = (status: Status): readonly Stored[] => open.filter((stored) => statusOf(stored) === status);
  const [running, retrying, blocked] = [of("running"), of("retrying"), of("blocked")];
  const listOf = async <Entry>(
    tickets: readonly Stored[],
    entry: (told: Told) => Entry,
  ): Promise<readonly (Identified & Entry)[]> =>
    await Promise.all(
      tickets
        .slice(0, listed)
        .map(async (stored) => ({ ...identified(stored), ...entry(await tell(stored)) })),
    );
  const totals = await store.sessionTotals(dayStart(now), now, seenBy(viewer));
  return {
    generated_at: iso(now),
    counts: { running: running.length, retrying: retrying.length, blocked: blocked.length },
    running: await listOf(running, runningEntry),
    retrying: await listOf(retrying, retryEntry),
    blocked: await listOf(blocked, blockedEntry),
    codex_totals: { ...tokensOf([totals]), seconds_running: totals.ms / 1_000 },
    rate_limits: null,
  };
}

export async function issueSummary(shop: Workshop, stored: Stored): Promise<IssueSummary> {
  const told = await openTeller(shop)(stored);
  const { lines, wait } = told;
  const status = statusOf(stored);
  const { issue_id, issue_identifier } = identified(stored);
  const { state, runs, pull } = stored.ticket;
  return {
    issue_identifier,
    issue_id,
    status,
    workspace: { path: null, host: null },
    attempts: {
      restart_count: Math.max(0, runs - 1),
      current_retry_attempt: status === "retrying" ? runs : 0,
    },
    running: status === "running" ? runningEntry(told) : null,
    retry: status === "retrying" ? retryEntry(told) : null,
    blocked: status === "blocked" ? blockedEntry(told) : null,
    logs: { codex_session_logs: [] },
    recent_events: lines
      .slice(-recent)
      .map(({ at, event }) => ({ at: iso(at), event: event.type, message: textOf(event) })),
    last_error: status === "blocked" || status === "retrying" ? errorOf(told) : null,
    tracked: {
      state,
      version: stored.version,
      pull: pull ?? null,
      waits_for: wait === undefined ? null : waitSentence(wait),
    },
  };
}

const tokensOf = (sessions: readonly { readonly inputTokens: number; readonly outputTokens: number }[]) => {
  const input = sessions.reduce((sum, { inputTokens }) => sum + inputTokens, 0);
  const output = sessions.reduce((sum, { outputTokens }) => sum + outputTokens, 0);
  return { input_tokens: input, output_tokens: output, total_tokens: input + output };
};

const lastOf = ({ lines }: Told) => {
  const line = lines.at(-1);
  return {
    last_event: line?.event.type ?? null,
    last_message: line === undefined ? null : textOf(line.event),
    last_event_at: line === undefined ? null : iso(line.at),
  };
};

function runningEntry(told: Told): RunningEntry {
  const { stored, sessions } = told;
  const own = sessions.filter(({ run }) => run === stored.ticket.run);
  return {
    state: stored.ticket.state,
    worker_host: null,
    workspace_path: null,
    session_id: own.at(-1)?.session ?? null,
    turn_count: own.length,
    ...lastOf(told),
    started_at: iso(own[0]?.startedAt ?? stored.since),
    tokens: tokensOf(own),
  };
}

/** What went wrong, or else what it waits for. */
const errorOf = ({ lines, wait }: Told): string | null => {
  const last = lines.findLast(({ event }) => "why" in event);
  return last === undefined ? (wait?.waitsFor ?? null) : textOf(last.event);
};

const retryEntry = ({ stored, wait }: Told): RetryEntry => ({
  attempt: stored.ticket.runs + 1,
  // A slot is granted when one is free, at no named instant.
  due_at: null,
  error: wait?.waitsFor ?? null,
  worker_host: null,
  workspace_path: null,
});

function blockedEntry(told: Told): BlockedEntry {
  const { stored, sessions } = told;
  return {
    state: stored.ticket.state,
    error: errorOf(told),
    worker_host: null,
    workspace_path: null,
    session_id: sessions.at(-1)?.session ?? null,
    blocked_at: iso(stored.since),
    ...lastOf(told),
  };
}
