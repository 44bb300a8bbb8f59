/** How long commits take, counted as they come: a comparison or two each. */
import type { Tally } from "../store/tally.ts";
import { metrics } from "./metrics.ts";

export interface CommitTimes {
  took(seconds: number): void;
  tallies(): readonly Tally[];
}

export function openCommitTimes(): CommitTimes {
  const { bounds } = metrics.forgehand_commit_seconds;
  const counts = [...bounds, Infinity].map(() => 0);
  let sum = 0;
  return {
    took: (seconds) => {
      const at = bounds.findIndex((bound) => seconds <= bound);
      const place = at < 0 ? bounds.length : at;
      counts[place] = (counts[place] ?? 0) + 1;
      sum += seconds;
    },
    tallies: () => [
      { metric: "forgehand_commit_seconds_sum", labels: {}, value: sum },
      ...counts.map((value, at) => ({
        metric: "forgehand_commit_seconds_bucket",
        labels: { le: String(bounds[at] ?? "+Inf") },
        value,
      })),
    ],
  };
}
