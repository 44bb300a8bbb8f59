/** Modes of the files in a worktree: an agent may close folders even to us. */
import { execa } from "execa";
import { Trouble } from "../../ports.ts";
import type { Place } from "./paths.ts";
import { placeTrouble } from "./trouble.ts";
import type { Yard } from "./yard.ts";

/** One process for the whole tree; it follows no link. What belongs to somebody else stays as it is. */
export async function setMode(
  yard: Yard,
  paths: readonly string[],
  mode: "a-w" | "u+rX" | "u+rwX",
): Promise<void> {
  const done = await run(yard, "chmod", ["-R", mode, ...paths]);
  if (mode === "a-w" && done.failed)
    throw new Trouble(
      "git-mode",
      `${paths.join(" ")} could not be made read-only: ${done.stderr.slice(-500)}`,
    );
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
  await setMode(yard, [at.path], mode);
  return await work(() => undefined);
}

/** Does this; when a file's mode stands in the way, opens the worktree and does it again. */
export async function openedWide<T>(yard: Yard, at: Place, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isDenied(error)) throw error;
  }
  await setMode(yard, [at.path, at.admin], "u+rwX");
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

const run = (yard: Yard, file: string, argv: readonly string[]) =>
  execa(file, argv, {
    cwd: yard.root,
    env: { PATH: yard.options.searchPath, LC_ALL: "C" },
    extendEnv: false,
    stdin: "ignore",
    timeout: yard.options.limits.gitMs,
    reject: false,
  });
