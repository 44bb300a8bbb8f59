import type { LinearGrant } from "../ports-linear.ts";
import { all, change, one, run, type Verb } from "../sql.ts";
import type { Owner } from "./database.ts";

/** A workspace of Linear that was signed in to. */
export interface LinearWorkspace {
  readonly id: string;
  readonly name: string;
  readonly urlKey: string;
  readonly userId: string;
  readonly userName: string;
  readonly client: string;
  readonly grantedBy: LinearGrant;
  readonly scopes: readonly string[];
  /** Sealed. */
  readonly access: string;
  /** Sealed; undefined with client credentials. */
  readonly refresh: string | undefined;
  readonly obtainedAt: number;
  readonly expiresAt: number;
  readonly generation: number;
  readonly signedInAt: number;
  readonly signedOut: { readonly at: number; readonly why: string } | undefined;
  readonly failures: number;
  readonly failure: string | undefined;
  readonly retryAt: number;
}
/** What a sign-in or a refresh brings. */
export type SealedPair = Pick<LinearWorkspace, "scopes" | "access" | "refresh" | "obtainedAt" | "expiresAt">;
export type SignIn = SealedPair &
  Pick<LinearWorkspace, "id" | "name" | "urlKey" | "userId" | "userName" | "client" | "grantedBy">;

interface Row {
  readonly id: string;
  readonly name: string;
  readonly url_key: string;
  readonly user_id: string;
  readonly user_name: string;
  readonly client: string;
  readonly granted_by: LinearGrant;
  readonly scopes: string;
  readonly access: string;
  readonly refresh: string | null;
  readonly obtained_at: number;
  readonly expires_at: number;
  readonly generation: number;
  readonly signed_in_at: number;
  readonly signed_out_at: number | null;
  readonly signed_out_why: string | null;
  readonly refreshing_by: string | null;
  readonly refreshing_at: number | null;
  readonly failures: number;
  readonly failure: string | null;
  readonly retry_at: number;
}

const workspaceIn = (row: Row): LinearWorkspace => ({
  id: row.id,
  name: row.name,
  urlKey: row.url_key,
  userId: row.user_id,
  userName: row.user_name,
  client: row.client,
  grantedBy: row.granted_by,
  scopes: row.scopes.split(" ").filter((scope) => scope !== ""),
  access: row.access,
  refresh: row.refresh ?? undefined,
  obtainedAt: row.obtained_at,
  expiresAt: row.expires_at,
  generation: row.generation,
  signedInAt: row.signed_in_at,
  signedOut:
    row.signed_out_at === null ? undefined : { at: row.signed_out_at, why: row.signed_out_why ?? "unknown" },
  failures: row.failures,
  failure: row.failure ?? undefined,
  retryAt: row.retry_at,
});

export function* linearWorkspace(id: string): Verb<LinearWorkspace | undefined> {
  const row = yield* one<Row>("select * from linear_workspace where id = ?", id);
  return row && workspaceIn(row);
}
export function* linearWorkspaces(): Verb<readonly LinearWorkspace[]> {
  const rows = yield* all<Row>("select * from linear_workspace order by name, id");
  return rows.map(workspaceIn);
}

/** Keeps a sign-in; it takes the place of an earlier one to the same workspace, and of whatever stood against that. */
export function* signInToLinear(signIn: SignIn): Verb<void> {
  const before = yield* one<{ generation: number }>(
    "select generation from linear_workspace where id = ?",
    signIn.id,
  );
  // Which teams it may see was chosen anew.
  yield* forgetLinear(signIn.id);
  yield* run(
    `insert into linear_workspace (id, name, url_key, user_id, user_name, client, granted_by, scopes, access, refresh,
       obtained_at, expires_at, generation, signed_in_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    signIn.id,
    signIn.name,
    signIn.urlKey,
    signIn.userId,
    signIn.userName,
    signIn.client,
    signIn.grantedBy,
    signIn.scopes.join(" "),
    signIn.access,
    signIn.refresh ?? null,
    signIn.obtainedAt,
    signIn.expiresAt,
    // Of a row that was forgotten an answer may still come: its numbers are not given out again.
    (before?.generation ?? signIn.obtainedAt) + 1,
    signIn.obtainedAt,
  );
}

/** Who refreshes: a process, and which of its desks. */
type Holder = Owner & { readonly desk: string };

export type RefreshTurn =
  /** `after`: a process died while it asked, so the refresh token may be used up. */
  | { readonly is: "taken"; readonly after: "nobody" | "crash" }
  | { readonly is: "busy" }
  /** The row is not what was seen: another process has refreshed it, or has failed to. */
  | { readonly is: "newer" };

/**
 * Takes the turn to refresh the pair that was seen. One process at a time has it, until it is done, dead, or has had it
 * for longer than a request may take.
 */
export function* takeLinearRefresh(
  seen: Pick<LinearWorkspace, "id" | "generation" | "failures" | "signedOut">,
  turn: { readonly owner: Owner; readonly desk: string; readonly now: number; readonly longestMs: number },
  isDead: (owner: Owner) => boolean,
): Verb<RefreshTurn> {
  const { id } = seen;
  const { owner, desk, now, longestMs } = turn;
  const row = yield* one<Row>("select * from linear_workspace where id = ?", id);
  if (
    row === undefined ||
    row.generation !== seen.generation ||
    row.failures !== seen.failures ||
    row.signed_out_at !== (seen.signedOut?.at ?? null)
  )
    return { is: "newer" };
  const other = row.refreshing_by === null ? undefined : (JSON.parse(row.refreshing_by) as Holder);
  const isMine = other !== undefined && other.desk === desk && isSame(other, owner);
  const isOver = now - (row.refreshing_at ?? 0) > longestMs || now < (row.refreshing_at ?? 0) - longestMs;
  const died = other !== undefined && !isMine && isDead(other);
  if (other !== undefined && !isMine && !died && !isOver) return { is: "busy" };
  yield* run(
    "update linear_workspace set refreshing_by = ?, refreshing_at = ? where id = ?",
    JSON.stringify({ ...owner, desk } satisfies Holder),
    now,
    id,
  );
  return { is: "taken", after: other === undefined || isMine ? "nobody" : "crash" };
}

const isSame = (one: Owner, other: Owner): boolean =>
  one.pid === other.pid && one.startedAt === other.startedAt && one.host === other.host;

/** Keeps the pair that took the place of this generation; all is well again. Not when that generation is gone. */
export function* keepLinearTokens(id: string, generation: number, pair: SealedPair): Verb<"kept" | "newer"> {
  const changed = yield* change(
    `update linear_workspace set scopes = ?, access = ?, refresh = ?, obtained_at = ?, expires_at = ?,
       generation = generation + 1, signed_out_at = null, signed_out_why = null, refreshing_by = null,
       refreshing_at = null, failures = 0, failure = null, retry_at = 0
     where id = ? and generation = ?`,
    pair.scopes.join(" "),
    pair.access,
    pair.refresh ?? null,
    pair.obtainedAt,
    pair.expiresAt,
    id,
    generation,
  );
  return changed === 1 ? "kept" : "newer";
}

/** A person must sign in again. Answers whether that is news; a pair that came since is not touched. */
export function* signOutOfLinear(out: {
  readonly id: string;
  readonly generation: number;
  readonly why: string;
  readonly at: number;
}): Verb<"news" | "known" | "newer"> {
  const { id, generation, why, at } = out;
  const row = yield* one<Row>("select * from linear_workspace where id = ?", id);
  if (row === undefined || row.generation !== generation) return "newer";
  yield* run(
    `update linear_workspace set signed_out_at = coalesce(signed_out_at, ?), signed_out_why = ?, refreshing_by = null,
       refreshing_at = null, failures = 0, failure = null, retry_at = 0 where id = ?`,
    at,
    why,
    id,
  );
  return row.signed_out_at === null ? "news" : "known";
}

/** Trouble that passes: the turn is given back, and nobody asks before `retryAt`. */
export function* linearRefreshFailed(
  failed: { readonly id: string; readonly generation: number; readonly why: string },
  retryAt: (failures: number) => number,
): Verb<number | undefined> {
  const { id, generation, why } = failed;
  const row = yield* one<Row>("select * from linear_workspace where id = ?", id);
  if (row === undefined || row.generation !== generation) return undefined;
  const failures = row.failures + 1;
  const at = retryAt(failures);
  yield* run(
    `update linear_workspace set failures = ?, failure = ?, retry_at = ?, refreshing_by = null, refreshing_at = null
     where id = ?`,
    failures,
    why,
    at,
    id,
  );
  return at;
}

export function* forgetLinear(id: string): Verb<void> {
  yield* run("delete from linear_workspace where id = ?", id);
  yield* run("delete from linear_team where workspace = ?", id);
}

/** Whether the app may see a team, as of then; an older word changes nothing. */
export function* tellLinearTeam(told: {
  readonly workspace: string;
  readonly team: string;
  readonly is: "open" | "lost";
  readonly at: number;
}): Verb<void> {
  yield* run(
    `insert into linear_team (workspace, team, "is", at) values (?, ?, ?, ?)
     on conflict (workspace, team) do update set "is" = excluded."is", at = excluded.at where excluded.at >= linear_team.at`,
    told.workspace,
    told.team,
    told.is,
    told.at,
  );
}
export function* lostLinearTeams(workspace: string): Verb<readonly string[]> {
  const rows = yield* all<{ team: string }>(
    `select team from linear_team where workspace = ? and "is" = 'lost' order by team`,
    workspace,
  );
  return rows.map(({ team }) => team);
}
