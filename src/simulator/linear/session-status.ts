import type { SimSession } from "./world.ts";

/** Silence after which work in progress counts as abandoned, until the next activity. */
const staleAfterMs = 30 * 60_000;

/** The status Linear shows: what the last activity says, or `stale` when work has gone silent. */
export function statusOf(session: SimSession, now: number): string {
  const works = session.mood === "pending" || session.mood === "active" || session.mood === "stopping";
  return works && now - session.lastActivityAt >= staleAfterMs ? "stale" : session.mood;
}
