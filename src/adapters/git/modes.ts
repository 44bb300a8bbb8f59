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

/** Opens what cannot be read: git passes over a closed folder as if nothing were in it. */
export async function openClosed(yard: Yard, at: Place): Promise<void> {
  const closed = ["(", "-type", "d", "!", "-perm", "-500", "-o", "-type", "f", "!", "-perm", "-400", ")"];
  const { stdout } = await run(yard, "find", [at.path, ...closed, "-print"]);
  // A change of mode makes git read each file again, so it is not done for nothing.
  if (stdout !== "") await setMode(yard, [at.path], "u+rwX");
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

function isDenied(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? error.code : undefined;
  return (
    code === "EACCES" ||
    code === "EPERM" ||
    (error instanceof Trouble &&
      /Permission denied|Operation not permitted|insufficient permission/.test(error.message))
  );
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
