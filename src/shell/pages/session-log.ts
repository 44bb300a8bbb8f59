/** Logs of agents' sessions for pages: a part at a time, and no part costs more than so much. */
import { attemptNumbered, placeOf } from "../../engine/index.ts";
import type { LogOrder, LogPart, LogSession, LogViews } from "../../ports-dashboard-logs.ts";
import { mayIn, type Viewer } from "../../ports-dashboard.ts";
import type { LogLine, LogPiece } from "../../session-logs.ts";
import { ticketBehind } from "../../state-machine/ticket-id.ts";
import { transcriptOf, type Told } from "../../transcript.ts";
import { shown } from "../../untrusted.ts";
import type { Workshop } from "../workshop.ts";
import type { RunDesk } from "./run-desk.ts";

/** Shown of a part: the newest of them. */
const mostLines = 500;
/** Shown of one line; the file has the rest. */
const longestLine = 4_000;
/** Looked through for one part, when most of it is not wanted. */
const mostScanned = 2 * 1024 * 1024;
/** A reader who is further behind than this goes on at the end, and is told. */
const mostBehind = 512 * 1024;
/** Words of a search. */
const mostWords = 10;

interface Kept extends LogSession {
  readonly path: string | undefined;
}

export function logPages(shop: Pick<Workshop, "store" | "clock" | "runDesk">): LogViews {
  const { clock, runDesk: desk } = shop;
  return {
    session: async (viewer, name) => {
      const kept = await sessionNamed(shop, viewer, name);
      return kept && sessionOf(kept);
    },
    read: async (viewer, name, order) => {
      const kept = await sessionNamed(shop, viewer, name);
      return kept && (await partOf(desk, kept, order, clock.now()));
    },
    whole: async (viewer, name) => {
      const kept = await sessionNamed(shop, viewer, name);
      const first = kept?.path === undefined ? undefined : await desk?.readLog(kept.path, 0);
      return first && desk && wholeFrom(desk, kept?.path ?? "", first);
    },
  };
}

const sessionOf = ({ path: _path, ...session }: Kept): LogSession => session;

/** Looked up anew at each part: who may no longer see it reads no further. */
async function sessionNamed(
  { store, runDesk: desk }: Pick<Workshop, "store" | "runDesk">,
  viewer: Viewer,
  name: string,
): Promise<Kept | undefined> {
  const [, mark, digits] = /^(a?)(\d{1,15})$/u.exec(name) ?? [];
  if (digits === undefined) return undefined;
  const found =
    mark === "a" ? await attemptSession(desk, name, Number(digits)) : await ticketSession(store, name);
  if (found === undefined) return undefined;
  if (viewer.rights === "operator") return found;
  const stored = found.ticket === undefined ? undefined : await store.load(found.ticket);
  return stored !== undefined && mayIn(viewer, stored.repo, "see") ? found : undefined;
}

async function ticketSession(store: Workshop["store"], name: string): Promise<Kept | undefined> {
  const row = await store.sessionById(Number(name));
  return (
    row && {
      name,
      run: row.run,
      ticket: row.ticket,
      role: row.role,
      runtime: row.runtime,
      model: row.model ?? undefined,
      startedAt: row.startedAt,
      endedAt: row.endedAt ?? undefined,
      path: row.logPath ?? undefined,
    }
  );
}

async function attemptSession(
  desk: RunDesk | undefined,
  name: string,
  seq: number,
): Promise<Kept | undefined> {
  const found = await desk?.sql.read(() => attemptNumbered(seq));
  if (found === undefined || desk === undefined) return undefined;
  const { run, leaf, iteration, attempt, startedAt, endedAt, memory } = found;
  return {
    name,
    run,
    ticket: ticketBehind(run),
    role: placeOf({ leaf, iteration }),
    runtime: memory?.agent ?? "?",
    model: memory?.models.at(-1),
    startedAt,
    endedAt,
    path: desk.logOf({ run, leaf, iteration, attempt }),
  };
}

async function partOf(desk: RunDesk | undefined, kept: Kept, order: LogOrder, now: number): Promise<LogPart> {
  const session = sessionOf(kept);
  const { path, endedAt } = kept;
  const piece = path === undefined ? undefined : await desk?.readLog(path, order.from);
  const nothing = { lines: [], leftOutBytes: 0, leftOutLines: 0, from: 0, next: 0, size: 0 };
  const isEnded = endedAt !== undefined;
  if (piece === undefined || desk === undefined || path === undefined)
    return { session, ...nothing, isOver: isEnded, isGone: isEnded, now };
  const { from } = order;
  const isLate = from !== "end" && order.late === "skip" && piece.size - piece.next > mostBehind;
  const read = isLate ? ((await desk.readLog(path, "end")) ?? piece) : piece;
  const found = await wanted(desk, path, read, order);
  const lines = from === "end" || isLate ? found.lines.slice(-mostLines) : found.lines;
  return {
    session,
    lines: lines.map(lineView),
    from: read.from,
    next: found.next,
    size: found.size,
    leftOutBytes: isLate ? read.from - from : 0,
    leftOutLines: found.lines.length - lines.length,
    isOver: isEnded && (found.next >= found.size || found.next === from),
    isGone: false,
    now,
  };
}

/** The wanted lines from a piece on, until there are enough of them or enough was looked through. */
async function wanted(
  desk: RunDesk,
  path: string,
  first: LogPiece,
  order: LogOrder,
): Promise<{ readonly lines: readonly Told[]; readonly next: number; readonly size: number }> {
  const lines: Told[] = [];
  const wants = wish(order);
  let piece = first;
  for (;;) {
    lines.push(...toldIn(piece.lines, order.how).filter(wants));
    const isEnough = lines.length >= mostLines || piece.next - first.from >= mostScanned;
    if (order.from === "end" || isEnough || piece.next >= piece.size) break;
    const more = await desk.readLog(path, piece.next);
    if (more === undefined || more.next <= piece.next) break;
    piece = more;
  }
  return { lines, next: piece.next, size: piece.size };
}

const toldIn = (lines: readonly LogLine[], how: LogOrder["how"]): readonly Told[] =>
  how === "heard"
    ? transcriptOf(lines)
    : lines.flatMap(({ at, type, text }) =>
        type === "stdout" || type === "stderr" || type === "cut" ? [{ at, kind: type, text }] : [],
      );

function wish({ kinds, words }: LogOrder): (told: Told) => boolean {
  const all = words.toLowerCase().split(/\s+/u).filter(Boolean).slice(0, mostWords);
  return ({ kind, text }) => {
    if (kinds.length > 0 && !kinds.includes(kind)) return false;
    if (all.length === 0) return true;
    const lower = text.toLowerCase();
    return all.every((word) => lower.includes(word));
  };
}

const lineView = ({ at, kind, text }: Told): LogPart["lines"][number] => {
  // Cut first: what is taken out of a long line costs by its length.
  const kept = text.length > longestLine ? text.slice(0, longestLine) : text;
  return { at, kind, text: shown(kept), more: text.length - kept.length };
};

async function* wholeFrom(desk: RunDesk, path: string, first: LogPiece): AsyncGenerator<string> {
  for (let piece = first; ;) {
    if (piece.lines.length > 0) yield `${piece.lines.map((line) => JSON.stringify(line)).join("\n")}\n`;
    const more = piece.next >= piece.size ? undefined : await desk.readLog(path, piece.next);
    if (more === undefined || more.next <= piece.next) return;
    piece = more;
  }
}
