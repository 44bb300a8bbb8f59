import type { SessionSummary } from "../store/sessions.ts";
import type { RuntimeTrouble } from "../store/runtimes.ts";
import { downAmong } from "../shell/runtime-health.ts";

/** Where one runtime took over from another on a ticket, newest last: who could not work, why, and who did instead. */
export function handoversIn(sessions: readonly SessionSummary[]): readonly string[] {
  return sessions.flatMap((one, index) => {
    if (one.why === null) return [];
    const next = sessions
      .slice(index + 1)
      .find(({ run, role, runtime }) => run === one.run && role === one.role && runtime !== one.runtime);
    const at = one.endedAt === null ? "" : ` at ${new Date(one.endedAt).toISOString()}`;
    return next === undefined
      ? []
      : [
          `${one.runtime} could not work on the ${one.role} (${one.outcome ?? "unknown"})${at}: ${one.why}; ${next.runtime} took over`,
        ];
  });
}

/** Runtimes that are left out now, each with its reason and until when. */
export const downInWords = (troubles: readonly RuntimeTrouble[], now: number): readonly string[] =>
  downAmong(troubles, now).map(
    ({ runtime, code, why, until }) =>
      `${runtime} is left out until ${new Date(until).toISOString()} where another can stand in (${code}): ${why}`,
  );
