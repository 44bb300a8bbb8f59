/** Lists of everything, for the API. */
import { mayIn, seenBy, type Viewer } from "../../ports-dashboard-viewer.ts";
import type { ApiViews, LedgerLine, TicketRow } from "../../ports-dashboard-api.ts";
import type { TicketEvent } from "../../state-machine/event.ts";
import type { ListedLine, ListedTicket } from "../../store/listing.ts";
import type { KnownRepo } from "../../store/repos.ts";
import type { Stored } from "../../store/tickets.ts";
import { textOf } from "../view.ts";
import type { Workshop } from "../workshop.ts";
import { readable } from "./readable.ts";
import { issueSummary, stateSummary } from "./symphony.ts";

export function openApiViews(shop: Workshop): ApiViews {
  const { store } = shop;
  return {
    tickets: async (viewer, { states, repo, after, limit }) => {
      const repos = await reposAsked(shop, viewer, repo);
      if (repos === "unknown") return undefined;
      const page = await store.listTickets({ repos, states, after, limit });
      if (page === undefined) return undefined;
      const names = new Map((await store.knownRepos()).map((one) => [one.id, nameOf(one)]));
      return { tickets: page.items.map((row) => ticketRow(row, names)), next: page.next };
    },
    lines: async (viewer, { ticket, repo, after, limit }) => {
      const repos = await reposAsked(shop, viewer, repo);
      const stored = ticket === undefined ? undefined : await ticketNamed(shop, viewer, ticket);
      if (repos === "unknown" || (ticket !== undefined && stored === undefined)) return undefined;
      const page = await store.listLines({ repos, ticket: stored?.ticket.id, after, limit });
      return { lines: page.items.map(ledgerLine), upTo: page.upTo, isAll: page.isAll };
    },
    newestLine: async () => (await store.ledgerHead()).seq,
    channels: async (viewer) =>
      viewer.rights === "operator"
        ? (await store.channelStates()).map((one) => ({
            ...one,
            failure: one.failure && readable(one.failure),
            trouble: one.trouble && readable(one.trouble),
          }))
        : undefined,
    state: async (viewer) => await stateSummary(shop, viewer),
    issue: async (viewer, identifier) => {
      const stored = await ticketNamed(shop, viewer, identifier);
      return stored === undefined ? undefined : await issueSummary(shop, stored);
    },
  };
}

const nameOf = ({ owner, name }: Pick<KnownRepo, "owner" | "name">): string => `${owner}/${name}`;

/** The numbers to look at: those the viewer sees, or the one that is named of them. */
async function reposAsked(
  { store }: Workshop,
  viewer: Viewer,
  name: string | undefined,
): Promise<readonly number[] | undefined | "unknown"> {
  if (name === undefined) return seenBy(viewer);
  const [owner = "", ...rest] = name.split("/");
  const repo = await store.repoNamed(owner, rest.join("/"));
  return repo === undefined || !mayIn(viewer, repo.id, "see") ? "unknown" : [repo.id];
}

/** The one ticket of this name that the viewer sees. */
export async function ticketNamed(
  { store }: Pick<Workshop, "store">,
  viewer: Viewer,
  name: string,
): Promise<Stored | undefined> {
  const found = (await store.findTickets(name)).filter(({ repo }) => mayIn(viewer, repo, "see"));
  return found.length === 1 ? found[0] : undefined;
}

function ticketRow(row: ListedTicket, names: ReadonlyMap<number, string>): TicketRow {
  const { repo, pull, head, priority, ...rest } = row;
  return {
    ...rest,
    repo: names.get(repo) ?? "",
    pull: pull ?? undefined,
    head: head ?? undefined,
    priority: priority ?? undefined,
  };
}

function ledgerLine(row: ListedLine): LedgerLine {
  // As the step wrote it.
  const event = JSON.parse(row.event) as TicketEvent;
  const { repo: _repo, permission, ...rest } = row;
  return {
    ...rest,
    permission: permission ?? undefined,
    type: event.type,
    event,
    text: textOf(event),
  };
}
