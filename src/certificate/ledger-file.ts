/** The ledger as a file: one line of JSON each, so that it can be verified away from its database. */
import { z } from "zod";
import { genesis, hashOf, lineOf, type Line, type LineRow } from "../store/ledger.ts";
import type { Fault } from "./fault.ts";

export const ledgerFileSchema = "forgehand/ledger/1";

const rowSchema = z.strictObject({
  seq: z.int().positive(),
  ticket: z.string(),
  version: z.int().positive(),
  event_id: z.string(),
  at: z.int(),
  actor: z.string(),
  permission: z.string().nullable(),
  event: z.string(),
  row: z.string(),
  from_state: z.string(),
  to_state: z.string(),
  policy: z.string(),
  prev: z.string(),
  hash: z.string(),
}) satisfies z.ZodType<LineRow>;
const headSchema = z.strictObject({ schema: z.literal(ledgerFileSchema) });
const endSchema = z.strictObject({ end: z.strictObject({ lines: z.int(), hash: z.string() }) });

/** The lines of a file that holds this ledger; the last one tells a whole file from a cut one. */
export async function* ledgerFile(pages: AsyncIterable<readonly LineRow[]>): AsyncGenerator<string> {
  yield JSON.stringify({ schema: ledgerFileSchema });
  let last = { lines: 0, hash: genesis };
  for await (const rows of pages) {
    for (const row of rows) {
      // In the order of the schema, whatever order the database answers in.
      yield JSON.stringify(
        Object.fromEntries(Object.keys(rowSchema.shape).map((key) => [key, Reflect.get(row, key)])),
      );
      last = { lines: row.seq, hash: row.hash };
    }
  }
  yield JSON.stringify({ end: last });
}

/** A head of the ledger that was noted elsewhere. */
export interface Anchor {
  readonly seq: number;
  readonly hash: string;
}
export interface LedgerRead {
  /** Those of the one ticket that was asked for. */
  readonly lines: readonly Line[];
  readonly head: Anchor;
  readonly faults: readonly Fault[];
}

const again = "ask its operator for a fresh one: `forgehand ledger export > ledger.ndjson`";

/** Recomputes the chain of a ledger's file, and keeps the lines of one ticket. Stops at the first line that is wrong. */
export async function readLedgerFile(
  file: AsyncIterable<string>,
  ticket: string,
  anchors: readonly Anchor[],
): Promise<LedgerRead> {
  const wanted = new Map(anchors.map(({ seq, hash }) => [seq, hash]));
  const lines: Line[] = [];
  let head: Anchor = { seq: 0, hash: genesis };
  let number = 0;
  let ended = false;
  const over = (why: string, does: string = again): LedgerRead => ({
    lines,
    head,
    faults: [{ field: "ledger", why, do: does }],
  });
  for await (const text of file) {
    number += 1;
    if (text.trim() === "") continue;
    const value = parsed(text);
    if (number === 1) {
      if (!headSchema.safeParse(value).success)
        return over(`the file does not begin as an export of a ledger does (${ledgerFileSchema})`);
      continue;
    }
    const end = endSchema.safeParse(value).data?.end;
    if (end !== undefined) {
      ended = true;
      if (end.lines !== head.seq || end.hash !== head.hash)
        return over(`its end speaks of ${end.lines} lines, and there are ${head.seq}`);
      continue;
    }
    const row = rowSchema.safeParse(value).data;
    if (row === undefined || ended) return over(`line ${number} of the file is no line of a ledger`);
    const why = brokenAt(row, head) ?? anchorBroken(row, wanted);
    if (why !== undefined) return over(why);
    head = { seq: row.seq, hash: row.hash };
    if (row.ticket !== ticket) continue;
    const line = tried(() => lineOf(row));
    if (line === undefined) return over(`line ${row.seq}: its event or policy is no JSON`);
    lines.push(line);
  }
  if (!ended) return over(`it was cut: it ends after line ${head.seq}, without its end`);
  const beyond = anchors.find(({ seq }) => seq > head.seq);
  if (beyond !== undefined)
    return over(`it was cut: it ends with line ${head.seq}, and line ${beyond.seq} is anchored elsewhere`);
  return { lines, head, faults: [] };
}

function brokenAt(row: LineRow, head: Anchor): string | undefined {
  if (row.seq !== head.seq + 1)
    return head.seq === 0
      ? `it was cut: it begins with line ${row.seq}`
      : `line ${head.seq + 1} is missing: line ${row.seq} follows line ${head.seq}`;
  if (hashOf(row) !== row.hash) return `line ${row.seq} was changed: its hash does not fit its contents`;
  return row.prev === head.hash ? undefined : `line ${row.seq} does not follow from the line before`;
}

const anchorBroken = (row: LineRow, wanted: ReadonlyMap<number, string>): string | undefined =>
  (wanted.get(row.seq) ?? row.hash) === row.hash
    ? undefined
    : `line ${row.seq}: its hash is not the one anchored elsewhere`;

const parsed = (text: string): unknown => tried(() => JSON.parse(text) as unknown);
function tried<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
