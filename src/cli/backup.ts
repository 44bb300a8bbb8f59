/** `forgehand backup`: one file with everything that cannot be made again, taken while forgehand serves. */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { systemClock } from "../adapters/clock.ts";
import { gitRunner } from "../adapters/git/run.ts";
import { keyFileBeside } from "../adapters/sealed.ts";
import { writeArchive, type Source } from "../backup/archive.ts";
import { copyDatabase, faultOf, versionsIn } from "../backup/copy.ts";
import {
  databaseName,
  isMemberName,
  keyName,
  operatorFiles,
  secretsName,
  type OperatorFile,
} from "../backup/manifest.ts";
import { keepWork } from "../backup/work.ts";
import { secretVariables, type Environment } from "../config-environment.ts";
import { exitCodes, Problem } from "../problems.ts";
import { verifyLedger } from "../shell/verify-ledger.ts";
import { openSqlite } from "../sql.ts";
import { ownVersion } from "../version.ts";
import { ownSettings } from "./own-settings.ts";
import { ownEnvironment } from "./own-environment.ts";
import { deskStore } from "./database.ts";
import { Failure, type Answer } from "./output.ts";
import { databaseProblem } from "../problems-database.ts";

export interface BackupOptions {
  readonly database?: string | undefined;
  readonly withSecrets?: true | undefined;
  /** False: without the key that seals tokens in the database. */
  readonly key?: boolean | undefined;
  readonly verify?: true | undefined;
}
const gitLimitMs = 30 * 60_000;

/** Takes the backup; what it holds is read back and compared before it gets its name. */
export async function backup(to: string | undefined, options: BackupOptions): Promise<Answer> {
  const environment = ownSettings();
  const database = options.database ?? environment.database;
  if (!existsSync(database))
    throw new Failure(
      exitCodes.notFound,
      `there is no database at ${database}: name it with --database PATH or FORGEHAND_DATABASE`,
    );
  const at = new Date(systemClock().now()).toISOString();
  const target = targetOf(to, at);
  let staging: string | undefined;
  try {
    // Beside the backup itself, so that a disk too small for it shows before anything has its name.
    staging = mkdtempSync(join(dirname(target), ".forgehand-backup-"));
    return await fill({ environment, database, target, staging, at, options });
  } catch (error) {
    throw (
      diskProblem(error, staging === undefined ? dirname(target) : target) ??
      databaseProblem(error, database) ??
      error
    );
  } finally {
    if (staging !== undefined) rmSync(staging, { recursive: true, force: true });
  }
}

/** A folder that cannot be written is said to be one; the rest is the database's or the disk's. */
export function diskProblem(error: unknown, path: string): Error | undefined {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (/^(?:EACCES|EPERM|EROFS)$/u.test(code))
    return new Failure(
      exitCodes.permission,
      `${path} cannot be written: name a place that this user may write to`,
      {
        cause: error,
      },
    );
  if (/^(?:ENOENT|ENOTDIR)$/u.test(code))
    return new Failure(exitCodes.notFound, `there is no folder for ${path}: make it first`, { cause: error });
  if (/^(?:ENOSPC|EDQUOT|SQLITE_FULL)/u.test(code))
    return new Failure(
      exitCodes.failed,
      `the disk that holds ${path} is full; nothing of it was kept. Free space there, or name another place`,
      { cause: error },
    );
  return undefined;
}

function targetOf(to: string | undefined, at: string): string {
  const name = `forgehand-${ownVersion()}-${at.replaceAll(/[-:]|\.\d+/gu, "")}.tar.gz`;
  const path = resolve(to ?? ".");
  const target = existsSync(path) && statSync(path).isDirectory() ? join(path, name) : path;
  if (existsSync(target)) throw new Problem("backup-there", { path: target });
  return target;
}

interface Filling {
  readonly environment: Environment;
  readonly database: string;
  readonly target: string;
  readonly staging: string;
  readonly at: string;
  readonly options: BackupOptions;
}

async function fill({ environment, database, target, staging, at, options }: Filling): Promise<Answer> {
  const copy = join(staging, "database");
  await copyDatabase(database, copy);
  const broken = faultOf(copy);
  if (broken !== undefined) throw new Problem("database-broken", { path: database, why: broken });
  const versions = versionsIn(copy);
  if (versions === undefined)
    throw new Problem("database-broken", { path: database, why: "it has no tables of ours" });
  const { ledger, tickets } = await lookInto(copy, options);
  const workspaces = join(environment.dataDir, "workspaces");
  const work = await keepWork(
    gitRunner(process.env["PATH"] ?? "/usr/bin:/bin", gitLimitMs),
    workspaces,
    staging,
  );
  const notes = [...work.notes];
  const sources: readonly Source[] = [
    { name: databaseName, path: copy },
    ...keyBeside(database, staging, options, notes),
    ...filesOf(environment, staging, notes),
    ...work.sources,
    ...(options.withSecrets === true ? secretsIn(staging) : []),
  ];
  const manifest = await writeArchive(target, { forgehand: ownVersion(), at, ...versions, ledger }, sources);
  const { size } = statSync(target);
  return {
    schema: "backup/1",
    data: { path: target, bytes: size, tickets, notes, ...manifest },
    text: [
      `backed up to ${target}: ${tickets} tickets, ${ledger.seq} ledger lines, ${manifest.members.length} files, ${(size / 1024 ** 2).toFixed(1)} MiB`,
      ...notes.map((note) => `Note: ${note}`),
    ].join("\n"),
    hint:
      options.withSecrets === true
        ? "it holds the App's private key: keep it as you would keep that key"
        : "the App's key and other settings are not in it (--with-secrets); `forgehand restore FILE` puts it back",
  };
}

async function lookInto(copy: string, { verify }: BackupOptions) {
  const sql = openSqlite(copy, { readonly: true });
  try {
    const store = deskStore(sql);
    const { seq, hash } = await store.ledgerHead();
    const { faults } = verify === true ? await verifyLedger(store) : { faults: [] };
    const [first] = faults;
    if (first !== undefined) throw new Problem("ledger-broken", { line: first.seq, why: first.why });
    const tickets = Object.values(await store.ticketsByState()).reduce((sum, count) => sum + count, 0);
    return { ledger: { seq, hash }, tickets };
  } finally {
    sql.close();
  }
}

function keyBeside(
  database: string,
  staging: string,
  { key }: BackupOptions,
  notes: string[],
): readonly Source[] {
  const path = keyFileBeside(database);
  if (key === false || !existsSync(path)) {
    if (existsSync(path)) notes.push(`the key that seals tokens (${path}) is not in it: keep that apart`);
    return [];
  }
  const copy = join(staging, "key");
  copyFileSync(path, copy);
  return [{ name: keyName, path: copy }];
}

/** The operator's own files, wherever the settings say they lie. */
function filesOf(environment: Environment, staging: string, notes: string[]): readonly Source[] {
  const found: Source[] = [];
  for (const [setting, name] of Object.entries(operatorFiles) as [OperatorFile, string][]) {
    const path = operatorFileOf(environment, setting);
    if (!existsSync(path)) continue;
    const copy = join(staging, setting);
    copyFileSync(path, copy);
    found.push({ name, path: copy });
  }
  const folder = environment.workflows ?? join(environment.dataDir, "workflows");
  for (const below of existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
    : []) {
    if (!below.isFile()) continue;
    const path = join(below.parentPath, below.name);
    const inside = path.slice(folder.length + 1);
    if (/(?:^|\/)(?:node_modules|\.git)\//u.test(inside)) continue;
    const name = `workflows/${inside}`;
    if (!isMemberName(name)) {
      notes.push(`${path} is not in it: its name is not one that a backup takes`);
      continue;
    }
    const copy = join(staging, `workflow-${found.length}`);
    copyFileSync(path, copy);
    found.push({ name, path: copy });
  }
  return found;
}

/** Where this file of the operator's lies. */
export const operatorFileOf = (environment: Environment, setting: OperatorFile): string =>
  environment[setting] ?? join(environment.dataDir, operatorFiles[setting].replace("files/", ""));

/** Every secret setting as it is in force, in the form of a settings file. */
function secretsIn(staging: string): readonly Source[] {
  const env = ownEnvironment();
  const lines = ["FORGEHAND_APP_ID", ...secretVariables.filter((name) => !name.endsWith("_FILE"))].flatMap(
    (name) => {
      const file = env[`${name}_FILE`];
      const value = env[name] ?? (file === undefined ? undefined : readFileSync(file, "utf8"));
      return value === undefined ? [] : [`${name}=${value.trim().replaceAll(/\r?\n/gu, String.raw`\n`)}\n`];
    },
  );
  const path = join(staging, "secrets");
  writeFileSync(path, lines.join(""), { mode: 0o600 });
  return [{ name: secretsName, path }];
}
