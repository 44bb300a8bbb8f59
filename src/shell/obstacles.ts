import { Trouble } from "../ports.ts";
import { obstaclesOf, type Obstacle, type Standing } from "../state-machine/landing.ts";
import type { Ticket } from "../state-machine/ticket.ts";
import type { Store } from "../store/store.ts";
import { pullOf, type Act } from "./act.ts";

/** Written by us below. */
interface Kept {
  readonly head: string;
  readonly obstacles: readonly Obstacle[];
}
const keyOf = (ticket: string): string => `obstacles ${ticket}`;

/** The rules that stand between a ticket's head and its merge, as last read; none while nothing is to be merged. */
export async function keptObstacles(store: Store, ticket: Ticket): Promise<readonly Obstacle[]> {
  if (ticket.state !== "In Review" && ticket.state !== "Merging") return [];
  const text = await store.recall(keyOf(ticket.id));
  const kept = text === undefined ? undefined : (JSON.parse(text) as Kept);
  return kept !== undefined && kept.head === ticket.head ? kept.obstacles : [];
}

/** Reads them before they are told. Where the forge cannot be asked, what was read before is told. */
export async function readObstacles(act: Act): Promise<void> {
  const { shop, stored } = act;
  const ref = pullOf(act);
  if (ref === undefined || (stored.ticket.state !== "In Review" && stored.ticket.state !== "Merging")) return;
  try {
    const standing = await shop.forge.standing(ref);
    if (standing !== undefined) await keepObstacles(act, standing);
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    shop.log.warn({ ticket: stored.ticket.id, error: error.message }, "the rules of the branch are unread");
  }
}

/** Keeps what stands in the way, for every place that tells of it; answers it, and whether it is news. */
export async function keepObstacles(
  { shop, stored, repo }: Act,
  standing: Standing,
): Promise<{ readonly obstacles: readonly Obstacle[]; readonly isNews: boolean }> {
  const obstacles = obstaclesOf(standing, shop.rulesOf(repo).config.merge.method);
  const text = JSON.stringify({ head: standing.head, obstacles });
  const key = keyOf(stored.ticket.id);
  const before = await shop.store.recall(key);
  const isNews = before === undefined ? obstacles.length > 0 : before !== text;
  if (isNews) await shop.store.remember(key, text);
  return { obstacles, isNews };
}
