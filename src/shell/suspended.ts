import type { PullRef } from "../ports.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";
import type { Workshop } from "./workshop.ts";

/** Under which a ticket that takes a merge back remembers which. */
export const revertKey = (ticket: string): string => `revert ${ticket}`;

/** Paths for which auto-merge is suspended, as globs: a change there takes a person, like any protected path. */
export async function suspendedGlobs(store: Store, repo: number): Promise<readonly string[]> {
  const suspensions = await store.suspensionsOf(repo);
  return [...new Set(suspensions.flatMap(({ paths }) => paths))].map((path) =>
    path.replace(/[\\*?[\]{}()!+@|]/g, String.raw`\$&`),
  );
}

/**
 * Why the label alone does not release this pull request any more; it was reviewed before the suspension. A merge that
 * is taken back is not meant.
 */
export async function labelIsSuspended(
  { store, forge }: Workshop,
  { ticket }: Stored,
  ref: PullRef,
): Promise<string | undefined> {
  if (ticket.approved === ticket.head) return undefined;
  const suspensions = await store.suspensionsOf(ref.repo.id);
  if (suspensions.length === 0 || (await store.recall(revertKey(ticket.id))) !== undefined) return undefined;
  const changed = new Set(await forge.paths(ref));
  const found = suspensions.find(({ paths }) => paths.some((path) => changed.has(path)));
  return (
    found &&
    `auto-merge is suspended for what ${found.ref} changed, since its merge broke the base; approve this head, or lift that with \`forgehand resume-automerge ${ref.repo.owner}/${ref.repo.name}\`; then comment \`/forgehand retry\``
  );
}
