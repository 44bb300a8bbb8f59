/** Brings a ticket's branch up to date with its base; what comes of it is a new head, which is reviewed as a whole. */
import type { Restack } from "../ports-ci.ts";
import type { HeadUpdate, TicketEvent } from "../state-machine/event.ts";
import type { Upon } from "../state-machine/ticket.ts";
import type { OutboxEffect } from "../store/outbox.ts";
import type { Line } from "../store/ledger.ts";
import type { Stored } from "../store/tickets.ts";
import * as says from "../says.ts";
import { pullFacts, pullOf, type Act, type Answer } from "./act.ts";
import { doubtsOf } from "./follow-checks.ts";
import { footingOf, goesOnWithout } from "./stack.ts";
import type { Workshop } from "./workshop.ts";

type Moved = Extract<TicketEvent, { type: "head.moved" }>;
type Updating = Act<Extract<OutboxEffect, { type: "branch.update" }>>;

/** Updates of one ticket between two acts of a person: each costs a review. */
export const maxUpdates = 5;

/** What is kept of an update before it is pushed. */
interface UpdateNote {
  readonly head: string;
  readonly update: HeadUpdate;
}
const noteKey = (ticket: string): string => `update:${ticket}`;

/** The rules ask for it, and the base holds something that this head lacks. */
export async function mustUpdate({
  shop,
  repo,
  effect,
}: Act<Extract<OutboxEffect, { type: "merge.try" }>>): Promise<boolean> {
  if (!shop.rulesOf(repo).config.merge.keep_up_to_date) return false;
  return await shop.drift.isBehind(shop.remoteOf(repo), effect.head);
}

/** News of a head that the host made itself says how, whoever told of it: the note is older than the push. */
export async function withUpdate({ store }: Workshop, { ticket }: Stored, event: Moved): Promise<Moved> {
  const note = await store.recall(noteKey(ticket.id));
  const read = note === undefined ? undefined : (JSON.parse(note) as UpdateNote);
  return read?.head === event.head ? { ...event, update: read.update } : event;
}

/** Takes over the base and publishes that, unless somebody or something else came first. */
export async function updateBranch(act: Updating): Promise<Answer> {
  const { shop, effect, stored, repo } = act;
  const { ticket } = stored;
  if (ticket.state !== "In Review" && ticket.state !== "Merging")
    return { is: "dropped", note: `the ticket is in ${ticket.state} now` };
  const pull = await pullFacts(act);
  if (pull === undefined || !pull.open) return { is: "dropped", note: "the pull request is not open" };
  if (pull.head !== effect.head) return await anotherHead(act, pull.head);
  const lines = await shop.store.linesOf(ticket.id);
  if (updatesIn(lines) >= maxUpdates)
    return stuck(
      `the base has moved ${maxUpdates} times before this could be merged; update the branch or merge it yourself, or say \`/forgehand retry\` to go on`,
    );
  const target = await targetOf(act, lines);
  if (target === "stands") return nothingToTake(lines, effect.head);
  if (target === "waits") return { is: "done", note: "what it is stacked on has no reviewed head just now" };
  const remote = shop.remoteOf(repo);
  const made = await shop.drift.update(
    remote,
    stored.branch,
    effect.head,
    shop.rulesOf(repo).config.merge.update,
    target.restack,
  );
  switch (made.is) {
    case "moved":
      return await anotherHead(act, made.to);
    case "current":
      return nothingToTake(lines, effect.head);
    case "conflict": {
      const files = made.files.slice(0, 20).join(", ");
      // What it was built on is in its worktree, and no merge takes that out: a builder has nothing to settle.
      if (target.isAlone === true)
        return stuck(
          `without ${stored.ticket.upon?.ref ?? "what it was stacked on"} its own commits conflict with ${target.branch} in ${files}; settle that on its branch, or start anew with the label \`forgehand:hard-reset\``,
        );
      return {
        is: "done",
        note: `in conflict: ${files}`,
        news: [conflictNews(lines, effect.head, `conflicts with its base in ${files}`)],
      };
    }
    case "updated": {
      const { is: _, head, ...moved } = made;
      const update = { ...moved, ...(target.upon === undefined ? {} : { upon: target.upon }) };
      // Before the push: whoever finds the new head finds it where it belongs.
      const ref = pullOf(act);
      if (ref !== undefined && target.restack !== undefined && pull.baseBranch !== target.branch)
        await shop.forge.retarget(act.key, ref, target.branch);
      // Before the push: whoever hears of the new head first can read what it is.
      await shop.store.remember(noteKey(ticket.id), JSON.stringify({ head, update } satisfies UpdateNote));
      const published = await shop.drift.publish(remote, stored.branch, made);
      if (typeof published !== "string") return await anotherHead(act, published.to);
      return {
        is: "done",
        note: `${says.short(effect.head)} took over ${says.short(update.base)} by ${update.how}: ${says.short(head)}`,
        news: [{ type: "head.moved", head, update }],
      };
    }
  }
}

/** What the branch takes over: its base, or for a stacked one what that stands on by now. */
interface Target {
  readonly branch: string;
  readonly restack: Restack | undefined;
  /** What the new head is stacked on. */
  readonly upon?: Upon;
  /** It goes on without what it was stacked on. */
  readonly isAlone?: true;
}

async function targetOf(
  { shop, stored, repo }: Updating,
  lines: readonly Line[],
): Promise<Target | "stands" | "waits"> {
  const { upon } = stored.ticket;
  const branch = repo.defaultBranch;
  if (upon === undefined) return { branch, restack: undefined };
  const footing = await footingOf(shop.store, upon);
  switch (footing.is) {
    case "stands":
    case "waits":
      return footing.is;
    case "moved":
      return {
        branch: footing.branch,
        restack: { from: upon.head, onto: footing.upon.head },
        upon: footing.upon,
      };
    case "merged":
      return { branch, restack: { from: upon.head, holds: footing.as } };
    case "lost":
      // It may be lost only since this was asked for: then it is held first.
      return goesOnWithout(lines, footing)
        ? { branch, restack: { from: upon.head }, isAlone: true }
        : "waits";
  }
}

async function anotherHead({ shop, stored }: Updating, head: string | undefined): Promise<Answer> {
  const note = "another head was pushed";
  if (head === undefined) return { is: "dropped", note: "the branch is gone" };
  return { is: "dropped", note, news: [await withUpdate(shop, stored, { type: "head.moved", head })] };
}

const stuck = (why: string): Answer => ({
  is: "done",
  note: why,
  news: [{ type: "effect.failed", effect: "branch.update", why }],
});

/**
 * The head has all of its base. A check that was red with the base has to run again then, if it has not; where nothing
 * waited for the base, the forge refuses for a reason that an update cannot take away.
 */
function nothingToTake(lines: readonly Line[], head: string): Answer {
  const doubts = doubtsOf(lines, head);
  const again = new Set(
    doubts.filter(({ how }) => how === "rerun").flatMap(({ checks }) => checks.map(({ name }) => name)),
  );
  const checks = doubts
    .filter(({ how }) => how === "base")
    .flatMap((doubt) => doubt.checks)
    .filter(({ name, id }) => id !== undefined && !again.has(name));
  if (checks.length === 0)
    return stuck("the forge wants the branch brought up to date with its base, but it holds all of it");
  const why = `${checks.map(({ name }) => `\`${name}\``).join(", ")} failed on the base as well, which is green again at the same commit`;
  return {
    is: "done",
    note: "up to date; the checks run again",
    news: [{ type: "ci.doubted", head, how: "rerun", checks, why }],
  };
}

const acts: ReadonlySet<TicketEvent["type"]> = new Set([
  "ready.granted",
  "operator.retried",
  "human.approved",
  "human.objected",
  "human.told",
]);
/** What happened since a person last decided something. */
const sincePerson = (lines: readonly Line[]): readonly Line[] =>
  lines.slice(lines.findLastIndex(({ event }) => acts.has(event.type)) + 1);

const updatesIn = (lines: readonly Line[]): number =>
  sincePerson(lines).filter(({ event }) => event.type === "head.moved" && event.update !== undefined).length;

/** A conflict is a builder's to settle, once; one that comes again before a person has decided anything is a person's. */
export function conflictNews(lines: readonly Line[], head: string, why: string): TicketEvent {
  const before = sincePerson(lines).some(
    ({ event, to }) => event.type === "merge.refused" && event.how === "conflict" && to === "Rework",
  );
  return before
    ? { type: "effect.failed", effect: "merge", why: `${why}, again, after a build had settled it once` }
    : { type: "merge.refused", head, how: "conflict", why };
}
