/** Asks the process that serves a database to drain, and waits until it is gone. */
import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { hostname } from "node:os";
import { systemClock } from "../adapters/clock.ts";
import { isDead } from "../adapters/owner.ts";
import { exitCodes } from "../problems.ts";
import { secondInstance } from "../problems-database.ts";
import { openSqlite } from "../sql.ts";
import { instanceOwner, type Holder } from "../store/database.ts";
import { Failure, terminal } from "./output.ts";

/** A little longer than `up` lets runs go on, and somebody should look. */
const slackMs = 2 * 60_000;
const lookMs = 200;

export async function stopServing(database: string, drainMinutes: number): Promise<void> {
  const owner = await ownerOf(database);
  if (owner === undefined || isDead(owner)) return;
  const { pid, host } = owner;
  if (host !== hostname()) throw secondInstance(database, owner);
  if (!isForgehand(pid))
    throw new Failure(
      exitCodes.locked,
      `process ${pid} has the lease of ${database} and does not look like forgehand, so it is left alone: look at it (\`ps -p ${pid}\`) and end it yourself`,
    );
  terminal.err(
    `process ${pid} drains: runs go on for up to ${drainMinutes} minutes; \`kill ${pid}\` interrupts them\n`,
  );
  process.kill(pid, "SIGTERM");
  const clock = systemClock();
  const end = clock.now() + drainMinutes * 60_000 + slackMs;
  while (!isDead(owner)) {
    if (clock.now() > end)
      throw new Failure(
        exitCodes.locked,
        `process ${pid} still drains; nothing was restored. End it, and try again`,
      );
    await clock.until(clock.now() + lookMs);
  }
}

/** Who has this database, dead or alive; undefined where nobody has, or it is none. */
export async function ownerOf(database: string): Promise<Holder | undefined> {
  try {
    const sql = openSqlite(database, { readonly: true });
    try {
      return await sql.read(instanceOwner);
    } finally {
      sql.close();
    }
  } catch {
    // A database that cannot be read names nobody.
    return undefined;
  }
}

/** Its command line says so. The lease already tells one process from a later one of the same number where there is /proc. */
function isForgehand(pid: number): boolean {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    return line.includes("forgehand");
  } catch {
    try {
      return execFileSync("ps", ["-p", String(pid), "-o", "command="], { encoding: "utf8" }).includes(
        "forgehand",
      );
    } catch {
      return false;
    }
  }
}
