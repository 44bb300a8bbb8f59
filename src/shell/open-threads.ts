/** The conversations on a ticket's pull request, and who in them may order work at this moment. */
import type { Permission, PullRef, Repo } from "../ports.ts";
import type { ReviewThread } from "../ports-threads.ts";
import { openThreads, settledUpTo, type OrderThread } from "../workflows/work-order.ts";
import { remarksHeard } from "./orders-told.ts";
import type { Workshop } from "./workshop.ts";

/** Those that wait for us now; none without a pull request. */
export async function threadsOf(shop: Workshop, ticket: string): Promise<readonly OrderThread[]> {
  const stored = await shop.store.load(ticket);
  const repo = stored === undefined ? undefined : await shop.store.repoById(stored.repo);
  if (stored?.ticket.pull === undefined || repo === undefined) return [];
  const threads = await openOnes(shop, { repo, number: stored.ticket.pull });
  if (threads.length === 0) return [];
  const writers = await writersIn(shop, repo, threads);
  return openThreads(threads, { writers, heard: remarksHeard(await shop.store.linesOf(ticket)) });
}

/** Unresolved conversations in which a person has the last word, so that somebody's permission matters. */
export async function openOnes(shop: Workshop, pull: PullRef): Promise<readonly ReviewThread[]> {
  const threads = await shop.forge.threads(pull);
  return threads.filter((thread) => {
    const settled = settledUpTo(thread);
    return !thread.resolved && thread.comments.some(({ kind, id }) => kind === "person" && id > settled);
  });
}

/** The people in these conversations who may write now, in lower case. */
export async function writersIn(
  shop: Workshop,
  repo: Repo,
  threads: readonly ReviewThread[],
): Promise<ReadonlySet<string>> {
  const logins = new Set(
    threads.flatMap(({ comments }) =>
      comments.flatMap(({ kind, by }) => (kind === "person" ? [by.toLowerCase()] : [])),
    ),
  );
  const asked = await Promise.all(
    [...logins].map(async (login) => (writes.has(await shop.forge.permission(repo, login)) ? [login] : [])),
  );
  return new Set(asked.flat());
}

const writes: ReadonlySet<Permission> = new Set(["write", "maintain", "admin"]);
