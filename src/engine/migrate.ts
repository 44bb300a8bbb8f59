import { one, type Sql } from "../sql.ts";

/** The engine's own tables. An ended run is ended by exactly one update of `status`, which others may hang a trigger on. */
export const migrations: readonly string[] = [
  `create table run (
     id text primary key,
     workflow text not null,
     source text,
     folder text,
     parent text,
     frame integer,
     replays integer not null default 0,
     definition text,
     input text not null,
     status text not null default 'ready',
     output text,
     error text,
     outcome text,
     fence integer not null default 0,
     owner text,
     heartbeat_at integer not null default 0,
     wake_at integer,
     created_at integer not null,
     settled_at integer,
     cleaned_at integer,
     -- The end that its summary is of.
     summarised_at integer
   ) without rowid;
   create index run_newest on run (created_at, id);
   create index run_parent on run (parent) where parent is not null;
   create index run_by_status on run (status, wake_at);
   create index run_settled on run (settled_at) where settled_at is not null;
   create index run_untold on run (settled_at) where settled_at is not null and (summarised_at is null or summarised_at <> settled_at);
   create index run_stray on run (id) where status in ('cancelled', 'paused') and owner is not null;
   create table attempt (
     seq integer primary key,
     run text not null references run (id),
     leaf text not null,
     iteration text not null,
     attempt integer not null,
     status text not null,
     output text,
     error text,
     memory text,
     ask text,
     due_at integer,
     paused integer not null default 0,
     -- What it does to the world that no rewind takes back.
     effect text,
     -- The folder it wrote in, as it was before the run first wrote there, and as it was when the attempt had ended.
     folder text,
     baseline text,
     snapshot text,
     -- The rewind that took it out of the run; 0 while it counts.
     cut integer not null default 0,
     started_at integer not null,
     ended_at integer,
     -- The newest row there was when it ended: what is newer began knowing of its end.
     ended_after integer,
     unique (run, leaf, iteration, attempt, cut)
   );
   create table said (
     attempt integer not null references attempt (seq),
     n integer not null,
     at integer not null,
     kind text not null,
     text text not null,
     primary key (attempt, n)
   ) without rowid;
   create table summary (
     run text primary key references run (id),
     settled_at integer not null,
     text text not null,
     "by" text not null,
     note text
   ) without rowid;
   create table definition (
     hash text primary key,
     text text not null,
     imports text not null
   ) without rowid;
   -- What a replay takes instead of working.
   create table given (
     run text not null references run (id),
     leaf text not null,
     iteration text not null,
     attempt integer not null,
     status text not null,
     output text,
     error text,
     ask text,
     folder text,
     snapshot text,
     primary key (run, leaf, iteration, attempt)
   ) without rowid;
   -- A rewind, or what took rewinds back; until it is done, the run is held as cancelled.
   create table rewind (
     run text not null references run (id),
     number integer not null,
     frame integer,
     undoes integer,
     -- The run as it was, and its folders with what their files were kept as.
     before text not null,
     files text not null,
     -- The newest row there was, the rows that were cut, and those that were brought back.
     newest integer not null,
     cut text not null default '[]',
     brought text not null default '[]',
     by text not null,
     at integer not null,
     done_at integer,
     primary key (run, number)
   ) without rowid;
   create table cached (
     scope text not null,
     key text not null,
     output text not null,
     at integer not null,
     expires_at integer,
     primary key (scope, key)
   ) without rowid;
   -- What people did to a run from outside, in the transaction that did it.
   create table run_order (
     run text not null references run (id),
     number integer not null,
     what text not null,
     -- The leaf that it was about.
     leaf text,
     attempt integer,
     note text not null,
     by text not null,
     at integer not null,
     primary key (run, number)
   ) without rowid;
   -- When something that is done now and then was done last.
   create table chore (name text primary key, at integer not null) without rowid;`,
  // What asks people is found among however many runs that wait for an hour to come.
  `create index attempt_asking on attempt (seq) where status = 'waiting' and ask is not null and cut = 0;`,
];

/** How many there are by now. */
export const migrationsKnown = migrations.length;

/** Brings the engine's tables up to date, forward only. */
export async function migrateEngine(sql: Sql): Promise<void> {
  for (const { number, script } of await pendingEngine(sql)) {
    try {
      // Whoever else migrates at this moment fails at the number, and everything is taken back.
      sql.script(script);
    } catch (error) {
      const done = await sql.read(() => one("select 1 from engine_migration where number = ?", number));
      if (done === undefined) throw error;
    }
  }
}

/** What is still to be done to bring the engine's tables up to date, in order. */
export async function pendingEngine(
  sql: Sql,
): Promise<readonly { readonly number: number; readonly script: string }[]> {
  sql.script("create table if not exists engine_migration (number integer primary key)");
  const done = await sql.read(() =>
    one<{ newest: number | null }>("select max(number) as newest from engine_migration"),
  );
  const found = done?.newest ?? 0;
  if (found > migrations.length) throw new NewerEngine(found, migrations.length);
  return migrations.slice(found).map((text, index) => {
    const number = found + index + 1;
    return { number, script: `insert into engine_migration values (${number});\n${text}` };
  });
}

/** The rows may mean what this engine does not know. */
export class NewerEngine extends Error {
  constructor(found: number, known: number) {
    super(
      `the database is at engine migration ${found} and this forgehand knows ${known}: use the newer forgehand that wrote it`,
    );
    this.name = "NewerEngine";
  }
}
