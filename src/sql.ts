import { existsSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";

/** What one statement takes; booleans are 0 and 1, JSON is text, time is milliseconds since 1970. */
export type SqlValue = string | number | null;
export interface Statement {
  readonly sql: string;
  readonly args: readonly SqlValue[];
  /** Whoever asks looks at no row but the first. */
  readonly isOne?: true;
}

/**
 * A store verb: one transaction, written once as a generator of portable SQL (`on conflict`, `returning`, `?`).
 * Verbs compose with `yield*`. A statement that returns no rows is answered with one: how many it changed. The driver decides whether it runs synchronously (SQLite) or not (a server).
 */
export type Verb<Result> = Generator<Statement, Result, readonly unknown[]>;

/** Runs one statement inside a verb and returns its rows. The caller names the row's shape: it wrote the SQL. */
export function* all<Row>(sql: string, ...args: readonly SqlValue[]): Verb<readonly Row[]> {
  return (yield { sql, args }) as readonly Row[];
}

/** The first row, if any. */
export function* one<Row>(sql: string, ...args: readonly SqlValue[]): Verb<Row | undefined> {
  return ((yield { sql, args, isOne: true }) as readonly Row[])[0];
}

/** Runs a statement for its effect. */
export function* run(sql: string, ...args: readonly SqlValue[]): Verb<void> {
  yield { sql, args };
}

/** Runs a statement for its effect and answers how many rows it changed. */
export function* change(sql: string, ...args: readonly SqlValue[]): Verb<number> {
  return ((yield { sql, args }) as readonly { readonly changes: number }[])[0]?.changes ?? 0;
}

export interface Sql {
  /** One transaction; resolves when it is on disk. Verbs waiting at the same moment share one fsync. */
  commit<Result>(verb: () => Verb<Result>): Promise<Result>;
  /** Reads without a transaction of its own. */
  read<Result>(verb: () => Verb<Result>): Promise<Result>;
  /** Grows when another connection to the file has committed. */
  version(): number;
  /** Runs a script of several statements in one transaction; for migrations. */
  script(text: string): void;
  close(): void;
}

/** At most this many verbs share one transaction, so that one fsync never delays the first of them much. */
const maxGroup = 256;

interface Waiting {
  readonly verb: () => Verb<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * The binary comes with the library, for three systems; elsewhere that must be said in words. So must a folder that is not
 * there, for which the library has an error without a code.
 */
function openFile(
  path: string,
  { readonly, busyMs }: { readonly readonly: boolean; readonly busyMs: number },
): Database.Database {
  try {
    return new Database(path, { readonly, timeout: busyMs });
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const code = "code" in cause ? cause.code : undefined;
    if (code === "MODULE_NOT_FOUND" || code === "ERR_DLOPEN_FAILED")
      throw Object.assign(new Error(cause.message, { cause }), { code: "SQLITE_NOBINARY" });
    if (cause instanceof TypeError && !existsSync(dirname(path)))
      throw Object.assign(new Error(cause.message, { cause }), { code: "SQLITE_CANTOPEN", path });
    throw Object.assign(cause, { path });
  }
}

export interface SqliteOptions {
  readonly readonly?: boolean;
  /** So long a write waits for another connection's to end; 5,000 when left out. */
  readonly busyMs?: number;
  /** Told of each transaction that is on disk, and how many seconds that took. */
  readonly onCommit?: (seconds: number) => void;
}

/**
 * SQLite looks at what is bound to a bare `?` while it plans, and then plans anew, some 50 µs, whenever something else is
 * bound (`limit ?`, `a = ? order by b`); it has a switch against that, which its binding does not hand on. A sign hides the value.
 */
const plannedOnce = (sql: string): string =>
  sql.replace(/'[^']*'|"[^"]*"|--[^\n]*|\?/g, (part) => (part === "?" ? "+?" : part));

/** Runs verbs on this connection; each text of a statement is prepared once. */
function driverOf(db: Database.Database): <Result>(verb: () => Verb<Result>) => Result {
  const prepared = new Map<string, Database.Statement>();
  const prepare = (sql: string): Database.Statement => {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    const statement = db.prepare(plannedOnce(sql));
    prepared.set(sql, statement);
    return statement;
  };
  return <Result>(verb: () => Verb<Result>): Result => {
    const steps = verb();
    let next = steps.next([]);
    while (next.done !== true) {
      const { sql, args, isOne } = next.value;
      const statement = prepare(sql);
      next = steps.next(
        !statement.reader
          ? [statement.run(...args)]
          : isOne === true
            ? [statement.get(...args)]
            : statement.all(...args),
      );
    }
    return next.value;
  };
}

/**
 * Opens one SQLite file: WAL, `synchronous=FULL` (a committed verb survives a power cut), foreign keys on.
 * Throws better-sqlite3's SqliteError (`code` SQLITE_READONLY, SQLITE_FULL, SQLITE_NOTADB, …).
 */
export function openSqlite(path: string, options: SqliteOptions = {}): Sql {
  const db = openFile(path, { readonly: options.readonly ?? false, busyMs: options.busyMs ?? 5_000 });
  if (options.readonly !== true) {
    // A commit writes each page it touches whole; most of our rows are small. Only an empty file takes this.
    db.pragma("page_size = 2048");
    // What is deleted can be given back to the disk bit by bit. Only an empty file takes this too.
    db.pragma("auto_vacuum = incremental");
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    // 8 MB of log: a checkpoint stops a commit for about a millisecond, so not at every hundredth.
    db.pragma("wal_autocheckpoint = 4000");
  }
  db.pragma("foreign_keys = ON");
  const drive = driverOf(db);
  const begin = db.prepare("begin immediate");
  const commitAll = db.prepare("commit");
  const rollback = db.prepare("rollback");
  const savepoint = db.prepare("savepoint verb");
  const release = db.prepare("release verb");
  const undo = db.prepare("rollback to verb");

  /** Alone in its transaction, a verb that throws takes all of it back. */
  const runAlone = ({ verb, resolve }: Waiting): (() => void) => {
    const value = drive(verb);
    return () => resolve(value);
  };
  const runAmongOthers = ({ verb, resolve, reject }: Waiting): (() => void) => {
    savepoint.run();
    try {
      const value = drive(verb);
      release.run();
      return () => resolve(value);
    } catch (error) {
      // A full disk may already have ended the whole transaction; then every member fails.
      if (!db.inTransaction) throw error;
      undo.run();
      release.run();
      return () => reject(error);
    }
  };
  let queue: Waiting[] = [];
  let inTurn = false;
  const flush = (): void => {
    const group = queue.splice(0, maxGroup);
    if (group.length === 0) return;
    if (queue.length > 0) schedule();
    const runMember = group.length === 1 ? runAlone : runAmongOthers;
    const done: (() => void)[] = [];
    const startedAt = performance.now();
    try {
      begin.run();
      for (const waiting of group) done.push(runMember(waiting));
      commitAll.run();
    } catch (error) {
      if (db.inTransaction) rollback.run();
      for (const waiting of group) waiting.reject(error);
      return;
    }
    options.onCommit?.((performance.now() - startedAt) / 1_000);
    for (const settle of done) settle();
  };
  /** The first of a turn of the event loop goes at once; what else that turn brings goes together at its end. */
  const schedule = (): void => {
    if (inTurn) return;
    inTurn = true;
    process.nextTick(flush);
    setImmediate(() => {
      inTurn = false;
      flush();
    });
  };
  return {
    commit: <Result>(verb: () => Verb<Result>) =>
      new Promise<Result>((resolve, reject) => {
        queue.push({ verb, resolve: (value) => resolve(value as Result), reject });
        schedule();
      }),
    read: async (verb) => drive(verb),
    version: () => db.pragma("data_version", { simple: true }) as number,
    script: (text) => {
      db.transaction(() => db.exec(text))();
    },
    close: () => {
      while (queue.length > 0) flush();
      queue = [];
      db.close();
    },
  };
}
