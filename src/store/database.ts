import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { asset } from "../assets.ts";
import { all, one, run, type Sql, type Verb } from "../sql.ts";

const folder = asset("store/migrations");

/** The migrations that ship, in order: `0001-heart.sql` is number 1. */
export function migrations(): readonly {
  readonly number: number;
  readonly name: string;
  readonly text: string;
}[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .map((name) => ({
      number: Number.parseInt(name, 10),
      name,
      text: readFileSync(join(folder, name), "utf8"),
    }));
}

/**
 * Makes the table of the one process that may work on this database. It is none of the migrations: it must be taken
 * before they run, and so it keeps this shape in every version.
 */
export function makeLease(sql: Sql): void {
  sql.script(
    `create table if not exists instance (
       one integer primary key check (one = 1),
       pid integer not null,
       started_at text not null,
       host text not null,
       since integer not null
     )`,
  );
}

/**
 * Brings the tables of the store up to date, forward only; each migration commits with its number or not at all.
 * Throws when the file was written by a newer version, because its rows may mean something else.
 */
export async function migrate(sql: Sql): Promise<void> {
  makeLease(sql);
  for (const script of await pendingStore(sql)) sql.script(script);
}

/** What is still to be done to bring the tables of the store up to date, in order. */
export async function pendingStore(sql: Sql, known = migrations()): Promise<readonly string[]> {
  sql.script("create table if not exists store_migration (number integer primary key, name text not null)");
  const done = await sql.read(() =>
    all<{ number: number }>("select number from store_migration order by number"),
  );
  const newest = done.at(-1)?.number ?? 0;
  if (newest > (known.at(-1)?.number ?? 0)) {
    throw new NewerDatabase(newest, known.at(-1)?.number ?? 0);
  }
  return known
    .filter(({ number }) => number > newest)
    .map(
      ({ number, name, text }) =>
        `${text}\ninsert into store_migration (number, name) values (${number}, '${name}');`,
    );
}

export class NewerDatabase extends Error {
  constructor(found: number, known: number) {
    super(`the database is at migration ${found}, this forgehand knows ${known}`);
    this.name = "NewerDatabase";
  }
}

/** Who holds the database: a process on a host, told apart from a later one with the same pid by its start time. */
export interface Owner {
  readonly pid: number;
  readonly startedAt: string;
  readonly host: string;
}

/** Who has it now, and since when. */
export interface Holder extends Owner {
  readonly since: number;
}

/** Takes the database for this process, or answers who has it. `isDead` decides about an owner on this host. */
export function* takeInstance(
  me: Owner,
  isDead: (owner: Owner) => boolean,
  now: number,
): Verb<"taken" | Holder> {
  const owner = yield* instanceOwner();
  if (owner !== undefined) {
    const isMe = owner.pid === me.pid && owner.startedAt === me.startedAt && owner.host === me.host;
    if (!isMe && !isDead(owner)) return owner;
  }
  yield* run(
    "insert into instance (one, pid, started_at, host, since) values (1, ?, ?, ?, ?) on conflict (one) do update set pid = excluded.pid, started_at = excluded.started_at, host = excluded.host, since = excluded.since",
    me.pid,
    me.startedAt,
    me.host,
    now,
  );
  return "taken";
}

/** Gives the database back, if this process still has it. */
export function* leaveInstance(me: Owner): Verb<void> {
  yield* run(
    "delete from instance where pid = ? and started_at = ? and host = ?",
    me.pid,
    me.startedAt,
    me.host,
  );
}

export function* instanceOwner(): Verb<Holder | undefined> {
  const row = yield* one<{ pid: number; started_at: string; host: string; since: number }>(
    "select * from instance where one = 1",
  );
  return row && { pid: row.pid, startedAt: row.started_at, host: row.host, since: row.since };
}
