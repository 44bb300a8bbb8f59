/** A repository's onboarding pull request: while it is open nothing new starts there, and its merge is followed by labels. */
import type { Key } from "../ports.ts";
import type { OutboxEffect } from "../store/outbox.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Store } from "../store/store.ts";
import type { Heard } from "../webhooks/heard.ts";
import type { Answer } from "./act.ts";
import type { Workshop } from "./workshop.ts";

/** The branch that `forgehand bootstrap` pushes. */
const branch = "forgehand/bootstrap";
const mark = (repo: number): string => `onboarding:${repo}`;

/** The number of the pull request that is awaited; undefined where none is. */
async function awaited(store: Store, repo: number): Promise<number | undefined> {
  const value = (await store.setting(mark(repo)))?.value ?? "";
  return value.startsWith("open ") ? Number(value.slice("open ".length)) : undefined;
}

/**
 * Whether its people have not said yet that they want this: it was proposed to them, and the default branch has no
 * configuration. A repository that nobody ever proposed it to is worked in by labels alone, as is one that declined.
 */
export async function awaitsOnboarding(store: Store, repo: number): Promise<boolean> {
  return (await awaited(store, repo)) !== undefined && (await store.repoById(repo))?.config === undefined;
}

/** Those of these repositories in which nothing new starts yet. */
export async function awaitingOnboarding(
  store: Store,
  repos: Iterable<number>,
): Promise<ReadonlySet<number>> {
  const all = [...new Set(repos)];
  const held = await Promise.all(all.map((repo) => awaitsOnboarding(store, repo)));
  return new Set(all.filter((_, index) => held[index] === true));
}

/** What was heard of a pull request that belongs to no ticket; undefined when it is not this one. */
export async function aboutOnboarding(
  shop: Workshop,
  { says, target, sender }: Heard,
  repo: KnownRepo,
): Promise<string | undefined> {
  if (!("pull" in target)) return undefined;
  const isKnown = (await awaited(shop.store, repo.id)) === target.pull;
  const isOpened = says.type === "pull.opened" && sender.kind === "forgehand";
  // Whoever declined it may think again.
  if (isOpened || says.type === "pull.reopened" || isKnown) return await lookAt(shop, repo, target.pull);
  return undefined;
}

/** Reads how it stands, whatever was heard; asked again by the reconciler, it heals what was not. */
async function lookAt(shop: Workshop, repo: KnownRepo, number: number): Promise<string | undefined> {
  const { store, clock } = shop;
  const pull = await shop.forge.pull({ repo, number });
  const isOurs = pull?.headBranch === branch && pull.author === shop.app.login;
  const isAwaited = (await awaited(store, repo.id)) === number;
  if (!isOurs && !isAwaited) return undefined;
  if (pull?.open === true) {
    if (!isAwaited) await store.set(mark(repo.id), `open ${number}`, "github", clock.now());
    return `#${number} proposes how to work here`;
  }
  if (!isAwaited) return undefined;
  // First what follows it: whoever dies in between looks again.
  if (pull?.merged !== undefined) {
    const effect = { type: "repository.onboard", repo: repo.id, pull: number } as const;
    await store.sendForeign(`onboard:${repo.id}:${number}`, effect, clock.now());
    shop.poke("outbox");
  }
  await store.set(mark(repo.id), `over ${number}`, "github", clock.now());
  shop.poke("schedule");
  return pull?.merged === undefined ? `#${number} was declined` : `#${number} was merged`;
}

/** Looks at every one that is awaited: what became of it may never have been heard. */
export async function lookAtOnboarding(shop: Workshop): Promise<number> {
  let looks = 0;
  for (const repo of await shop.store.knownRepos()) {
    const number = await awaited(shop.store, repo.id);
    if (number === undefined) continue;
    await lookAt(shop, repo, number);
    looks += 1;
  }
  return looks;
}

/** Creates the labels, and opens the ticket that was asked for. */
export async function performOnboarding(
  shop: Workshop,
  effect: Extract<OutboxEffect, { type: "repository.onboard" }>,
  key: string,
): Promise<Answer> {
  const repo = await shop.store.repoById(effect.repo);
  if (repo === undefined || repo.removedAt !== undefined)
    return { is: "dropped", note: "the App is no longer installed there" };
  if (shop.onboard === undefined) return { is: "dropped", note: "this forge has nothing to set up" };
  const { labels, ticket } = await shop.onboard(key as Key, repo);
  const created = labels.length === 0 ? "every label is there" : `labels created: ${labels.join(", ")}`;
  return { is: "done", note: `${created}${ticket === undefined ? "" : `; #${ticket} opened`}` };
}
