/** What has happened since somebody last looked: lines, and whatever has come to its end. Each is told once; nothing is written for it. */
import { all, one, run, type Verb } from "../sql.ts";
import { effectsPerLine } from "./outbox.ts";

/** How far somebody has followed. What was still open when it was passed is remembered until it ends. */
export interface Position {
  readonly line: number;
  readonly item: number;
  readonly openItems: readonly number[];
  /** By ticket and number. */
  readonly openEffects: readonly (readonly [string, number])[];
  readonly session: number;
  readonly openSessions: readonly number[];
  /** The last run that settled: when, and which. */
  readonly settledAt: number;
  readonly run: string;
}
export const beginning: Position = {
  line: 0,
  item: 0,
  openItems: [],
  openEffects: [],
  session: 0,
  openSessions: [],
  settledAt: -1,
  run: "",
};

export interface FreshLine {
  readonly seq: number;
  readonly ticket: string;
  readonly eventId: string;
  readonly at: number;
  readonly row: string;
  readonly from: string;
  readonly to: string;
}
/** An item of the inbox that was read, ignored or set aside. */
export interface EndedItem {
  readonly seq: number;
  readonly source: string;
  readonly state: string;
}
export interface EndedEffect {
  readonly ticket: string;
  readonly seq: number;
  readonly key: string;
  readonly type: string;
  readonly state: string;
  readonly attempts: number;
  readonly createdAt: number;
  readonly endedAt: number;
}
export interface EndedSession {
  readonly id: number;
  readonly key: string;
  readonly run: string;
  readonly ticket: string;
  readonly role: string;
  readonly runtime: string;
  readonly model: string | null;
  readonly family: string | null;
  readonly modelBy: string | null;
  readonly session: string | null;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly usd: number;
  readonly outcome: string | null;
  readonly startedAt: number;
  /** Null of one that is at work. */
  readonly endedAt: number | null;
}
export interface SettledRun {
  readonly id: string;
  readonly workflow: string;
  readonly status: string;
  readonly outcome: string | null;
  readonly createdAt: number;
  readonly settledAt: number;
  /** When its first attempt began; null when none did. */
  readonly beganAt: number | null;
}
export interface Fresh {
  readonly lines: readonly FreshLine[];
  readonly items: readonly EndedItem[];
  readonly effects: readonly EndedEffect[];
  readonly sessions: readonly EndedSession[];
  readonly runs: readonly SettledRun[];
  /** Nothing older was left for the next look. */
  readonly isAll: boolean;
}

/** Runs are settled by the clock of whichever process ends them: what is younger may still get a neighbour before it. */
const graceMs = 1_000;
/** What is open is remembered up to this many of each kind; what is older is then told of no more. */
const maxOpen = 20_000;

/** What is fresh since `position`, at most `limit` of each kind, and the position after it. */
export function* follow(
  position: Position,
  { now, limit }: { readonly now: number; readonly limit: number },
): Verb<{ readonly fresh: Fresh; readonly position: Position }> {
  const lines = yield* linesAfter(position.line, limit);
  const line = lines.at(-1)?.seq ?? position.line;
  const effects = yield* effectsOf(position, line);
  const items = yield* itemsAfter(position, limit);
  const sessions = yield* sessionsAfter(position, limit);
  const runs = yield* runsAfter(position, now - graceMs, limit);
  const last = runs.at(-1);
  return {
    fresh: {
      lines,
      items: items.ended,
      effects: effects.ended,
      sessions: sessions.ended,
      runs,
      isAll: [lines.length, items.read, sessions.read, runs.length].every((count) => count < limit),
    },
    position: {
      line,
      item: items.last,
      openItems: items.open.slice(-maxOpen),
      openEffects: effects.open.slice(-maxOpen),
      session: sessions.last,
      openSessions: sessions.open.slice(-maxOpen),
      settledAt: last?.settledAt ?? position.settledAt,
      run: last?.id ?? position.run,
    },
  };
}

/** The newest of everything: for whoever begins to follow now. What is at work already will be told of when it ends. */
export function* newest(now: number): Verb<Position> {
  const row = yield* one<{ line: number | null; item: number | null; session: number | null }>(
    "select (select max(seq) from ledger) as line, (select max(seq) from inbox) as item, (select max(id) from agent_session) as session",
  );
  return {
    ...beginning,
    line: row?.line ?? 0,
    item: row?.item ?? 0,
    session: row?.session ?? 0,
    settledAt: now,
  };
}

export const lineColumns =
  'seq, ticket, event_id as eventId, at, row, from_state as "from", to_state as "to"';
function* linesAfter(after: number, limit: number): Verb<readonly FreshLine[]> {
  return yield* all<FreshLine>(
    `select ${lineColumns} from ledger where seq > ? order by seq limit ?`,
    after,
    limit,
  );
}
const effectColumns =
  "e.ticket, e.seq, e.key, e.type, e.state, e.attempts, e.created_at as createdAt, e.ended_at as endedAt";
const ofNewLines = `on e.ticket = l.ticket and e.seq >= l.seq * ${effectsPerLine} and e.seq < (l.seq + 1) * ${effectsPerLine}
     where l.seq > ? and l.seq <= ?`;
const ofOpen = "on e.ticket = json_extract(o.value, '$[0]') and e.seq = json_extract(o.value, '$[1]')";

/** Those of new lines, and those that were open: what has ended, and what is open now. What is neither was replaced by a newer one. */
function* effectsOf({ line: after, openEffects }: Position, line: number) {
  const open = JSON.stringify(openEffects);
  const ended = [
    ...(yield* all<EndedEffect>(
      `select ${effectColumns} from json_each(?) as o cross join ended_effect as e ${ofOpen}`,
      open,
    )),
    ...(yield* all<EndedEffect>(
      `select ${effectColumns} from ledger as l cross join ended_effect as e ${ofNewLines}`,
      after,
      line,
    )),
  ];
  const waiting = [
    ...(yield* all<{ ticket: string; seq: number }>(
      `select e.ticket, e.seq from json_each(?) as o cross join outbox as e ${ofOpen}`,
      open,
    )),
    ...(yield* all<{ ticket: string; seq: number }>(
      `select e.ticket, e.seq from ledger as l cross join outbox as e ${ofNewLines}`,
      after,
      line,
    )),
  ];
  return { ended, open: waiting.map(({ ticket, seq }) => [ticket, seq] as const) };
}

function* itemsAfter({ item, openItems }: Position, limit: number) {
  const rows = yield* all<EndedItem>(
    `select seq, source, state from inbox where seq in (select value from json_each(?))
     union all select * from (select seq, source, state from inbox where seq > ? order by seq limit ?)`,
    JSON.stringify(openItems),
    item,
    limit,
  );
  return split(
    rows,
    item,
    ({ seq }) => seq,
    ({ state }) => state === "new",
  );
}

const sessionColumns = `id, key, run, ticket, role, runtime, model, family, model_by as modelBy, session, input_tokens as inputTokens,
  cached_input_tokens as cachedInputTokens, output_tokens as outputTokens, reasoning_tokens as reasoningTokens, usd, outcome,
  started_at as startedAt, ended_at as endedAt`;
function* sessionsAfter({ session, openSessions }: Position, limit: number) {
  const rows = yield* all<EndedSession>(
    `select ${sessionColumns} from agent_session where id in (select value from json_each(?))
     union all select * from (select ${sessionColumns} from agent_session where id > ? order by id limit ?)`,
    JSON.stringify(openSessions),
    session,
    limit,
  );
  return split(
    rows,
    session,
    ({ id }) => id,
    ({ endedAt }) => endedAt === null,
  );
}
/** Sessions as they are now. */
export function* sessionsById(ids: readonly number[]): Verb<readonly EndedSession[]> {
  return yield* all<EndedSession>(
    `select ${sessionColumns} from agent_session where id in (select value from json_each(?))`,
    JSON.stringify(ids),
  );
}

function split<Row>(
  rows: readonly Row[],
  after: number,
  numberOf: (row: Row) => number,
  isOpen: (row: Row) => boolean,
) {
  const numbers = rows.map(numberOf);
  return {
    ended: rows.filter((row) => !isOpen(row)),
    open: rows.filter(isOpen).map(numberOf),
    last: Math.max(after, ...numbers),
    read: numbers.filter((number) => number > after).length,
  };
}

function* runsAfter(
  { settledAt, run: id }: Position,
  until: number,
  limit: number,
): Verb<readonly SettledRun[]> {
  return yield* all<SettledRun>(
    `select id, workflow, status, outcome, created_at as createdAt, settled_at as settledAt,
       (select min(started_at) from attempt where attempt.run = run.id) as beganAt
     from run where settled_at is not null and settled_at >= ? and (settled_at, id) > (?, ?) and settled_at <= ?
     order by settled_at, id limit ?`,
    settledAt,
    settledAt,
    id,
    until,
    limit,
  );
}

/** Undefined for whoever never followed. */
export function* positionOf(name: string): Verb<Position | undefined> {
  const row = yield* one<{ position: string }>("select position from follower where name = ?", name);
  // Written below, by nobody else.
  return row === undefined ? undefined : { ...beginning, ...(JSON.parse(row.position) as Partial<Position>) };
}
export function* keepPosition(name: string, position: Position): Verb<void> {
  yield* run(
    "insert into follower (name, position) values (?, ?) on conflict (name) do update set position = excluded.position",
    name,
    JSON.stringify(position),
  );
}
