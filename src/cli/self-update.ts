/** `forgehand self-update` and `upgrade --check`: which version comes next, and whether it can go on here. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { systemClock } from "../adapters/clock.ts";
import { isDead } from "../adapters/owner.ts";
import { versionsIn } from "../backup/copy.ts";
import { migrationsKnown } from "../engine/index.ts";
import { exitCodes, Problem } from "../problems.ts";
import { openSqlite } from "../sql.ts";
import { instanceOwner, migrations } from "../store/database.ts";
import { askLauncher } from "../update/desk.ts";
import { currentVersion } from "../update/current.ts";
import { integrityPattern, readUpdate, versionPattern, versionsFolder } from "../update/state.ts";
import { ownVersion } from "../version.ts";
import { ownSettings } from "./own-settings.ts";
import { operator } from "./operator.ts";
import { Failure, type Answer } from "./output.ts";
import { databaseProblem } from "../problems-database.ts";

interface UpdateOptions {
  readonly integrity?: string | undefined;
  readonly status?: true | undefined;
  readonly database?: string | undefined;
}
const environmentNow = () => ownSettings();

/** Leaves an order for the launcher of the forgehand that serves, or tells what became of the last one. */
export async function selfUpdate(version: string | undefined, options: UpdateOptions): Promise<Answer> {
  const environment = environmentNow();
  const folder = versionsFolder(resolve(environment.dataDir));
  if (version === undefined || options.status === true) return status(folder);
  const refused = (why: string, fix: string): Problem => new Problem("update-refused", { version, why, fix });
  if (!versionPattern.test(version))
    throw refused(
      "that is no exact version",
      "Name one in full, such as 1.2.3; `npm view forgehand versions` lists them.",
    );
  const { integrity } = options;
  if (integrity === undefined || !integrityPattern.test(integrity))
    throw refused(
      integrity === undefined ? "it is not pinned by its hash" : "that is no sha512 hash as npm tells it",
      `Take it from where you trust it (\`npm view forgehand@${version} dist.integrity\`), and add --integrity sha512-…`,
    );
  const database = options.database ?? environment.database;
  const owner = existsSync(database) ? await ownerOf(database) : undefined;
  if (owner === undefined || isDead(owner))
    throw refused(
      "nobody serves here who could be replaced",
      "Start `forgehand up --supervised`; a version that does not run yet is simply installed: `npm install -g forgehand@VERSION`.",
    );
  const from = currentVersion(folder) ?? ownVersion();
  const order = { version, integrity, by: `operator:${operator()}` };
  const answer = askLauncher(folder, order, { from, now: systemClock().now() });
  if ("refused" in answer)
    throw refused(answer.refused, "`forgehand self-update --status` tells where it stands.");
  return {
    schema: "self-update/1",
    data: { id: answer.asked, version, from },
    text: `asked for ${from} → ${version}: it is fetched and compared with its hash, then agents finish what they are at, and it must prove itself`,
    hint: "`forgehand self-update --status` tells where it stands; only `forgehand up --supervised` takes the order",
  };
}

function status(folder: string): Answer {
  const state = readUpdate(folder);
  const running = currentVersion(folder);
  const text =
    state === undefined
      ? "no update was asked for"
      : `${state.from} → ${state.version}, asked for by ${state.by}: ${state.step}${state.why === undefined ? "" : `: ${state.why}`}`;
  return {
    schema: "self-update/1",
    data: { installed: running ?? null, update: state ?? null },
    text: [`installed by update: ${running ?? "none; the launcher's own version runs"}`, text].join("\n"),
  };
}

async function ownerOf(database: string) {
  try {
    const sql = openSqlite(database, { readonly: true });
    try {
      return await sql.read(instanceOwner);
    } finally {
      sql.close();
    }
  } catch (error) {
    throw databaseProblem(error, database) ?? error;
  }
}

/** Whether this very forgehand can go on with a database, and what it would do to it first; changes nothing. */
export function checkUpgrade(options: { readonly database?: string | undefined }): Answer {
  const database = options.database ?? environmentNow().database;
  const known = { store: migrations().at(-1)?.number ?? 0, engine: migrationsKnown };
  const found = tryVersions(database);
  if (found === undefined)
    throw new Failure(exitCodes.notFound, `there is no database of forgehand's at ${database}`);
  if (found.store > known.store || found.engine > known.engine)
    throw new Problem("database-newer", {
      path: database,
      why: `it is at ${found.store}.${found.engine}, and this one knows ${known.store}.${known.engine}`,
    });
  const due = known.store - found.store + known.engine - found.engine;
  return {
    schema: "upgrade/1",
    data: { version: ownVersion(), database, found, known, due },
    text:
      due === 0
        ? `forgehand ${ownVersion()} goes on with ${database} as it is`
        : `forgehand ${ownVersion()} makes ${due} migrations in ${database} when it starts, and keeps a copy from before`,
  };
}

function tryVersions(database: string): ReturnType<typeof versionsIn> {
  try {
    return versionsIn(database);
  } catch (error) {
    throw databaseProblem(error, database) ?? error;
  }
}
