import { existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isDead } from "../adapters/owner.ts";
import { exitCodes } from "../problems.ts";
import { accessProblem, databaseProblem } from "../problems-database.ts";
import { verifyLedger } from "../shell/verify-ledger.ts";
import { all, one, openSqlite, type Sql } from "../sql.ts";
import { instanceOwner, type Owner } from "../store/database.ts";
import type { Store } from "../store/store.ts";
import { deskStore } from "./database.ts";
import { checkMode } from "./doctor-modes.ts";
import { checkUpgradable } from "./doctor-upgrade.ts";
import { haltsTold } from "./halts-told.ts";
import { badly, broken, ok, warn, type Finding } from "./doctor-finding.ts";

/** A longer ledger is left to `forgehand ledger verify`: doctor is to answer at once. */
const quickLines = 20_000;
/** It is folded in at 8 MB while somebody serves. */
const muchLog = 64 * 1024 ** 2;

interface Looked {
  readonly findings: readonly Finding[];
  /** Somebody serves on it now, of whatever version; or that cannot be known, and then nothing of theirs may be touched. */
  readonly isServed: boolean;
}

/** Only reads: a doctor that writes would be in the way of the patient. */
export async function checkDatabase(path: string, dataDir: string): Promise<Looked> {
  if (!existsSync(path)) return { findings: [notYet(path, dataDir)], isServed: false };
  try {
    const sql = openSqlite(path, { readonly: true });
    try {
      return await examine(sql, path);
    } finally {
      sql.close();
    }
  } catch (error) {
    const problem = databaseProblem(error, path);
    if (problem === undefined) throw error;
    return { findings: [badly(problem)], isServed: true };
  }
}

/** `up` makes the data folder with whatever leads to it, and no other one. */
function notYet(path: string, dataDir: string): Finding {
  const problem = accessProblem(path);
  const isMade = `${resolve(dataDir)}/`.startsWith(`${dirname(resolve(path))}/`);
  return problem === undefined || (problem.code === "database-unopenable" && isMade)
    ? ok(`no database at ${path} yet: \`forgehand up\` makes it`)
    : badly(problem);
}

/** Whoever only reads it may not notice that `up` cannot write it. */
function writable(path: string): readonly Finding[] {
  const problem = accessProblem(path);
  return problem === undefined ? [] : [badly(problem)];
}

/** The lease is made before anything else: a database without one was never served. */
async function ownerIn(sql: Sql): Promise<Owner | undefined> {
  const lease = await sql.read(() =>
    one("select 1 from sqlite_schema where type = 'table' and name = 'instance'"),
  );
  return lease === undefined ? undefined : await sql.read(instanceOwner);
}

async function examine(sql: Sql, path: string): Promise<Looked> {
  const [check] = await sql.read(() => all<{ quick_check: string }>("pragma quick_check(1)"));
  if (check?.quick_check !== "ok")
    return {
      findings: [broken("database-broken", { path, why: check?.quick_check ?? "no answer" })],
      isServed: true,
    };
  const owner = await ownerIn(sql);
  const isServed = owner !== undefined && !isDead(owner);
  const upgrade = checkUpgradable(path, isServed ? "served" : "unserved");
  if (upgrade === undefined)
    return {
      findings: [broken("database-broken", { path, why: "it has no tables of ours" })],
      isServed: false,
    };
  if (upgrade.is === "ahead") return { findings: [upgrade.finding], isServed };
  const wal = await sql.read(() => one<{ journal_mode: string }>("pragma journal_mode"));
  const head: readonly Finding[] = [
    ok(`${path} is intact, ${(statSync(path).size / 1024 ** 2).toFixed(1)} MiB`),
    ...writable(path),
    upgrade.finding,
    wal?.journal_mode === "wal"
      ? ok("write-ahead log on")
      : warn(
          `its journal is ${wal?.journal_mode ?? "unknown"}`,
          "start `forgehand up`, which turns the write-ahead log on",
        ),
    ...log(path),
    (statSync(dirname(resolve(path))).mode & 0o077) === 0
      ? ok("closed to other users")
      : checkMode({
          path,
          what: path,
          to: "others",
          mode: "600",
          beside: [`${path}-wal`, `${path}-shm`],
        }),
  ];
  if (upgrade.is === "behind") return { findings: head, isServed };
  return { findings: [...head, lives(owner), ...(await checkRows(deskStore(sql)))], isServed };
}

function lives(owner: Owner | undefined): Finding {
  if (owner === undefined) return warn("nobody serves it now", "forgehand up");
  return isDead(owner)
    ? warn(
        `process ${owner.pid} served it and died`,
        "forgehand up, which takes over at once and goes on where it stopped",
      )
    : ok(`served by process ${owner.pid} on ${owner.host}`);
}

/** A log that nobody folds into the file grows, and every reader walks it. */
function log(path: string): readonly Finding[] {
  const bytes = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes < muchLog) return [];
  return [
    {
      ...warn(
        `its write-ahead log has grown to ${(bytes / 1024 ** 2).toFixed(0)} MiB`,
        "forgehand doctor --fix, which folds it into the database",
      ),
      mend: {
        deed: `fold ${path}-wal into the database`,
        run: async () => {
          const sql = openSqlite(path);
          try {
            // Where a reader is in the way, it takes what it can and leaves the rest for later.
            const [done] = await sql.read(() => all<{ busy: number }>("pragma wal_checkpoint(truncate)"));
            return done?.busy === 0
              ? "its log was folded in"
              : "its log was folded in as far as readers let it";
          } finally {
            sql.close();
          }
        },
      },
    },
  ];
}

async function checkRows(store: Store): Promise<readonly Finding[]> {
  const { seq } = await store.ledgerHead();
  const [inbox, outbox, halts] = await Promise.all([
    store.inboxCounts(),
    store.outboxCounts(),
    haltsTold(store),
  ]);
  return [
    await checkLedger(store, seq),
    inbox.parked === 0
      ? ok(`${inbox.waiting} waiting in the inbox, ${outbox.waiting} in the outbox`)
      : warn(
          `${inbox.parked} deliveries could not be read`,
          "forgehand ps, then `forgehand explain` names them",
        ),
    ...(inbox.troubled === 0
      ? []
      : [
          warn(
            `${inbox.troubled} deliveries wait because reading them meets trouble; they are tried until it passes`,
            "forgehand ps, then `forgehand explain` names the trouble and the next try",
          ),
        ]),
    ...(outbox.failed === 0
      ? []
      : [
          warn(
            `${outbox.failed} effects were given up`,
            "forgehand inspect TICKET names each with its reason",
          ),
        ]),
    ...halts.map(({ what, fix }) => warn(what, fix)),
  ];
}

async function checkLedger(store: Store, lines: number): Promise<Finding> {
  if (lines > quickLines) return ok(`${lines} ledger lines; \`forgehand ledger verify\` checks them all`);
  const { faults, tickets } = await verifyLedger(store);
  const [first] = faults;
  return first === undefined
    ? ok(`the ledger holds: ${lines} lines, ${tickets} tickets`)
    : { ...broken("ledger-broken", { line: first.seq, why: first.why }), exit: exitCodes.failed };
}
