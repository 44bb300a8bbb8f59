/** New runs that begin where another one was: a fork goes on by itself, a replay takes what the other gave. */
import { all, one, run as exec, type Verb } from "../sql.ts";
import { filesAt, framesOf, hasEffect, lastingIn, placeOf, type Frame } from "./frames.ts";
import { give } from "./given.ts";
import { runById, type RunRow } from "./store.ts";

export interface ForkOrder {
  /** The run it begins from; that one stays as it is. */
  readonly run: string;
  /** What the new one is called. */
  readonly as: string;
  /** The last when undefined. */
  readonly frame: number | undefined;
  /** The other run's when undefined. */
  readonly input: { readonly value: unknown } | undefined;
  /** A leaf that is done again, with all that began after its first attempt had ended. */
  readonly reset: string | undefined;
  /** Where its tasks work; the other run's folder when undefined. */
  readonly folder: string | undefined;
  readonly how: "fork" | "replay";
  /** What to do about effects that would happen again and folders that another run still works in. */
  readonly clashes: "refuse" | "accept";
  readonly at: number;
}
export type Forked =
  | { readonly is: "unknown run" }
  | { readonly is: "unknown frame"; readonly last: number }
  | { readonly is: "unknown leaf"; readonly leaves: readonly string[] }
  /** The name is another run's. */
  | { readonly is: "taken" }
  | {
      readonly is: "clash";
      /** They would happen again. */
      readonly effects: readonly Frame[];
      readonly shared: readonly Shared[];
    }
  | {
      readonly is: "done";
      readonly parent: RunRow;
      readonly frame: number;
      /** What the new run has, or is given. */
      readonly kept: readonly Frame[];
      /** What its own folder's files were kept as at that frame. */
      readonly files: string | undefined;
    };
/** A folder that another open run works in. */
export interface Shared {
  readonly run: string;
  readonly folder: string;
}

/** What a fork would be, without writing anything. */
export function* lookToFork(order: Omit<ForkOrder, "at">): Verb<Forked> {
  const parent = yield* runById(order.run);
  if (parent === undefined) return { is: "unknown run" };
  if ((yield* runById(order.as)) !== undefined) return { is: "taken" };
  const frames = yield* framesOf(parent.id);
  const { frame = frames.length, reset } = order;
  if (!Number.isInteger(frame) || frame < 0 || frame > frames.length)
    return { is: "unknown frame", last: frames.length };
  const upTo = frames.slice(0, frame);
  const first = upTo.find(({ leaf }) => leaf === reset);
  if (reset !== undefined && first === undefined)
    return { is: "unknown leaf", leaves: [...new Set(upTo.map(({ leaf }) => leaf))] };
  const isReset = ({ leaf, seq }: Frame): boolean =>
    first !== undefined && (leaf === reset || seq > (first.endedAfter ?? first.seq));
  const kept = lastingIn(upTo.filter((one) => !isReset(one)));
  const places = new Set(kept.map(placeOf));
  const effects = frames.filter((one) => hasEffect(one) && !places.has(placeOf(one)));
  const shared = yield* sharedWith(parent, kept);
  if (order.clashes === "refuse" && effects.length + shared.length > 0)
    return { is: "clash", effects, shared };
  const files = parent.folder === undefined ? undefined : filesAt(frames, frame).get(parent.folder);
  return { is: "done", parent, frame, kept, files };
}

/** Writes the new run. The other one's rows are read, never written. */
export function* forkRun(order: ForkOrder): Verb<Forked> {
  const look = yield* lookToFork(order);
  if (look.is !== "done") return look;
  const { parent, frame, kept } = look;
  const { as, how, input, folder = parent.folder } = order;
  yield* exec(
    "insert into run (id, workflow, source, folder, parent, frame, replays, definition, input, created_at) select ?, workflow, source, ?, id, ?, ?, definition, ?, ? from run where id = ?",
    as,
    folder ?? null,
    frame,
    how === "replay" ? 1 : 0,
    JSON.stringify(input === undefined ? parent.input : input.value),
    order.at,
    parent.id,
  );
  if (how === "replay")
    yield* give(
      as,
      kept.map(({ seq }) => seq),
    );
  else yield* copyRows(as, kept, { from: parent.folder ?? null, to: folder ?? null });
  return look;
}

function* copyRows(
  run: string,
  kept: readonly Frame[],
  folder: { readonly from: string | null; readonly to: string | null },
): Verb<void> {
  // Rows know what came after them by its number, so that must be told in the new numbers.
  const copies: { readonly old: number; readonly fresh: number; readonly endedAfter: number | undefined }[] =
    [];
  for (const { seq, endedAfter } of kept) {
    const row = yield* one<{ seq: number }>(
      "insert into attempt (run, leaf, iteration, attempt, status, output, error, memory, ask, effect, folder, baseline, snapshot, started_at, ended_at) select ?, leaf, iteration, attempt, status, output, error, memory, ask, effect, case when folder = ? then ? else folder end, baseline, snapshot, started_at, ended_at from attempt where seq = ? returning seq",
      run,
      folder.from,
      folder.to,
      seq,
    );
    if (row !== undefined) copies.push({ old: seq, fresh: row.seq, endedAfter });
  }
  for (const { fresh, endedAfter = 0 } of copies) {
    const after = copies.findLast(({ old }) => old <= endedAfter)?.fresh ?? fresh;
    yield* exec("update attempt set ended_after = ? where seq = ?", after, fresh);
  }
}

/** Open runs that work in the worktrees these attempts worked in. The run's own folder is shared as by any two runs. */
function* sharedWith(parent: RunRow, kept: readonly Frame[]): Verb<readonly Shared[]> {
  const folders = new Set(
    kept.flatMap((frame) => [frame.folder, pathOf(frame.output)]).filter((one) => one !== undefined),
  );
  if (parent.folder !== undefined) folders.delete(parent.folder);
  if (folders.size === 0) return [];
  const others = yield* all<Shared>(
    "select distinct run.id as run, attempt.folder as folder from run join attempt on attempt.run = run.id and attempt.cut = 0 where run.status in ('ready', 'running', 'waiting') and run.id <> ? and attempt.folder in (select value from json_each(?))",
    parent.id,
    JSON.stringify([...folders]),
  );
  const own =
    parent.settledAt === undefined ? [...folders].map((folder) => ({ run: parent.id, folder })) : [];
  return [...own, ...others];
}

/** The path of a worktree that an attempt opened. */
function pathOf(output: unknown): string | undefined {
  const opened = output as {
    readonly path?: unknown;
    readonly branch?: unknown;
    readonly base?: unknown;
  } | null;
  if (typeof opened !== "object" || opened === null) return undefined;
  const { path, branch, base } = opened;
  return [path, branch, base].every((one) => typeof one === "string") ? (path as string) : undefined;
}
