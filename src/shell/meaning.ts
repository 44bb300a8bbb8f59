import { keepPriority, priorityOf } from "./priority.ts";
import { branchFor } from "./branch.ts";
import { isUnlinked } from "../linear-people.ts";
import type { IssueRef, PullFacts, Repo, TicketFacts } from "../ports.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import { forgeIssueOf, linearIssueOf } from "../state-machine/ticket-id.ts";
import type { Sha, TicketId } from "../state-machine/ticket.ts";
import type { Line } from "../store/ledger.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import type { Heard } from "../webhooks/heard.ts";
import { factsNeeded, interpret } from "../webhooks/interpret.ts";
import type { Facts } from "../webhooks/facts.ts";
import { specHash } from "../webhooks/spec-hash.ts";
import { followRed, isFollowed, type Followed } from "./follow-checks.ts";
import { waitingObjection } from "./orders-told.ts";
import { keepPending } from "./pending-checks.ts";
import type { Said } from "./said.ts";
import { askForUpdate } from "./self-update.ts";
import { basesOf } from "./stack.ts";
import { withUpdate } from "./update-branch.ts";
import type { Workshop } from "./workshop.ts";

/** Facts already read by the caller, so that one look at the world serves many hints. */
export interface AtHand {
  /** The item of the inbox that is read. */
  readonly item?: string | undefined;
  readonly issue?: TicketFacts | undefined;
  readonly pull?: PullFacts | undefined;
}
export interface Meaning {
  readonly said: readonly Said[];
  readonly notes: readonly string[];
}

/** Reads the facts a hint needs, freshly, and says what it comes to for this ticket. */
export async function meaningOf(
  shop: Workshop,
  heard: Heard,
  ticket: TicketId,
  repo: KnownRepo,
  atHand: AtHand = {},
): Promise<Meaning> {
  const { store } = shop;
  const needs = factsNeeded(heard);
  const stored = await store.load(ticket);
  const issueRef = issueRefOf(ticket, repo, stored);
  const pullNumber = "pull" in heard.target ? heard.target.pull : stored?.ticket.pull;
  const [permission, issue, pull] = await Promise.all([
    needs.permission === "read" && !isUnlinked(heard.sender.login)
      ? shop.forge.permission(repo, heard.sender.login)
      : ("none" as const),
    "issue" in atHand ? atHand.issue : needs.issue === "read" ? shop.tracker.ticket(issueRef) : undefined,
    "pull" in atHand
      ? atHand.pull
      : needs.pull === "read" && pullNumber !== undefined
        ? shop.forge.pull({ repo, number: pullNumber })
        : undefined,
  ]);
  const { config } = shop.rulesOf(repo);
  await keepPriority(shop, config, stored, issue);
  // Whoever has read it already has kept that too.
  if (!("pull" in atHand)) await keepPending(store, stored, pull);
  const meaning = interpret(heard, {
    permission,
    bases: await basesOf(store, repo, stored),
    allowBots: config.allow_bots,
    operators: shop.operators,
    issue,
    spec: issue && specHash(issue),
    pull,
    ticket: stored?.ticket,
    labels: config.labels,
    runtimes: shop.runtimes,
    workflows: shop.workflows(),
    checksSettled: "no",
    taken: await takenOf(shop, heard.says, atHand.item, stored),
    ...(await remembered(shop, heard.says, stored)),
  });
  // With the issue goes the label that somebody could have taken off.
  if (issue === undefined && endings.has(heard.says.type)) await store.liftHalt(ticket);
  if ("ignored" in meaning) return { said: [], notes: [meaning.ignored] };
  if ("halt" in meaning) {
    const halting = { id: ticket, ref: refOfIssue(issueRef, issue ?? stored) };
    await setHaltAll(shop, meaning.halt, halting, heard.sender.login);
    return { said: [], notes: [`halt-all ${meaning.halt} by ${heard.sender.login}`] };
  }
  if ("update" in meaning) {
    // What replaces forgehand is asked for where its operators' logins are beyond doubt.
    if (issueRef.linear !== undefined) return { said: [], notes: ["self-updates are asked for on GitHub"] };
    return { said: [], notes: [await askForUpdate(shop, repo, issueRef.number, meaning.update)] };
  }
  const approved = isReview(heard) && meaning.events.find(({ type }) => type === "human.approved");
  if (approved && "by" in approved && (await isOverruled(shop, ticket, saidAt(heard, approved.by, pull))))
    return { said: [], notes: ["consent was taken back after this approval"] };
  const events = await followed(shop, meaning.events, { stored, repo, pull });
  const notes = "refused" in meaning ? [`refused: ${meaning.refused}`] : [];
  const isStranger = heard.sender.kind === "person" && (permission === "none" || permission === "read");
  // A passer-by must not fill the ledger with tickets that nobody released.
  // Who belongs to a workspace of Linear is none, and has moved a card that must go back.
  if ("refused" in meaning && isStranger && stored === undefined && issueRef.linear === undefined)
    return { said: [], notes };
  if (events.length > 0) await makeKnown(shop, ticket, repo, stored, issue);
  return {
    said: events.map(({ event, id }) => ({
      ticket,
      event: withinDay(event, shop),
      actor: heard.sender.login,
      ...(id === undefined ? {} : { id }),
      ...(needs.permission === "read" ? { permission } : {}),
      ...(isReview(heard) ? stanceOf(heard, event, pull) : {}),
      ...(heard.says.type === "remarked" ? { id: remarkId(heard.says.on.comment) } : {}),
      ...(isStranger ? refusalOf(event, heard.sender.login) : {}),
    })),
    notes,
  };
}

/** The same events, but for red checks that may not count and for heads that the host itself made. */
async function followed(
  shop: Workshop,
  events: readonly TicketEvent[],
  { stored, repo, pull }: AtHand & { readonly stored: Stored | undefined; readonly repo: KnownRepo },
): Promise<readonly Followed[]> {
  const found: Followed[] = [];
  for (const event of events) {
    if (stored !== undefined && event.type === "head.moved")
      found.push({ event: await withUpdate(shop, stored, event) });
    else if (event.type === "checks.failed" && stored && pull && isFollowed(stored, pull)) {
      const red = await followRed(shop, stored, repo, pull, event);
      if (red !== undefined) found.push(red);
    } else found.push({ event });
  }
  return found;
}

/** A person may allow a run no more than the operator allows a day: it would wait for ever. */
const withinDay = (event: TicketEvent, { limits }: Workshop): TicketEvent =>
  event.type === "budget.raised" && event.usd !== undefined
    ? { ...event, usd: Math.min(event.usd, limits.dayStopUsd) }
    : event;

/** A stranger is told once on a ticket that they may not; to say it again and again would be theirs to cause. */
const refusalOf = (event: TicketEvent, login: string): { readonly id?: string } =>
  event.type === "human.asked" && event.ask.about === "refused"
    ? { id: `refused:${login.toLowerCase()}` }
    : {};

/** What names the events of an item for ever, each followed by its type. */
export const itemPrefix = (item: string, ticket: TicketId): string => `${item}#${ticket}#`;
const commanding: ReadonlySet<Heard["says"]["type"]> = new Set(["commented", "reviewed", "button", "moved"]);

/** Events of this item that the ticket has taken: a command that counted before a crash is read again after it. */
async function takenOf(
  { store }: Workshop,
  says: Heard["says"],
  item: string | undefined,
  stored: Stored | undefined,
): Promise<Facts["taken"]> {
  if (stored === undefined || item === undefined || !commanding.has(says.type)) return undefined;
  const { id } = stored.ticket;
  return new Set(await store.takenUnder(id, itemPrefix(item, id)));
}

const remembering: ReadonlySet<Heard["says"]["type"]> = new Set(["commented", "moved", "review.dismissed"]);

/** What only the ledger knows: since when the ticket has its head, and whose approval counts. */
async function remembered(
  { store }: Workshop,
  says: Heard["says"],
  stored: Stored | undefined,
): Promise<Pick<Facts, "headSince" | "approvedBy" | "objection">> {
  if (stored === undefined || !remembering.has(says.type)) return {};
  const { ticket } = stored;
  let head: { readonly sha: Sha; readonly at: number } | undefined;
  let approvedBy: string | undefined;
  const lines = await store.linesOf(ticket.id);
  for (const { event, at } of lines) {
    const isNews = event.type === "build.delivered" || event.type === "head.moved";
    if (isNews && event.head !== head?.sha) head = { sha: event.head, at };
    if (event.type === "human.approved" && event.head === ticket.approved) approvedBy = event.by;
  }
  const objection =
    says.type !== "review.dismissed" || says.at === undefined
      ? undefined
      : waitingObjection(lines, {
          id: reviewId({ by: says.by, at: says.at, is: "objected" }),
          review: says.review,
        });
  return { headSince: head?.sha === ticket.head ? head?.at : undefined, approvedBy, objection };
}

/**
 * When a person last took back whatever consent there was, by an objection or by switching auto-merge off: an approval
 * from before that counts no more, whoever gave it. A dismissed review takes back only itself.
 */
export const takenBackAt = (lines: readonly Line[]): number =>
  lines.findLast(
    ({ event, eventId }) =>
      event.type === "human.objected" ||
      event.type === "human.told" ||
      (event.type === "approval.withdrawn" && !eventId.startsWith("review:")),
  )?.at ?? 0;

/** Whether consent was taken back after this approval was given, as far as GitHub's whole seconds tell. */
async function isOverruled(
  { store }: Workshop,
  ticket: TicketId,
  approvedAt: number | undefined,
): Promise<boolean> {
  if (approvedAt === undefined) return false;
  const at = takenBackAt(await store.linesOf(ticket));
  return approvedAt < Math.floor(at / 1_000) * 1_000;
}

/**
 * A review speaks once: it stands on the pull request for ever and is met again by every look, but what people decided
 * after it must hold. So the event is named by the review.
 */
function stanceOf(heard: Heard, event: TicketEvent, pull: PullFacts | undefined): { readonly id?: string } {
  const is = stances.get(event.type);
  if (is === undefined || !("by" in event)) return {};
  const at = saidAt(heard, event.by, pull);
  return at === undefined ? {} : { id: reviewId({ by: event.by, at, is }) };
}
/** When the review was submitted: as its delivery tells, or as the person's latest on the pull request does. */
const saidAt = ({ says }: Heard, by: string, pull: PullFacts | undefined): number | undefined =>
  (says.type === "reviewed" || says.type === "review.dismissed" ? says.at : undefined) ??
  pull?.approvals.find((one) => one.by.toLowerCase() === by.toLowerCase())?.at;
/** Names for ever what this review says, whoever tells us of it. */
export const reviewId = ({ by, at, is }: Pick<PullFacts["approvals"][number], "by" | "at" | "is">): string =>
  `review:${by.toLowerCase()}:${at}:${is}`;

/** Names for ever what a comment on a line said to us. */
export const remarkId = (comment: number): string => `remark:${comment}`;

const isReview = ({ says }: Heard): boolean =>
  says.type === "review.dismissed" || (says.type === "reviewed" && says.state !== "commented");
const stances: ReadonlyMap<string, PullFacts["approvals"][number]["is"]> = new Map([
  ["human.approved", "approved"],
  ["human.objected", "objected"],
  ["approval.withdrawn", "dismissed"],
  ["order.withdrawn", "dismissed"],
]);

/** The issue behind a ticket, for its tracker. */
export const issueRefOf = (
  ticket: TicketId,
  repo: Repo,
  stored: Pick<Stored, "number"> | undefined,
): IssueRef => ({
  repo,
  number: stored?.number ?? forgeIssueOf(ticket)?.number ?? 0,
  linear: linearIssueOf(ticket),
});
const refOfIssue = ({ repo, number }: IssueRef, named: { readonly ref: string } | undefined): string =>
  named?.ref ?? `${repo.owner}/${repo.name}#${number}`;

/** Durable: the scheduler and the outbox look at it before they act. It is over when no issue says so any more. */
async function setHaltAll(
  shop: Workshop,
  halt: "raised" | "lifted",
  issue: { readonly id: TicketId; readonly ref: string },
  by: string,
): Promise<void> {
  if (halt === "raised") await shop.store.raiseHalt(issue, by, shop.clock.now());
  else await shop.store.liftHalt(issue.id);
  for (const loop of ["outbox", "schedule"] as const) shop.poke(loop);
}
const endings: ReadonlySet<Heard["says"]["type"]> = new Set(["issue.deleted", "issue.transferred"]);

/** Keeps the ticket's name and the text that may now be released, before any event speaks of them. */
async function makeKnown(
  shop: Workshop,
  ticket: TicketId,
  repo: KnownRepo,
  stored: Stored | undefined,
  issue: TicketFacts | undefined,
): Promise<void> {
  const { store, clock } = shop;
  if (issue === undefined && stored !== undefined) return;
  const issueRef = issueRefOf(ticket, repo, issue ?? stored);
  const { number } = issueRef;
  const title = issue?.title ?? `issue ${number}`;
  await store.name(
    ticket,
    {
      repo: repo.id,
      number,
      ref: refOfIssue(issueRef, issue),
      title,
      url: issue?.url ?? "",
      author: issue?.author ?? "",
      branch: stored?.branch ?? branchFor(ticket, { number, title, ...issue }),
      priority: issue === undefined ? undefined : priorityOf(shop.rulesOf(repo).config, issue),
      labels: issue?.labels,
    },
    clock.now(),
  );
  if (issue !== undefined) await store.keepSpec(specHash(issue), issue.title, issue.body);
}
