import type { PullFacts, TicketFacts } from "../ports.ts";
import type { Ticket, TicketId } from "../state-machine/ticket.ts";
import type { Item } from "../store/inbox.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import type { Heard, Say } from "../webhooks/heard.ts";
import { specHash } from "../webhooks/spec-hash.ts";
import type { Read, Said } from "./said.ts";
import { meaningOf, numberOf } from "./meaning.ts";
import type { Workshop } from "./workshop.ts";

/** The reconciler asked for a look at one ticket. */
export async function look(shop: Workshop, item: Item): Promise<Read> {
  if (item.ticket === undefined) return { ignored: "it names no ticket" };
  return await observe(shop, item.ticket, { objections: "now" });
}

/**
 * Compares a ticket with the world and says what it missed, by way of the same reading as a webhook: what stands
 * there is turned into the hints that would have told of it.
 */
export async function observe(
  shop: Workshop,
  id: TicketId,
  how: { readonly objections: "now" | "later" },
): Promise<Read> {
  const { store } = shop;
  const stored = await store.load(id);
  const repo = await repoOfTicket(shop, id, stored);
  if (repo === undefined) return { ignored: "its repository is unknown" };
  const issue = await shop.tracker.ticket({ repo, number: numberOf(id) });
  const pullNumber = stored?.ticket.pull;
  const pull = pullNumber === undefined ? undefined : await shop.forge.pull({ repo, number: pullNumber });
  const hints = [
    ...(await issueHints(shop, repo, id, stored, issue)),
    ...(stored === undefined || pull === undefined
      ? []
      : pullHints(stored.ticket, pull, repo, how.objections)),
  ];
  const said: Said[] = [];
  const notes: string[] = [];
  for (const hint of hints) {
    const meaning = await meaningOf(shop, heardFrom(repo, hint, numberOf(id), pullNumber), id, repo, {
      issue,
      pull,
    });
    said.push(...meaning.said.map((one) => withId(one, hint)));
    notes.push(...meaning.notes);
  }
  return said.length > 0 ? { said } : { ignored: notes.join("; ") || "the world is as we know it" };
}

interface Hint {
  readonly says: Say;
  readonly by: string;
  readonly on: "issue" | "pull";
  /** Names the fact, where it may be seen again and again. */
  readonly id?: string;
}

async function repoOfTicket(
  shop: Workshop,
  id: TicketId,
  stored: Stored | undefined,
): Promise<KnownRepo | undefined> {
  const repo = stored?.repo ?? Number(/^github:(\d+)#/.exec(id)?.[1]);
  return Number.isNaN(repo) ? undefined : await shop.store.repoById(repo);
}

/** A hint that nobody sent: the sender is who the facts name; where they name nobody, nobody. */
const heardFrom = (
  repo: KnownRepo,
  { says, by, on }: Hint,
  issue: number,
  pull: number | undefined,
): Heard => ({
  repo: { ...repo, installation: repo.installation, defaultBranch: repo.defaultBranch },
  target: on === "pull" && pull !== undefined ? { pull } : { issue },
  sender: { login: by, id: 0, kind: "person" },
  says,
});

const withId = (said: Said, hint: Hint): Said => (hint.id === undefined ? said : { ...said, id: hint.id });

/** Labels whose meaning a lost delivery would take with it. */
async function issueHints(
  shop: Workshop,
  repo: KnownRepo,
  id: TicketId,
  stored: Stored | undefined,
  issue: TicketFacts | undefined,
): Promise<readonly Hint[]> {
  const ticket = stored?.ticket;
  if (issue === undefined) {
    return ticket === undefined || isOver(ticket)
      ? []
      : [{ on: "issue", by: "nobody", says: { type: "issue.deleted" } }];
  }
  const hints: Hint[] = [];
  if (ticket !== undefined) {
    if (issue.open && isOver(ticket))
      hints.push({ on: "issue", by: "nobody", says: { type: "issue.reopened" } });
    if (!issue.open && !isOver(ticket)) {
      hints.push({
        on: "issue",
        by: "nobody",
        says: { type: "issue.closed", how: issue.declined ? "declined" : "completed" },
      });
    }
    if (ticket.spec !== undefined && specHash(issue) !== ticket.spec)
      hints.push({ on: "issue", by: "nobody", says: { type: "issue.edited" } });
  }
  if (!issue.open) return hints;
  return [...hints, ...(await labelHints(shop, repo, id, ticket, issue))];
}

const isOver = (ticket: Ticket): boolean => ticket.state === "Done" || ticket.state === "Cancelled";

async function labelHints(
  shop: Workshop,
  repo: KnownRepo,
  id: TicketId,
  ticket: Ticket | undefined,
  issue: TicketFacts,
): Promise<readonly Hint[]> {
  const names = shop.rulesOf(repo).config.labels;
  const has = (name: keyof typeof names): boolean => issue.labels.includes(names[name]);
  // While our own label changes are still on their way, the labels do not say what people want.
  const effects = await shop.store.effectsOf(id);
  const settled = !effects.some((effect) => effect.type === "labels" && effect.state === "new");
  const missed: (keyof typeof names)[] = [];
  if (settled && has("agent-ready") && (ticket === undefined || ticket.state === "Backlog"))
    missed.push("agent-ready");
  if (has("auto-merge") && ticket !== undefined && !ticket.autoMerge && !isOver(ticket))
    missed.push("auto-merge");
  if (has("forgehand:halt") && ticket !== undefined && !ticket.halted) missed.push("forgehand:halt");
  if (has("forgehand:do-not-dispatch") && ticket !== undefined && !ticket.held)
    missed.push("forgehand:do-not-dispatch");
  if (has("forgehand:halt-all") && (await shop.store.setting("halt-all")) === undefined)
    missed.push("forgehand:halt-all");
  const hints = await Promise.all(
    missed.map(async (name): Promise<Hint | undefined> => {
      const by = await shop.tracker.labelledBy(
        { repo, number: issue.ref === "" ? 0 : numberOf(id) },
        names[name],
      );
      return by === undefined
        ? undefined
        : { on: "issue", by, says: { type: "labelled", label: names[name] } };
    }),
  );
  return hints.filter((hint) => hint !== undefined);
}

function pullHints(
  ticket: Ticket,
  pull: PullFacts,
  repo: KnownRepo,
  objections: "now" | "later",
): readonly Hint[] {
  const on = "pull" as const;
  if (isOver(ticket)) return [];
  if (pull.merged !== undefined || !pull.open)
    return [{ on, by: "nobody", says: { type: "pull.closed", merge: pull.merged } }];
  const hints: Hint[] = [];
  if (pull.baseBranch !== repo.defaultBranch && ticket.state !== "Blocked") {
    hints.push({ on, by: "nobody", says: { type: "pull.retargeted", base: pull.baseBranch } });
  }
  if (pull.head !== ticket.head)
    hints.push({ on, by: "nobody", says: { type: "pull.moved", head: pull.head } });
  if (pull.checks !== ticket.checks)
    hints.push({ on, by: "nobody", says: { type: "checks.changed", head: pull.head } });
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
        },
      });
    }
    if (approval.is === "objected" && objections === "now") {
      const id = `objection:${ticket.id}:${approval.by}:${approval.at}`;
      hints.push({
        on,
        by: approval.by,
        id,
        says: {
          type: "reviewed",
          state: "objected",
          head: approval.head,
          body: approval.body,
          comment,
          command: undefined,
        },
      });
    }
    if (approval.is === "dismissed" && approval.head === ticket.approved) {
      hints.push({
        on,
        by: approval.by,
        says: { type: "review.dismissed", head: approval.head, by: approval.by },
      });
    }
  }
  return hints;
}
