import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { z } from "zod";
import { logKinds, type LogLine } from "../../session-logs.ts";
import { unpackMembers } from "./gzip-members.ts";

const lineSchema = z.object({ at: z.number(), type: z.enum(logKinds), text: z.string() });

export interface ReadLog {
  readonly lines: readonly LogLine[];
  /** Where to go on when the file has grown. */
  readonly next: number;
}

/** A session's lines behind this offset, as far as they are whole, or those of some kinds; undefined when there is no such file. */
export function readSessionLog(
  path: string,
  from = 0,
  kinds?: ReadonlySet<LogLine["type"]>,
): ReadLog | undefined {
  const bytes = bytesFrom(path, from);
  if (bytes === undefined) return undefined;
  const { texts, used } = unpackMembers(bytes);
  return { lines: linesOf(texts, kinds), next: from + used };
}

/** The lines in the texts of members, or those of some kinds. */
export const linesOf = (
  texts: readonly (string | undefined)[],
  kinds?: ReadonlySet<LogLine["type"]>,
): readonly LogLine[] =>
  texts.flatMap((text): readonly LogLine[] =>
    text === undefined
      ? [{ at: 0, type: "cut", text: "a part of this log is damaged" }]
      : text.split("\n").flatMap((line) => (isWanted(line, kinds) ? lineOf(line) : [])),
  );

/** Lines begin with their kind, so that most of a large log need not be parsed. */
function isWanted(line: string, kinds: ReadonlySet<LogLine["type"]> | undefined): boolean {
  if (line === "" || kinds === undefined) return line !== "";
  const kind = /^\{"at":\d{1,16},"type":"([a-z]{1,10})"/u.exec(line)?.[1];
  return kind !== undefined && (kinds as ReadonlySet<string>).has(kind);
}

function lineOf(line: string): readonly LogLine[] {
  try {
    const parsed = lineSchema.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  } catch {
    return [];
  }
}

function bytesFrom(path: string, from: number): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - from));
    let done = 0;
    while (done < bytes.length) {
      const read = readSync(file, bytes, done, bytes.length - done, from + done);
      if (read === 0) break;
      done += read;
    }
    return bytes.subarray(0, done);
  } finally {
    closeSync(file);
  }
}
