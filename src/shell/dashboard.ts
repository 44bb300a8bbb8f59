/** What the pages of the dashboard show, gathered from the store. */
import {
  mayIn,
  orderNames,
  seenBy,
  type Dashboard,
  type OrderName,
  type TicketPage,
  type Viewer,
} from "../ports-dashboard.ts";
import { transition } from "../state-machine/transition.ts";
import { openStates, type Stored } from "../store/tickets.ts";
import type { KnownRepo } from "../store/repos.ts";
import { boardRows } from "./board.ts";
import { eventOf } from "./orders.ts";
import { costsViews } from "./pages/costs.ts";
import { historyViews } from "./pages/history.ts";
import { noteOf, viewOf } from "./view.ts";
import type { Workshop } from "./workshop.ts";

/** Reads everything anew at each call: what a page shows is as of that moment. */
export function openDashboard(shop: Workshop): Dashboard {
  const { store, clock } = shop;
  const repoOf = async (stored: Stored): Promise<KnownRepo> => {
    const repo = await store.repoById(stored.repo);
    if (repo === undefined) throw new Error(`${stored.ref} is of no known repository`);
    return repo;
  };
  return {
    position: store.position,
    waitingCount: (viewer) => store.ticketsWaiting(seenBy(viewer)),
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
    ticket: async (viewer, name) => {
      const found = (await store.findTickets(name)).filter(({ repo }) => mayIn(viewer, repo, "see"));
      const [stored] = found;
      return stored === undefined || found.length > 1
        ? undefined
        : await pageOf(shop, viewer, stored, await repoOf(stored));
    },
    past: historyViews(() => ({ store, now: clock.now() })),
    money: costsViews(() => ({
      store,
      now: clock.now(),
      caps: { warnUsd: shop.limits.dayWarnUsd, stopUsd: shop.limits.dayStopUsd },
    })),
  };
}

/** Tickets of a state on the board, beside all others and alone. */
const mostOfState = 50;
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

async function pageOf(shop: Workshop, viewer: Viewer, stored: Stored, repo: KnownRepo): Promise<TicketPage> {
  const { store } = shop;
  const { id } = stored.ticket;
  const [view, lines, sessions, effects, halters] = await Promise.all([
    viewOf(shop, stored, repo),
    store.linesOf(id),
    store.sessionsOf(id),
    store.effectsOf(id),
    store.haltersOf(id),
  ]);
  const costs = new Map<string, number>();
  for (const session of sessions) costs.set(session.run, (costs.get(session.run) ?? 0) + session.usd);
  return {
    view,
    id,
    url: stored.url,
    branch: stored.branch,
    version: stored.version,
    lines: lines.map((line) => {
      const run = "run" in line.event ? line.event.run : undefined;
      const { seq, from, to, row } = line;
      return {
        ...noteOf(line),
        seq,
        from,
        to,
        row,
        run,
        usd: run === undefined ? undefined : costs.get(run),
      };
    }),
    sessions: sessions.map((session) => ({
      role: session.role,
      runtime: session.runtime,
      model: session.model ?? undefined,
      inputTokens: session.inputTokens,
      outputTokens: session.outputTokens,
      usd: session.usd,
      usdIsGuess: session.pricedBy === "guess",
      startedAt: session.startedAt,
      endedAt: session.endedAt ?? undefined,
      outcome: session.outcome ?? undefined,
    })),
    effects: effects.map(({ type, state, note }) => ({ type, state, note: note ?? "" })),
    halts: halters.map(({ actor, at, by }) => ({ by: actor, at, isOperator: by === "operator" })),
    mayAct: mayIn(viewer, stored.repo, "act"),
    may: mayIn(viewer, stored.repo, "act")
      ? orderNames.filter((order) => isPossible(shop, stored, repo, order))
      : [],
  };
}

function isPossible(shop: Workshop, stored: Stored, repo: KnownRepo, order: OrderName): boolean {
  const event = eventOf(order, stored, "operator");
  return event !== undefined && transition(stored.ticket, event, shop.rulesOf(repo).policy).row !== undefined;
}
