/** Everything that waits for a person: tickets, and what is wrong beside them. One question to the store for all of a page. */
import {
  mayIn,
  seenBy,
  type Viewer,
  type WaitingItem,
  type WaitingKind,
  type WaitingView,
} from "../../ports-dashboard.ts";
import type { TicketEvent } from "../../state-machine/event.ts";
import type { Ticket } from "../../state-machine/ticket.ts";
import type { Line } from "../../store/ledger.ts";
import type { KnownRepo } from "../../store/repos.ts";
import type { WaitingOrder } from "../../store/page-orders.ts";
import type { After, CostOf } from "../../store/ticket-pages.ts";
import type { Stored } from "../../store/tickets.ts";
import { byOperator } from "../halt-marks.ts";
import { orderSeen } from "../orders.ts";
import { downAmong } from "../runtime-health.ts";
import { textOf } from "../view.ts";
import { askedAbout, openWaits } from "../waits.ts";
import type { Workshop } from "../workshop.ts";
import { mayOrder } from "./may.ts";

/** Tickets on one page. */
const ticketsShown = 50;
/** Of each kind that is no ticket. */
const othersShown = 50;

/** What asks in a run for somebody. */
export interface RunAsking {
  readonly run: string;
  readonly workflow: string;
  /** Undefined for the run of a workflow file. */
  readonly ticket: { readonly ref: string } | undefined;
  readonly ask: { readonly seq: number; readonly text: string; readonly since: number };
  /** The page it is answered on. */
  readonly href: string;
}
/** Runs where they can be read; those that ask this viewer for something. */
export interface RunsAsking {
  waiting(viewer: Viewer): Promise<readonly RunAsking[]>;
}

export async function waitingView(
  shop: Workshop,
  viewer: Viewer,
  after: string | undefined,
  runs?: RunsAsking,
): Promise<WaitingView> {
  const { store, clock } = shop;
  const now = clock.now();
  const isFirst = after === undefined;
  const [page, halted, asking, others] = await Promise.all([
    pageAfter(shop, seenBy(viewer), readAfter(after)),
    store.setting("halt-all"),
    isFirst ? (runs?.waiting(viewer) ?? []) : [],
    isFirst ? othersWaiting(shop, viewer, now) : [],
  ]);
  const asks = asking.slice(0, othersShown).map(askItem);
  return {
    items: [...asks, ...(await ticketsWaiting(shop, viewer, page, now)), ...others],
    next: page.next && `${page.next.since} ${page.next.id}`,
    halted: halted === undefined ? undefined : { by: halted.actor, at: halted.at },
    now,
  };
}

interface Page {
  readonly tickets: readonly Stored[];
  /** How each came where it is. */
  readonly arrivals: readonly Line[];
  readonly next: After | undefined;
}

/** Two lists in one order: what waits in its state, and what of those sent back the spec gate has asked about. */
async function pageAfter(
  { store }: Workshop,
  repos: readonly number[] | undefined,
  after: After | undefined,
): Promise<Page> {
  const lists = await Promise.all([
    store.ticketsForPerson(repos, after, ticketsShown),
    store.ticketsSentBack(repos, after, ticketsShown),
  ]);
  // Behind the last of a list that is full there may be more of it.
  const ends = lists.flatMap((list) => (list.length < ticketsShown ? [] : (list.at(-1) ?? [])));
  const horizon = ends.toSorted(inOrder)[0];
  const read = lists
    .flat()
    .filter((one) => horizon === undefined || inOrder(one, horizon) <= 0)
    .toSorted(inOrder);
  const shown = read.slice(0, ticketsShown);
  const arrivals = await store.arrivalsOf(shown.map(({ ticket }) => ticket.id));
  const asked = askedAbout(arrivals);
  const last = shown.at(-1);
  const isOver = horizon === undefined && shown.length === read.length;
  return {
    tickets: shown.filter(({ ticket }) => ticket.state !== "Backlog" || asked.has(ticket.id)),
    arrivals,
    next: isOver || last === undefined ? undefined : { since: last.since, id: last.ticket.id },
  };
}

const inOrder = (one: Stored, other: Stored): number =>
  one.since - other.since || (one.ticket.id < other.ticket.id ? -1 : one.ticket.id > other.ticket.id ? 1 : 0);

/** `<since> <ticket>`; what cannot be read begins anew. */
function readAfter(text: string | undefined): After | undefined {
  const [, since, id] = /^(\d{1,16}) (.{1,300})$/u.exec(text ?? "") ?? [];
  return since === undefined || id === undefined ? undefined : { since: Number(since), id };
}

async function ticketsWaiting(
  shop: Workshop,
  viewer: Viewer,
  { tickets, arrivals }: Page,
  now: number,
): Promise<readonly WaitingItem[]> {
  const { store } = shop;
  const ids = tickets.map(({ ticket }) => ticket.id);
  const [costs, orders, repos] = await Promise.all([
    store.costsOf(ids),
    store.ordersWaiting(ids),
    Promise.all([...new Set(tickets.map(({ repo }) => repo))].map((id) => store.repoById(id))),
  ]);
  const known = new Map(repos.flatMap((repo) => (repo === undefined ? [] : [[repo.id, repo] as const])));
  const costOf = new Map(costs.map((cost) => [cost.ticket, cost]));
  const arrivalOf = new Map(arrivals.map((line) => [line.ticket, line]));
  const orderOf = new Map(orders.map((order) => [order.ticket, order]));
  const waitsOf = openWaits(store, now, shop.limits);
  const items = await Promise.all(
    tickets.map(async (stored) => {
      const repo = known.get(stored.repo);
      const { id } = stored.ticket;
      return (
        repo &&
        ticketItem(
          { shop, viewer, repo, cost: costOf.get(id), order: orderOf.get(id) },
          stored,
          arrivalOf.get(id),
          await waitsOf(stored, { ...repo, ...shop.rulesOf(repo) }),
        )
      );
    }),
  );
  return items.filter((item) => item !== undefined);
}

interface Beside {
  readonly shop: Workshop;
  readonly viewer: Viewer;
  readonly repo: KnownRepo;
  readonly cost: CostOf | undefined;
  readonly order: WaitingOrder | undefined;
}

function ticketItem(
  { shop, viewer, repo, cost, order }: Beside,
  stored: Stored,
  arrival: Line | undefined,
  wait: Awaited<ReturnType<ReturnType<typeof openWaits>>>,
): WaitingItem {
  const { ticket, version } = stored;
  const { state, counters, head, wantsUsd } = ticket;
  return {
    key: `ticket:${ticket.id}`,
    kind: kindOf(ticket),
    ref: stored.ref,
    title: stored.title,
    href: `/tickets/${encodeURIComponent(ticket.id)}`,
    url: stored.url,
    since: stored.since,
    usd: cost?.usd ?? 0,
    usdIsGuess: cost?.guess === 1,
    why: whyOf(arrival?.event) ?? wait?.waitsFor ?? "",
    youCan: wait?.youCan ?? [],
    ticket: {
      id: ticket.id,
      state,
      version,
      head,
      round: counters.cycles,
      maxRounds: shop.rulesOf(repo).policy.maxCycles,
      may: mayOrder(shop, viewer, stored, repo),
      wantsUsd,
      ordered: order && orderSeen(order),
    },
  };
}

const kindOf = ({ state, wantsUsd }: Ticket): WaitingKind =>
  state === "In Review"
    ? "approval"
    : state === "Backlog"
      ? "spec"
      : wantsUsd === undefined
        ? "stopped"
        : "money";

/** What brought it here, and what is asked for. */
function whyOf(event: TicketEvent | undefined): string | undefined {
  if (event === undefined) return undefined;
  if (event.type === "gate.flagged")
    return `asked for more: ${event.gaps.map(({ about, missing }) => `${about}: ${missing}`).join("; ")}`;
  if (event.type === "review.passed" && event.needsPerson.length > 0)
    return `review passed, and takes a person: ${event.needsPerson.join("; ")}`;
  return textOf(event);
}

const askItem = ({ run, workflow, ticket, ask, href }: RunAsking): WaitingItem => ({
  ...beside("run", `${run} ${ask.seq}`),
  ref: ticket?.ref ?? run,
  title: `The workflow ${workflow} asks`,
  href,
  since: ask.since,
  why: ask.text,
  youCan: [],
});

/** What is wrong beside tickets; what concerns the whole host, operators alone are told. */
async function othersWaiting(shop: Workshop, viewer: Viewer, now: number): Promise<readonly WaitingItem[]> {
  const repos = (await shop.store.knownRepos()).filter(({ id }) => mayIn(viewer, id, "see"));
  const host = viewer.rights === "operator" ? await hostWaiting(shop, now) : [];
  return [...host, ...configurationFaults(shop, repos), ...(await onboardingWaiting(shop, repos))];
}

const beside = (kind: WaitingKind, ref: string) => ({
  key: `${kind}:${ref}`,
  kind,
  ref,
  href: undefined,
  url: "",
  usd: undefined,
  usdIsGuess: false,
  ticket: undefined,
});

async function hostWaiting({ store }: Workshop, now: number): Promise<readonly WaitingItem[]> {
  const [troubles, workspaces, halts] = await Promise.all([
    store.runtimeTroubles(),
    store.linearWorkspaces(),
    store.halts(),
  ]);
  const marks = halts.everything.filter(({ key }) => key !== `halt-all:${byOperator.id}`);
  return [
    ...marks.slice(0, othersShown).map(({ key, value, actor, at }): WaitingItem => ({
      ...beside("halt", key.slice("halt-all:".length)),
      title: `Everything is halted by ${value}`,
      since: at,
      why: `said by ${actor}; nothing starts, is sent or pushed meanwhile`,
      youCan: [{ say: "lift it", do: "forgehand unhalt-all, or take the label forgehand:halt-all off" }],
    })),
    ...halts.repos.slice(0, othersShown).map(({ value, actor, at }): WaitingItem => ({
      ...beside("halt", value),
      title: `${value} is halted`,
      since: at,
      why: `said by ${actor}; nothing of it starts, is sent or pushed meanwhile`,
      youCan: [{ say: "lift it", do: `forgehand unhalt ${value}` }],
    })),
    ...downAmong(troubles, now).map(({ runtime, why, since, code }): WaitingItem => ({
      ...beside("runtime", runtime),
      title: `${runtime} is down`,
      since,
      why: `${code}: ${why}`,
      youCan: [{ say: "see what it lacks", do: "forgehand doctor" }],
    })),
    ...workspaces.flatMap(({ name, signedOut }): WaitingItem[] =>
      signedOut === undefined
        ? []
        : [
            {
              ...beside("tracker", name),
              title: `Linear asks for a new sign-in to ${name}`,
              since: signedOut.at,
              why: signedOut.why,
              youCan: [{ say: "sign in again", do: "forgehand auth linear" }],
            },
          ],
    ),
  ];
}

function configurationFaults({ rulesOf }: Workshop, repos: readonly KnownRepo[]): readonly WaitingItem[] {
  return repos
    .flatMap((repo): WaitingItem[] => {
      const [problem, ...more] = rulesOf(repo).problems;
      const ref = `${repo.owner}/${repo.name}`;
      return problem === undefined
        ? []
        : [
            {
              ...beside("configuration", ref),
              title: "The configuration is wrong",
              since: repo.syncedAt,
              why: `${problem}${more.length === 0 ? "" : `, and ${more.length} more`}; nothing new starts there`,
              youCan: [
                { say: "correct it", do: "a commit on the default branch" },
                { say: "check it before", do: "forgehand config validate" },
              ],
            },
          ];
    })
    .slice(0, othersShown);
}

/** Repositories that were asked whether they want this, and have not said yet. */
async function onboardingWaiting(
  { store }: Workshop,
  repos: readonly KnownRepo[],
): Promise<readonly WaitingItem[]> {
  const asked = new Map((await store.settingsLike("onboarding:")).map((one) => [one.key, one]));
  return repos
    .flatMap((repo): WaitingItem[] => {
      const mark = asked.get(`onboarding:${repo.id}`);
      const pull = /^open (\d+)$/u.exec(mark?.value ?? "")?.[1];
      if (mark === undefined || pull === undefined || repo.config !== undefined) return [];
      const ref = `${repo.owner}/${repo.name}`;
      return [
        {
          ...beside("onboarding", ref),
          title: `Pull request #${pull} proposes how to work here`,
          since: mark.at,
          why: "nothing starts there before it is merged or closed",
          youCan: [{ say: "agree, or decline", do: `merge or close #${pull}` }],
        },
      ];
    })
    .slice(0, othersShown);
}
