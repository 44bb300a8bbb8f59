/** The settings file as `init` writes it, and what it remembers of an interrupted set-up. */
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Keychain } from "../adapters/keychain.ts";
import { settingVariables } from "../config-environment.ts";
import type { Places } from "../places.ts";
import { settingsFile } from "../places.ts";
import { Problem } from "../problems.ts";
import { changeSettings } from "../settings-file.ts";

type Changes = Readonly<Record<string, string | undefined>>;

/** Changes settings in the file at once and whole: whoever dies in the middle leaves the file as it was. */
export function writeSettings(places: Places, changes: Changes): void {
  const path = settingsFile(places);
  // Each setting is said in one way: what is written now takes the place of its other spellings.
  const ways = Object.fromEntries(
    Object.keys(changes).flatMap((name) => {
      const setting = name.replace(/_KEYCHAIN$/u, "");
      const isSetting = settingVariables.includes(setting);
      return (isSetting ? [setting, `${setting}_FILE`, `${setting}_KEYCHAIN`] : [name]).map(
        (way) => [way, undefined] as const,
      );
    }),
  );
  replace(path, (text) => changeSettings(text ?? "", { ...ways, ...changes }));
}

/** Secrets go to the keychain, and what points to them into the file with the other settings. */
export function keepSecrets(
  places: Places,
  keychain: Keychain,
  secrets: Readonly<Record<string, { readonly value: string; readonly entry: string }>>,
  beside: Changes,
): void {
  const references = Object.entries(secrets).map(([name, { value, entry }]) => {
    keychain.set(entry, value);
    return [`${name}_KEYCHAIN`, entry] as const;
  });
  writeSettings(places, { ...beside, ...Object.fromEntries(references) });
}

const Progress = z.object({
  version: z.literal(1),
  /** A person was sent to GitHub; the browser may still come back. */
  pending: z
    .object({
      state: z.string(),
      key: z.string(),
      port: z.number(),
      owner: z.string().optional(),
      name: z.string(),
      apiUrl: z.string(),
      at: z.number(),
    })
    .optional(),
  /** The App whose key is stored. */
  app: z.object({ id: z.number(), slug: z.string(), owner: z.string(), htmlUrl: z.string() }).optional(),
});
export type Progress = z.output<typeof Progress>;

const progressFile = ({ config }: Places): string => join(config, "init.json");

/** How far a set-up came. What cannot be read counts as nothing: every step looks before it does anything. */
export function readProgress(places: Places): Progress {
  try {
    return Progress.parse(JSON.parse(readFileSync(progressFile(places), "utf8")));
  } catch {
    return { version: 1 };
  }
}
export const writeProgress = (places: Places, progress: Progress): void =>
  replace(progressFile(places), () => `${JSON.stringify(progress, undefined, 2)}\n`);

/** Puts a new file in the old one's place, readable by this user alone from its first byte. */
function replace(path: string, make: (text: string | undefined) => string): void {
  let temporary: string | undefined;
  try {
    makeFolder(dirname(path));
    // A link, as people who keep their settings in a repository make them, stays one.
    const target = realpath(path);
    const text = make(readIfThere(target));
    temporary = `${target}.${randomBytes(6).toString("hex")}.tmp`;
    const file = openSync(temporary, "wx", 0o600);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, target);
  } catch (cause) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    throw new Problem("settings-file-unwritable", { path, why: String(cause.code) }, { cause });
  }
}

/** Ours alone: made closed, and closed where it was open. */
function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
}

function realpath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
