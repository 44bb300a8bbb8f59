import type { PullFacts, TicketFacts } from "../ports.ts";
import { forgeIssueOf, linearIssueOf } from "../state-machine/ticket-id.ts";
import { newTicket, type Ticket, type TicketId } from "../state-machine/ticket.ts";
import type { Item } from "../store/inbox.ts";
import type { Line } from "../store/ledger.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import type { Heard, Say } from "../webhooks/heard.ts";
import { specHash } from "../webhooks/spec-hash.ts";
import type { Hint, Read, Said } from "./said.ts";
import { isOperator } from "./halts.ts";
import { holdForMore } from "./hear.ts";
import { unheardRemarks } from "./look-threads.ts";
import { keepPending } from "./pending-checks.ts";
import { keepPriority } from "./priority.ts";
import { basesOf } from "./stack.ts";
import type { LookBody } from "./look-item.ts";
import { cardHints, clockSkewMs, unknownText } from "./look-card.ts";
import { issueRefOf, meaningOf, type AtHand, reviewId, takenBackAt } from "./meaning.ts";
import { repositoryOf } from "./linear-repository.ts";
import type { Workshop } from "./workshop.ts";

/** The reconciler asked for a look at one ticket. */
export async function look(shop: Workshop, item: Item): Promise<Read> {
  if (item.ticket === undefined) return { ignored: "it names no ticket" };
  const { issue } = JSON.parse(item.body) as LookBody;
  return await (issue === "unchanged" ? observePull(shop, item.ticket) : observe(shop, item.ticket));
}
/** Only what happened on the forge: nothing is asked of the ticket's own tracker. */
async function observePull(shop: Workshop, id: TicketId): Promise<Read> {
  const stored = await shop.store.load(id);
  const repo = stored && (await shop.store.repoById(stored.repo));
  const number = stored?.ticket.pull;
  if (stored === undefined || repo === undefined || number === undefined)
    return { ignored: "neither issue nor pull request may have changed" };
  const pull = await shop.forge.pull({ repo, number });
  const hints = await hintsOfPull(shop, repo, stored, pull);
  return await readHints(shop, hints, { id, repo, stored, atHand: { pull } });
}

/** What a pull request shows that its ticket does not know. */
async function hintsOfPull(
  shop: Workshop,
  repo: KnownRepo,
  stored: Stored | undefined,
  pull: PullFacts | undefined,
): Promise<readonly Hint[]> {
  const { store } = shop;
  if (stored === undefined || pull === undefined) return [];
  const { id } = stored.ticket;
  await keepPending(store, stored, pull);
  const remarks =
    !pull.open || isOver(stored.ticket)
      ? []
      : await unheardRemarks(shop, { repo, number: pull.number }, await store.linesOf(id));
  return [
    ...pullHints(stored.ticket, await unheardOf(shop, id, pull), await basesOf(store, repo, stored)),
    ...remarks.map((remark): Hint => ({ on: "pull", ...remark })),
  ];
}

async function readHints(
  shop: Workshop,
  hints: readonly Hint[],
  {
    id,
    repo,
    stored,
    atHand,
  }: {
    readonly id: TicketId;
    readonly repo: KnownRepo;
    readonly stored: Stored | undefined;
    readonly atHand: AtHand;
  },
): Promise<Read> {
  const said: Said[] = [];
  const notes: string[] = [];
  const { number } = issueRefOf(id, repo, stored);
  for (const hint of hints) {
    const heard = heardFrom(repo, hint, number, stored?.ticket.pull);
    const meaning = await meaningOf(shop, heard, id, repo, atHand);
    said.push(...meaning.said);
    notes.push(...meaning.notes);
  }
  await holdForMore(shop, said, repo);
  return said.length > 0 ? { said } : { ignored: notes.join("; ") || "the world is as we know it" };
}

/**
 * Compares a ticket with the world and says what it missed, by way of the same reading as a webhook: what stands
 * there is turned into the hints that would have told of it.
 */
async function observe(shop: Workshop, id: TicketId): Promise<Read> {
  const { store } = shop;
  const stored = await store.load(id);
  const repo = await repoOfTicket(shop, id, stored);
  if (repo === undefined) return { ignored: "its repository is unknown" };
  // Before the facts: a change of ours that ends in between is not yet in them.
  const settled = !(await store.effectsOf(id)).some(
    ({ type, state }) => type === "labels" && state === "new",
  );
  const issueRef = issueRefOf(id, repo, stored);
  const card = issueRef.linear && (await shop.linear.issues.ticket(issueRef.linear));
  const issue = issueRef.linear === undefined ? await shop.tracker.ticket(issueRef) : card;
  await keepPriority(shop, shop.rulesOf(repo).config, stored, issue);
  const pullNumber = stored?.ticket.pull;
  const pull = pullNumber === undefined ? undefined : await shop.forge.pull({ repo, number: pullNumber });
  const hints = [
    ...(card === undefined
      ? issueHints(stored?.ticket, issue)
      : [...textHints(stored?.ticket, card), ...(await cardHints(shop, { facts: card, repo, stored }))]),
    ...(issue?.open === true ? await labelHints(shop, repo, { id, stored, issue, settled }) : []),
    ...(await hintsOfPull(shop, repo, stored, pull)),
  ];
  return await readHints(shop, hints, { id, repo, stored, atHand: { issue, pull } });
}

interface Seen {
  readonly id: TicketId;
  readonly stored: Stored | undefined;
  readonly issue: TicketFacts;
  /** No label change of ours is on its way. */
  readonly settled: boolean;
}

async function repoOfTicket(
  shop: Workshop,
  id: TicketId,
  stored: Stored | undefined,
): Promise<KnownRepo | undefined> {
  if (linearIssueOf(id) !== undefined) return await repositoryOf(shop, id);
  const repo = stored?.repo ?? forgeIssueOf(id)?.repo;
  return repo === undefined ? undefined : await shop.store.repoById(repo);
}

/** A hint that nobody sent: the sender is who the facts name; where they name nobody, nobody. */
const heardFrom = (
  repo: KnownRepo,
  { says, by, on, kind = "person" }: Hint,
  issue: number,
  pull: number | undefined,
): Heard => ({
  repo: { ...repo, installation: repo.installation, defaultBranch: repo.defaultBranch },
  target: on === "pull" && pull !== undefined ? { pull } : { issue },
  sender: { login: by, id: 0, kind },
  says,
});

/** Whether the issue is there, open, and reads as it did. */
function issueHints(ticket: Ticket | undefined, issue: TicketFacts | undefined): readonly Hint[] {
  if (ticket === undefined) return [];
  const says = (said: Say): Hint => ({ on: "issue", by: "nobody", says: said });
  if (issue === undefined) return isOver(ticket) ? [] : [says({ type: "issue.deleted" })];
  const hints: Hint[] = [];
  if (issue.open && isOver(ticket)) hints.push(says({ type: "issue.reopened" }));
  if (!issue.open && !isOver(ticket))
    hints.push(says({ type: "issue.closed", how: issue.declined ? "declined" : "completed" }));
  return [...hints, ...textHints(ticket, issue)];
}
function textHints(ticket: Ticket | undefined, issue: TicketFacts): readonly Hint[] {
  return ticket?.spec === undefined || specHash(issue) === ticket.spec
    ? []
    : [{ on: "issue", by: "nobody", says: { type: "issue.edited" } }];
}

const isOver = (ticket: Ticket): boolean => ticket.state === "Done" || ticket.state === "Cancelled";

type Names = ReturnType<Workshop["rulesOf"]>["config"]["labels"];

/** Labels that stand there or are gone without the ticket knowing, as the issue's own history tells of them. */
async function labelHints(
  shop: Workshop,
  repo: KnownRepo,
  { id, stored, issue, settled }: Seen,
): Promise<readonly Hint[]> {
  const names = shop.rulesOf(repo).config.labels;
  // While our own label changes are still on their way, the labels do not say what people want.
  const missed = settled ? await missedLabels(shop, names, { id, ticket: stored?.ticket, issue }) : [];
  if (missed.length === 0) return [];
  const history = await shop.tracker.history(issueRefOf(id, repo, stored));
  const lines = stored === undefined ? [] : await shop.store.linesOf(id);
  const told = missed.flatMap(({ name, is }): readonly (Hint & { readonly at: number })[] => {
    const label = names[name];
    const last = history?.labels.findLast((one) => one.label.toLowerCase() === label.toLowerCase());
    // Bots, ourselves among them, are heard through their deliveries alone.
    if (last === undefined || last.is !== is || last.by.endsWith("[bot]")) return [];
    const word = lastWordOn(name, lines);
    // What gives consent or work must be later beyond doubt: the forge's clock is not ours.
    if (last.at <= word || (is === "set" && word > 0 && last.at < word + clockSkewMs)) return [];
    const { by, at } = last;
    if (is === "removed") return [{ on: "issue", by, at, says: { type: "unlabelled", label } }];
    const isEdited = (history?.textChangedAt ?? -1) >= at;
    const spec = isEdited ? { spec: unknownText } : {};
    return [{ on: "issue", by, at, says: { type: "labelled", label, ...spec } }];
  });
  // In the order in which people spoke: what stops a ticket may have stood there before its release, or since.
  return told.toSorted((one, other) => one.at - other.at);
}

async function missedLabels(
  shop: Workshop,
  names: Names,
  {
    id,
    ticket: stored,
    issue,
  }: { readonly id: TicketId; readonly ticket: Ticket | undefined; readonly issue: TicketFacts },
): Promise<readonly { readonly name: keyof Names; readonly is: "set" | "removed" }[]> {
  const has = (name: keyof Names): boolean => issue.labels.includes(names[name]);
  // One that we never heard of is like a new one: what stops it counts as much as what releases it.
  const ticket = stored ?? newTicket(id);
  const known: Partial<Record<keyof Names, boolean>> = {
    "agent-ready": ticket.state !== "Backlog",
    "forgehand:halt-all": (await shop.store.setting(`halt-all:${id}`)) !== undefined,
    ...(!isOver(ticket)
      ? {
          "auto-merge": ticket.autoMerge,
          // An operator's halt says nothing of the label.
          "forgehand:halt": (await shop.store.haltersOf(id)).some(({ by }) => by === "people"),
          "forgehand:do-not-dispatch": ticket.held,
          "runtime/codex": isPicked(ticket, "codex"),
          "runtime/claude-code": isPicked(ticket, "claude-code"),
        }
      : {}),
  };
  return (
    (Object.keys(known) as (keyof Names)[])
      // A blocked ticket keeps its label, and a fresh one releases it: only the history can tell.
      .filter((name) => has(name) !== known[name] || (name === "agent-ready" && ticket.state === "Blocked"))
      .map((name) => ({ name, is: has(name) ? "set" : "removed" }))
  );
}
const isPicked = ({ runtime }: Ticket, name: string): boolean => runtime === name || runtime === "contested";

/** When the ledger last heard of this label, or ended what it had meant. */
function lastWordOn(name: keyof Names, lines: readonly Line[]): number {
  const isWord = (line: Line): boolean => {
    const { event, actor } = line;
    switch (name) {
      case "agent-ready":
        return event.type === "ready.granted" || (line.to === "Backlog" && line.from !== "Backlog");
      case "auto-merge":
        return (
          event.type === "automerge.set" || (event.type === "review.passed" && event.needsPerson.length > 0)
        );
      case "forgehand:halt":
        return (event.type === "halt.raised" || event.type === "halt.lifted") && !isOperator(actor);
      case "forgehand:do-not-dispatch":
        return event.type === "hold.set";
      default:
        return event.type === "runtime.chosen";
    }
  };
  return lines.findLast(isWord)?.at ?? 0;
}

/** The pull request with those reviews only that the ledger does not know: each speaks once, and in its time. */
async function unheardOf({ store }: Workshop, id: TicketId, pull: PullFacts): Promise<PullFacts> {
  if (pull.approvals.length === 0) return pull;
  const lines = await store.linesOf(id);
  const known = new Set(lines.map(({ eventId }) => eventId));
  const word = takenBackAt(lines);
  const isLate = ({ is, at }: PullFacts["approvals"][number]): boolean =>
    is === "approved" && word > 0 && at < word + clockSkewMs;
  return {
    ...pull,
    approvals: pull.approvals.filter((review) => !known.has(reviewId(review)) && !isLate(review)),
  };
}

/**
 * Whether a person took consent back, or objected, without our having heard of it: their review stands there, and the
 * ledger does not know it.
 */
export async function isAgainst(
  shop: Workshop,
  stored: Stored,
  repo: KnownRepo,
  pull: PullFacts,
): Promise<boolean> {
  const { number } = stored;
  for (const hint of reviewHints(stored.ticket, await unheardOf(shop, stored.ticket.id, pull))) {
    if (hint.says.type === "reviewed" && hint.says.state === "approved") continue;
    const heard = heardFrom(repo, hint, number, pull.number);
    const { said } = await meaningOf(shop, heard, stored.ticket.id, repo, { issue: undefined, pull });
    if (said.some(({ event }) => event.type === "human.objected" || event.type === "approval.withdrawn"))
      return true;
  }
  return false;
}

function pullHints(ticket: Ticket, pull: PullFacts, bases: readonly string[]): readonly Hint[] {
  const on = "pull" as const;
  if (isOver(ticket)) return [];
  if (pull.merged !== undefined || !pull.open)
    return [{ on, by: "nobody", says: { type: "pull.closed", merge: pull.merged } }];
  const hints: Hint[] = [];
  if (!bases.includes(pull.baseBranch) && ticket.state !== "Blocked") {
    hints.push({ on, by: "nobody", says: { type: "pull.retargeted", base: pull.baseBranch } });
  }
  if (pull.head !== ticket.head)
    hints.push({ on, by: "nobody", says: { type: "pull.moved", head: pull.head } });
  if (pull.checks !== ticket.checks)
    hints.push({ on, by: "nobody", says: { type: "checks.changed", head: pull.head } });
  return [...hints, ...reviewHints(ticket, pull)];
}

/** What people's reviews say of the head that the ticket does not know. */
function reviewHints(ticket: Ticket, pull: PullFacts): readonly Hint[] {
  const on = "pull" as const;
  const hints: Hint[] = [];
  for (const approval of pull.approvals) {
    const comment = { kind: "review" as const, id: 0, thread: pull.number };
    if (approval.is === "approved" && approval.head === pull.head && ticket.approved !== pull.head) {
      hints.push({
        on,
        by: approval.by,
        says: {
          type: "reviewed",
          state: "approved",
          head: approval.head,
          body: "",
          comment,
          command: undefined,
          at: approval.at,
        },
      });
    }
    if (approval.is === "objected") {
      hints.push({
        on,
        by: approval.by,
        says: {
          type: "reviewed",
          state: "objected",
          head: approval.head,
          body: approval.body,
          comment,
          command: undefined,
          at: approval.at,
        },
      });
    }
    if (approval.is === "dismissed" && approval.head === ticket.approved) {
      hints.push({
        on,
        by: approval.by,
        says: { type: "review.dismissed", head: approval.head, by: approval.by, at: approval.at },
      });
    }
  }
  return hints;
}
