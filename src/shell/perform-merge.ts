import type { PullFacts, Refused } from "../ports.ts";
import * as says from "../says.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import { consents } from "../state-machine/guard.ts";
import type { OutboxEffect } from "../store/outbox.ts";
import { notYetOpenMs, pullFacts, pullOf, type Act, type Answer } from "./act.ts";
import { isAgainst } from "./look.ts";
import { putOnRecord } from "./certify.ts";
import { summaryOf, viewOf } from "./view.ts";

/** How long a forge may keep saying "not yet" to a merge before that is a refusal. */
const pendingLimitMs = 15 * 60_000;
const pendingLookMs = 10_000;

/** Consent and review at exactly this head, asked once more right before anything irreversible. */
function releases(
  { shop, repo, stored: { ticket } }: Pick<Act, "shop" | "repo" | "stored">,
  head: string,
): boolean {
  const { policy } = shop.rulesOf(repo);
  return (
    ticket.state === "Merging" && ticket.head === head && ticket.reviewed === head && consents(ticket, policy)
  );
}

/** What the facts already settle, before any write: gone, merged, closed, moved, retargeted, or a person is against it. */
async function settled(act: Act, pull: PullFacts | undefined, head: string): Promise<Answer | undefined> {
  const { shop, stored, repo } = act;
  const now = shop.clock.now();
  if (pull === undefined)
    return { is: "snooze", until: now + notYetOpenMs, note: "the pull request is not open yet" };
  if (pull.merged !== undefined)
    return {
      is: "done",
      note: "it is merged already",
      news: [{ type: "pr.merged", head: pull.head, merge: pull.merged }],
    };
  if (!pull.open) return { is: "dropped", note: "the pull request is closed", news: [{ type: "pr.closed" }] };
  if (pull.head !== head)
    return {
      is: "dropped",
      note: "another head was pushed",
      news: [{ type: "head.moved", head: pull.head }],
    };
  if (pull.baseBranch !== repo.defaultBranch)
    return {
      is: "dropped",
      note: `it targets ${pull.baseBranch} now`,
      news: [{ type: "pr.retargeted", base: pull.baseBranch }],
    };
  if (!(await isAgainst(shop, stored, repo, pull))) return undefined;
  await shop.store.receive({
    id: `look:${stored.ticket.id}:before-merge:${now}`,
    source: "reconcile",
    name: "look",
    ticket: stored.ticket.id,
    body: "{}",
    receivedAt: now,
  });
  shop.poke("intake");
  return { is: "snooze", until: now + heardMs, note: "a person spoke against it meanwhile" };
}
/** Until then the look has heard what the person said, and nothing is released any more. It may wait behind trouble, so not sooner. */
const heardMs = 10_000;

/**
 * Released, but the checks are not known to be green: asks the forge to merge when they are, or finds out that there
 * is nothing to wait for. "No checks" counts only after the settling time, since CI needs a moment to announce itself.
 */
export async function lookBeforeMerge(
  act: Act<Extract<OutboxEffect, { type: "merge.arm" }>>,
): Promise<Answer> {
  const { shop, key, effect, repo, createdAt } = act;
  const now = shop.clock.now();
  if (!releases(act, effect.head)) return { is: "dropped", note: "no longer released" };
  const pull = await pullFacts(act);
  const over = await settled(act, pull, effect.head);
  if (over !== undefined || pull === undefined)
    return over ?? { is: "dropped", note: "the pull request is gone" };
  if (pull.checks === "none") {
    const settles = createdAt + shop.rulesOf(repo).config.merge.settle_seconds * 1_000;
    if (now < settles)
      return {
        is: "snooze",
        until: settles,
        note: "no checks so far; waiting whether any announce themselves",
      };
  }
  const news = checksNews(pull, effect.head);
  if (news !== undefined) return { is: "done", note: `checks are ${pull.checks}`, news: [news] };
  // An armed merge takes whatever head is there when the checks are green; only our own check holds another one back.
  if (!pull.gateIsRequired)
    return { is: "done", note: "waits for the checks: the branch does not require forgehand's own" };
  const armed = await shop.forge.arm(
    key,
    { repo, number: pull.number },
    effect.head,
    shop.rulesOf(repo).config.merge.method,
  );
  return { is: "done", note: armed === "armed" ? "armed" : `waits for the checks: ${armed.why}` };
}

function checksNews(pull: PullFacts, head: string): TicketEvent | undefined {
  switch (pull.checks) {
    case "green":
      return { type: "checks.passed", head };
    case "none":
      return { type: "checks.absent", head };
    case "red":
      return { type: "checks.failed", head, why: redOf(pull) };
    case "pending":
    case "unknown":
      return undefined;
  }
}
const redOf = (pull: PullFacts): string =>
  pull.checkList
    .filter((check) => check.is === "red")
    .map((check) => check.name)
    .join(", ") || "a check is red";

/** Merges exactly this head, or reports why the forge refuses. */
export async function tryMerge(act: Act<Extract<OutboxEffect, { type: "merge.try" }>>): Promise<Answer> {
  const { shop, key, effect, stored, repo, createdAt } = act;
  const now = shop.clock.now();
  if (!releases(act, effect.head)) return { is: "dropped", note: "no longer released" };
  const pull = await pullFacts(act);
  const ref = pullOf(act);
  const over = await settled(act, pull, effect.head);
  if (over !== undefined || ref === undefined)
    return over ?? { is: "dropped", note: "the pull request is gone" };
  const view = await viewOf(shop, stored, repo);
  if (pull !== undefined) await putOnRecord(act, pull);
  const answer = await shop.forge.merge(key, ref, effect.head, {
    ...says.mergeMessage(view, await summaryOf(shop, stored)),
    method: shop.rulesOf(repo).config.merge.method,
  });
  if (answer.is === "merged") {
    return {
      is: "done",
      note: `merged as ${says.short(answer.merge)}`,
      news: [{ type: "pr.merged", head: effect.head, merge: answer.merge }],
    };
  }
  return refused(answer, effect.head, now, createdAt);
}

function refused(answer: Refused, head: string, now: number, createdAt: number): Answer {
  const { how, why } = answer;
  switch (how) {
    case "moved":
      return { is: "dropped", note: why };
    case "pending":
      return now - createdAt < pendingLimitMs
        ? { is: "snooze", until: now + pendingLookMs, note: why }
        : {
            is: "done",
            note: why,
            news: [
              {
                type: "merge.refused",
                head,
                how: "policy",
                why: `${why} (for ${says.age(now - createdAt)})`,
              },
            ],
          };
    case "conflict":
      return { is: "done", note: why, news: [{ type: "merge.refused", head, how: "conflict", why }] };
    case "policy":
    case "unavailable":
      return { is: "done", note: why, news: [{ type: "merge.refused", head, how: "policy", why }] };
  }
}
