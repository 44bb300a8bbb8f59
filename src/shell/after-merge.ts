import { judgeMerge, type BaseCheck, type BaseCommit } from "../state-machine/after-merge.ts";
import type { OutboxEffect } from "../store/outbox.ts";
import * as says from "../says-after-merge.ts";
import { specHash } from "../webhooks/spec-hash.ts";
import { issueOf, pullOf, type Act, type Answer } from "./act.ts";
import { pullBefore } from "./certify.ts";
import { askAgain } from "./follow-checks.ts";
import { forgeTicketId } from "../state-machine/ticket-id.ts";
import { ownBranch } from "./branch.ts";
import { labelIsSuspended, revertKey } from "./suspended.ts";

type WatchAct = Act<Extract<OutboxEffect, { type: "base.watch" }>>;

/** Often while most checks end, then less so. */
const lookMs = (sinceMs: number): number => (sinceMs < 15 * 60_000 ? 60_000 : 3 * 60_000);
const rerunLookMs = 30_000;
/** A check that was asked to run again and has not begun by then will not. */
const rerunLimitMs = 10 * 60_000;

/**
 * Watches the checks of the base after a merge of ours. Only a merge on which a check turns red, twice, is taken back:
 * the ticket is reopened, auto-merge is suspended for its paths, and a ticket of its own brings the revert.
 */
export async function watchBase(act: WatchAct): Promise<Answer> {
  const { shop, effect, repo, createdAt } = act;
  const now = shop.clock.now();
  const endsAt = createdAt + shop.rulesOf(repo).config.after_merge.watch_minutes * 60_000;
  if (endsAt === createdAt) return { is: "done", note: "the base is not watched here" };
  const chain = await shop.forge.base(repo, repo.defaultBranch, effect.merge);
  // Right after a merge the list of commits may lack it.
  const verdict = chain.length === 0 ? ({ is: "running" } as const) : judgeMerge(effect.merge, chain);
  switch (verdict.is) {
    case "fine":
    case "running":
      return now < endsAt
        ? {
            is: "snooze",
            until: Math.min(endsAt, now + lookMs(now - createdAt)),
            note: "watches the checks of the base",
          }
        : { is: "done", note: `the checks of the base were ${verdict.is} for the whole watch` };
    case "innocent":
      return { is: "done", note: verdict.why };
    case "unclear": {
      // The checks of the others may not have announced themselves yet.
      const settlesAt = createdAt + shop.rulesOf(repo).config.merge.settle_seconds * 1_000;
      if (now < settlesAt)
        return { is: "snooze", until: settlesAt, note: `waits for ${verdict.check} on other commits` };
      await tell(act, says.unclearNotice(effect.merge, verdict.check, verdict.between));
      return { is: "done", note: `${verdict.check} is red, and it is unclear since which commit` };
    }
    case "guilty": {
      const again = await runAgain(act, verdict.check, { now, endsAt });
      return again ?? (await takeBack(act, verdict.check, verdict.before, chain));
    }
  }
}

/** Once red may be chance: it is run again first. Undefined once it is red for good. */
async function runAgain(
  act: WatchAct,
  check: BaseCheck,
  { now, endsAt }: { readonly now: number; readonly endsAt: number },
): Promise<Answer | undefined> {
  const { shop, effect } = act;
  const { name, run: id } = check;
  if (id === undefined) return undefined;
  const waits = (note: string): Answer => ({ is: "snooze", until: now + rerunLookMs, note });
  const memory = `rerun ${effect.merge} ${name}`;
  const asked = await shop.store.recall(memory);
  if (asked === undefined) {
    const answer = await askAgain(act, effect.merge, [{ name, id }]);
    if (answer !== "asked" && answer.how === "pending" && now < endsAt) return waits(answer.why);
    await shop.store.remember(memory, answer === "asked" ? `${id} ${now}` : "refused");
    return answer === "asked" ? waits(`${name} is run again`) : undefined;
  }
  if (asked === "refused") return undefined;
  const [run, at] = asked.split(" ").map(Number);
  return run === id && now - (at ?? 0) < rerunLimitMs ? waits(`${name} is to be run again`) : undefined;
}

async function takeBack(
  act: WatchAct,
  check: BaseCheck,
  before: string,
  chain: readonly BaseCommit[],
): Promise<Answer> {
  const { shop, key, effect, stored, repo } = act;
  const { store, tracker } = shop;
  const now = shop.clock.now();
  const paths = await pathsOf(act);
  await store.suspendAutoMerge(repo.id, { merge: effect.merge, ref: stored.ref, paths, at: now });
  await stopLabelled(act);
  const evidence = {
    merge: effect.merge,
    before,
    check: check.name,
    url: check.url,
    ref: stored.ref,
    commits: chain.length,
  };
  const number = await tracker.openIssue(
    key,
    repo,
    `revert-${effect.merge}`,
    says.revertIssue(evidence, stored.title),
  );
  const issue = await tracker.ticket({ repo, number });
  if (issue !== undefined) {
    const id = forgeTicketId(repo, number);
    const { ref: name, title, url, author, labels } = issue;
    await store.name(
      id,
      {
        repo: repo.id,
        number,
        ref: name,
        title,
        url,
        author,
        labels,
        branch: ownBranch(number, title),
      },
      now,
    );
    await store.remember(revertKey(id), effect.merge);
    const spec = specHash(issue);
    await store.keepSpec(spec, issue.title, issue.body);
    await tracker.setLabels(key, { repo, number }, { add: ["agent-ready"], remove: [] });
    await store.receive({
      id: `revert:${repo.id}:${effect.merge}`,
      source: "performer",
      name: "ready.granted",
      ticket: id,
      body: JSON.stringify({ type: "ready.granted", spec, actor: "forgehand" }),
      receivedAt: now,
    });
  }
  await tell(act, says.brokeNotice(evidence, number, `${repo.owner}/${repo.name}`));
  return {
    is: "done",
    note: `${check.name} turned red on it; #${number} takes it back`,
    news: [{ type: "ticket.reopened" }],
  };
}

/** What the merge changed. The ticket itself may have been reopened since, and know of no pull request any more. */
async function pathsOf({ shop, effect, stored, repo }: WatchAct): Promise<readonly string[]> {
  const lines = await shop.store.linesOf(stored.ticket.id);
  const merged = lines.find(({ event }) => event.type === "pr.merged" && event.merge === effect.merge);
  const number = merged && pullBefore(lines, merged);
  return number === undefined ? [] : await shop.forge.paths({ repo, number });
}

/** Others that their label alone has released may be armed or queued already: nobody looks again before those merge. */
async function stopLabelled({ shop, effect, repo }: WatchAct): Promise<void> {
  const { store, clock } = shop;
  for (const stored of await store.ticketsIn(["Merging"])) {
    const { id, head } = stored.ticket;
    const ref = pullOf({ repo, stored });
    if (stored.repo !== repo.id || ref === undefined || head === undefined) continue;
    const why = await labelIsSuspended(shop, stored, ref);
    if (why === undefined) continue;
    await store.receive({
      id: `suspended:${id}:${head}:${effect.merge}`,
      source: "performer",
      name: "merge.refused",
      ticket: id,
      body: JSON.stringify({ type: "merge.refused", head, how: "policy", why }),
      receivedAt: clock.now(),
    });
  }
  shop.poke("intake");
}

async function tell(act: WatchAct, text: string): Promise<void> {
  await act.shop.voice.upsertComment(act.key, issueOf(act), `after-merge ${act.effect.merge}`, text);
}
