import { inForce, quoted, type WaitView } from "../says.ts";
import { doneHere } from "../says-local.ts";
import { keptObstacles } from "./obstacles.ts";
import { keptPending } from "./pending-checks.ts";
import { explain, type BlockedBy, type HeldUp } from "../state-machine/explain.ts";
import { isLocal, linearIssueOf } from "../state-machine/ticket-id.ts";
import type { Policy } from "../state-machine/ticket.ts";
import type { Blocker } from "../store/blockers.ts";
import type { Line } from "../store/ledger.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";
import type { RepoConfig } from "../config.ts";
import { awaitsOnboarding } from "./onboarding.ts";
import { stackFor } from "./stack.ts";
import { dayStart, leftOf, pursesOf, reserveOf, type DayCaps } from "./day.ts";

/** The repository of a ticket, and its rules as they are in force. */
export interface Place {
  readonly id: number;
  readonly owner: string;
  readonly config: RepoConfig;
  readonly policy: Policy;
  /** What is wrong with its configuration; while there is anything, nothing new starts there. */
  readonly problems: readonly string[];
  /** While there are problems: the commit whose configuration stays in force. */
  readonly soundAt: string | undefined;
}

/** Whether a text is read as it is made, or stays where nobody makes it anew: a comment, a check. */
export type ReadWhen = "now" | "later";

/**
 * Tells what tickets wait for, for every place where people read it. What the scheduler asks besides is read when the
 * first queued ticket needs it, and once: tickets told of together are told of as of one moment. Checks come and go without
 * a step of the ticket, so they are named only in what is read now.
 */
export function openWaits(
  store: Store,
  now: number,
  caps: DayCaps,
  read: ReadWhen = "now",
): (stored: Stored, place: Place) => Promise<WaitView | undefined> {
  let asked: ReturnType<typeof askedBy> | undefined;
  return async (stored, place) => {
    const { ticket, since } = stored;
    const { policy, problems, soundAt } = place;
    const isQueued = ticket.state === "Ready" || ticket.state === "Rework";
    const heldUp = isQueued
      ? await heldUpBy(store, stored, place, { ...(await (asked ??= askedBy(store, now))), caps })
      : undefined;
    const obstacles = await keptObstacles(store, ticket);
    const pending = read === "now" ? await keptPending(store, ticket) : undefined;
    const said = explain({ ticket, since, policy, heldUp, obstacles, pending });
    const waits =
      said !== undefined && isLocal(ticket.id)
        ? { ...said, youCan: said.youCan.map((can) => doneHere(can, stored.number, stored.branch)) }
        : said;
    const [problem] = problems;
    if (waits === undefined || problem === undefined) return waits;
    const correct = {
      say: `correct the configuration (${quoted(problem)}); until then ${inForce(soundAt)}`,
      do: "a commit on the default branch",
    };
    if (!isQueued) return { ...waits, youCan: [...waits.youCan, correct] };
    return {
      ...waits,
      waitsFor: `a correction of the configuration on the default branch: ${problem}`,
      nextStep: "it starts once the configuration is right",
      youCan: [correct, ...waits.youCan],
    };
  };
}

/** The tickets that the spec gate has asked people about, by how each came where it is. */
export const askedAbout = (arrivals: readonly Line[]): ReadonlySet<string> =>
  new Set(arrivals.flatMap(({ ticket, event }) => (event.type === "gate.flagged" ? ticket : [])));

const askedBy = async (store: Store, now: number) => ({
  haltAll: await store.setting("halt-all"),
  haltedRepos: new Set((await store.halts()).repos.map(({ repo }) => repo)),
  signedOut: new Set(
    (await store.linearWorkspaces()).flatMap(({ id, signedOut }) => (signedOut === undefined ? [] : [id])),
  ),
  cleaning: await store.ticketsToClean(),
  paused: await store.ticketsWithTimer("objections"),
  blocked: await store.blockedTickets(),
  spending: await store.spendingSince(dayStart(now)),
});

/** Why a queued ticket gets no slot although one is free: what the scheduler asks besides, in its order. */
async function heldUpBy(
  store: Store,
  stored: Stored,
  { id, owner, config }: Place,
  {
    haltAll,
    haltedRepos,
    signedOut,
    cleaning,
    paused,
    blocked,
    spending,
    caps,
  }: Awaited<ReturnType<typeof askedBy>> & { readonly caps: DayCaps },
): Promise<HeldUp | undefined> {
  const { ticket } = stored;
  if (haltAll !== undefined) return "halt-all";
  if (haltedRepos.has(id)) return "halt-repo";
  const workspace = linearIssueOf(ticket.id)?.workspace;
  if (signedOut.has(workspace ?? "")) return "signed-out";
  if (ticket.state === "Ready" && (await awaitsOnboarding(store, id))) return "onboarding";
  if (cleaning.has(ticket.id)) return "clean-up";
  if (ticket.state === "Rework" && paused.has(ticket.id)) return "pause";
  const by = ticket.state === "Ready" ? blocked.get(ticket.id)?.by : undefined;
  // What it can be stacked on holds it up no more; then a slot does.
  if (by !== undefined && (await stackFor(store, stored, config, by)) === undefined) return blockedBy(by);
  const payer = { id, owner, workspace, dayUsd: config.limits.day_usd };
  const left = leftOf(spending, [payer], caps);
  const wanted = reserveOf(ticket.allowance, config.limits.run_usd, payer, caps);
  return pursesOf(payer).some((purse) => wanted > (left.get(purse) ?? Infinity)) ? "day-budget" : undefined;
}

/** The same, sorted by how each blocks. */
export function blockedBy(by: readonly Blocker[]): BlockedBy {
  const that = (is: Blocker["is"]): readonly string[] => by.flatMap((one) => (one.is === is ? one.ref : []));
  return {
    open: that("open"),
    declined: that("declined"),
    unseen: that("unseen"),
    circular: that("circular"),
  };
}
