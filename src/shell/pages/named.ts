import type { Store } from "../../store/store.ts";
import type { Stored } from "../../store/tickets.ts";

/** Tickets by any name people use; the usual names are found by an index, however many tickets there are. */
export async function ticketsNamed(
  store: Pick<Store, "load" | "repoNamed" | "findTickets">,
  name: string,
): Promise<readonly Stored[]> {
  const { owner, repo, number } =
    /^(?<owner>[\w.-]+)\/(?<repo>[\w.-]+)#(?<number>\d{1,9})$/u.exec(name)?.groups ?? {};
  const known = owner === undefined || repo === undefined ? undefined : await store.repoNamed(owner, repo);
  const id = known === undefined ? name : `github:${known.id}#${number}`;
  const stored = await store.load(id);
  return stored === undefined ? await store.findTickets(name) : [stored];
}
