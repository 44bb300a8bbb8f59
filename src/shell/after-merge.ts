import { judgeMerge, type BaseCheck, type BaseCommit } from "../state-machine/after-merge.ts";
import type { OutboxEffect } from "../store/outbox.ts";
import * as says from "../says-after-merge.ts";
import { specHash } from "../webhooks/spec-hash.ts";
import { issueOf, pullOf, type Act, type Answer } from "./act.ts";
import { ticketIdOf } from "./lane.ts";
import { slug } from "./slug.ts";
import { revertKey } from "./suspended.ts";

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
      const again = await runAgain(act, verdict.check, now);
      return again ?? (await takeBack(act, verdict.check, verdict.before, chain));
    }
  }
}

/** Once red may be chance: it is run again first. Undefined once it is red for good. */
async function runAgain(
  { shop, key, effect, repo }: WatchAct,
  check: BaseCheck,
  now: number,
): Promise<Answer | undefined> {
  if (check.run === undefined) return undefined;
  const memory = `rerun ${effect.merge} ${check.name}`;
  const asked = await shop.store.recall(memory);
  if (asked === undefined) {
    const isAsked = await shop.forge.rerun(key, repo, check.run);
    await shop.store.remember(memory, isAsked ? `${check.run} ${now}` : "refused");
    return isAsked
      ? { is: "snooze", until: now + rerunLookMs, note: `${check.name} is run again` }
      : undefined;
  }
  if (asked === "refused") return undefined;
  const [run, at] = asked.split(" ").map(Number);
  return run === check.run && now - (at ?? 0) < rerunLimitMs
    ? { is: "snooze", until: now + rerunLookMs, note: `${check.name} is to be run again` }
    : undefined;
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
  const ref = pullOf(act);
  const paths = ref === undefined ? [] : await shop.forge.paths(ref);
  await store.suspendAutoMerge(repo.id, { merge: effect.merge, ref: stored.ref, paths, at: now });
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
    const id = ticketIdOf(repo.id, number);
    const { ref: name, title, url, author } = issue;
    await store.name(
      id,
      { repo: repo.id, number, ref: name, title, url, author, branch: `forgehand/${number}-${slug(title)}` },
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

async function tell(act: WatchAct, text: string): Promise<void> {
  await act.shop.voice.upsertComment(act.key, issueOf(act), `after-merge ${act.effect.merge}`, text);
}
