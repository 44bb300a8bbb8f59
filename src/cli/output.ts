import { styleText } from "node:util";
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

export function print(answer: Answer, options: { readonly json?: boolean | undefined }): void {
  if (options.json === true)
    terminal.out(`${JSON.stringify({ schema: answer.schema, data: answer.data, error: null })}\n`);
  else {
    terminal.out(answer.text.endsWith("\n") || answer.text === "" ? answer.text : `${answer.text}\n`);
    if (answer.hint !== undefined) terminal.err(`${answer.hint}\n`);
  }
  process.exitCode = answer.exit ?? exitCodes.ok;
}

/** A failure a command foresees: what, and what to type next. */
export class Failure extends Error {
  readonly exit: ExitCode;
  constructor(exit: ExitCode, message: string) {
    super(message);
    this.name = "Failure";
    this.exit = exit;
  }
}

/** Says what went wrong where the caller looks for it, and ends with the matching exit code. */
export function fail(
  error: unknown,
  options: { readonly json?: boolean | undefined; readonly schema: string },
): void {
  const problem = problemOf(error);
  const known =
    error instanceof Failure
      ? { exit: error.exit, message: error.message }
      : problem && { exit: problem.exitCode, message: problem.message };
  const { exit, message } = known ?? {
    exit: exitCodes.failed,
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
  if (options.json === true) {
    terminal.out(
      `${JSON.stringify({ schema: options.schema, data: null, error: { code: problem?.code ?? "failed", message } })}\n`,
    );
  } else terminal.err(`${bold("error:", process.stderr)} ${message}\n`);
  process.exitCode = exit;
}

export const bold = (text: string, stream: NodeJS.WriteStream = process.stdout): string =>
  styleText("bold", text, { stream });
export const dim = (text: string): string => styleText("dim", text, { stream: process.stdout });

/** Columns padded for people, tabs for a pipe. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  isTty: boolean,
): string {
  if (!isTty) return [header, ...rows].map((row) => row.join("\t")).join("\n");
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [bold(line(header)), ...rows.map(line)].join("\n");
}
