import type { Key, MergeMessage, PullFacts, Refused } from "../ports.ts";
import * as says from "../says.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import { consents } from "../state-machine/guard.ts";
import { methodFor, type Obstacle, type Standing } from "../state-machine/landing.ts";
import { isLocal } from "../state-machine/ticket-id.ts";
import type { OutboxEffect } from "../store/outbox.ts";
import { notYetOpenMs, pullFacts, pullOf, type Act, type Answer } from "./act.ts";
import { writeGate } from "./gate-check.ts";
import { keepObstacles } from "./obstacles.ts";
import { isAgainst } from "./look.ts";
import { lookItem } from "./look-item.ts";
import { labelIsSuspended } from "./suspended.ts";
import { mergeMessageOf } from "./merge-message.ts";
import { putOnRecord } from "./certify.ts";
import { conflictNews, mustUpdate } from "./update-branch.ts";

/** How long a forge may keep saying "not yet" to a merge before that is a refusal. */
const pendingLimitMs = 15 * 60_000;
const pendingLookMs = 10_000;
/** Two that are further apart than this, other waits or trouble between them, are not one wait. */
const pendingApartMs = 6 * 60_000;

/** Consent and review at exactly this head, asked once more right before anything irreversible. */
function releases({ shop, repo, createdAt, stored: { ticket, since } }: Act, head: string): boolean {
  const { policy } = shop.rulesOf(repo);
  return (
    // Released once more since, what the earlier release asked for is over.
    createdAt >= since &&
    ticket.state === "Merging" &&
    ticket.upon === undefined &&
    ticket.head === head &&
    ticket.reviewed === head &&
    consents(ticket, policy)
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
  await askForLook(act);
  return { is: "snooze", until: now + heardMs, note: "a person spoke against it meanwhile" };
}
/** The intake looks at the ticket, and knows what to make of what is found. */
async function askForLook({ shop, stored }: Pick<Act, "shop" | "stored">): Promise<void> {
  const now = shop.clock.now();
  await shop.store.receive(lookItem(stored.ticket.id, `before-merge:${now}`, now));
  shop.poke("intake");
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
  const { shop, effect, repo, createdAt } = act;
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
  if (pull.checks === "red") {
    await askForLook(act);
    return { is: "done", note: "a check is red; it is looked into" };
  }
  const news = checksNews(pull, effect.head);
  if (news !== undefined) return { is: "done", note: `checks are ${pull.checks}`, news: [news] };
  const standing = await shop.forge.standing({ repo, number: pull.number });
  if (standing === undefined) return { is: "dropped", note: "the pull request is gone" };
  const { obstacles } = await obstaclesNow(act, standing, effect.head);
  const never = obstacles.find(({ how }) => how === "never");
  if (never !== undefined) return refusedBy(never, effect.head);
  return { is: "done", note: `waits for the checks: ${await armed(act, pull, standing)}` };
}

/**
 * Asks the forge to merge this head by itself once it may, where that is as safe as a merge of ours; answers how that
 * went, or why it is left to us.
 */
async function armed(act: Act<MergeEffect>, pull: PullFacts, standing: Standing): Promise<string> {
  const { shop, key, repo, stored, effect } = act;
  const ref = { repo, number: pull.number };
  if (standing.rules.queue !== undefined) return "then it goes into the merge queue";
  if (!standing.rules.autoMerge) return "the repository lets no pull request merge by itself";
  // It would merge without another look, whatever the base has gained until then,
  if (shop.rulesOf(repo).config.merge.keep_up_to_date) return "it is merged by us, if the base has not moved";
  // whatever head is there: only our own check holds another one back,
  if (!pull.gateIsRequired) return "the branch does not require forgehand's own";
  // and whatever was suspended since.
  if ((await labelIsSuspended(shop, stored, ref)) !== undefined)
    return "auto-merge is suspended for what it touches";
  const answer = await shop.forge.arm(key, ref, effect.head, await wishOf(act, standing));
  return answer === "armed" ? "the forge merges it by itself" : answer.why;
}
type MergeEffect = Extract<OutboxEffect, { type: "merge.arm" | "merge.try" }>;

function checksNews(pull: PullFacts, head: string): TicketEvent | undefined {
  switch (pull.checks) {
    case "green":
      return { type: "checks.passed", head };
    case "none":
      return { type: "checks.absent", head };
    case "red":
    case "pending":
    case "unknown":
      return undefined;
  }
}
/** Merges exactly this head, or reports why the forge refuses. */
export async function tryMerge(act: Act<Extract<OutboxEffect, { type: "merge.try" }>>): Promise<Answer> {
  const { shop, key, effect, stored } = act;
  const now = shop.clock.now();
  if (!releases(act, effect.head)) return { is: "dropped", note: "no longer released" };
  const pull = await pullFacts(act);
  const ref = pullOf(act);
  const over = await settled(act, pull, effect.head);
  if (over !== undefined || pull === undefined || ref === undefined)
    return over ?? { is: "dropped", note: "the pull request is gone" };
  const standing = await shop.forge.standing(ref);
  if (standing === undefined) return { is: "dropped", note: "the pull request is gone" };
  const { obstacles } = await obstaclesNow(act, standing, effect.head);
  const never = obstacles.find(({ how }) => how === "never");
  if (never !== undefined) return refusedBy(never, effect.head);
  const suspended = await labelIsSuspended(shop, stored, ref);
  if (suspended !== undefined)
    return {
      is: "done",
      note: suspended,
      news: [{ type: "merge.refused", head: effect.head, how: "policy", why: suspended }],
    };
  // Green when it was released, and perhaps not any more: people may have taken their time since.
  if (pull.checks !== "green" && pull.checks !== "none") {
    if (pull.checks === "red") await askForLook(act);
    return { is: "snooze", until: nextLook(act), note: `checks are ${pull.checks}` };
  }
  const missing = obstacles.filter(({ how }) => how === "person");
  if (missing.length > 0) {
    // Released by us, but not yet by the rules: the forge merges it by itself where it offers that, else we look again.
    const note = `${missing.map(({ why }) => why).join("; ")}; ${await armed(act, pull, standing)}`;
    return { is: "snooze", until: nextLook(act), note };
  }
  // A merge queue takes the newest base for itself.
  if (standing.rules.queue === undefined && (await mustUpdate(act)))
    return behind(effect.head, "the base has moved since this head was made");
  const wish = await wishOf(act, standing);
  await putOnRecord(act, pull, standing.rules.queue?.method ?? wish.method);
  const answer =
    standing.rules.queue === undefined
      ? await shop.forge.merge(key, ref, effect.head, wish)
      : // Once for each release, however many effects come of it.
        await shop.forge.enqueue(`${stored.ticket.id}/merging/${stored.since}` as Key, ref, effect.head);
  if (answer.is === "merged") {
    return {
      is: "done",
      note: `merged as ${says.short(answer.merge)}`,
      news: [{ type: "pr.merged", head: effect.head, merge: answer.merge }],
    };
  }
  if (answer.is === "queued")
    return { is: "snooze", until: nextLook(act), note: `number ${answer.position} in the merge queue` };
  if (answer.how === "conflict") {
    const news = conflictNews(await shop.store.linesOf(stored.ticket.id), effect.head, answer.why);
    return { is: "done", note: answer.why, news: [news] };
  }
  if (answer.how === "pending") {
    const waitedMs = await pendingFor(act, now);
    if (waitedMs < pendingLimitMs) return { is: "snooze", until: now + pendingLookMs, note: answer.why };
    return refused({ ...answer, why: `${answer.why} (for ${says.age(waitedMs)})` }, effect.head);
  }
  // What a queue let go has its own reasons, and on this host nobody has made rules.
  const isRuled = standing.rules.queue === undefined && !isLocal(stored.ticket.id) && rulings.has(answer.how);
  return refused(isRuled ? { ...answer, why: says.ruledOut(answer.why) } : answer, effect.head);
}
const rulings: ReadonlySet<Refused["how"]> = new Set(["policy", "unavailable"]);

/** Since when the forge has been saying "not yet", look after look: people may have taken their time before. */
async function pendingFor({ shop, key }: Act, now: number): Promise<number> {
  const memory = `pending ${key}`;
  const before = await shop.store.recall(memory);
  const [since = now, last = now] = before === undefined ? [] : before.split(" ").map(Number);
  const began = now - last > pendingApartMs ? now : since;
  await shop.store.remember(memory, `${began} ${now}`);
  return now - began;
}

/** What the rules of the branch ask before this head is merged, told at once where it is news. */
async function obstaclesNow(
  act: Act,
  standing: Standing,
  head: string,
): Promise<{ readonly obstacles: readonly Obstacle[] }> {
  const { obstacles, isNews } = await keepObstacles(act, standing);
  if (isNews) await writeGate(act, head);
  return { obstacles };
}

const refusedBy = ({ why, fix }: Obstacle, head: string): Answer => ({
  is: "done",
  note: why,
  news: [{ type: "merge.refused", head, how: "policy", why: `${why}. To end that, ${fix}` }],
});

/** The message and the way of merging, as configured and as the branch allows. */
async function wishOf({ shop, stored, repo }: Act, { rules }: Standing): Promise<MergeMessage> {
  const method = methodFor(rules, shop.rulesOf(repo).config.merge.method);
  const message = await mergeMessageOf(shop, stored, repo);
  return "method" in method ? { ...message, method: method.method } : message;
}

/** News of the pull request hurries the next look; this is for what nobody tells. */
const nextLook = ({ shop, createdAt }: Act): number => {
  const now = shop.clock.now();
  return now + (now - createdAt < 60 * 60_000 ? 60_000 : 10 * 60_000);
};

const behind = (head: string, why: string): Answer => ({
  is: "done",
  note: why,
  news: [{ type: "base.moved", head, why }],
});

function refused({ how, why }: Refused, head: string): Answer {
  switch (how) {
    case "moved":
      return { is: "dropped", note: why };
    case "behind":
      return behind(head, why);
    case "conflict":
    case "checks":
      return { is: "done", note: why, news: [{ type: "merge.refused", head, how, why }] };
    case "pending":
    case "policy":
    case "unavailable":
      return { is: "done", note: why, news: [{ type: "merge.refused", head, how: "policy", why }] };
  }
}
