import { all, one, run, type Verb } from "../sql.ts";
import { linearIssueOf } from "../state-machine/ticket-id.ts";

/** What may be spent, in dollars. Without a number there is no such cap. */
export interface Caps {
  readonly runUsd: number;
  readonly ticketUsd: number;
  readonly repositoryDayUsd: number | undefined;
  /** Of the account that owns the repository, and of the Linear workspace that the ticket comes from, each its own. */
  readonly tenantDayUsd: number | undefined;
  readonly dayUsd: number;
  /** When the day began, in milliseconds since 1970. */
  readonly dayStart: number;
}
/**
 * Whose cap it is: `tenant` is the account that owns the repository, `workspace` the Linear workspace of the ticket, `day` is
 * this host's.
 */
export type Level = "run" | "ticket" | "repository" | "tenant" | "workspace" | "day";

/** Money set aside for a run, in which it also has spent what it has. */
export interface Reservation {
  /** All that the run may spend, with what it has spent before. */
  readonly usd: number;
  readonly spentUsd: number;
  /** Whose cap ends it. */
  readonly level: Level;
  /** That cap. */
  readonly capUsd: number;
  /** When it was set aside. */
  readonly at: number;
}

export interface Wanted {
  readonly run: string;
  readonly ticket: string;
  readonly repo: number;
  /** What a person allowed beyond what is spent; it goes beyond the caps of the run and the ticket, never of a day. */
  readonly allowedUsd: number | undefined;
  readonly caps: Caps;
  readonly at: number;
  /** When the run has taken too long. */
  readonly dueAt?: number | undefined;
}

/**
 * Sets money aside before a run spends, in the transaction that starts or resumes it: as much as every cap leaves, which
 * may be nothing. What is set aside counts as spent for all others, so that together they never pass a cap.
 */
export function* reserve(wanted: Wanted): Verb<void> {
  const { run: runId, ticket, repo, allowedUsd, caps, at, dueAt } = wanted;
  const used = yield* usedBeside(wanted);
  const rooms: { readonly level: Level; readonly roomUsd: number; readonly capUsd: number }[] = [
    { level: "run", ...runRoom(used.run, allowedUsd, caps) },
  ];
  const room = (level: Exclude<Level, "run">, capUsd: number | undefined): void => {
    if (capUsd !== undefined) rooms.push({ level, roomUsd: capUsd - used[level], capUsd });
  };
  if (allowedUsd === undefined) room("ticket", caps.ticketUsd);
  room("repository", caps.repositoryDayUsd);
  room("tenant", caps.tenantDayUsd);
  if (linearIssueOf(ticket) !== undefined) room("workspace", caps.tenantDayUsd);
  room("day", caps.dayUsd);
  const least = rooms.reduce((one, other) => (other.roomUsd < one.roomUsd ? other : one));
  yield* run(
    `insert into reservation (run, ticket, repo, usd, level, cap_usd, at, due_at) values (?, ?, ?, ?, ?, ?, ?, ?)
       on conflict (run) do update set usd = excluded.usd, level = excluded.level, cap_usd = excluded.cap_usd, at = excluded.at, due_at = excluded.due_at`,
    runId,
    ticket,
    repo,
    used.run + Math.max(0, least.roomUsd),
    least.level,
    least.capUsd,
    at,
    dueAt ?? null,
  );
}

/** Under each cap, what is spent and what other runs may still spend: of the run and its ticket ever, of the others today. */
function* usedBeside({ run: runId, ticket, repo, caps }: Wanted): Verb<Readonly<Record<Level, number>>> {
  const workspace = linearIssueOf(ticket)?.workspace;
  const used = yield* one<Record<Level, number>>(
    `select coalesce(sum(usd), 0) as day, coalesce(sum(usd) filter (where repo = ?), 0) as repository,
       coalesce(sum(usd) filter (where repo in (select id from repo where owner = (select owner from repo where id = ?))), 0) as tenant,
       coalesce(sum(usd) filter (where substr(ticket, 1, length(?)) = ?), 0) as workspace,
       (select coalesce(sum(usd), 0) from agent_session where run = ?) as run,
       (select coalesce(sum(usd), 0) from agent_session where ticket = ?)
         + (select coalesce(sum(${unspent}), 0) from reservation where ticket = ? and run <> ?) as ticket
     from (
       select ticket.repo as repo, ticket.id as ticket, agent_session.usd as usd
         from agent_session join ticket on ticket.id = agent_session.ticket where started_at >= ?
       union all
       select repo, ticket, ${unspent} from reservation where run <> ?
     )`,
    repo,
    repo,
    ...(workspace === undefined ? [null, null] : [`linear:${workspace}/`, `linear:${workspace}/`]),
    runId,
    ticket,
    ticket,
    runId,
    caps.dayStart,
    runId,
  );
  if (used === undefined) throw new Error("a sum has no row");
  return used;
}

/** Only a person's word lets a run spend beyond its cap; without one it has what is left of that. */
const runRoom = (spent: number, allowedUsd: number | undefined, { runUsd }: Caps) =>
  allowedUsd === undefined
    ? { roomUsd: runUsd - spent, capUsd: runUsd }
    : { roomUsd: allowedUsd, capUsd: spent + allowedUsd };

/** Returns what a run did not spend; it has no deadline any more. */
export function* release(runId: string): Verb<void> {
  yield* run("delete from reservation where run = ?", runId);
}

/** Returns what was set aside under names that begin so: whoever set it aside is gone. */
export function* releaseAll(prefix: string): Verb<void> {
  yield* run("delete from reservation where substr(run, 1, length(?)) = ?", prefix, prefix);
}

/** What is set aside for a run; undefined once it is over. */
export function* reservationOf(runId: string): Verb<Reservation | undefined> {
  const row = yield* one<{ usd: number; level: Level; cap_usd: number; at: number }>(
    "select usd, level, cap_usd, at from reservation where run = ?",
    runId,
  );
  if (row === undefined) return undefined;
  const { usd, level, cap_usd: capUsd, at } = row;
  return { usd, level, capUsd, at, spentUsd: yield* spentIn(runId) };
}

const unspent =
  "max(0, usd - (select coalesce(sum(usd), 0) from agent_session where agent_session.run = reservation.run))";

/** What one repository has cost and may still cost: for the tickets of one Linear workspace, or for its own. */
export interface Purse {
  readonly repo: number;
  readonly owner: string;
  /** Empty for tickets of the forge itself. */
  readonly workspace: string;
  /** Dollars in sessions started since the instant. */
  readonly spentUsd: number;
  /** Dollars set aside by runs that still work, less what they have spent already. */
  readonly reservedUsd: number;
}
/** `linear:<workspace id>/<issue uuid>` */
const workspaceIn =
  "case when ticket like 'linear:%/%' then substr(ticket, 8, instr(ticket, '/') - 8) else '' end as workspace";

/** What was spent since then and is set aside now, by repository and workspace; without one run's own reservation. */
export function* spendingSince(since: number, exceptRun = ""): Verb<readonly Purse[]> {
  return yield* all<Purse>(
    `select paid.repo, coalesce(repo.owner, '') as owner, ${workspaceIn}, sum(spent) as spentUsd, sum(reserved) as reservedUsd
       from (
         select ticket.repo as repo, agent_session.ticket as ticket, agent_session.usd as spent, 0 as reserved
           from agent_session join ticket on ticket.id = agent_session.ticket where started_at >= ?
         union all
         select repo, ticket, 0, ${unspent} from reservation where run <> ?
       ) as paid left join repo on repo.id = paid.repo group by paid.repo, workspace`,
    since,
    exceptRun,
  );
}
export const usedOf = (...purses: readonly (Purse | undefined)[]): number =>
  purses.reduce((sum, purse) => sum + (purse === undefined ? 0 : purse.spentUsd + purse.reservedUsd), 0);

/** Dollars in all sessions of a run. */
export function* spentIn(runId: string): Verb<number> {
  const row = yield* one<{ usd: number | null }>(
    "select sum(usd) as usd from agent_session where run = ?",
    runId,
  );
  return row?.usd ?? 0;
}
