/** Takes a run back to one of its frames, its files with it, and takes that back again. */
import { createHash } from "node:crypto";
import type { Sql, Verb } from "../sql.ts";
import {
  countedBefore,
  holdRun,
  makeChange,
  nextNumber,
  seeRun,
  type Before,
  type MovedFiles,
  type RunChange,
  type Seen,
} from "./change.ts";
import { refsOf } from "./files.ts";
import { filesAt, hasEffect, type Frame } from "./frames.ts";
import type { Snapshots } from "./host.ts";
import type { Owner, RunRow } from "./store.ts";

export interface TravelTools {
  readonly sql: Sql;
  readonly now: () => number;
  readonly snapshots: Snapshots | undefined;
  /** This one. */
  readonly host: string;
  /** Certain only about owners on this host. */
  readonly isDead: (owner: Owner) => boolean;
  /** Ends what a dead owner may have left at work. */
  readonly sweep: (runs: readonly string[]) => Promise<unknown>;
}
export interface RewindOrder {
  readonly run: string;
  /** To a frame, or to how things were just before a change: the newest one when none is named. */
  readonly to: { readonly frame: number } | { readonly undo: number | undefined };
  readonly by: string;
  /** What to do where something would be left as it is that the rewind should take back. */
  readonly left: "refuse" | "accept";
  /** Written with the change, or not at all. */
  readonly also?: () => Verb<void>;
}
/** A folder whose files stay as they are, and why. */
export interface LeftFiles {
  readonly folder: string;
  readonly why: string;
}
export type Rewound =
  | { readonly is: "unknown run" }
  /** Only frames up to `last`. */
  | { readonly is: "unknown frame"; readonly last: number }
  | { readonly is: "unknown change"; readonly changes: readonly number[] }
  /** A living process has it. */
  | { readonly is: "at work"; readonly owner: Owner }
  /** Somebody else took or changed it meanwhile. */
  | { readonly is: "moved" }
  | { readonly is: "left"; readonly effects: readonly Frame[]; readonly files: readonly LeftFiles[] }
  | {
      readonly is: "done";
      readonly number: number;
      readonly frame: number;
      readonly cut: readonly Frame[];
      readonly brought: number;
      readonly files: readonly MovedFiles[];
      readonly left: readonly LeftFiles[];
    };

/** Files could not be put back; the run is held until it is tried again or taken back. */
export class HalfRewound extends Error {
  constructor(folder: string, cause: unknown) {
    super(
      `the files in ${folder} could not be put back: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
    this.name = "HalfRewound";
  }
}

/** A sign of life of an owner on another host counts for this long. */
const silenceMs = 60_000;
/** Whether a living process has the run. */
function isAtWork(
  { status, owner, heartbeatAt }: RunRow,
  { host, isDead, now }: Pick<TravelTools, "host" | "isDead" | "now">,
): boolean {
  // A process that has heard of a cancellation has the run until what it had at work has ended.
  if ((status !== "running" && status !== "cancelled") || owner === undefined) return false;
  return owner.host === host ? !isDead(owner) : now() - heartbeatAt <= silenceMs;
}

/**
 * Rewinds, or takes a rewind back. Nothing is lost: rows are cut, not deleted, and files are kept as they were. It may
 * die anywhere: until files are put back the run is held, and saying the same again finishes it.
 */
export async function rewindRun(tools: TravelTools, order: RewindOrder): Promise<Rewound> {
  const { sql, now, sweep } = tools;
  const seen = await sql.read(() => seeRun(order.run));
  if (seen === undefined) return { is: "unknown run" };
  const { row } = seen;
  if (row.owner !== undefined && isAtWork(row, tools)) return { is: "at work", owner: row.owner };
  const goal = goalOf(seen, order.to);
  if ("is" in goal) return goal;
  if (row.owner !== undefined) await sweep([row.id]);
  const { files, left, blocking } = await saveAll(tools, seen, goal);
  const effects = goal.cut.filter(hasEffect);
  if (order.left === "refuse" && effects.length + blocking.length > 0)
    return { is: "left", effects, files: blocking };
  const at = now();
  const { number, frame, before, cut, brought } = goal;
  const change: RunChange = {
    number,
    frame,
    undoes: goal.undoes,
    before,
    files,
    newest: seen.newest,
    cut: cut.map(({ seq }) => seq),
    brought,
    by: order.by,
    at,
    doneAt: at,
  };
  let { fence } = row;
  if (files.length > 0) {
    const held = { ...change, cut: [], brought: [], doneAt: undefined };
    const next = await sql.commit(() => holdRun(seen, held));
    if (next === undefined) return { is: "moved" };
    fence = next;
    await putBack(tools, files);
  }
  const isMade = await sql.commit(function* (): Verb<boolean> {
    const made = yield* makeChange(row, fence, change, goal.after);
    if (made && order.also !== undefined) yield* order.also();
    return made;
  });
  if (!isMade) return { is: "moved" };
  return { is: "done", number, frame, cut, brought: brought.length, files, left };
}

async function putBack({ snapshots }: TravelTools, files: readonly MovedFiles[]): Promise<void> {
  for (const { folder, to } of files) {
    try {
      await snapshots?.restore(folder, to);
    } catch (error) {
      throw new HalfRewound(folder, error);
    }
  }
}

/** Where a change leads. */
interface Goal {
  readonly number: number;
  readonly frame: number;
  readonly undoes: number | undefined;
  readonly cut: readonly Frame[];
  readonly brought: readonly number[];
  /** What each folder's files become. */
  readonly files: ReadonlyMap<string, string | undefined>;
  /** Folders that the run needs afterwards. */
  readonly needed: ReadonlySet<string>;
  readonly before: Before;
  readonly after: Before;
}
const ready: Before = {
  status: "ready",
  outcome: undefined,
  output: undefined,
  error: undefined,
  settledAt: undefined,
};

function goalOf(seen: Seen, to: RewindOrder["to"]): Goal | Rewound {
  const { row, frames, changes } = seen;
  const newest = changes.at(-1);
  // One that was cut short is finished by the next, under its number and with what it knew.
  const pending = newest?.doneAt === undefined ? newest : undefined;
  const { status, outcome, output, error, settledAt } = row;
  const own = {
    number: pending?.number ?? nextNumber(seen),
    before: pending?.before ?? { status, outcome, output, error, settledAt },
  };
  if ("frame" in to) {
    const { frame } = to;
    if (!Number.isInteger(frame) || frame < 0 || frame > frames.length)
      return { is: "unknown frame", last: frames.length };
    const cut = frames.slice(frame);
    const needed = neededBy(row, frames.slice(0, frame));
    const files = filesAt(frames, frame);
    return { ...own, frame, undoes: undefined, cut, brought: [], files, needed, after: ready };
  }
  const undone = changes.find(({ number }) => number === (to.undo ?? newest?.number));
  if (undone === undefined) return { is: "unknown change", changes: changes.map(({ number }) => number) };
  const counted = countedBefore(seen, undone.number);
  const cut = frames.filter(({ seq }) => !counted.has(seq));
  const here = new Set(frames.map(({ seq }) => seq));
  const brought = [...counted].filter((seq) => !here.has(seq));
  const since = changes.filter(({ number }) => number >= undone.number).toReversed();
  // The oldest of them kept the files as they were before all of them.
  const files = new Map(since.flatMap((change) => change.files.map(({ folder, saved }) => [folder, saved])));
  const kept = frames.filter(({ seq }) => counted.has(seq));
  const isOver = /^(?:finished|failed|cancelled)$/u.test(undone.before.status);
  return {
    ...own,
    frame: counted.size,
    undoes: undone.number,
    cut,
    brought,
    files,
    needed: neededBy(row, kept),
    after: isOver ? undone.before : ready,
  };
}

const neededBy = ({ folder }: RunRow, frames: readonly Frame[]): ReadonlySet<string> =>
  new Set([folder, ...frames.map((frame) => frame.folder)].filter((one) => one !== undefined));

/** Keeps the files of every folder as they are now, before anything is changed. */
async function saveAll(
  { snapshots }: TravelTools,
  { row, changes }: Seen,
  { number, frame, files, needed }: Goal,
): Promise<{
  readonly files: readonly MovedFiles[];
  readonly left: readonly LeftFiles[];
  readonly blocking: readonly LeftFiles[];
}> {
  // What was kept before a change that was cut short is the truth; what is there now may be half of each.
  const cutShort = changes.find((change) => change.number === number);
  const moved: MovedFiles[] = [];
  const left: LeftFiles[] = [];
  for (const [folder, to] of files) {
    if (to === undefined) continue;
    const known = cutShort?.files.find((one) => one.folder === folder)?.saved;
    const ref = `${refsOf(row)}rewind/${number}/${createHash("sha256").update(folder).digest("hex").slice(0, 16)}`;
    try {
      const saved = known ?? (await snapshots?.save(folder, ref, `${row.id} before frame ${frame}`));
      if (saved === undefined)
        throw new Error(snapshots === undefined ? "there is no git here" : "it is in no git repository");
      moved.push({ folder, saved, to });
    } catch (error) {
      left.push({ folder, why: error instanceof Error ? error.message : String(error) });
    }
  }
  return { files: moved, left, blocking: left.filter(({ folder }) => needed.has(folder)) };
}
