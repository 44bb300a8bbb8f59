/** A conversation with an agent as lines of a terminal. */
import type { KnownSummary } from "../engine/index.ts";
import type { Told } from "../transcript.ts";
import { dim, oneLine, plain } from "./output.ts";

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
