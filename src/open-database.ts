import { mkdirSync } from "node:fs";
import { isDead, thisProcess } from "./adapters/owner.ts";
import { runVerbs } from "./engine/index.ts";
import { databaseProblem, secondInstance } from "./problems-database.ts";
import type { Clock } from "./ports.ts";
import { openSqlite, type Sql } from "./sql.ts";
import { makeLease } from "./store/database.ts";
import { openStore, type Store } from "./store/store.ts";
import { bringUpToDate } from "./upgrade.ts";
import { openStandby, type Standby } from "./standby.ts";
import type { ForgehandOptions } from "./serving.ts";

/** The database, brought up to date, and ours alone. */
export async function openDatabase(
  { environment, updates }: ForgehandOptions,
  owner: ReturnType<typeof thisProcess>,
  clock: Clock,
  onCommit: (seconds: number) => void,
): Promise<{ sql: Sql; store: Store; standby: Standby }> {
  try {
    mkdirSync(environment.dataDir, { recursive: true, mode: 0o700 });
    const sql = openSqlite(environment.database, { onCommit });
    const store = openStore(sql, runVerbs);
    try {
      // The lease first, so that a second instance never migrates under the first.
      makeLease(sql);
      const taken = await store.takeInstance(owner, isDead, clock.now());
      if (taken !== "taken") throw secondInstance(environment.database, taken);
      await bringUpToDate(sql, { database: environment.database, now: clock.now() });
      return { sql, store, standby: await openStandby(store, updates, clock) };
    } catch (error) {
      // Looked at before it is closed, which takes the files beside it away.
      const problem = databaseProblem(error, environment.database);
      await store.leaveInstance(owner).catch(() => undefined);
      sql.close();
      throw problem ?? error;
    }
  } catch (error) {
    throw databaseProblem(error, environment.database) ?? error;
  }
}
