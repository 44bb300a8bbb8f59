/** A conversation with an agent as people read it: the same for tickets and for runs. */
import type { LogLine } from "../session-logs.ts";
import { toolResultsIn } from "../tool-results.ts";
import type { KnownSummary } from "../engine/index.ts";
import { dim, oneLine, plain } from "./output.ts";

/** One line of a transcript; `kind` says whose it is. */
export interface Told {
  readonly at: number;
  readonly kind: string;
  readonly text: string;
}

/** What was heard, and between it what tools answered as the runtime told it. */
export function transcriptOf(lines: readonly LogLine[]): readonly Told[] {
  return lines.flatMap(({ at, type, text }): readonly Told[] => {
    if (type === "stderr") return [];
    if (type === "stdout") return toolResultsIn(text).map((result) => ({ at, kind: "answer", text: result }));
    return [{ at, kind: type, text }];
  });
}

/** The time, what it is, and the words, their further lines below the first. */
export function toldLine({ at, kind, text }: Told): string {
  const time = at === 0 ? "        " : new Date(at).toISOString().slice(11, 19);
  const words = plain(text.trimEnd()).replaceAll("\n", `\n${" ".repeat(18)}`);
  return `${dim(`${time} ${kind.padEnd(8)}`)} ${words}`;
}

/** A run's summary, who wrote it where that was a model, and why it did not where it was asked. */
export function summaryLine({ run, text, by, note }: KnownSummary): string {
  const whose = by === "forgehand" ? (note === undefined ? "" : ` (${note})`) : ` (by ${by})`;
  return `${run}: ${oneLine(text)}${dim(oneLine(whose))}`;
}
