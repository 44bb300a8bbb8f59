import type { ApiToken, Scope } from "../ports-dashboard-access.ts";
import { all, change, one, run, type Verb } from "../sql.ts";

/** More are not listed. */
const maxListed = 500;

interface TokenRow {
  readonly name: string;
  readonly scope: Scope;
  readonly repos: string | null;
  readonly madeBy: string;
  readonly madeAt: number;
  readonly expiresAt: number | null;
  readonly usedAt: number | null;
}
const columns =
  "name, scope, repos, made_by as madeBy, made_at as madeAt, expires_at as expiresAt, used_at as usedAt";

const tokenOf = ({ repos, expiresAt, usedAt, ...row }: TokenRow): ApiToken => ({
  ...row,
  // Written below, by nobody else.
  repos: repos === null ? undefined : (JSON.parse(repos) as number[]),
  expiresAt: expiresAt ?? undefined,
  usedAt: usedAt ?? undefined,
});

/** Keeps a token by its hash; `taken` when another has its name. */
export function* keepApiToken(
  hash: string,
  { name, scope, repos, madeBy, madeAt, expiresAt }: Omit<ApiToken, "usedAt">,
): Verb<"kept" | "taken"> {
  const kept = yield* change(
    "insert into api_token (hash, name, scope, repos, made_by, made_at, expires_at) values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
    hash,
    name,
    scope,
    repos === undefined ? null : JSON.stringify(repos),
    madeBy,
    madeAt,
    expiresAt ?? null,
  );
  return kept === 1 ? "kept" : "taken";
}

/** Undefined for one that is unknown, revoked or too old. */
export function* apiToken(hash: string, now: number): Verb<ApiToken | undefined> {
  const row = yield* one<TokenRow>(
    `select ${columns} from api_token where hash = ? and (expires_at is null or expires_at > ?)`,
    hash,
    now,
  );
  return row && tokenOf(row);
}
export function* apiTokens(): Verb<readonly ApiToken[]> {
  return (yield* all<TokenRow>(`select ${columns} from api_token order by name limit ${maxListed}`)).map(
    tokenOf,
  );
}
export function* usedApiToken(hash: string, now: number): Verb<void> {
  yield* run("update api_token set used_at = ? where hash = ?", now, hash);
}
/** Answers how many there were. */
export function* revokeApiToken(name: string): Verb<number> {
  return yield* change("delete from api_token where name = ?", name);
}
