import type { OpenSession } from "../ports-dashboard-access.ts";
import { all, change, one, run, type Verb } from "../sql.ts";

/** Who is in the dashboard. Cookies and tokens are kept as hashes: whoever reads the file gets in nowhere. */
export interface WebSession {
  /** As the ledger names them: `operator:ada`, or the login at the time they came. */
  readonly who: string;
  /** Number of their account at the forge; undefined for an operator with a link. */
  readonly account: number | undefined;
  /** What every form of this session carries. */
  readonly csrf: string;
  readonly seenAt: number;
  readonly expiresAt: number;
}
export interface NewSession {
  readonly hash: string;
  readonly csrf: string;
  readonly expiresAt: number;
}
/** Whose sessions are meant; undefined fields: everybody's. */
export interface SessionOwner {
  readonly who?: string | undefined;
  readonly account?: number | undefined;
}

/** More are not listed. */
const maxListed = 500;
/** As many hex digits name a session. */
export const sessionIdLength = 12;

/** A token that lets somebody in once, until it expires; with a user of this host, that user alone. */
export function* giveWebToken(hash: string, who: string, expiresAt: number, uid?: number): Verb<void> {
  yield* run(
    "insert into web_token (hash, who, expires_at, uid) values (?, ?, ?, ?)",
    hash,
    who,
    expiresAt,
    uid ?? null,
  );
}

/**
 * Opens a session for whoever has this token, and the token is gone; undefined when it was used, is unknown or too old.
 * One of another user than who comes stays for its own: where it is not known who comes, and for root, it is good.
 */
export function* takeWebToken(
  token: string,
  session: NewSession,
  now: number,
  uid?: number,
): Verb<string | undefined> {
  const found = yield* one<{ readonly who: string; readonly expires_at: number }>(
    "delete from web_token where hash = ? and (uid is null or ? is null or ? = 0 or uid = ?) returning who, expires_at",
    token,
    uid ?? null,
    uid ?? null,
    uid ?? null,
  );
  yield* run("delete from web_token where expires_at <= ?", now);
  if (found === undefined || found.expires_at <= now) return undefined;
  yield* openWebSession({ ...session, who: found.who }, now);
  return found.who;
}

/** Somebody is in; those whose time is over are forgotten. */
export function* openWebSession(
  {
    hash,
    csrf,
    expiresAt,
    who,
    account,
  }: NewSession & { readonly who: string; readonly account?: number | undefined },
  now: number,
): Verb<void> {
  yield* run("delete from web_session where expires_at <= ?", now);
  yield* run(
    "insert into web_session (hash, who, csrf, expires_at, kind, account, opened_at, seen_at) values (?, ?, ?, ?, ?, ?, ?, ?)",
    hash,
    who,
    csrf,
    expiresAt,
    account === undefined ? "link" : "github",
    account ?? null,
    now,
    now,
  );
}

export function* webSession(hash: string, now: number): Verb<WebSession | undefined> {
  const row = yield* one<Omit<WebSession, "account"> & { readonly account: number | null }>(
    "select who, account, csrf, seen_at as seenAt, expires_at as expiresAt from web_session where hash = ? and expires_at > ?",
    hash,
    now,
  );
  return row && { ...row, account: row.account ?? undefined };
}
export function* seenWebSession(hash: string, now: number): Verb<void> {
  yield* run("update web_session set seen_at = ? where hash = ?", now, hash);
}

const ofOwner = "(? is null or (kind = 'github' and account = ?) or (kind = 'link' and who = ?))";
const ownerArgs = ({ who, account }: SessionOwner) =>
  [account ?? who ?? null, account ?? null, account === undefined ? (who ?? null) : null] as const;

/** The newest first. */
export function* webSessions(owner: SessionOwner, now: number): Verb<readonly OpenSession[]> {
  return yield* all<OpenSession>(
    `select substr(hash, 1, ${sessionIdLength}) as id, who, kind, opened_at as openedAt, seen_at as seenAt, expires_at as expiresAt
     from web_session where expires_at > ? and ${ofOwner} order by opened_at desc limit ${maxListed}`,
    now,
    ...ownerArgs(owner),
  );
}

/** Ends a session, or with no hash every one; answers how many. */
export function* endWebSessions(hash?: string): Verb<number> {
  return hash === undefined
    ? yield* change("delete from web_session")
    : yield* change("delete from web_session where hash = ?", hash);
}
/** Ends those of somebody: the one that is named so, or with no name all; links that were not followed yet with them. */
export function* endWebSessionsOf(owner: SessionOwner, id?: string): Verb<number> {
  const ended = yield* change(
    `delete from web_session where (? is null or substr(hash, 1, ${sessionIdLength}) = ?) and ${ofOwner}`,
    id ?? null,
    id ?? null,
    ...ownerArgs(owner),
  );
  if (id === undefined && owner.account === undefined)
    yield* run("delete from web_token where ? is null or who = ?", owner.who ?? null, owner.who ?? null);
  return ended;
}

/** `line-own-others`: the newest line, what this connection has written, and that others have. */
export function* position(): Verb<string> {
  const row = yield* one<{ readonly line: number | null; readonly own: number; readonly others: number }>(
    "select (select max(seq) from ledger) as line, total_changes() as own, (select data_version from pragma_data_version) as others",
  );
  return `${row?.line ?? 0}-${row?.own ?? 0}-${row?.others ?? 0}`;
}
