import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../temporary.ts";

export const program = fileURLToPath(new URL("../../dist/cli/forgehand.js", import.meta.url));
/** What Node compiled is kept for all tests together: each process would do it again otherwise. */
export const cacheFolder = join(tmpdir(), "forgehand-test-cache");
const homes = temporaryFolder("homes-");
let homesGiven = 0;
/** Nothing of the tester's own settings, and nobody's terminal. Nobody has made the home: what one command leaves there no other finds. */
const bare = (): Readonly<Record<string, string>> => ({
  PATH: process.env["PATH"] ?? "",
  HOME: join(homes, String((homesGiven += 1))),
  XDG_CACHE_HOME: cacheFolder,
});

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}
export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once this appears on stdout or stderr; rejects when the process ends without it. */
  said(text: string): Promise<void>;
}

/** Starts the command as it ships. */
export function start(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Running {
  if (!existsSync(program)) throw new Error("dist is missing: run `npm run build` first");
  const child = spawn(process.execPath, [program, ...argv], {
    env: { ...bare(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
  });
  let out = "";
  let err = "";
  const looks = new Set<() => void>();
  const heard = (): void => {
    for (const look of looks) look();
  };
  child.stdout.on("data", (bytes: Buffer) => {
    out += bytes.toString("utf8");
    heard();
  });
  child.stderr.on("data", (bytes: Buffer) => {
    err += bytes.toString("utf8");
    heard();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, out, err }));
  });
  return {
    process: child,
    ended,
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!`${out}${err}`.includes(text)) return;
          looks.delete(look);
          resolve();
        };
        looks.add(look);
        look();
        ended.then(
          () => reject(new Error(`it ended without saying ${text}:\n${out}${err}`)),
          (error: unknown) => reject(error instanceof Error ? error : new Error(String(error))),
        );
      }),
  };
}

export const run = async (
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<Ended> => await start(argv, env, cwd).ended;
