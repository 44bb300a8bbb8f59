/** Whether a database is as new as this forgehand, and what brings it there. */
import { isDead, thisProcess } from "../adapters/owner.ts";
import { systemClock } from "../adapters/clock.ts";
import { versionsIn } from "../backup/copy.ts";
import { migrationsKnown } from "../engine/index.ts";
import { secondInstance } from "../problems-database.ts";
import { openSqlite } from "../sql.ts";
import { makeLease, migrations } from "../store/database.ts";
import { bringUpToDate } from "../upgrade.ts";
import { deskStore } from "./database.ts";
import { bad, ok, warn, type Finding } from "./doctor-finding.ts";

export interface UpgradeLook {
  readonly is: "newest" | "behind" | "ahead";
  readonly finding: Finding;
}

/** Compares what was done to it with what this forgehand knows; undefined where it is no database of ours. */
export function checkUpgradable(path: string, by: "served" | "unserved"): UpgradeLook | undefined {
  const found = versionsIn(path);
  if (found === undefined) return undefined;
  const known = { store: migrations().at(-1)?.number ?? 0, engine: migrationsKnown };
  const [is, was] = [`${found.store}.${found.engine}`, `${known.store}.${known.engine}`];
  if (found.store > known.store || found.engine > known.engine)
    return {
      is: "ahead",
      finding: bad(
        "usage",
        `${path} is at version ${is}, newer than this forgehand's ${was}`,
        "use the forgehand that wrote it",
      ),
    };
  if (found.store === known.store && found.engine === known.engine)
    return { is: "newest", finding: ok(`version ${is}, the newest`) };
  const behind = `version ${is}, and this forgehand's is ${was}`;
  if (by === "served")
    return {
      is: "behind",
      finding: warn(
        `${behind}; an older forgehand serves it`,
        "start that process anew with this version: it copies the database, then brings it up to date",
      ),
    };
  return {
    is: "behind",
    finding: {
      ...warn(behind, "forgehand up, which copies the database, then brings it up to date"),
      mend: {
        deed: `copy ${path} into backups/ beside it and bring it to version ${was}`,
        run: () => upgrade(path),
      },
    },
  };
}

/** As `up` does it: under the lease, so that nobody begins to serve meanwhile. */
async function upgrade(path: string): Promise<string> {
  const me = thisProcess();
  const clock = systemClock();
  const sql = openSqlite(path);
  try {
    const store = deskStore(sql);
    makeLease(sql);
    const taken = await store.takeInstance(me, isDead, clock.now());
    if (taken !== "taken") throw secondInstance(path, taken);
    try {
      const copy = await bringUpToDate(sql, { database: path, now: clock.now() });
      return copy === undefined
        ? "it is up to date already"
        : `brought up to date; as it was before: ${copy}`;
    } finally {
      await store.leaveInstance(me);
    }
  } finally {
    sql.close();
  }
}
