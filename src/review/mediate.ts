import type { Tracked } from "./findings.ts";

/** How rounds that do not converge are settled: by a person, or by going on until the breaker. */
export type Mediator = { readonly at: number; readonly how: "escalate" | "continue" };

export type Mediation = { readonly is: "continue" } | { readonly is: "escalate"; readonly why: string };

/** Asked when a review fails: `cycle` counts this failure too. */
export function mediate(mediator: Mediator, cycle: number, history: readonly Tracked[]): Mediation {
  if (cycle < mediator.at || mediator.how === "continue") return { is: "continue" };
  const open = history.filter(({ is, finding }) => is !== "fixed" && finding.grade === "blocker");
  const named = open.slice(0, 5).map(({ finding, is }) => `${finding.title} (${is})`);
  return {
    is: "escalate",
    why: `builder and reviewer do not agree after ${cycle} rounds; still open: ${named.join("; ") || "nothing named"}`,
  };
}
