import type { Key, QueueEntry } from "../ports.ts";
import { foreignCheck, gateCheck, gateCheckName, groupOf, type CheckView } from "../says-gate.ts";
import { consents } from "../state-machine/guard.ts";
import type { OutboxEffect } from "../store/outbox.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Act } from "./act.ts";
import { viewOf } from "./view.ts";
import type { Workshop } from "./workshop.ts";

/** Writes the gate's check as the ticket stands now; answers its title. */
export async function writeGate({ shop, key, stored, repo }: Act, head: string): Promise<string> {
  const view = await viewOf(shop, stored, repo);
  const check = gateCheck(view);
  await shop.voice.writeCheck(key, repo, head, {
    name: gateCheckName,
    ...check,
    externalId: stored.ticket.id,
    detailsUrl: view.detailsUrl,
  });
  return check.title;
}

/** Writes the gate's check where no ticket asks for it: on somebody else's pull request, or on a merge queue's group. */
export async function groupCheck(
  shop: Workshop,
  key: Key,
  repo: KnownRepo,
  { head, group }: Extract<OutboxEffect, { type: "check.foreign" }>,
): Promise<string> {
  const check = group === undefined ? foreignCheck : await judge(shop, repo, head, group);
  await shop.voice.writeCheck(key, repo, head, {
    name: gateCheckName,
    ...check,
    externalId: `foreign:${head}`,
    detailsUrl: undefined,
  });
  return check.title;
}

/**
 * Of a group, each pull request of ours must be released at exactly the head that is in it. The group of an entry holds
 * all that stand before it in the queue; where the queue does not know the group any more, its name tells the last one.
 */
async function judge(shop: Workshop, repo: KnownRepo, head: string, group: string): Promise<CheckView> {
  const entries = await shop.forge.queue(repo, repo.defaultBranch);
  const own = entries.find((entry) => entry.group === head);
  const named = Number(/\/pr-(\d+)-[0-9a-f]+$/u.exec(group)?.[1] ?? Number.NaN);
  const within: readonly Pick<QueueEntry, "pull" | "head">[] =
    own === undefined
      ? await namedIn(shop, repo, named)
      : entries.filter(({ position }) => position <= own.position);
  if (within.length === 0)
    return groupOf([{ pull: undefined, why: `nobody can tell which pull requests ${group} holds` }]);
  const verdicts = await Promise.all(
    within.map(async (entry) => ({ pull: entry.pull, ...(await verdictOn(shop, repo, entry)) })),
  );
  return groupOf(verdicts);
}

async function namedIn(
  shop: Workshop,
  repo: KnownRepo,
  number: number,
): Promise<readonly Pick<QueueEntry, "pull" | "head">[]> {
  const pull = Number.isNaN(number) ? undefined : await shop.forge.pull({ repo, number });
  return pull === undefined ? [] : [{ pull: number, head: pull.head }];
}

/** Why it must not be merged as it is; nothing when it may, or is none of ours. */
async function verdictOn(
  shop: Workshop,
  repo: KnownRepo,
  entry: Pick<QueueEntry, "pull" | "head">,
): Promise<{ readonly ours: boolean; readonly why?: string }> {
  const { store } = shop;
  const id =
    (await store.ticketOfPull(repo.id, entry.pull, undefined)) ??
    (await store.ticketOfPull(
      repo.id,
      entry.pull,
      (await shop.forge.pull({ repo, number: entry.pull }))?.headBranch,
    ));
  const stored = id === undefined ? undefined : await store.load(id);
  if (stored === undefined) return { ours: false };
  const { ticket } = stored;
  const { policy } = shop.rulesOf(repo);
  // Merged while we looked: there is nothing left to hold back.
  if (ticket.state === "Done") return { ours: true };
  if (ticket.upon !== undefined) return { ours: true, why: `it is stacked on ${ticket.upon.ref}` };
  if (ticket.state !== "Merging") return { ours: true, why: `it is in ${ticket.state}, not released` };
  if (ticket.head !== entry.head || ticket.reviewed !== entry.head)
    return { ours: true, why: `${entry.head.slice(0, 7)} is not the head that was reviewed` };
  return consents(ticket, policy) ? { ours: true } : { ours: true, why: "nobody consented to this head" };
}
