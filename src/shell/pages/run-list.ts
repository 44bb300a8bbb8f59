/** Runs by page, and what waits in them. */
import {
  openAsks,
  placeOf,
  runsBehind,
  runsBelow,
  runsThatAre,
  type OpenAsk,
  type RunHead,
  type RunOpenAsk,
  type RunPlace,
} from "../../engine/index.ts";
import { mayIn, type Viewer } from "../../ports-dashboard-viewer.ts";
import type { RunAsk, RunFilter, RunList, RunRowView, RunWait } from "../../ports-dashboard-runs.ts";
import { shown } from "../../untrusted.ts";
import type { Workshop } from "../workshop.ts";
import type { RunDesk } from "./run-desk.ts";
import { mayWith, rowView, ticketIn, ticketsOf, type TicketNames } from "./run-seen.ts";

/** On one page. */
const mostRows = 50;
/** Looked at for one page, where few fit; and at once. */
const mostLooked = 2_000;
const atOnce = 250;
const mostWords = 10;
/** Questions that are shown. */
const mostWaits = 100;
/** States that few runs are in at a time. */
const open = ["ready", "running", "waiting", "paused"] as const;

export interface ListParts {
  readonly store: Workshop["store"];
  readonly desk: RunDesk;
  readonly now: number;
}

export async function runList(parts: ListParts, viewer: Viewer, filter: RunFilter): Promise<RunList> {
  const { now } = parts;
  // Where everything fits, no more is read than is shown.
  const isSifted = filter.workflow + filter.words !== "" || filter.status !== undefined;
  const size = isSifted || viewer.rights !== "operator" ? atOnce : mostRows + 1;
  const next = await readerFor(parts, viewer, filter, size);
  const fits = fitting(filter);
  const rows: RunRowView[] = [];
  let place = filter.after;
  for (let looked = 0; next !== undefined && looked < mostLooked;) {
    const heads = await next(place);
    const names = await ticketsOf(
      parts,
      heads.map(({ id }) => id),
    );
    for (const head of heads) {
      looked += 1;
      place = { createdAt: head.createdAt, id: head.id };
      if (!mayWith(viewer, head.id, names, "see")) continue;
      const row = rowView(head, names);
      if (fits(row)) rows.push(row);
      if (rows.length === mostRows) return { rows, next: place, looked, now };
    }
    if (heads.length < size) return { rows, next: undefined, looked, now };
  }
  if (next === undefined || place === undefined) return { rows, next: undefined, looked: 0, now };
  // Before all of that instant, which come on the next page: the run itself may be none that is seen.
  const { createdAt } = place;
  return {
    rows: rows.filter((row) => row.createdAt > createdAt),
    next: { createdAt: createdAt + 1, id: "" },
    looked: mostLooked,
    now,
  };
}

type Reader = (place: RunPlace | undefined) => Promise<readonly RunHead[]>;

/** By the index that suits the filter; undefined where nothing can fit. */
async function readerFor(
  { store, desk }: ListParts,
  viewer: Viewer,
  { ticket, status }: RunFilter,
  size: number,
): Promise<Reader | undefined> {
  if (ticket !== "") {
    const found = (await store.findTickets(ticket)).filter(({ repo }) => mayIn(viewer, repo, "see"));
    const id = found[0]?.ticket.id;
    return id === undefined ? undefined : (place) => desk.sql.read(() => runsBelow(id, place, size));
  }
  const some = open.filter((one) => one === status);
  if (some.length > 0) return (place) => desk.sql.read(() => runsThatAre(some, place, size));
  return (place) => desk.sql.read(() => runsBehind(place, size));
}

function fitting({ workflow, status, words }: RunFilter): (row: RunRowView) => boolean {
  const all = words.toLowerCase().split(/\s+/u).filter(Boolean).slice(0, mostWords);
  return (row) => {
    if (status !== undefined && row.status !== status) return false;
    if (workflow !== "" && row.workflow !== workflow) return false;
    if (all.length === 0) return true;
    const { id, ticket, error = "", outcome = "" } = row;
    const text = [id, row.workflow, ticket?.ref, ticket?.title, outcome, error].join(" ").toLowerCase();
    return all.every((word) => text.includes(word));
  };
}

/** What waits in runs for somebody who may answer, the oldest first. */
export async function runWaits(parts: ListParts, viewer: Viewer): Promise<readonly RunWait[]> {
  return (await asksFor(parts, viewer)).map(({ ask, names }) => ({
    run: ask.run,
    workflow: ask.workflow,
    ticket: ticketIn(ask.run, names),
    ask: askView(ask),
    href: `/runs/${encodeURIComponent(ask.run)}#ask-${ask.seq}`,
  }));
}

/** How much that is; no more is counted than would be shown. */
export const runWaitCount = async (parts: ListParts, viewer: Viewer): Promise<number> =>
  (await asksFor(parts, viewer)).length;

interface AskFor {
  readonly ask: RunOpenAsk;
  readonly names: TicketNames;
}
async function asksFor(parts: ListParts, viewer: Viewer): Promise<readonly AskFor[]> {
  const found: AskFor[] = [];
  let behind = 0;
  for (let looked = 0; looked < mostLooked; looked += atOnce) {
    const asks = await parts.desk.sql.read(() => openAsks(behind, atOnce));
    const names = await ticketsOf(
      parts,
      asks.map(({ run }) => run),
    );
    found.push(
      ...asks.filter(({ run }) => mayWith(viewer, run, names, "act")).map((ask) => ({ ask, names })),
    );
    const last = asks.at(-1);
    if (last === undefined || asks.length < atOnce || found.length >= mostWaits) break;
    behind = last.seq;
  }
  return found.slice(0, mostWaits);
}

/** Kept of what is asked. */
const longestAsk = 4_000;

export function askView(open: OpenAsk): RunAsk {
  const { seq, ask, since, dueAt } = open;
  return {
    seq,
    task: placeOf(open),
    is: ask.is,
    text: shown(wordsOf(ask).slice(0, longestAsk)),
    again: ask.again === undefined ? undefined : shown(wordsOf({ text: ask.again })),
    who: ask.who ?? [],
    options: ask.is === "choose" || ask.is === "rank" ? ask.options : [],
    schema: ask.is === "question" || ask.is === "signal" ? JSON.stringify(ask.schema, null, 2) : undefined,
    since,
    dueAt,
  };
}

/** Nothing checks the types of a workflow file: it may ask without a word. */
export const wordsOf = ({ text }: { readonly text?: unknown }): string =>
  typeof text === "string" ? text : text === undefined || text === null ? "" : JSON.stringify(text);
