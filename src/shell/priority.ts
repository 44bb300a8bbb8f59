import type { RepoConfig } from "../config.ts";
import type { TicketFacts } from "../ports.ts";
import type { Stored } from "../store/tickets.ts";
import type { Workshop } from "./workshop.ts";

/**
 * 1 to 4 by the first of the repository's priority labels that is set, else as its tracker has it; undefined where neither
 * says anything. Of its like, what is in the tracker's current cycle goes first.
 */
export function priorityOf(
  { priority }: RepoConfig,
  { labels, priority: own, cycle }: Pick<TicketFacts, "labels" | "priority" | "cycle">,
): number | undefined {
  const set = new Set(labels.map((label) => label.toLowerCase()));
  const place = priority.labels.findIndex((label) => set.has(label.toLowerCase()));
  const rank = place === -1 ? own : place + 1;
  return cycle === "current" ? (rank ?? unranked) - withinCycle : rank;
}

/** After every priority there is. */
const unranked = 5;
const withinCycle = 0.5;

/** Takes a changed priority into account; it is no event, because it changes the order and nothing else. */
export async function keepPriority(
  { store, poke }: Workshop,
  config: RepoConfig,
  stored: Stored | undefined,
  issue: TicketFacts | undefined,
): Promise<void> {
  if (stored === undefined || issue === undefined) return;
  const priority = priorityOf(config, issue);
  if (priority === stored.priority) return;
  await store.setPriority(stored.ticket.id, priority);
  poke("schedule");
}
