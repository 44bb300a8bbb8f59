/** What lets a runtime in, copied out of the operator's home for one run: these files and no other, and of each what it needs. */
import { constants } from "node:fs";
import { open, realpath } from "node:fs/promises";
import { isAbsolute, join, normalize, sep } from "node:path";
import { Trouble } from "../../ports.ts";
import { isNeverPassed } from "./environment.ts";

/** By path below the home: what is taken of such a file; undefined for nothing. */
export type LoginFiles = Readonly<Record<string, (text: string) => string | undefined>>;

/** No login is larger. */
const mostBytes = 1024 * 1024;
/** Logins of forges, of hosts and of package registries: no agent is ever given one. */
const neverLent =
  /^(?:\.ssh|\.gnupg|\.git-credentials|\.gitconfig|\.netrc|\.npmrc|\.config\/(?:git|gh|glab|glab-cli|hub))(?:\/|$)/u;

/** What is wrong with a path that an operator names as a login; undefined when nothing is. */
export function faultOfLogin(path: string): string | undefined {
  if (path.includes("\0") || isAbsolute(path) || path.startsWith("~"))
    return "a path below your home is expected, such as `.house/auth.json`";
  const plain = normalize(path);
  if (plain === "." || plain === ".." || plain.startsWith(`..${sep}`) || plain.endsWith(sep))
    return "this path names no file below your home";
  return neverLent.test(plain) ? "this file is never given to an agent" : undefined;
}

/** Copies of these files. One that is not there is left out; throws a permanent `Trouble` for one that leads elsewhere. */
export async function readLogins(home: string, files: LoginFiles): Promise<Record<string, string>> {
  const read = await Promise.all(
    Object.entries(files).map(async ([path, take]) => {
      const text = await readBelow(home, path);
      const taken = text === undefined ? undefined : take(text);
      return taken === undefined ? [] : [[path, taken] as const];
    }),
  );
  return Object.fromEntries(read.flat());
}

/** Links are followed inside the home only: a file elsewhere was never named as a login. */
async function readBelow(home: string, path: string): Promise<string | undefined> {
  const real = await realpath(join(home, path)).catch(() => undefined);
  if (real === undefined) return undefined;
  const top = await realpath(home);
  const wrong = (why: string): Trouble =>
    new Trouble("login-unusable", `the login \`${path}\` ${why}: put a file of its own there`, {
      permanent: true,
    });
  const below = real.startsWith(`${top}${sep}`) ? real.slice(top.length + 1) : undefined;
  if (below === undefined) throw wrong("leads out of the home it is in");
  if (faultOfLogin(below) !== undefined) throw wrong("leads to a file that no agent is given");
  // Of the path as it was just resolved: a link put there since opens nothing. Nor does a pipe hold us up.
  const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size, isFile } = await file
      .stat()
      .then((found) => ({ size: found.size, isFile: found.isFile() }));
    if (!isFile) throw wrong("is no file");
    if (size > mostBytes) throw wrong(`is larger than ${mostBytes / 1024} KiB`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

/** As it is. */
export const asItIs = (text: string): string => text;

/** Whoever asks for a new token with this gets none. */
const withheld = "withheld";

/**
 * A file of tokens without what renews them: a copy that renewed itself would log out whoever it was copied from, and what
 * an agent may read should not outlast its work by much. A GitHub login is no such pair: its one token stands in both places.
 */
export const withoutRenewal = (text: string): string | undefined => {
  const found = jsonIn(text);
  return found === undefined ? undefined : JSON.stringify(unrenewed(found));
};

function unrenewed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unrenewed);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      if (name.startsWith("github-copilot")) return [name, one];
      if (/^refresh(?:_?token)?$/iu.test(name) && typeof one === "string") return [name, withheld];
      return [name, unrenewed(one)];
    }),
  );
}

/** Of a file of settings only what these paths name, dots between: `security.auth`. */
export const onlySettings =
  (...paths: readonly string[]) =>
  (text: string): string | undefined => {
    const found = jsonIn(text);
    const taken: Record<string, unknown> = {};
    for (const path of paths) take(found, path.split("."), taken);
    return Object.keys(taken).length === 0 ? undefined : JSON.stringify(taken);
  };

function take(from: unknown, [name, ...rest]: readonly string[], into: Record<string, unknown>): void {
  if (name === undefined || !isRecord(from) || !Object.hasOwn(from, name)) return;
  const value = from[name];
  if (rest.length === 0) {
    into[name] = name === "env" && isRecord(value) ? passed(value) : value;
    return;
  }
  const inner = isRecord(into[name]) ? { ...into[name] } : {};
  take(value, rest, inner);
  if (Object.keys(inner).length > 0) into[name] = inner;
}

const passed = (variables: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(variables).filter(([name]) => !isNeverPassed(name)));

/** Of a file of variables all that an agent may have. */
export const variablesOf = (text: string): string | undefined => {
  const lines = text.split("\n").filter((line) => {
    const name = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/u.exec(line)?.[1];
    return name !== undefined && !isNeverPassed(name);
  });
  return lines.length === 0 ? undefined : `${lines.join("\n")}\n`;
};

/** JSON as people write it into settings: comments and a last comma are passed over. Undefined for anything else. */
export function jsonIn(text: string): unknown {
  const bare = text
    .replaceAll(
      /("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//gu,
      (_, string: string | undefined) => string ?? "",
    )
    .replaceAll(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/gu, (_, string: string | undefined) => string ?? "");
  try {
    return JSON.parse(bare) as unknown;
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
