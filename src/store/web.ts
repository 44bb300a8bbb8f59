import { change, one, run, type Verb } from "../sql.ts";

/** Who is in the dashboard. Cookies and tokens are kept as hashes: whoever reads the file gets in nowhere. */
export interface WebSession {
  /** As the ledger names them: `operator:ada`. */
  readonly who: string;
  /** What every form of this session carries. */
  readonly csrf: string;
  readonly expiresAt: number;
}

/** A token that lets somebody in once, until it expires. */
export function* giveWebToken(hash: string, who: string, expiresAt: number): Verb<void> {
  yield* run("insert into web_token (hash, who, expires_at) values (?, ?, ?)", hash, who, expiresAt);
}

/** Opens a session for whoever has this token, and the token is gone; undefined when it was used, is unknown or too old. */
export function* takeWebToken(
  token: string,
  session: { readonly hash: string; readonly csrf: string; readonly expiresAt: number },
  now: number,
): Verb<string | undefined> {
  const found = yield* one<{ readonly who: string; readonly expires_at: number }>(
    "delete from web_token where hash = ? returning who, expires_at",
    token,
  );
  yield* run("delete from web_token where expires_at <= ?", now);
  yield* run("delete from web_session where expires_at <= ?", now);
  if (found === undefined || found.expires_at <= now) return undefined;
  yield* run(
    "insert into web_session (hash, who, csrf, expires_at) values (?, ?, ?, ?)",
    session.hash,
    found.who,
    session.csrf,
    session.expiresAt,
  );
  return found.who;
}

export function* webSession(hash: string, now: number): Verb<WebSession | undefined> {
  return yield* one<WebSession>(
    "select who, csrf, expires_at as expiresAt from web_session where hash = ? and expires_at > ?",
    hash,
    now,
  );
}

/** Ends a session, or with no hash every one; answers how many. */
export function* endWebSessions(hash?: string): Verb<number> {
  return hash === undefined
    ? yield* change("delete from web_session")
    : yield* change("delete from web_session where hash = ?", hash);
}

/** `line-own-others`: the newest line, what this connection has written, and that others have. */
export function* position(): Verb<string> {
  const row = yield* one<{ readonly line: number | null; readonly own: number; readonly others: number }>(
    "select (select max(seq) from ledger) as line, total_changes() as own, (select data_version from pragma_data_version) as others",
  );
  return `${row?.line ?? 0}-${row?.own ?? 0}-${row?.others ?? 0}`;
}
