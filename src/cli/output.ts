import { styleText } from "node:util";
import { Trouble } from "../ports.ts";
import { exitCodes, problemOf, type ExitCode } from "../problems.ts";

/** Where a command speaks: data to `out`, everything else to `err`. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** A person reads the data, not a pipe. */
  readonly isTty: boolean;
}
export const terminal: Terminal = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  isTty: process.stdout.isTTY,
};

/** What a command answers: data under a versioned schema, the same for people. */
export interface Answer {
  /** `ps/1`; a new number only when a field changes its meaning or goes. */
  readonly schema: string;
  readonly data: unknown;
  readonly text: string;
  /** Ends the process with this; 0 when left out. */
  readonly exit?: ExitCode;
  /** Next steps, to stderr. */
  readonly hint?: string;
}

/** One line of JSON: what was asked for, or why not. */
export const envelope = (schema: string, data: unknown, error: object | null = null): string =>
  `${JSON.stringify({ schema, data, error })}\n`;

export function print(answer: Answer, options: { readonly json?: boolean | undefined }): void {
  if (options.json === true) terminal.out(envelope(answer.schema, answer.data));
  else {
    terminal.out(answer.text.endsWith("\n") || answer.text === "" ? answer.text : `${answer.text}\n`);
    if (answer.hint !== undefined) terminal.err(`${answer.hint}\n`);
  }
  process.exitCode = answer.exit ?? exitCodes.ok;
}

/** A failure a command foresees: what, and what to type next. */
export class Failure extends Error {
  readonly exit: ExitCode;
  constructor(exit: ExitCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = "Failure";
    this.exit = exit;
  }
}

interface Told {
  readonly exit: ExitCode;
  readonly code: string;
  readonly message: string;
}

/** Says what went wrong where the caller looks for it, and ends with the matching exit code. */
export function fail(
  error: unknown,
  options: { readonly json?: boolean | undefined; readonly schema: string },
): void {
  const { exit, ...said } = toldOf(error);
  if (options.json === true) terminal.out(envelope(options.schema, null, said));
  else terminal.err(`${bold("error:", process.stderr)} ${plain(said.message)}\n`);
  process.exitCode = exit;
}

function toldOf(error: unknown): Told & { readonly why?: string; readonly do?: string } {
  if (error instanceof Failure) {
    const name = Object.entries(exitCodes).find(([, code]) => code === error.exit)?.[0];
    return { exit: error.exit, code: name ?? "failed", message: error.message };
  }
  const problem = problemOf(error);
  if (problem !== undefined) {
    const { exitCode: exit, code, message, told } = problem;
    return { exit, code, message, why: told.why, do: told.do };
  }
  if (error instanceof Trouble) return { exit: exitCodes.failed, code: error.code, message: error.message };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exit: exitCodes.failed, code: "failed", message };
}

export const bold = (text: string, stream: NodeJS.WriteStream = process.stdout): string =>
  styleText("bold", text, { stream });
export const dim = (text: string): string => styleText("dim", text, { stream: process.stdout });

/**
 * The same text with nothing a terminal would obey. Titles, logins and the words of agents come from anybody: they must
 * not move the cursor, change the colour or turn the direction of reading.
 */
export const plain = (text: string): string =>
  text.replaceAll(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (one) =>
    one === "\n" || one === "\t" ? one : "",
  );
/** The same on one line. */
export const oneLine = (text: string): string => plain(text.replaceAll(/\s+/gu, " "));

/** Columns padded for people, tabs for a pipe. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  isTty: boolean,
): string {
  const cells = rows.map((row) => row.map(oneLine));
  if (!isTty) return [header, ...cells].map((row) => row.join("\t")).join("\n");
  const widths = header.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [bold(line(header)), ...cells.map(line)].join("\n");
}
