/** Modes of the files in a worktree: an agent may close folders even to us. */
import { closeSync, constants, fchmodSync, fstatSync, openSync, readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { execa } from "execa";
import { Trouble } from "../../ports.ts";
import { isCode } from "./paths.ts";
import type { Place } from "./paths.ts";
import { placeTrouble } from "./trouble.ts";
import type { Yard } from "./yard.ts";

/** So many files are closed before others have their turn: about a millisecond. */
const closedAtOnce = 100;
const slash = Buffer.from("/");

/**
 * Makes everything in a tree of ours read-only. In this process: up to some thousand files that costs less than starting
 * another, and a larger tree takes turns.
 */
export async function close(path: string): Promise<void> {
  // Bytes: a name need not be text.
  const ahead = [Buffer.from(path)];
  try {
    for (let done = 1, at = ahead.pop(); at !== undefined; done += 1, at = ahead.pop()) {
      for (const name of closeOne(at)) ahead.push(Buffer.concat([at, slash, name]));
      if (done % closedAtOnce === 0) await setImmediate();
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Trouble("git-mode", `${path} could not be made read-only: ${why}`, { cause });
  }
}

/** The names in it, where it is a directory. A link stays as it is, and so does what it leads to. */
function closeOne(path: Buffer): readonly Buffer[] {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    if (isCode(error, "ELOOP")) return [];
    throw error;
  }
  try {
    const found = fstatSync(file);
    fchmodSync(file, found.mode & 0o7555);
    return found.isDirectory() ? readdirSync(path, { encoding: "buffer" }) : [];
  } finally {
    closeSync(file);
  }
}

/**
 * Opens whole trees to us, in which somebody may still be at work: one process, which follows no link. What belongs to
 * somebody else stays as it is.
 */
export async function open(yard: Yard, paths: readonly string[], mode: "u+rX" | "u+rwX"): Promise<void> {
  await execa("chmod", ["-R", mode, ...paths], {
    cwd: yard.root,
    env: { PATH: yard.options.searchPath, LC_ALL: "C" },
    extendEnv: false,
    stdin: "ignore",
    timeout: yard.options.limits.gitMs,
    reject: false,
  });
}

/**
 * Does this; where something in the worktree was closed to it, opens that and does it once more. Git passes over a closed
 * folder as if nothing were in it, and only says so: what it says on stderr belongs in `heard`.
 */
export async function seeingAll<T>(
  yard: Yard,
  at: Place,
  mode: "u+rX" | "u+rwX",
  work: (heard: (said: string) => void) => Promise<T>,
): Promise<T> {
  let said = "";
  try {
    const result = await work((piece) => void (said += piece));
    if (!denial.test(said)) return result;
  } catch (error) {
    if (!isDenied(error)) throw error;
  }
  await open(yard, [at.path], mode);
  return await work(() => undefined);
}

/** Does this; when a file's mode stands in the way, opens the worktree and does it again. */
export async function openedWide<T>(yard: Yard, at: Place, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isDenied(error)) throw error;
  }
  await open(yard, [at.path, at.admin], "u+rwX");
  try {
    return await work();
  } catch (error) {
    if (!isDenied(error)) throw error;
    throw placeTrouble(
      "git-leftover",
      `This host's user may not change what lies in ${at.path}: ${error instanceof Error ? error.message : String(error)}. It belongs to another user or is immutable; give it back with \`chattr -R -i\` and \`chown -R\`, or remove it, and try again.`,
    );
  }
}

/** Of git, and of what starts it in a folder. */
const denial = /Permission denied|Operation not permitted|insufficient permission|\bEACCES\b/;

function isDenied(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? error.code : undefined;
  return code === "EACCES" || code === "EPERM" || (error instanceof Trouble && denial.test(error.message));
}
