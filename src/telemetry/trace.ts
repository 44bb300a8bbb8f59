/** Which trace a line of the ledger is in, and the ids of spans: from the ids of rows, so that any process says the same. */
import { createHash } from "node:crypto";
import type { FreshLine } from "../store/follow.ts";

/** Lines that one trace may have; a ticket that goes on goes on in another, which links back. */
export const linesPerTrace = 500;

const closed: ReadonlySet<string> = new Set(["Done", "Cancelled"]);
const digest = (...parts: readonly (string | number)[]): string =>
  createHash("sha256").update(parts.join("\n")).digest("hex");

/** A ticket's first trace has its number 0; each time it is opened again, or grows too long, another begins. */
export const traceIdOf = (ticket: string, chapter: number): string =>
  digest("trace", ticket, chapter).slice(0, 32);
/** `what` names a table, `of` a row of it. */
export const spanIdOf = (
  what: "ticket" | "item" | "step" | "effect" | "run" | "attempt" | "session",
  ...of: readonly (string | number)[]
): string => digest("span", what, ...of).slice(0, 16);

/** One line in its trace. */
export interface Placed extends FreshLine {
  readonly chapter: number;
  /** The first line of its trace. */
  readonly first: FreshLine;
  /** With this line the span of the whole trace is over: it is told once. */
  readonly ends: boolean;
}

/** The lines of one ticket, oldest first, each in its trace. */
export function placed(lines: readonly FreshLine[]): readonly Placed[] {
  let chapter = 0;
  let first: FreshLine | undefined;
  let count = 0;
  let isOver = false;
  return lines.map((line) => {
    const isReopened = isOver && closed.has(line.from) && !closed.has(line.to);
    if (isReopened || count === linesPerTrace) {
      chapter += 1;
      first = undefined;
      count = 0;
      isOver = false;
    }
    first ??= line;
    count += 1;
    const ends = !isOver && (closed.has(line.to) || count === linesPerTrace);
    isOver ||= ends;
    return { ...line, chapter, first, ends };
  });
}
