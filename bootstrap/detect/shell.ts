/** Command lines as people write them: told apart, tidied, and refused where no reader could see what they do. */

/** Longest command that a configuration should hold. */
const maxCommand = 500;
/** Longest script that is taken apart; a longer one is a program. */
const maxScript = 20_000;

/** Whether a person who reads it sees all of it, and it fits one line. */
export const isFit = (command: string): boolean =>
  command.length > 0 &&
  command.length <= maxCommand &&
  !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|[\uD800-\uDFFF]/u.test(command);

/** A line of a script, and where in the script it began, from 0. */
export interface ScriptCommand {
  readonly command: string;
  /** From the folder the script began in; undefined where it went we cannot say where. */
  readonly folder: string;
  readonly line: number;
}

/**
 * The single commands of a script, where it is a plain list of them. A script that branches, loops or feeds documents is a
 * program: none of its lines is true alone.
 */
export function commandsOf(script: string): readonly ScriptCommand[] {
  if (script.length > maxScript) return [];
  const found: ScriptCommand[] = [];
  let folder = ".";
  for (const { text, line } of logicalLines(script)) {
    if (/<<|^\s*(?:if|for|while|until|case|select|function)\b|\(\)\s*\{|^\s*[{(]/u.test(text)) return [];
    let inLine = folder;
    for (const part of partsOf(text)) {
      const moved = /^cd\s+(?:--\s+)?(["']?)([\w./@-]+)\1$/u.exec(part);
      if (moved?.[2] !== undefined) {
        inLine = moved[2].startsWith("/") ? "/" : inLine === "." ? moved[2] : `${inLine}/${moved[2]}`;
        continue;
      }
      if (/^(?:cd|pushd|popd)\b/u.test(part)) return found;
      const command = tidied(part);
      if (command !== "" && inLine !== "/") found.push({ command, folder: inLine, line });
    }
    folder = inLine;
  }
  return found;
}

/** Continued lines put together; comments and empty lines left out. */
function logicalLines(script: string): readonly { text: string; line: number }[] {
  const logical: { text: string; line: number }[] = [];
  let open: { text: string; line: number } | undefined;
  for (const [line, raw] of script.split(/\r\n|\n|\r/u).entries()) {
    const text = raw.trim();
    const goesOn = text.endsWith("\\");
    const piece = goesOn ? text.slice(0, -1).trim() : text;
    if (open === undefined && (piece === "" || piece.startsWith("#"))) continue;
    open = open === undefined ? { text: piece, line } : { text: `${open.text} ${piece}`, line: open.line };
    if (goesOn) continue;
    logical.push({ ...open, text: open.text.trim() });
    open = undefined;
  }
  if (open !== undefined) logical.push(open);
  return logical;
}

/** Split where one command ends and the next begins, outside of quotes and brackets. */
export function partsOf(line: string): readonly string[] {
  const parts: string[] = [];
  let [part, quote, depth] = ["", "", 0];
  for (let at = 0; at < line.length; at += 1) {
    const sign = line.charAt(at);
    if (sign === "\\" && quote !== "'") {
      part += sign + line.charAt(at + 1);
      at += 1;
      continue;
    }
    if (quote !== "") quote = sign === quote ? "" : quote;
    else if (sign === '"' || sign === "'" || sign === "`") quote = sign;
    else if (sign === "(" || sign === "{") depth += 1;
    else if (sign === ")" || sign === "}") depth -= 1;
    else if (depth === 0 && sign === "#" && /(?:^|\s)$/u.test(part)) break;
    else if (depth === 0 && (sign === ";" || (sign === "&" && line.charAt(at + 1) === "&"))) {
      parts.push(part.trim());
      part = "";
      if (sign === "&") at += 1;
      continue;
    }
    part += sign;
  }
  return [...parts, part.trim()].filter((text) => text !== "");
}

/** Without what a log or a forgiving step adds; a command that feeds another is none of ours. */
function tidied(part: string): string {
  const plain = part
    .replace(/\s+\|\|\s+(?:true|:|exit 0)$/u, "")
    .replace(/\s+(?:2>&1\s*)?\|\s*tee(?:\s+-a)?\s+[\w./-]+$/u, "")
    .replace(/\s+(?:2>&1|&>\s*\/dev\/null|>\s*\/dev\/null)$/u, "")
    .replace(/^(?:time|command)\s+/u, "")
    .replaceAll(/\s+/gu, " ")
    .trim();
  return /[|<>]|&$/u.test(plain.replaceAll(/"[^"]*"|'[^']*'/gu, "")) ? "" : plain;
}

const assignment = /^[A-Za-z_]\w*=(?:"[^"]*"|'[^']*'|[^\s"']*)\s+/u;

/** What is left when the environment it is given has been taken off. */
export function bare(command: string): string {
  let now = command;
  for (let times = 0; times < 10 && assignment.test(now); times += 1) now = now.replace(assignment, "");
  return now;
}

/** A word as the shell reads it back, whatever is in it. */
export const quoted = (word: string): string =>
  /^[\w./@:+,=-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** Run from the root what is to run in a folder. */
export const inFolder = (folder: string, command: string): string =>
  folder === "." ? command : `cd ${quoted(folder.startsWith("-") ? `./${folder}` : folder)} && ${command}`;

/** Several, one after the other, each where it belongs; the first that fails ends it. */
export const inTurn = (commands: readonly { readonly folder: string; readonly command: string }[]): string =>
  commands.length === 1 && commands[0] !== undefined
    ? inFolder(commands[0].folder, commands[0].command)
    : commands
        .map(({ folder, command }) => (folder === "." ? command : `(${inFolder(folder, command)})`))
        .join(" && ");
