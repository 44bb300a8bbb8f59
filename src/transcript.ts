/** A conversation with an agent as people read it: the same for tickets and for runs. */
import type { LogLine } from "./session-logs.ts";
import { toolResultsIn } from "./tool-results.ts";

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
