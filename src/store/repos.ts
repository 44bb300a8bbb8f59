import type { Repo } from "../ports.ts";
import { all, one, run, type Verb } from "../sql.ts";
import { sendForeign } from "./outbox.ts";

/** The files that a configuration is made of besides the repository's own. */
type Sources =
  | {
      readonly path: string | undefined;
      readonly workflow: { readonly path: string; readonly text: string } | undefined;
      readonly under: readonly {
        readonly repo: string;
        readonly path: string;
        readonly text: string;
        readonly at: string;
        readonly how: "organisation" | "extends";
        readonly isHidden: boolean;
      }[];
      readonly asked: readonly string[];
      readonly faults: readonly {
        readonly repo?: string;
        readonly path: string;
        readonly line: number;
        readonly column: number;
        readonly message: string;
      }[];
    }
  | undefined;

export interface KnownRepo extends Repo {
  /** Text of its file of configuration on the default branch; undefined when there is none. */
  readonly config: string | undefined;
  /** What counts besides that file; its shape is of whoever reads configurations. */
  readonly sources: Sources;
  /** The newest such text, or absence of one, and personas, of which nothing was wrong; they stay in force while something is. */
  readonly sound: (Pick<KnownRepo, "config" | "sources" | "personas"> & { readonly at: string }) | undefined;
  /** Text of `AGENTS.md` there; undefined when there is none. */
  readonly houseRules: string | undefined;
  /** Its own personas by name, as text; null is one that could not be read. */
  readonly personas: Readonly<Record<string, string | null>>;
  /** The commit configuration, personas and house rules were read at. */
  readonly configAt: string | undefined;
  readonly syncedAt: number;
  readonly removedAt: number | undefined;
  /** Names the time in which something is wrong; undefined while nothing is. */
  readonly toldSince: string | undefined;
}
interface RepoRow {
  id: number;
  owner: string;
  name: string;
  installation: number;
  default_branch: string;
  private: number;
  config: string | null;
  sources: string | null;
  config_at: string | null;
  sound_config: string | null;
  sound_sources: string | null;
  sound_personas: string | null;
  sound_at: string | null;
  house_rules: string | null;
  personas: string | null;
  synced_at: number;
  removed_at: number | null;
  told: string | null;
  tellings: number;
  told_since: string;
}
const repoOf = (row: RepoRow): KnownRepo => ({
  id: row.id,
  owner: row.owner,
  name: row.name,
  installation: row.installation,
  defaultBranch: row.default_branch,
  private: row.private === 1,
  config: row.config ?? undefined,
  sources: sourcesIn(row.sources),
  sound:
    row.sound_at === null
      ? undefined
      : {
          config: row.sound_config ?? undefined,
          sources: sourcesIn(row.sound_sources),
          personas: personasIn(row.sound_personas),
          at: row.sound_at,
        },
  configAt: row.config_at ?? undefined,
  houseRules: row.house_rules ?? undefined,
  personas: personasIn(row.personas),
  syncedAt: row.synced_at,
  removedAt: row.removed_at ?? undefined,
  toldSince: row.told === null ? undefined : row.told_since,
});

/** As we wrote them below. */
const sourcesIn = (text: string | null): Sources =>
  text === null ? undefined : (JSON.parse(text) as Sources);
const personasIn = (text: string | null): KnownRepo["personas"] =>
  text === null ? {} : (JSON.parse(text) as KnownRepo["personas"]);

/** Makes a repository known, or takes its new name; one that was removed is back. */
export function* knowRepo(repo: Repo): Verb<void> {
  yield* run(
    `insert into repo (id, owner, name, installation, default_branch, private) values (?, ?, ?, ?, ?, ?)
     on conflict (id) do update set owner = excluded.owner, name = excluded.name, installation = excluded.installation,
       default_branch = excluded.default_branch, private = excluded.private, removed_at = null`,
    repo.id,
    repo.owner,
    repo.name,
    repo.installation,
    repo.defaultBranch,
    repo.private ? 1 : 0,
  );
}
export function* repoById(id: number): Verb<KnownRepo | undefined> {
  const row = yield* one<RepoRow>("select * from repo where id = ?", id);
  return row && repoOf(row);
}
/** A repository where the App is installed, by its name in any spelling. */
export function* repoNamed(owner: string, name: string): Verb<KnownRepo | undefined> {
  const row = yield* one<RepoRow>(
    "select * from repo where lower(owner) = lower(?) and lower(name) = lower(?) and removed_at is null",
    owner,
    name,
  );
  return row && repoOf(row);
}
export function* knownRepos(): Verb<readonly KnownRepo[]> {
  return (yield* all<RepoRow>("select * from repo where removed_at is null order by owner, name")).map(
    repoOf,
  );
}
/** Numbers of the repositories where the App is installed. */
export function* repoIds(): Verb<readonly number[]> {
  return (yield* all<{ id: number }>("select id from repo where removed_at is null")).map(({ id }) => id);
}
export function* removeRepo(id: number, now: number): Verb<void> {
  yield* run("update repo set removed_at = ? where id = ?", now, id);
}
/** What the default branch says about how to work there, and the commit it was read at. */
export interface Rulebook {
  readonly config: string | undefined;
  readonly sources: Sources;
  readonly houseRules: string | undefined;
  readonly personas: Readonly<Record<string, string | null>>;
  readonly at: string;
  /** Tells what is wrong with configuration and personas from anything else that is; undefined when nothing is. */
  readonly wrong: string | undefined;
}
/**
 * Keeps what was read, and the last sound rules beside some that are not. What people are to be told of it goes out with
 * it: what is wrong, at each commit anew, and once that it is right again.
 */
export function* keepConfig(id: number, read: Rulebook, now: number): Verb<void> {
  const personas = Object.keys(read.personas).length === 0 ? null : JSON.stringify(read.personas);
  const sources = read.sources === undefined ? null : JSON.stringify(read.sources);
  yield* run(
    "update repo set config = ?, sources = ?, house_rules = ?, personas = ?, config_at = ? where id = ?",
    read.config ?? null,
    sources,
    read.houseRules ?? null,
    personas,
    read.at,
    id,
  );
  if (read.wrong === undefined)
    yield* run(
      "update repo set sound_config = ?, sound_sources = ?, sound_personas = ?, sound_at = ? where id = ?",
      read.config ?? null,
      sources,
      personas,
      read.at,
      id,
    );
  yield* tellOf(id, read, now);
}

function* tellOf(id: number, { wrong, at }: Rulebook, now: number): Verb<void> {
  const told = wrong === undefined ? null : `${at} ${wrong}`;
  const row = yield* one<{ told: string | null; tellings: number; told_since: string }>(
    "select told, tellings, told_since from repo where id = ?",
    id,
  );
  if (row === undefined || row.told === told) return;
  const telling = row.tellings + 1;
  // With the commit, so that no other database of ours ever gives the same name.
  const since = row.told === null ? `${telling} ${at}` : row.told_since;
  yield* run("update repo set told = ?, tellings = ?, told_since = ? where id = ?", told, telling, since, id);
  yield* sendForeign(`config:${id}:${telling}`, { type: "config.tell", repo: id, since }, now);
}
export function* markSynced(id: number, at: number): Verb<void> {
  yield* run("update repo set synced_at = ? where id = ?", at, id);
}
