/** The text of `forgehand.env`: lines of `FORGEHAND_NAME=value`, as systemd's EnvironmentFile and docker's --env-file read them too. */

import { isTracingVariable } from "./config-observability.ts";

export interface SettingsText {
  readonly values: Readonly<Record<string, string>>;
  /** Lines that are neither a setting nor a comment; what they hold is not repeated, since it may be a secret. */
  readonly faults: readonly { readonly line: number; readonly why: string }[];
}

const assignment = /^([A-Za-z_]\w*)=(.*)$/u;
const prefix = "FORGEHAND_";

/** Reads the text. Variables of other programs, which the same file may hold for docker, are passed over. */
export function readSettings(text: string): SettingsText {
  const values: Record<string, string> = {};
  const faults: { readonly line: number; readonly why: string }[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    const [, name = "", value = ""] = assignment.exec(line) ?? [];
    if (name === "") faults.push({ line: index + 1, why: "NAME=value is expected" });
    else if (!name.startsWith(prefix) && !isTracingVariable(name)) continue;
    else if (values[name] !== undefined)
      faults.push({ line: index + 1, why: `${name} stands there a second time` });
    else values[name] = unquoted(value.trim());
  }
  return { values, faults };
}

/** systemd takes a pair of quotes away, so we do. */
function unquoted(value: string): string {
  const [, , inner] = /^(["'])(.*)\1$/u.exec(value) ?? [];
  return inner ?? value;
}

/**
 * The same text with these settings changed, and those that are undefined taken out; all else stays as a person left it.
 * Values must be of one line: whoever has a key of several writes it in base64 (`oneLineKey`).
 */
export function changeSettings(text: string, changes: Readonly<Record<string, string | undefined>>): string {
  for (const [name, value] of Object.entries(changes)) {
    // A backslash or a quote means one thing to systemd and another to docker.
    if (value !== undefined && !/^[^\s"'\\](?:[^\n\r"'\\]*[^\s"'\\])?$/u.test(value))
      throw new RangeError(`the value of ${name} cannot stand in a settings file`);
  }
  const left = new Map(Object.entries(changes));
  const lines = text === "" ? [] : text.replace(/\n$/u, "").split("\n");
  const kept = lines.flatMap((raw) => {
    const name = assignment.exec(raw.trim())?.[1] ?? "";
    if (!(name in changes)) return [raw];
    const value = left.get(name);
    left.delete(name);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  const added = [...left].flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return [...(text === "" ? heading : kept), ...added].map((line) => `${line}\n`).join("");
}

const heading = [
  "# Settings of forgehand, written by `forgehand init`. It holds secrets: keep it to yourself (mode 0600).",
  "# What is set in the environment of a process wins over a line here. `forgehand help environment` lists all.",
];

/** A PEM in one word: systemd and docker disagree about every other way to put it on one line. */
export const oneLineKey = (pem: string): string => Buffer.from(pem.trim(), "utf8").toString("base64");

/**
 * Settings of the file under those of the process. Of one setting given directly, as a file or out of the keychain, the
 * process's way hides every way of the file.
 */
export function underProcess(
  env: Readonly<Record<string, string | undefined>>,
  file: Readonly<Record<string, string>>,
): Readonly<Record<string, string | undefined>> {
  const told = new Set(
    Object.entries(env).flatMap(([name, value]) =>
      name.startsWith(prefix) && value !== undefined ? [settingOf(name)] : [],
    ),
  );
  const under = Object.entries(file).filter(([name]) => !told.has(settingOf(name)));
  return { ...Object.fromEntries(under), ...env };
}

/** A few settings end like the file of another, such as FORGEHAND_LINEAR_FILE: their own file is one of these twice over. */
const settingOf = (name: string): string =>
  name === "FORGEHAND_LINEAR_FILE" ? name : name.replace(/_(?:FILE|KEYCHAIN)$/u, "");
