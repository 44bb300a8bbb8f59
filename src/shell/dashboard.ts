/** What the pages of the dashboard show, gathered from the store. */
import { mayIn, seenBy, type Dashboard, type Viewer } from "../ports-dashboard.ts";
import { openStates, type Stored } from "../store/tickets.ts";
import type { KnownRepo } from "../store/repos.ts";
import { boardRows } from "./board.ts";
import { runPages } from "./pages/runs.ts";
import { openApiViews } from "./pages/api.ts";
import { openDiffs } from "./pages/diff.ts";
import { ticketPage } from "./pages/ticket.ts";
import { waitingView } from "./pages/waiting.ts";
import { logPages } from "./pages/session-log.ts";
import { healthViews } from "./pages/health.ts";
import { ledgerViews } from "./pages/ledger.ts";
import { repositoryViews } from "./pages/repositories.ts";
import { webhookViews } from "./pages/webhooks.ts";
import { costsViews } from "./pages/costs.ts";
import { historyViews } from "./pages/history.ts";
import type { Workshop } from "./workshop.ts";

/** Reads everything anew at each call: what a page shows is as of that moment. */
export function openDashboard(shop: Workshop): Dashboard {
  const { store, clock } = shop;
  const repoOf = async (stored: Stored): Promise<KnownRepo> => {
    const repo = await store.repoById(stored.repo);
    if (repo === undefined) throw new Error(`${stored.ref} is of no known repository`);
    return repo;
  };
  const found = async (viewer: Viewer, name: string): Promise<Stored | undefined> => {
    // Links name a ticket by its id, which is found at once among however many.
    const known = await store.load(name);
    const all = known === undefined ? await store.findTickets(name) : [known];
    const [stored, ...others] = all.filter(({ repo }) => mayIn(viewer, repo, "see"));
    return others.length > 0 ? undefined : stored;
  };
  const diffs = openDiffs(shop);
  const runs = runPages(shop);
  return {
    logs: logPages(shop),
    runs,
    api: openApiViews(shop),
    position: store.position,
    waitingCount: async (viewer) => {
      const [tickets, asks] = await Promise.all([
        store.ticketsWaiting(seenBy(viewer)),
        runs.waitCount(viewer),
      ]);
      return tickets + asks;
    },
    board: async (viewer, states = openStates) => {
      const now = clock.now();
      const perState = states.length === 1 ? mostOfOneState : mostOfState;
      const tickets = await store.boardTickets({ states, repos: seenBy(viewer), perState });
      const rows = await boardRows(
        {
          store,
          now,
          caps: shop.limits,
          placeOf: once(repoOf, (repo) => ({ ...repo, ...shop.rulesOf(repo) })),
        },
        tickets,
      );
      const halted = await store.setting("halt-all");
      return {
        rows,
        counts: await store.ticketsByState(seenBy(viewer)),
        halted: halted === undefined ? undefined : { by: halted.actor, at: halted.at },
        now,
      };
    },
    find: (viewer, words) => store.searchTickets(words, seenBy(viewer)),
    ticket: async (viewer, name, ask) => {
      const stored = await found(viewer, name);
      return stored && (await ticketPage(shop, viewer, { stored, repo: await repoOf(stored) }, ask));
    },
    diff: async (viewer, name, ask) => {
      const stored = await found(viewer, name);
      return stored && (await diffs({ stored, repo: await repoOf(stored) }, ask));
    },
    waiting: (viewer, after) => waitingView(shop, viewer, after, runs),
    health: healthViews(shop),
    webhooks: webhookViews(shop),
    repositories: repositoryViews(shop),
    ledger: ledgerViews(shop),
    past: historyViews(() => ({ store, now: clock.now() })),
    money: costsViews(() => ({
      store,
      now: clock.now(),
      caps: { warnUsd: shop.limits.dayWarnUsd, stopUsd: shop.limits.dayStopUsd },
    })),
  };
}

/** Tickets of a state on the board, beside all others and alone. */
const mostOfState = 25;
const mostOfOneState = 500;

/** Asks once for each repository, however many tickets are of it. */
function once<Place>(
  repoOf: (stored: Stored) => Promise<KnownRepo>,
  placeIn: (repo: KnownRepo) => Place,
): (stored: Stored) => Promise<Place> {
  const places = new Map<number, Promise<Place>>();
  return (stored) => {
    const known = places.get(stored.repo);
    if (known !== undefined) return known;
    const place = repoOf(stored).then(placeIn);
    places.set(stored.repo, place);
    return place;
  };
}
