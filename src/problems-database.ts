/** What keeps this user from a database: SQLite says only that it cannot be opened or written, so its files are looked at. */
import { accessSync, constants, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Problem, problemOf } from "./problems.ts";

/** Throws what the system says where this user may not; as `accessSync` does. */
type Look = (path: string, mode: number) => void;

/** The problem behind an error of a database, with what of its files is in the way; undefined when it is none of those. */
export function databaseProblem(error: unknown, path: string, look: Look = accessSync): Problem | undefined {
  const problem = problemOf(error, { path });
  if (problem === undefined) return lostTable(error, path) ?? folderProblem(error, path, look);
  if (problem.code !== "database-unopenable" && problem.code !== "database-readonly") return problem;
  return accessProblem(path, { look, cause: error }) ?? problem;
}

/** What is missing for this user to read and write a database; it need not be there yet. */
export function accessProblem(
  path: string,
  { look = accessSync, cause }: { readonly look?: Look; readonly cause?: unknown } = {},
): Problem | undefined {
  const closed = closedPart(path, look);
  if (closed !== undefined) return new Problem("database-closed", { path, closed }, { cause });
  const missing = foldersTo(path).find(
    (folder) => refusal(`${folder}/.`, constants.X_OK, look) !== undefined,
  );
  if (missing !== undefined)
    return new Problem("database-unopenable", { path, why: `there is no folder ${missing}` }, { cause });
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    return new Problem("database-unopenable", { path, why: "it is a folder" }, { cause });
  const unwritable = partsOf(path).filter((part) => isDenied(refusal(part, constants.W_OK, look)));
  if (unwritable.length === 0) return undefined;
  return new Problem("database-readonly", { path, closed: unwritable.join(", ") }, { cause });
}

/** The first folder on the way to a file that this user may not enter, or the file itself; undefined when nothing is closed. */
export function closedPart(path: string, look: Look = accessSync): string | undefined {
  const folder = foldersTo(path).find((one) => isDenied(refusal(`${one}/.`, constants.X_OK, look)));
  return folder ?? (isDenied(refusal(resolve(path), constants.R_OK, look)) ? resolve(path) : undefined);
}

/** For a line of the log: what is the matter, and what helps. */
export function remedyFor(error: unknown, path: string): string | undefined {
  const told = databaseProblem(error, path)?.told;
  return told && `${told.what} ${told.do}`;
}

/** Another process has the database. */
export const secondInstance = (
  path: string,
  { pid, host, since }: { readonly pid: number; readonly host: string; readonly since: number },
): Problem => new Problem("second-instance", { path, pid, host, since: new Date(since).toISOString() });

/** Its version says that there is such a table: somebody took it away. */
function lostTable(error: unknown, path: string): Problem | undefined {
  if (!(error instanceof Error) || !error.message.startsWith("no such table: ")) return undefined;
  return new Problem("database-broken", { path, why: error.message }, { cause: error });
}

/** A folder that had to be made and could not be. */
function folderProblem(error: unknown, path: string, look: Look): Problem | undefined {
  const { code, syscall, path: folder } = (error ?? {}) as NodeJS.ErrnoException;
  if (syscall !== "mkdir" || !isDenied(code)) return undefined;
  return (
    accessProblem(path, { look, cause: error }) ??
    new Problem("database-closed", { path, closed: folder ?? dirname(path) }, { cause: error })
  );
}

/** From the root down. */
function foldersTo(path: string): readonly string[] {
  const folder = dirname(resolve(path));
  return folder === dirname(folder) ? [folder] : [...foldersTo(folder), folder];
}

/** SQLite writes into all of these: the log and its index lie beside the file, and it makes them anew. */
function partsOf(path: string): readonly string[] {
  const file = resolve(path);
  return [file, `${file}-wal`, `${file}-shm`, dirname(file)];
}

function refusal(path: string, mode: number, look: Look): string | undefined {
  try {
    look(path, mode);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unknown";
  }
}

const isDenied = (code: string | undefined): boolean =>
  code === "EACCES" || code === "EPERM" || code === "EROFS";
