import { all, change as changed, one, run, type SqlValue, type Verb } from "../sql.ts";
import { countSession, recounted } from "./costs.ts";

export interface NewSession {
  /** Opening twice under one key opens once. */
  readonly key: string;
  readonly run: string;
  readonly ticket: string;
  readonly role: string;
  readonly runtime: string;
  readonly logPath: string | undefined;
  readonly at: number;
}
export function* openSession(session: NewSession): Verb<void> {
  const opened = yield* changed(
    "insert into agent_session (key, run, ticket, role, runtime, log_path, started_at) values (?, ?, ?, ?, ?, ?, ?) on conflict (key) do nothing",
    session.key,
    session.run,
    session.ticket,
    session.role,
    session.runtime,
    session.logPath ?? null,
    session.at,
  );
  if (opened > 0) yield* countSession(session.key);
}
export interface SessionChange {
  readonly model?: string | undefined;
  readonly family?: string | undefined;
  readonly modelBy?: string | undefined;
  readonly session?: string | undefined;
  readonly inputTokens?: number;
  readonly cachedInputTokens?: number;
  readonly outputTokens?: number;
  readonly reasoningTokens?: number;
  readonly usd?: number;
  readonly pricedBy?: string | undefined;
  readonly priceVersion?: string | undefined;
  readonly total?: string | undefined;
  readonly outcome?: string | undefined;
  readonly why?: string | undefined;
  readonly acted?: 1 | undefined;
  readonly endedAt?: number | undefined;
}
/** What the sums of a day are made of. */
const counted = [
  "model",
  "usd",
  "inputTokens",
  "cachedInputTokens",
  "outputTokens",
  "pricedBy",
  "outcome",
] as const;

/** Tokens and dollars add up; everything else replaces. */
export function* changeSession(key: string, change: SessionChange): Verb<void> {
  const isCounted = counted.some((name) => change[name] !== undefined);
  yield* recounted(isCounted ? [key] : [], () => write(key, change));
}
function* write(key: string, change: SessionChange): Verb<void> {
  yield* run(
    `update agent_session set model = coalesce(?, model), family = coalesce(?, family),
       model_by = coalesce(?, model_by), session = coalesce(?, session),
       input_tokens = input_tokens + ?, cached_input_tokens = cached_input_tokens + ?, output_tokens = output_tokens + ?,
       reasoning_tokens = reasoning_tokens + ?, usd = usd + ?, priced_by = coalesce(?, priced_by),
       price_version = coalesce(?, price_version), total = coalesce(?, total), outcome = coalesce(?, outcome), why = coalesce(?, why), acted = coalesce(?, acted), ended_at = coalesce(?, ended_at)
     where key = ?`,
    change.model ?? null,
    change.family ?? null,
    change.modelBy ?? null,
    change.session ?? null,
    change.inputTokens ?? 0,
    change.cachedInputTokens ?? 0,
    change.outputTokens ?? 0,
    change.reasoningTokens ?? 0,
    change.usd ?? 0,
    change.pricedBy ?? null,
    change.priceVersion ?? null,
    change.total ?? null,
    change.outcome ?? null,
    change.why ?? null,
    change.acted ?? null,
    change.endedAt ?? null,
    key,
  );
}

/** Ends what nobody closed of a run that is over. */
export function* endSessionsOf(runId: string, at: number): Verb<void> {
  const open = yield* all<{ readonly key: string }>(
    "select key from agent_session where run = ? and ended_at is null",
    runId,
  );
  if (open.length === 0) return;
  yield* recounted(
    open.map(({ key }) => key),
    () =>
      run(
        "update agent_session set outcome = coalesce(outcome, 'lost'), ended_at = max(started_at, ?) where run = ? and ended_at is null",
        at,
        runId,
      ),
  );
}

/** Ends what a process that died left open, as of the last sign of life of its run; before anybody works again. */
export function* endLostSessions(): Verb<void> {
  const open = yield* all<{ readonly key: string }>("select key from agent_session where ended_at is null");
  yield* recounted(
    open.map(({ key }) => key),
    () =>
      run(
        `update agent_session set outcome = coalesce(outcome, 'lost'),
           ended_at = max(started_at, coalesce((select heartbeat_at from run where run.id = agent_session.run), 0))
         where ended_at is null`,
      ),
  );
}

export interface SessionSummary {
  readonly id: number;
  readonly run: string;
  readonly role: string;
  readonly runtime: string;
  readonly model: string | null;
  readonly family: string | null;
  /** `observed` in the stream, or `configured`: named by the operator's agents file alone. */
  readonly modelBy: string | null;
  readonly session: string | null;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly usd: number;
  readonly pricedBy: string;
  readonly priceVersion: string;
  readonly total: string | null;
  readonly logPath: string | null;
  readonly outcome: string | null;
  /** 1: a tool was used. */
  readonly acted: number;
  /** Why its runtime could not go on. */
  readonly why: string | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
}
const columns = `id, run, role, runtime, model, family, model_by as modelBy, session, input_tokens as inputTokens, cached_input_tokens as cachedInputTokens,
  output_tokens as outputTokens, reasoning_tokens as reasoningTokens, usd, priced_by as pricedBy, price_version as priceVersion, total, log_path as logPath,
  outcome, why, acted, started_at as startedAt, ended_at as endedAt`;

/** Every invocation of an agent in this run, oldest first, by the names they were opened under. */
export function* sessionsOfRun(
  runId: string,
  limit: number,
): Verb<readonly (SessionSummary & { readonly key: string })[]> {
  return yield* all<SessionSummary & { readonly key: string }>(
    `select ${columns}, key from agent_session where run = ? order by id limit ?`,
    runId,
    limit,
  );
}

/** One of them by its number, and whose it is. */
export function* sessionById(id: number): Verb<(SessionSummary & { readonly ticket: string }) | undefined> {
  return yield* one<SessionSummary & { readonly ticket: string }>(
    `select ${columns}, ticket from agent_session where id = ?`,
    id,
  );
}

/** Every invocation of an agent for this ticket, oldest first. */
export function* sessionsOf(ticket: string): Verb<readonly SessionSummary[]> {
  return yield* all<SessionSummary>(
    `select ${columns} from agent_session where ticket = ? order by id`,
    ticket,
  );
}

export interface SessionTotals {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Of those that still work up to this instant. */
  readonly ms: number;
}
/** What agents that began since then have used, for these repositories or for all. */
export function* sessionTotals(
  since: number,
  now: number,
  repos: readonly number[] | undefined,
): Verb<SessionTotals> {
  const args: SqlValue[] = [now, since];
  if (repos !== undefined) args.push(JSON.stringify(repos));
  const row = yield* one<SessionTotals>(
    `select coalesce(sum(input_tokens), 0) as inputTokens, coalesce(sum(output_tokens), 0) as outputTokens,
       coalesce(sum(max(0, coalesce(ended_at, ?) - started_at)), 0) as ms
     from agent_session where started_at >= ?
       ${repos === undefined ? "" : "and (select repo from ticket where id = agent_session.ticket) in (select value from json_each(?))"}`,
    ...args,
  );
  return row ?? { inputTokens: 0, outputTokens: 0, ms: 0 };
}

export interface TicketCost {
  readonly ticket: string;
  readonly usd: number;
  /** 1: some of it at a price that nobody told. */
  readonly isGuess: number;
}
/** What each of these tickets has cost so far, where an agent has worked. */
export function* costsOfTickets(tickets: readonly string[]): Verb<readonly TicketCost[]> {
  return yield* all<TicketCost>(
    `select ticket, sum(usd) as usd, max(priced_by = 'guess') as isGuess from agent_session
       where ticket in (select value from json_each(?)) group by ticket`,
    JSON.stringify(tickets),
  );
}
