/** The frames of a run. Frame N is what its first N attempts came to: what caused an attempt has a smaller number. */
import { all, type Verb } from "../sql.ts";
import { attemptOf, type RawAttempt } from "./attempts.ts";
import type { GivenEnd } from "./given.ts";
import type { Attempt } from "./rows.ts";

/** The attempt that made a frame, with all that its row keeps. */
export interface Frame extends Attempt {
  readonly number: number;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  /** The newest row there was when it ended. */
  readonly endedAfter: number | undefined;
  readonly effect: string | undefined;
  readonly folder: string | undefined;
  readonly baseline: string | undefined;
}

export function* framesOf(run: string): Verb<readonly Frame[]> {
  const rows = yield* all<
    RawAttempt & {
      started_at: number;
      ended_at: number | null;
      ended_after: number | null;
      effect: string | null;
      folder: string | null;
      baseline: string | null;
    }
  >("select * from attempt where run = ? and cut = 0 order by seq", run);
  return rows.map((row, index) => ({
    ...attemptOf(row),
    number: index + 1,
    startedAt: row.started_at,
    endedAt: row.ended_at ?? undefined,
    endedAfter: row.ended_after ?? undefined,
    effect: row.effect ?? undefined,
    folder: row.folder ?? undefined,
    baseline: row.baseline ?? undefined,
  }));
}

/** Where in the tree an attempt is: `test`, or `test@1` in a loop. */
export const placeOf = ({ leaf, iteration }: Pick<Frame, "leaf" | "iteration">): string =>
  iteration === "" ? leaf : `${leaf}@${iteration}`;

/** What stays done for a run that begins from these frames: what finished, and the failures it lived through. */
export function lastingIn(frames: readonly Frame[]): readonly Frame[] {
  const newest = frames.at(-1)?.seq ?? 0;
  return frames.filter(
    ({ status, dueAt, endedAfter }) =>
      status === "finished" ||
      (status === "failed" && dueAt === undefined && endedAfter !== undefined && newest > endedAfter),
  );
}

export const givenIn = (frames: readonly Frame[]): readonly GivenEnd[] =>
  lastingIn(frames).map((frame) => ({
    ...frame,
    error: frame.status === "failed" ? (frame.error ?? "it failed") : undefined,
  }));

/** Did something to the world that nothing takes back; one that was lost may have. */
export const hasEffect = ({ effect, status }: Frame): boolean =>
  effect !== undefined && (status === "finished" || status === "lost");

/** What the files of each folder were kept as at a frame; undefined where nothing could be kept. */
export function filesAt(frames: readonly Frame[], frame: number): ReadonlyMap<string, string | undefined> {
  const found = new Map<string, { readonly commit: string | undefined; readonly at: number }>();
  for (const { number, folder, snapshot, baseline, endedAt = 0 } of frames) {
    if (folder === undefined) continue;
    const known = found.get(folder) ?? { commit: baseline, at: -1 };
    const isNewer = snapshot !== undefined && number <= frame && endedAt >= known.at;
    // Of tasks side by side, the one that ended last saw the work of all.
    found.set(folder, isNewer ? { commit: snapshot, at: endedAt } : known);
  }
  return new Map([...found].map(([folder, { commit }]) => [folder, commit]));
}
