/** The page of one ticket, gathered side by side and bounded however much has happened to it. */
import type { KnownSummary } from "../../engine/index.ts";
import {
  mayIn,
  type LineView,
  type SessionView,
  type TicketPage,
  type Viewer,
} from "../../ports-dashboard.ts";
import type { RunView } from "../../ports-dashboard-ticket.ts";
import { nameOf, table } from "../../state-machine/table.ts";
import { linearIssueOf } from "../../state-machine/ticket-id.ts";
import type { Line } from "../../store/ledger.ts";
import type { KnownRepo } from "../../store/repos.ts";
import type { SessionSummary } from "../../store/sessions.ts";
import type { Stored } from "../../store/tickets.ts";
import { orderSeen } from "../orders.ts";
import { noteOf, tellingTypes, viewFrom } from "../view.ts";
import type { Workshop } from "../workshop.ts";
import { findingRows } from "./findings.ts";
import { mayOrder } from "./may.ts";
import { proofsOf, runHref } from "./proofs.ts";

/** Lines on one page; older ones are a page further. */
export const linesShown = 100;
/** Of the lines that a view is made of, the newest; more rounds than these nobody reads. */
const linesTelling = 400;
const effectsShown = 100;
const sessionsShown = 100;
const runsShown = 50;

export interface Found {
  readonly stored: Stored;
  readonly repo: KnownRepo;
}

export async function ticketPage(
  shop: Workshop,
  viewer: Viewer,
  { stored, repo }: Found,
  { before }: { readonly before?: number | undefined } = {},
): Promise<TicketPage> {
  const { store } = shop;
  const { id } = stored.ticket;
  const [newest, telling, sessions, effects, halters, waiting] = await Promise.all([
    store.linesBefore(id, before, linesShown + 1),
    store.linesOfTypes(id, tellingTypes, linesTelling),
    store.sessionsOf(id),
    store.newestEffects(id, effectsShown),
    store.haltersOf(id),
    store.orderWaiting(id),
  ]);
  const lines = newest.slice(0, linesShown).toReversed();
  const told = await viewFrom(shop, stored, repo, { lines: telling, sessions, read: "now" });
  const view = { ...told, notes: lines.map(noteOf) };
  const runs = runsOf(sessions);
  const summaries = (await shop.summariesOf?.(runs.map(({ run }) => run))) ?? [];
  return {
    view,
    id,
    url: stored.url,
    branch: stored.branch,
    version: stored.version,
    lines: lines.map(lineView(forgeOf(shop, stored, repo), sessions)),
    older: newest.length > linesShown ? lines[0]?.seq : undefined,
    findings: findingRows(view.rounds),
    runs: runs.map((run) => withSummary(run, summaries)),
    sessions: sessions.slice(-sessionsShown).map(sessionView),
    sessionCount: sessions.length,
    effects: effects.map(({ type, state, note }) => ({ type, state, note: note ?? "" })),
    halts: halters.map(({ actor, at, by }) => ({ by: actor, at, isOperator: by === "operator" })),
    mayAct: mayIn(viewer, stored.repo, "act"),
    may: mayOrder(shop, viewer, stored, repo),
    ordered: waiting && orderSeen(waiting),
  };
}

/** Where the forge shows the repository; undefined for one of this host. */
function forgeOf(
  { remoteOf }: Workshop,
  { ticket: { id }, url }: Stored,
  repo: KnownRepo,
): string | undefined {
  if (linearIssueOf(id) === undefined) return /^(https?:\/\/.+)\/issues\/\d+$/iu.exec(url)?.[1];
  const remote = remoteOf(repo).url;
  return /^https?:\/\//iu.test(remote) ? remote.replace(/\.git$/u, "") : undefined;
}

const whys = new Map(table.map((row) => [nameOf(row), row.why]));

function lineView(forge: string | undefined, sessions: readonly SessionSummary[]): (line: Line) => LineView {
  const costs = new Map<string, number>();
  for (const { run, usd } of sessions) costs.set(run, (costs.get(run) ?? 0) + usd);
  return (line) => {
    const { seq, from, to, row, permission, hash, event } = line;
    const run = "run" in event ? event.run : undefined;
    return {
      ...noteOf(line),
      seq,
      from,
      to,
      row,
      why: whys.get(row) ?? "",
      permission,
      proofs: proofsOf(line, { forge }),
      hash,
      run,
      usd: run === undefined ? undefined : costs.get(run),
    };
  };
}

const sessionView = (session: SessionSummary): SessionView => ({
  id: session.id,
  run: session.run,
  role: session.role,
  runtime: session.runtime,
  model: session.model ?? undefined,
  inputTokens: session.inputTokens,
  cachedTokens: session.cachedInputTokens,
  outputTokens: session.outputTokens,
  usd: session.usd,
  usdIsGuess: session.pricedBy === "guess",
  pricedBy: session.pricedBy,
  priceVersion: session.priceVersion,
  startedAt: session.startedAt,
  endedAt: session.endedAt ?? undefined,
  outcome: session.outcome ?? undefined,
});

/** The newest runs that agents worked in, oldest first. */
function runsOf(sessions: readonly SessionSummary[]): readonly Omit<RunView, "summary">[] {
  const byRun = Map.groupBy(sessions, ({ run }) => run);
  return [...byRun].slice(-runsShown).map(([run, own]) => ({
    run,
    href: runHref(run),
    usd: own.reduce((sum, { usd }) => sum + usd, 0),
    usdIsGuess: own.some(({ pricedBy }) => pricedBy === "guess"),
    sessions: own.length,
  }));
}

function withSummary(run: Omit<RunView, "summary">, summaries: readonly KnownSummary[]): RunView {
  const said = summaries.find((one) => one.run === run.run);
  return { ...run, summary: said && { text: said.text, by: said.by, note: said.note } };
}
