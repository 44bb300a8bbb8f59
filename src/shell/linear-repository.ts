/** Which repository a ticket of Linear is about, and the question where that is not clear. */
import { createHash } from "node:crypto";
import type { LinearFacts } from "../ports-linear-issues.ts";
import { otherBranchNotice, whichRepositoryNotice } from "../says-board.ts";
import { linearIssueOf } from "../state-machine/ticket-id.ts";
import type { TicketId } from "../state-machine/ticket.ts";
import { whichRepository } from "../state-machine/which-repository.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";
import { isReleased } from "./linear-words.ts";
import type { LinearSide, Workshop } from "./workshop.ts";

/** The repository of a ticket, or the words that ask for it. */
export type Repository =
  | { readonly is: "known"; readonly repo: KnownRepo }
  | { readonly is: "unclear"; readonly question: string };

/**
 * Where the issue's work belongs. A ticket keeps its repository from its first head on; until then whatever its issue says
 * counts.
 */
export async function findRepository(
  { store }: Pick<Workshop, "store">,
  linear: LinearSide,
  facts: LinearFacts,
  stored: Stored | undefined,
): Promise<Repository> {
  const settled =
    stored === undefined || (await isOpenToMove(store, stored))
      ? undefined
      : await store.repoById(stored.repo);
  if (settled !== undefined) return { is: "known", repo: settled };
  const known = await store.knownRepos();
  const nameOf = ({ owner, name }: KnownRepo): string => `${owner}/${name}`;
  const { workspace, team, project, labels } = facts;
  const text = `${facts.title}\n\n${facts.body}`;
  const repositories = linear.offeredTo(workspace, known.map(nameOf));
  const which = whichRepository(
    { labels, text, workspace, team, project },
    { repositories, routes: linear.routes },
  );
  if (which.is !== "one") return { is: "unclear", question: whichRepositoryNotice(which, which.choices) };
  const repo = known.find((one) => nameOf(one).toLowerCase() === which.repository.toLowerCase());
  if (repo === undefined) {
    const named = [which.repository];
    return { is: "unclear", question: whichRepositoryNotice({ is: "unknown", named }, repositories) };
  }
  if (which.branch !== undefined && which.branch !== repo.defaultBranch)
    return { is: "unclear", question: otherBranchNotice(which.repository, which.branch, repo.defaultBranch) };
  if (stored !== undefined && stored.repo !== repo.id) await store.moveToRepo(stored.ticket.id, repo.id);
  return { is: "known", repo };
}

/** Nothing was ever built for it, nothing is about to be, and nobody consented to a merge where it is. */
async function isOpenToMove(store: Pick<Store, "linesOf">, { ticket }: Stored): Promise<boolean> {
  if (ticket.state !== "Backlog" || ticket.autoMerge) return false;
  // A ticket that was reset forgets its head, and still answers for the pull request of that number.
  return !(await store.linesOf(ticket.id)).some(({ event }) => "head" in event);
}

/** The repository of a ticket that is known, or could be. */
export async function repositoryOf(shop: Workshop, id: TicketId): Promise<KnownRepo | undefined> {
  const stored = await shop.store.load(id);
  const ref = linearIssueOf(id);
  const isSettled = stored !== undefined && !(await isOpenToMove(shop.store, stored));
  if (ref === undefined || isSettled)
    return stored === undefined ? undefined : await shop.store.repoById(stored.repo);
  const facts = await shop.linear.issues.ticket(ref);
  if (facts === undefined) return stored === undefined ? undefined : await shop.store.repoById(stored.repo);
  const found = await findRepository(shop, shop.linear, facts, stored);
  if (found.is === "known") return found.repo;
  if (await isReleased(shop, facts)) await askRepository(shop, facts, found.question);
  return undefined;
}

/** Asks on the issue, once for each way in which it is unclear. */
export async function askRepository(
  { store, clock, poke }: Workshop,
  { workspace, issue }: Pick<LinearFacts, "workspace" | "issue">,
  question: string,
): Promise<void> {
  const digest = createHash("sha256").update(question).digest("hex").slice(0, 16);
  await store.sendForeign(
    `repository:${workspace}/${issue}:${digest}`,
    { type: "repository.ask", workspace, issue, text: question },
    clock.now(),
  );
  poke("outbox");
}
