/** `forgehand restore`: everything is read and compared first, then a backup takes the place of what is there. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { systemClock } from "../adapters/clock.ts";
import { gitRunner } from "../adapters/git/run.ts";
import { isDead, thisProcess } from "../adapters/owner.ts";
import { keyFileBeside } from "../adapters/sealed.ts";
import { readArchive, type Opened } from "../backup/archive.ts";
import { faultOf, versionsIn } from "../backup/copy.ts";
import {
  databaseName,
  keyName,
  operatorFiles,
  secretsName,
  type Manifest,
  type OperatorFile,
} from "../backup/manifest.ts";
import { keepAside, putInPlace, swapDatabase } from "../backup/swap.ts";
import { putWorkBack } from "../backup/work.ts";
import { usualDrainMinutes, type Environment } from "../config-environment.ts";
import { settingsFile, placesOf } from "../places.ts";
import { exitCodes, Problem } from "../problems.ts";
import { databaseProblem, secondInstance } from "../problems-database.ts";
import { lookFirst } from "../shell/halt-marks.ts";
import { all, openSqlite } from "../sql.ts";
import { makeLease, takeInstance } from "../store/database.ts";
import { bringUpToDate } from "../upgrade.ts";
import { ownSettings } from "./own-settings.ts";
import { deskStore } from "./database.ts";
import { diskProblem, operatorFileOf } from "./backup.ts";
import { operator } from "./operator.ts";
import { Failure, type Answer } from "./output.ts";
import { ownerOf, stopServing } from "./stop-serving.ts";

export interface RestoreOptions {
  /** A folder of its own, in place of the one that the settings name. */
  readonly to?: string | undefined;
  readonly yes?: true | undefined;
  /** Asks whoever serves to drain first. */
  readonly stop?: true | undefined;
}
const gitLimitMs = 30 * 60_000;

interface Place {
  readonly environment: Environment;
  /** Where secrets go, unless a file is there already. */
  readonly settings: string;
}

/** Puts a backup in the place of what is there. What was there is kept beside it. */
export async function restore(file: string, options: RestoreOptions): Promise<Answer> {
  const place = placeOf(options);
  const { database } = place.environment;
  if (!existsSync(file)) throw new Failure(exitCodes.notFound, `there is no file ${file}`);
  let staging: string | undefined;
  try {
    mkdirSync(dirname(database), { recursive: true, mode: 0o700 });
    staging = mkdtempSync(join(dirname(database), ".forgehand-restore-"));
    const opened = await readArchive(file, staging);
    const fresh = await makeReady(file, opened);
    if (existsSync(database)) agreeTo(opened.manifest, database, options);
    if (options.stop === true)
      await stopServing(database, place.environment.drainMinutes ?? usualDrainMinutes);
    return await swapIn(place, opened, fresh, options);
  } catch (error) {
    throw diskProblem(error, staging ?? dirname(database)) ?? databaseProblem(error, database) ?? error;
  } finally {
    if (staging !== undefined) rmSync(staging, { recursive: true, force: true });
  }
}

function placeOf({ to }: RestoreOptions): Place {
  const environment = ownSettings();
  if (to === undefined)
    return {
      environment: { ...environment, database: resolve(environment.database) },
      settings: settingsFile(placesOf(process.env, homedir())),
    };
  const dataDir = resolve(to);
  const own = {
    agents: undefined,
    linearFile: undefined,
    mcp: undefined,
    prices: undefined,
    workflows: undefined,
  };
  return {
    environment: { ...environment, ...own, dataDir, database: join(dataDir, databaseName) },
    settings: join(dataDir, "forgehand.env"),
  };
}

/** The database of the backup, sound, up to date, and told to look at the world before it acts. */
async function makeReady(file: string, { manifest, files }: Opened): Promise<string> {
  const wrong = (why: string): Problem => new Problem("backup-broken", { path: file, why });
  const fresh = files.get(databaseName);
  if (fresh === undefined) throw wrong(`${databaseName} is missing from it`);
  const fault = faultOf(fresh);
  if (fault !== undefined) throw wrong(`its database is damaged: ${fault}`);
  if (versionsIn(fresh) === undefined) throw wrong("its database has no tables of ours");
  const now = systemClock().now();
  const sql = openSqlite(fresh);
  try {
    makeLease(sql);
    await bringUpToDate(sql, { database: fresh, now });
    await deskStore(sql).raiseHalt(lookFirst, `operator:${operator()}`, now);
  } catch (error) {
    if (error instanceof Problem && error.code === "database-newer")
      throw new Problem("backup-newer", { path: file, version: manifest.forgehand }, { cause: error });
    throw error;
  } finally {
    sql.close();
  }
  return fresh;
}

function agreeTo({ at, ledger }: Manifest, database: string, { yes }: RestoreOptions): void {
  if (yes === true) return;
  throw new Failure(
    exitCodes.usage,
    `${database} is there: the backup of ${at} (ledger line ${ledger.seq}) would take its place, and it would be kept beside it. Say --yes, or --to DIR for another folder`,
  );
}

async function swapIn(
  { environment, settings }: Place,
  { manifest, files }: Opened,
  fresh: string,
  { to }: RestoreOptions,
): Promise<Answer> {
  const { database, dataDir } = environment;
  const suffix = `.before-restore-${new Date(systemClock().now()).toISOString().replaceAll(/[-:.]/gu, "")}`;
  const wasSound = await takeOver(database);
  const kept: string[] = [];
  const put = (name: string, path: string): void => {
    const source = files.get(name);
    if (source === undefined || isSame(source, path)) return;
    const aside = keepAside(path, `${path}${suffix}`);
    if (aside !== undefined) kept.push(aside);
    putInPlace(source, path);
  };
  // The database last: until then what is there still works, and doing it all again changes nothing. A service manager may
  // start `up` again right behind it, which must find the commits that its runs go on from.
  put(keyName, keyFileBeside(database));
  for (const [setting, name] of Object.entries(operatorFiles) as [OperatorFile, string][])
    put(name, operatorFileOf(environment, setting));
  const workflows = environment.workflows ?? join(dataDir, "workflows");
  for (const name of files.keys())
    if (name.startsWith("workflows/")) put(name, join(workflows, name.slice("workflows/".length)));
  const secrets = putSecrets(files.get(secretsName), settings);
  const bundles = [...files].flatMap(([name, path]) =>
    name.startsWith("git/") ? [{ key: basename(name, ".bundle"), path }] : [],
  );
  const git = gitRunner(process.env["PATH"] ?? "/usr/bin:/bin", gitLimitMs);
  const { notes, refs } = await putWorkBack(git, join(dataDir, "workspaces"), bundles);
  const aside = swapDatabase(fresh, database, suffix);
  if (aside !== undefined) kept.unshift(aside);
  const lost = `what happened since ${manifest.at} is read from the forge before anything is done; lost are commands typed here since, agents' logs, and files that no commit holds`;
  return {
    schema: "restore/1",
    data: { database, kept, notes, secrets: secrets ?? null, refs, at: manifest.at, ledger: manifest.ledger },
    text: [
      `restored ${database} as of ${manifest.at}: ledger line ${manifest.ledger.seq}, ${manifest.members.length} files${refs === 0 ? "" : `, ${refs} unpublished branches`}`,
      ...kept.map((path) => `Kept: ${path}`),
      ...(secrets === undefined ? [] : [`Secrets: ${secrets}`]),
      ...[
        ...notes,
        ...(wasSound ? [] : ["the database that was there was damaged; it is kept as it was"]),
        lost,
      ].map((note) => `Note: ${note}`),
    ].join("\n"),
    hint: `start it again: \`${to === undefined ? "" : `FORGEHAND_DATA_DIR=${dataDir} `}forgehand up\``,
  };
}

/** Takes the lease of the database that is there, so that nobody starts on it meanwhile, and leaves it without a log. */
async function takeOver(database: string): Promise<boolean> {
  if (!existsSync(database)) return true;
  if (faultOf(database) !== undefined) {
    // Nothing can be written into it for certain, but whoever serves it may still have it open.
    const owner = await ownerOf(database);
    if (owner !== undefined && !isDead(owner)) throw secondInstance(database, owner);
    return false;
  }
  const sql = openSqlite(database);
  try {
    makeLease(sql);
    const taken = await sql.commit(() => takeInstance(thisProcess(), isDead, systemClock().now()));
    if (taken !== "taken") throw secondInstance(database, taken);
    await sql.read(() => all("pragma journal_mode = delete"));
    return true;
  } finally {
    sql.close();
  }
}

const isSame = (one: string, other: string): boolean =>
  existsSync(other) && readFileSync(one).equals(readFileSync(other));

/** Never over settings that are there: they may be newer, and are the operator's. */
function putSecrets(source: string | undefined, settings: string): string | undefined {
  if (source === undefined) return undefined;
  const path = existsSync(settings) && !isSame(source, settings) ? `${settings}.restored` : settings;
  putInPlace(source, path);
  return path;
}
