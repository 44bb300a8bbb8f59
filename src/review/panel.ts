import type { Opinion } from "./round.ts";
import type { Round } from "./findings.ts";
import type { Verdict } from "./verdict.ts";

/** What one reviewer said, over all parts of the change. */
export interface Heard {
  readonly reviewer: string;
  /** One for each part. */
  readonly verdicts: readonly Verdict[];
}
export interface Absent {
  readonly reviewer: string;
  readonly why: string;
}
export type Panel =
  | { readonly is: "heard"; readonly opinions: readonly Opinion[]; readonly absent: readonly Absent[] }
  | { readonly is: "blocked"; readonly why: string };

/**
 * Whose verdicts count, and whether they are enough: all of them, unless `quorum` is content with fewer. A reviewer who
 * gave none for one part has given none.
 */
export function hear(panel: readonly Heard[], quorum: number | undefined): Panel {
  const opinions: Opinion[] = [];
  const absent: Absent[] = [];
  for (const { reviewer, verdicts } of panel) {
    const spoken = verdicts.flatMap((verdict) => (verdict.is === "blocked" ? [] : [verdict]));
    const missing = verdicts.find((verdict) => verdict.is === "blocked");
    if (missing !== undefined) absent.push({ reviewer, why: missing.why });
    else if (spoken.length === 0) absent.push({ reviewer, why: "it did not answer" });
    else opinions.push({ reviewer, verdict: together(spoken) });
  }
  const [only] = absent;
  if (panel.length === 1 && only !== undefined) return { is: "blocked", why: only.why };
  const named = absent.map(({ reviewer, why }) => `${reviewer}: ${why}`).join("; ");
  if (opinions.length === 0)
    return { is: "blocked", why: `no reviewer answered${named === "" ? "" : ` (${named})`}` };
  // More than there are would never be reached.
  const wanted = Math.min(quorum ?? panel.length, panel.length);
  if (opinions.length < wanted)
    return {
      is: "blocked",
      why: `${opinions.length} of ${panel.length} reviewers gave a verdict that counts, and ${wanted} are needed (${named})`,
    };
  return { is: "heard", opinions, absent };
}

function together(verdicts: readonly Opinion["verdict"][]): Opinion["verdict"] {
  return {
    is: verdicts.some(({ is }) => is === "fail") ? "fail" : "pass",
    findings: verdicts.flatMap(({ findings }) => findings),
    earlier: verdicts.flatMap(({ earlier }) => earlier),
    summary: verdicts.map(({ summary }) => summary).join("\n\n"),
  };
}

/** How far the reviewers of one round agree, by titles. */
export interface Agreement {
  /** Named by two or more. */
  readonly consensus: readonly string[];
  /** Named by one, and denied or passed over by the others. */
  readonly divergent: readonly string[];
  /** Open from earlier rounds, and nobody spoke of it. */
  readonly unaddressed: readonly string[];
}

export function agreementIn(round: Round, titleOf: (id: string) => string): Agreement {
  const named = (fits: (by: number) => boolean): readonly string[] =>
    round.findings.filter(({ by }) => by !== undefined && fits(by.length)).map(({ title }) => title);
  return {
    consensus: named((by) => by > 1),
    divergent: named((by) => by === 1),
    unaddressed: (round.earlier ?? [])
      .filter(({ unaddressed }) => unaddressed === true)
      .map(({ id }) => titleOf(id)),
  };
}
