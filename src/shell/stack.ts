/** Stacked tickets: one that depends on another starts on its reviewed head, and follows it until both stand on the default branch. */
import type { RepoConfig } from "../config.ts";
import { sets } from "../state-machine/table.ts";
import type { Sha, State, Ticket, Upon } from "../state-machine/ticket.ts";
import type { Blocker } from "../store/blockers.ts";
import type { Line } from "../store/ledger.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";
import type { Workshop } from "./workshop.ts";

/**
 * What others may be built on: a head that a review has passed and that its ticket has a pull request for. Where that
 * review asks for a person's own approval nothing is built on it before they have given it: it may tell agents what to do.
 */
const carries = ({ state, pull, head, reviewed, needsPerson, approved }: Ticket): boolean =>
  (state === "In Review" || state === "Merging") &&
  pull !== undefined &&
  head !== undefined &&
  reviewed === head &&
  (needsPerson !== head || approved === head);

/** Tickets that stand one on the other, the given one first; among them what was merged by hand into the next one's branch. */
async function standsOn(store: Store, given: Stored): Promise<readonly Stored[]> {
  const line = [given];
  for (let { upon } = given.ticket; upon !== undefined && line.length <= longestStack;) {
    const below = await store.load(upon.ticket);
    if (below === undefined) break;
    line.push(below);
    upon = below.ticket.upon;
  }
  return line;
}
/** No configuration allows more. */
const longestStack = 10;

/**
 * What a ticket may be stacked on instead of waiting: the one it depends on, where every other that is not done is one which
 * that stands on itself. Undefined where it has to wait.
 */
export async function stackFor(
  store: Store,
  stored: Stored,
  { dependencies }: Pick<RepoConfig, "dependencies">,
  by: readonly Blocker[],
): Promise<Upon | undefined> {
  // What was begun upon the default branch stays there.
  if (stored.ticket.head !== undefined && stored.ticket.upon === undefined) return undefined;
  if (!dependencies.stack || by.length === 0 || by.some(({ is }) => is !== "open")) return undefined;
  const found = await Promise.all(by.map(async ({ ref }) => await store.findTickets(ref)));
  const below = found.flatMap(([one]) => (one?.repo === stored.repo ? [one] : []));
  if (below.length < by.length) return undefined;
  for (const one of below) {
    const line = (await standsOn(store, one)).map(({ ticket }) => ticket.id);
    const isLine = below.every(({ ticket }) => line.includes(ticket.id));
    const { ticket, ref } = one;
    if (!isLine || line.includes(stored.ticket.id) || line.length > dependencies.stack_depth) continue;
    if (carries(ticket) && ticket.head !== undefined) return { ticket: ticket.id, ref, head: ticket.head };
  }
  return undefined;
}

/** Where a stacked ticket is to stand now. */
type Footing =
  | { readonly is: "stands" }
  /** What it stands on has no reviewed head just now. */
  | { readonly is: "waits" }
  | { readonly is: "moved"; readonly upon: Upon; readonly branch: string }
  | { readonly is: "merged"; readonly as: Sha | undefined }
  /** What it is stacked on will not be merged, as things are. */
  | { readonly is: "lost"; readonly why: string; readonly how: "over" | "without a pull request" };

export async function footingOf(store: Store, upon: Upon): Promise<Footing> {
  const below = await store.load(upon.ticket);
  const lost = (why: string, how: "over" | "without a pull request"): Footing => ({
    is: "lost",
    why: `${upon.ref}, which it is stacked on, ${why}`,
    how,
  });
  if (below === undefined) return lost("is not known any more", "over");
  const { ticket } = below;
  if (ticket.state === "Done")
    // By hand into the branch that it was stacked on itself: then that holds it.
    return ticket.upon === undefined
      ? { is: "merged", as: mergeIn(await store.linesOf(ticket.id)) }
      : await footingOf(store, { ...ticket.upon, head: upon.head });
  if (ticket.state === "Cancelled") return lost("was closed without being merged", "over");
  if (ticket.pull === undefined) return lost("has no pull request any more", "without a pull request");
  if (ticket.head === upon.head) return { is: "stands" };
  if (!carries(ticket) || ticket.head === undefined) return { is: "waits" };
  return {
    is: "moved",
    upon: { ticket: ticket.id, ref: below.ref, head: ticket.head },
    branch: below.branch,
  };
}

const mergeIn = (lines: readonly Line[]): Sha | undefined =>
  lines.flatMap(({ event }) => (event.type === "pr.merged" ? [event.merge] : [])).at(-1);

/** The branches that a pull request of this ticket may target: where one below is merged into the next, GitHub points it there. */
export async function basesOf(
  store: Store,
  repo: Pick<KnownRepo, "defaultBranch">,
  stored: Stored | undefined,
): Promise<readonly string[]> {
  const [, ...below] = stored === undefined ? [] : await standsOn(store, stored);
  return [repo.defaultBranch, ...below.map(({ branch }) => branch)];
}

/** The branch that a new pull request of this ticket targets. */
export async function baseFor(store: Store, repo: KnownRepo, { upon }: Ticket): Promise<string> {
  const below = upon && (await store.load(upon.ticket));
  const isOpen = below !== undefined && below.ticket.state !== "Done" && below.ticket.state !== "Cancelled";
  return isOpen && below.ticket.pull !== undefined ? below.branch : repo.defaultBranch;
}

/**
 * Tells every stacked ticket what became of what it stands on. One that waits for nothing else takes over a newer head, once
 * for each time it comes to wait; before that it would be reviewed for nothing.
 */
export async function followStacks(shop: Workshop): Promise<void> {
  const { store, clock } = shop;
  for (const stored of await store.stackedTickets()) {
    const { ticket, version, since } = stored;
    if (ticket.upon === undefined || !follows.has(ticket.state)) continue;
    const footing = await footingOf(store, ticket.upon);
    const isJudged = ticket.state === "In Review" || ticket.state === "Merging";
    const news = await newsOf(store, stored, footing);
    if (news === undefined || (news.type === "base.moved" && !isJudged)) continue;
    const name = news.type === "base.moved" ? `stack:${since}:${news.why}` : `stack-lost:${version}`;
    const heard = await store.receive({
      id: `${name}:${ticket.id}:${ticket.head ?? ""}`,
      source: "schedule",
      name: news.type,
      ticket: ticket.id,
      body: JSON.stringify(news),
      receivedAt: clock.now(),
    });
    if (heard === "stored") shop.poke("intake");
  }
}

/** One that waits for its slot is given what it stands on with that; one that is parked follows nothing. */
const follows: ReadonlySet<State> = new Set(sets.active.filter((state) => state !== "Ready"));

type News =
  | { readonly type: "base.moved"; readonly head: string; readonly why: string }
  | { readonly type: "effect.failed"; readonly effect: "stack"; readonly why: string };

async function newsOf(store: Store, { ticket }: Stored, footing: Footing): Promise<News | undefined> {
  const { head, upon } = ticket;
  const moved = (why: string): News | undefined =>
    head === undefined ? undefined : { type: "base.moved", head, why };
  switch (footing.is) {
    case "stands":
    case "waits":
      return undefined;
    case "merged":
      return moved(`${upon?.ref ?? "what it is stacked on"} was merged`);
    case "moved":
      return moved(`${footing.upon.ref} has another reviewed head, ${footing.upon.head.slice(0, 7)}`);
    case "lost": {
      const why = heldFor(footing);
      const lines = await store.linesOf(ticket.id);
      if (goesOnWithout(lines, footing)) return moved(`${footing.why}; a person said to go on without it`);
      return lastHeldFor(lines) === why ? undefined : { type: "effect.failed", effect: "stack", why };
    }
  }
}

type Lost = Extract<Footing, { is: "lost" }>;

/** Whether it was held for exactly this, and a person put it back to work since; what they said to another loss is for that. */
export const goesOnWithout = (lines: readonly Line[], footing: Lost): boolean =>
  footing.how === "over" && lastHeldFor(lines) === heldFor(footing);

const heldFor = ({ why, how }: Lost): string => `${why}. ${whatToDo[how]}`;

const whatToDo = {
  over: "`/forgehand retry` carries its own commits over to the default branch and goes on without it; the label `forgehand:hard-reset` starts anew",
  "without a pull request":
    "`/forgehand retry` goes on, and waits until that is in review again; the label `forgehand:hard-reset` starts anew",
} as const;

/** For what it was held last, since it stands where it does. */
function lastHeldFor(lines: readonly Line[]): string | undefined {
  const began = lines.findLastIndex(
    ({ event }) =>
      (event.type === "slot.granted" && event.upon !== undefined) ||
      (event.type === "head.moved" && event.update?.upon !== undefined),
  );
  const held = lines
    .slice(began + 1)
    .findLast(({ event }) => event.type === "effect.failed" && event.effect === "stack")?.event;
  return held?.type === "effect.failed" ? held.why : undefined;
}

/** Points the pull requests stacked on this ticket at the default branch: with the branch they target, GitHub would close them. */
export async function freeStacked(
  { store, forge }: Workshop,
  key: Parameters<Workshop["forge"]["retarget"]>[0],
  { repo, below }: { readonly repo: KnownRepo; readonly below: Stored },
): Promise<void> {
  for (const { ticket, repo: id } of await store.stackedTickets()) {
    // Whatever it is stacked on by its own account: GitHub may have pointed it here.
    if (id !== repo.id || ticket.upon === undefined || ticket.pull === undefined) continue;
    const ref = { repo, number: ticket.pull };
    const pull = await forge.pull(ref);
    if (pull?.open === true && pull.baseBranch === below.branch)
      await forge.retarget(key, ref, repo.defaultBranch);
  }
}
