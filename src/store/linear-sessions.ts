import type { SessionOption, SessionSays } from "../ports-linear-sessions.ts";
import { all, change, one, run, type Verb } from "../sql.ts";
import type { State } from "../state-machine/ticket.ts";

/**
 * What a question was about, so that the words that come back are understood: gaps of the spec are filled by words, a
 * choice by a label, everything else by a command that an option stands for.
 */
export interface Asking {
  readonly about: "spec" | "choice" | "command";
  readonly options: readonly SessionOption[];
}
/** Something to be said once. A reply takes its form when it is said: what the session waits for is said with it again. */
export type Word =
  | {
      readonly is: "says";
      readonly says: SessionSays;
      readonly asks?: Asking | undefined;
      /** What the session is once that is said. */
      readonly ends?: "over" | "stopped" | undefined;
    }
  | { readonly is: "reply"; readonly text: string };
export interface NewWord {
  readonly key: string;
  readonly word: Word;
}
export interface PutWord extends NewWord {
  readonly isSaid: boolean;
}
/** An agent session of Linear that we were called into. */
export interface LinearSession {
  readonly id: string;
  readonly workspace: string;
  readonly issue: string | undefined;
  readonly ticket: string | undefined;
  /** The comment that began its thread. */
  readonly thread: string | undefined;
  readonly creator: string | undefined;
  readonly createdAt: number;
  readonly state: "open" | "stopping" | "stopped" | "over" | "gone";
  /** The prompt that stopped it. */
  readonly stoppedBy: string | undefined;
  readonly stoppedAt: number | undefined;
  readonly told: number;
  /** JSON. */
  readonly plan: string | undefined;
  readonly planSaid: string | undefined;
  readonly plannedAt: number;
  /** JSON. */
  readonly links: string | undefined;
  readonly linksSaid: string | undefined;
  readonly delegate: "settled" | "open";
  readonly asking: Asking | undefined;
  readonly saidAt: number;
  readonly attempts: number;
  readonly dueAt: number;
  readonly note: string | undefined;
}
/** A session with what tells whether it needs anything. */
export interface SessionAtWork extends LinearSession {
  /** Ledger lines of its ticket, and its state; undefined while there are none. */
  readonly lines: number | undefined;
  readonly standing: State | undefined;
  readonly unsaid: number;
}
export type NewSession = Pick<
  LinearSession,
  "id" | "workspace" | "issue" | "ticket" | "thread" | "creator" | "createdAt"
>;

/** Under this key stands the first thing that is said in every session. */
export const greetingKey = "greeting";
/** Words about the state of the ticket: only the newest of them is said. */
export const statePrefix = "state:";
/** Answers that may wait in one session; who asks for more than that is not answered. */
const mostAnswers = 20;

interface Row {
  readonly id: string;
  readonly workspace: string;
  readonly issue: string | null;
  readonly ticket: string | null;
  readonly thread: string | null;
  readonly creator: string | null;
  readonly created_at: number;
  readonly state: LinearSession["state"];
  readonly stopped_by: string | null;
  readonly stopped_at: number | null;
  readonly told: number;
  readonly plan: string | null;
  readonly plan_said: string | null;
  readonly planned_at: number;
  readonly links: string | null;
  readonly links_said: string | null;
  readonly delegate_settled: number;
  readonly asking: string | null;
  readonly said_at: number;
  readonly attempts: number;
  readonly due_at: number;
  readonly note: string | null;
}

const sessionIn = (row: Row): LinearSession => ({
  id: row.id,
  workspace: row.workspace,
  issue: row.issue ?? undefined,
  ticket: row.ticket ?? undefined,
  thread: row.thread ?? undefined,
  creator: row.creator ?? undefined,
  createdAt: row.created_at,
  state: row.state,
  stoppedBy: row.stopped_by ?? undefined,
  stoppedAt: row.stopped_at ?? undefined,
  told: row.told,
  plan: row.plan ?? undefined,
  planSaid: row.plan_said ?? undefined,
  plannedAt: row.planned_at,
  links: row.links ?? undefined,
  linksSaid: row.links_said ?? undefined,
  delegate: row.delegate_settled === 1 ? "settled" : "open",
  asking: row.asking === null ? undefined : (JSON.parse(row.asking) as Asking),
  saidAt: row.said_at,
  attempts: row.attempts,
  dueAt: row.due_at,
  note: row.note ?? undefined,
});

/** Keeps a session with its greeting still to be said; one that is known stays as it is. */
export function* keepLinearSession(session: NewSession, greeting: Word): Verb<void> {
  yield* run(
    `insert into linear_session (id, workspace, issue, ticket, thread, creator, created_at) values (?, ?, ?, ?, ?, ?, ?)
     on conflict (id) do nothing`,
    session.id,
    session.workspace,
    session.issue ?? null,
    session.ticket ?? null,
    session.thread ?? null,
    session.creator ?? null,
    session.createdAt,
  );
  yield* put(session.id, { key: greetingKey, word: greeting }, session.createdAt);
}

export function* linearSession(id: string): Verb<LinearSession | undefined> {
  const row = yield* one<Row>("select * from linear_session where id = ?", id);
  return row && sessionIn(row);
}

/** The session that is held in the thread of this comment: what is said there is heard by it, as a prompt. */
export function* linearSessionIn(workspace: string, thread: string): Verb<LinearSession | undefined> {
  const row = yield* one<Row>(
    "select * from linear_session where thread = ? and workspace = ? order by created_at limit 1",
    thread,
    workspace,
  );
  return row && sessionIn(row);
}

/** Sessions that may need something: those not over, those with words to say, and those whose ticket went on. */
export function* linearSessionsAtWork(): Verb<readonly SessionAtWork[]> {
  const rows = yield* all<
    Row & { readonly lines: number | null; readonly standing: State | null; readonly unsaid: number }
  >(
    `select s.*, t.version as lines, t.state as standing,
       (select count(*) from linear_word w where w.session = s.id and w.said_at is null) as unsaid
     from linear_session s left join ticket t on t.id = s.ticket and t.version > 0
     where s.state <> 'gone' and (
       s.state in ('open', 'stopping')
       or s.told < t.version
       or s.plan is not s.plan_said
       or s.links is not s.links_said
       or exists (select 1 from linear_word w where w.session = s.id and w.said_at is null))
     order by s.created_at, s.id`,
  );
  return rows.map((row) => ({
    ...sessionIn(row),
    lines: row.lines ?? undefined,
    standing: row.standing ?? undefined,
    unsaid: row.unsaid,
  }));
}

/** Words of a session, oldest first. */
export function* linearWords(session: string): Verb<readonly PutWord[]> {
  const rows = yield* all<{ key: string; body: string; said_at: number | null }>(
    "select key, body, said_at from linear_word where session = ? order by seq",
    session,
  );
  return rows.map(({ key, body, said_at }) => ({
    key,
    word: JSON.parse(body) as Word,
    isSaid: said_at !== null,
  }));
}

function* put(session: string, { key, word }: NewWord, at: number): Verb<void> {
  yield* run(
    "insert into linear_word (session, key, body, put_at) values (?, ?, ?, ?) on conflict (session, key) do nothing",
    session,
    key,
    JSON.stringify(word),
    at,
  );
}

/** Puts a word, once for ever under its key; an answer to somebody only while not too many wait. */
export function* putLinearWord(session: string, word: NewWord, at: number): Verb<void> {
  if (!word.key.startsWith(statePrefix)) {
    const waiting = yield* one<{ count: number }>(
      "select count(*) as count from linear_word where session = ? and said_at is null",
      session,
    );
    if ((waiting?.count ?? 0) >= mostAnswers) return;
  }
  yield* put(session, word, at);
}

/** What a look at the ticket came to. */
export interface SessionLook {
  /** The session as it was then: what a person said since, or another look, makes this one void. */
  readonly as: LinearSession["state"];
  /** How many of its ledger lines were looked at. */
  readonly told: number;
  /** About its state; an older one that was not said yet is not said any more. */
  readonly state: NewWord | undefined;
  readonly replies: readonly NewWord[];
  readonly plan: string | undefined;
  readonly links: string | undefined;
}
/** Records a look: all of what it came to, or nothing. */
export function* lookedAtLinearSession(session: string, look: SessionLook, at: number): Verb<void> {
  const changed = yield* change(
    "update linear_session set told = ?, plan = coalesce(?, plan), links = coalesce(?, links) where id = ? and told <= ? and state = ?",
    look.told,
    look.plan ?? null,
    look.links ?? null,
    session,
    look.told,
    look.as,
  );
  if (changed === 0) return;
  for (const reply of look.replies) yield* putLinearWord(session, reply, at);
  const { state } = look;
  if (state === undefined) return;
  yield* dropStateWords(session, state.key);
  yield* put(session, state, at);
  // Said before, perhaps before a person spoke again: it still ends what it ended.
  const ends = state.word.is === "says" ? state.word.ends : undefined;
  if (ends !== undefined)
    yield* run(
      `update linear_session set state = ? where id = ?
         and exists (select 1 from linear_word where session = ? and key = ? and said_at is not null)`,
      ends,
      session,
      session,
      state.key,
    );
}

function* dropStateWords(session: string, but: string): Verb<void> {
  yield* run(
    "delete from linear_word where session = ? and said_at is null and key like ? and key <> ?",
    session,
    `${statePrefix}%`,
    but,
  );
}

/** A word was said, or given up for good with a note. */
export function* linearSaid(
  session: string,
  said: { readonly key: string; readonly word: Word; readonly asks: Asking | undefined },
  at: number,
  note?: string,
): Verb<void> {
  const changed = yield* change(
    "update linear_word set said_at = ? where session = ? and key = ? and said_at is null",
    at,
    session,
    said.key,
  );
  yield* run(
    "update linear_session set said_at = ?, asking = ?, attempts = 0, due_at = 0, note = ? where id = ?",
    at,
    said.asks === undefined ? null : JSON.stringify(said.asks),
    note ?? null,
    session,
  );
  const ends = said.word.is === "says" ? said.word.ends : undefined;
  // One that was taken back while it was on its way ends nothing.
  if (ends !== undefined && changed === 1)
    yield* run("update linear_session set state = ? where id = ?", ends, session);
}

/** What was written beside words. */
export function* linearSessionWrote(
  session: string,
  wrote: { readonly plan?: string; readonly links?: string; readonly delegate?: "settled" },
  at: number,
): Verb<void> {
  yield* run(
    `update linear_session set plan_said = coalesce(?, plan_said), planned_at = case when ? is null then planned_at else ? end,
       links_said = coalesce(?, links_said), delegate_settled = max(delegate_settled, ?), attempts = 0, due_at = 0
     where id = ?`,
    wrote.plan ?? null,
    wrote.plan ?? null,
    at,
    wrote.links ?? null,
    wrote.delegate === "settled" ? 1 : 0,
    session,
  );
}

/** Trouble that passes: nothing is tried in this session before then. */
export function* linearSessionRests(session: string, until: number, note: string): Verb<void> {
  yield* run(
    "update linear_session set attempts = attempts + 1, due_at = ?, note = ? where id = ?",
    until,
    note,
    session,
  );
}

/** Linear has it no more: nothing is said in it again. */
export function* linearSessionGone(session: string): Verb<void> {
  yield* run("update linear_session set state = 'gone', note = null where id = ?", session);
  yield* run("delete from linear_word where session = ? and said_at is null", session);
}

/** A person said stop: only what was left is told now. Hearing the same word again changes nothing. */
export function* stopLinearSession(session: string, by: string, at: number): Verb<void> {
  const changed = yield* change(
    `update linear_session set state = 'stopping', stopped_by = ?, stopped_at = max(coalesce(stopped_at, 0), ?), told = -1
     where id = ? and stopped_by is not ? and state <> 'gone'`,
    by,
    at,
    session,
    by,
  );
  if (changed === 1) yield* dropStateWords(session, "");
}

/** A person spoke in it again, or said that a stopped one goes on; not before it was stopped last. */
export function* reopenLinearSession(
  session: string,
  from: "over" | "stopped",
  at: number | undefined,
): Verb<void> {
  const states = from === "over" ? ["over", "over"] : ["stopping", "stopped"];
  yield* run(
    "update linear_session set state = 'open' where id = ? and state in (?, ?) and coalesce(stopped_at, 0) <= ?",
    session,
    ...states,
    at ?? Number.MAX_SAFE_INTEGER,
  );
}
