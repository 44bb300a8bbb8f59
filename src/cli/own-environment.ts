import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import type { Keychain } from "../adapters/keychain.ts";
import { openKeychain } from "../adapters/keychain.ts";
import { placesOf, settingsFile } from "../places.ts";
import { Problem } from "../problems.ts";
import { readSettings, underProcess } from "../settings-file.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Where this process's settings file would be. */
export const ownSettingsFile = (env: Env = process.env): string =>
  settingsFile(placesOf(env, env["HOME"] ?? homedir()));

/**
 * What forgehand was told: the environment of the process over its settings file, with secrets taken from the keychain
 * where the file points there. Every command reads this in place of `process.env`; agents are never given it.
 */
export function ownEnvironment(env: Env = process.env, keychain: () => Keychain = openKeychain): Env {
  const merged = underProcess(env, settingsIn(ownSettingsFile(env)));
  const references = Object.entries(merged).filter(([name]) => /^FORGEHAND_\w+_KEYCHAIN$/u.test(name));
  if (references.length === 0) return merged;
  const opened = keychain();
  const found = references.map(([name, entry = ""]) => {
    const secret = opened.get(entry);
    if (secret === undefined) throw new Problem("keychain-empty", { name, entry });
    return [name.replace(/_KEYCHAIN$/u, ""), secret] as const;
  });
  const rest = Object.entries(merged).filter(([name]) => !references.some(([one]) => one === name));
  return Object.fromEntries([...rest, ...found]);
}

/** The same for `doctor`, which goes on: with a file that cannot be used, what the process was told is all there is. */
export function toldOrFault(env: Env = process.env): {
  readonly env: Env;
  readonly fault: Problem | undefined;
} {
  try {
    return { env: ownEnvironment(env), fault: undefined };
  } catch (error) {
    if (error instanceof Problem) return { env, fault: error };
    throw error;
  }
}

/** The settings in the file; none where there is no file. Throws a `Problem` for one that is open to others or garbled. */
function settingsIn(path: string): Readonly<Record<string, string>> {
  const open = settingsFileOpenTo(path);
  if (open !== undefined) throw new Problem("settings-file-open", { path, who: open });
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const code = codeOf(cause);
    if (code === "ENOENT" || code === "ENOTDIR") return {};
    throw new Problem("settings-file-unreadable", { path, why: code ?? "it is unreadable" }, { cause });
  }
  const { values, faults } = readSettings(text);
  const [fault] = faults;
  if (fault !== undefined)
    throw new Problem("settings-file-wrong", { path, line: fault.line, why: fault.why });
  return values;
}

/** Who besides its owner may read the settings file; undefined when nobody may, or there is none. For `doctor` too. */
export function settingsFileOpenTo(path: string): "its group" | "everybody" | undefined {
  // Windows keeps no such bits; there the folder of the user is the fence.
  if (process.platform === "win32") return undefined;
  try {
    const { mode } = statSync(path);
    if ((mode & 0o007) !== 0) return "everybody";
    return (mode & 0o070) === 0 ? undefined : "its group";
  } catch {
    return undefined;
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error ? String(error.code) : undefined;
