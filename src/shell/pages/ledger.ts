/** The ledger page by page, by whom and from where, and its verification beside everything else that goes on. */
import { setImmediate } from "node:timers/promises";
import { mayIn, seenBy, type Viewer } from "../../ports-dashboard.ts";
import type {
  LedgerAsk,
  LedgerLine,
  LedgerOrders,
  LedgerPage,
  LedgerRow,
  LedgerViews,
  Surface,
} from "../../ports-dashboard-ledger.ts";
import { ledgerFile } from "../../certificate/ledger-file.ts";
import type { LineRow } from "../../store/ledger.ts";
import type { LineFilter, ListedLine } from "../../store/ledger-pages.ts";
import type { Store } from "../../store/store.ts";
import { verifierOf, type Verifier } from "../ledger-verifier.ts";
import type { Workshop } from "../workshop.ts";
import { ticketsNamed } from "./named.ts";
import { pretty, readable } from "./readable.ts";

/** Rows of a page. */
const perPage = 50;
/** Lines looked at for them. */
const lookedAtMost = 2_500;
/** Lines written to a file together. */
const filePage = 500;
/** Characters of a line's facts that are shown. */
const mostFacts = 50_000;
const dayMs = 86_400_000;

/** Where it was said, as the name of the inbox item tells that began a line's event. */
const surfaces: readonly (readonly [RegExp, Surface])[] = [
  [/^web:/u, "dashboard"],
  [/^(?:op|top):/u, "command line"],
  [/^api:/u, "API"],
  [/^(?:mcp|chat|slack|discord|telegram):/u, "chat"],
  [/^[\da-f]{8}-[\da-f]{4}-|^linear:(?!.*look)|^local:/iu, "webhook"],
];
export const surfaceOf = (eventId: string): Surface =>
  surfaces.find(([pattern]) => pattern.test(eventId))?.[1] ?? "forgehand";

export function ledgerViews(shop: Workshop): LedgerViews {
  const { store, clock } = shop;
  const verifier = verifierOf(shop);
  return {
    list: (viewer, asked) => listOf(shop, viewer, asked, verifier),
    line: (viewer, seq) => lineOf(shop, viewer, seq),
    deeds: async (viewer, before = Number.MAX_SAFE_INTEGER) => {
      if (viewer.rights !== "operator") return undefined;
      const rows = await store.deeds(before, perPage + 1);
      const next = rows.length > perPage ? rows[perPage - 1]?.seq : undefined;
      return { rows: rows.slice(0, perPage), next, now: clock.now() };
    },
    verification: async (viewer) => (viewer.rights === "operator" ? await verifier.standing() : undefined),
    file: (viewer) => (viewer.rights === "operator" ? ledgerFile(pagesOf(store)) : undefined),
  };
}

export const ledgerOrders = (shop: Workshop): LedgerOrders => ({
  verify: async (viewer) => (viewer.rights === "operator" ? verifierOf(shop).begin(viewer.who) : "forbidden"),
});

const dayPattern = /^\d{4}-\d{2}-\d{2}$/u;
/** Midnight UTC at which a day begins; undefined for what is none. */
function dayOf(text: string | undefined): number | undefined {
  const at = text !== undefined && dayPattern.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

type Filtered = { readonly filter: LineFilter } | { readonly wrong: string };

async function filterOf({ store }: Workshop, viewer: Viewer, asked: LedgerAsk): Promise<Filtered> {
  const { ticket: name, actor, what, from, until } = asked;
  for (const day of [from, until])
    if (day !== undefined && dayOf(day) === undefined)
      return { wrong: `${readable(day, 40)} is no day; a day is written as 2026-01-05` };
  const filter = { actor, what, since: dayOf(from) };
  if (name === undefined) return { filter };
  const found = (await ticketsNamed(store, name)).filter(({ repo }) => mayIn(viewer, repo, "see"));
  const [stored] = found;
  if (stored === undefined) return { wrong: `there is no ticket ${readable(name, 200)}` };
  if (found.length > 1)
    return { wrong: `${readable(name, 200)} may be ${found.map(({ ref }) => ref).join(" or ")}` };
  return { filter: { ...filter, ticket: stored.ticket.id } };
}

async function listOf(
  shop: Workshop,
  viewer: Viewer,
  asked: LedgerAsk,
  verifier: Verifier,
): Promise<LedgerPage> {
  const { store, clock } = shop;
  const head = await store.ledgerHead();
  const isOperator = viewer.rights === "operator";
  const page = {
    asked,
    head,
    verification: isOperator ? await verifier.standing() : undefined,
    isOperator,
    now: clock.now(),
    wrong: undefined,
  };
  const filtered = await filterOf(shop, viewer, asked);
  if ("wrong" in filtered) return { ...page, rows: [], lookedAt: 0, next: undefined, wrong: filtered.wrong };
  const { filter } = filtered;
  const until = dayOf(asked.until);
  const last = until === undefined ? head.seq : await store.lineAt(until + dayMs - 1);
  const before = Math.min(asked.before ?? Infinity, last + 1);
  const first = filter.since === undefined ? 1 : (await store.lineAt(filter.since - 1)) + 1;
  // The lines of one ticket have an index, and are looked at all together.
  const isIndexed = filter.ticket !== undefined;
  const downTo = isIndexed ? first : Math.max(first, before - lookedAtMost);
  const found = await store.linesIn({ before, downTo, limit: perPage + 1, repos: seenBy(viewer) }, filter);
  const isFull = found.length > perPage;
  const end = isFull ? (found[perPage - 1]?.seq ?? downTo) : downTo;
  return {
    ...page,
    rows: found.slice(0, perPage).map(rowOf),
    lookedAt: isIndexed ? found.length : Math.max(0, before - end),
    next: end > first && (isFull || !isIndexed) ? end : undefined,
  };
}

const rowOf = (line: ListedLine): LedgerRow => ({
  seq: line.seq,
  ticket: line.ticket,
  ref: readable(line.ref ?? line.ticket, 200),
  at: line.at,
  actor: readable(line.actor, 100),
  permission: line.permission ?? undefined,
  surface: surfaceOf(line.eventId),
  event: line.event,
  row: line.row,
  from: line.from,
  to: line.to,
  hash: line.hash,
});

async function lineOf(
  { store, clock }: Workshop,
  viewer: Viewer,
  seq: number,
): Promise<LedgerLine | undefined> {
  const line = await store.wholeLine(seq);
  if (line === undefined || !mayIn(viewer, line.repo ?? -1, "see")) return undefined;
  const { event_id: eventId, from_state: from, to_state: to, event } = line;
  // Our own writing, of an event that the machine took.
  const { type } = JSON.parse(event) as { readonly type: string };
  return {
    ...rowOf({ ...line, eventId, from, to, event: type }),
    version: line.version,
    eventId: readable(eventId, 300),
    facts: pretty(event, mostFacts),
    policy: pretty(line.policy, mostFacts),
    prev: line.prev,
    now: clock.now(),
  };
}

async function* pagesOf(store: Pick<Store, "rawLines">): AsyncGenerator<readonly LineRow[]> {
  let last = 0;
  for (;;) {
    const rows = await store.rawLines(last, filePage);
    if (rows.length === 0) return;
    yield rows;
    // Between two pages everything else has a turn, however fast they are read.
    await setImmediate();
    last = rows.at(-1)?.seq ?? last;
  }
}
