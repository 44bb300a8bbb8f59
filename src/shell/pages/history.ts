/** What became of tickets; for the page and for `forgehand history`. */
import { seenBy, type Viewer } from "../../ports-dashboard.ts";
import type { HistoryAsked, HistoryRow, HistoryView, HistoryViews } from "../../ports-dashboard-history.ts";
import { outcomeOf, type HistoryKey, type TicketPast } from "../../store/history.ts";
import type { Store } from "../../store/store.ts";
import type { Stored } from "../../store/tickets.ts";

/** Tickets on a page. */
const perPage = 50;
const mostPerPage = 500;

export interface HistoryParts {
  readonly store: Pick<Store, "history" | "historyOf" | "historyNames" | "repoById">;
  readonly now: number;
}
export const historyViews = (parts: () => HistoryParts): HistoryViews => ({
  history: (viewer, asked) => historyView(parts(), viewer, asked),
});

export async function historyView(
  { store, now }: HistoryParts,
  viewer: Viewer,
  { words, after, limit = perPage, ...asked }: HistoryAsked,
): Promise<HistoryView> {
  const { tickets, next, lookedThrough } = await store.history({
    ...asked,
    repos: seenBy(viewer),
    words: (words ?? "").split(/\s+/u).filter((word) => word !== ""),
    after: after === undefined ? undefined : keyIn(after),
    limit: Math.min(limit, mostPerPage),
  });
  const [pasts, names, repos] = await Promise.all([
    store.historyOf(tickets.map(({ ticket }) => ({ id: ticket.id, runs: ticket.runs }))),
    viewer.rights === "operator" ? store.historyNames() : { repositories: [], runtimes: [], labels: [] },
    reposOf(store, tickets),
  ]);
  const byTicket = new Map(pasts.map((past) => [past.ticket, past]));
  return {
    rows: tickets.map((stored) =>
      rowOf(stored, repos.get(stored.repo) ?? "", byTicket.get(stored.ticket.id), now),
    ),
    next: next && `${next.since}.${next.id}`,
    lookedThrough,
    names,
    now,
  };
}

/** Undefined when it is nobody's `next`: then the newest are shown. */
function keyIn(text: string): HistoryKey | undefined {
  const [, since, id] = /^(\d{1,16})\.(.{0,300})$/su.exec(text) ?? [];
  return since === undefined || id === undefined ? undefined : { since: Number(since), id };
}

async function reposOf(
  store: Pick<Store, "repoById">,
  tickets: readonly Stored[],
): Promise<ReadonlyMap<number, string>> {
  const ids = [...new Set(tickets.map(({ repo }) => repo))];
  const repos = await Promise.all(ids.map((id) => store.repoById(id)));
  return new Map(
    repos.flatMap((repo) => (repo === undefined ? [] : [[repo.id, `${repo.owner}/${repo.name}`]])),
  );
}

type Session = readonly [
  id: number,
  role: string,
  runtime: string,
  usd: number,
  pricedBy: string,
  run: string,
];

function rowOf(stored: Stored, repo: string, past: TicketPast | undefined, now: number): HistoryRow {
  const { ref, title, since, ticket } = stored;
  const { id, state, pull } = ticket;
  // Written by the statement that read them.
  const sessions = JSON.parse(past?.sessions ?? "[]") as readonly Session[];
  const labels = JSON.parse(past?.labels ?? "[]") as readonly string[];
  const isOver = state === "Done" || state === "Cancelled";
  const worker = sessions.findLast(([, role]) => role === "build") ?? sessions.at(-1);
  return {
    ref,
    id,
    title,
    repo,
    outcome: outcomeOf(state),
    state,
    session: sessions.at(-1)?.[0],
    runtime: worker?.[2],
    rounds: new Set(sessions.flatMap(([, role, , , , run]) => (role === "review" ? run : []))).size,
    since,
    durationMs: Math.max(0, (isOver ? since : now) - (past?.beganAt ?? since)),
    usd: sessions.reduce((sum, [, , , usd]) => sum + usd, 0),
    usdIsGuess: sessions.some(([, , , , pricedBy]) => pricedBy === "guess"),
    pull,
    pullUrl: pullUrlOf(stored),
    labels,
    summary:
      past === undefined || past.summary === null
        ? undefined
        : { text: past.summary, by: past.summaryBy ?? "forgehand" },
  };
}

/** Beside its issue, where both are of one forge. */
const pullUrlOf = ({ url, ticket: { pull } }: Stored): string | undefined =>
  pull !== undefined && /^https?:\/\/.+\/issues\/\d+$/u.test(url)
    ? url.replace(/\/issues\/\d+$/u, `/pull/${pull}`)
    : undefined;
