import { explain } from "../state-machine/explain.ts";
import type { Blocker } from "../store/blockers.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import { dependenciesIn, refOf, type Named } from "./depends-on.ts";
import type { Upon } from "../state-machine/ticket.ts";
import { stackFor } from "./stack.ts";
import { issueRefOf } from "./meaning.ts";
import { blockedBy } from "./waits.ts";
import type { Workshop } from "./workshop.ts";

/**
 * What this ticket depends on and is not done: as the tracker says, and as the released text does, whose words alone
 * count. Asked when it would start, so that nothing is known too late.
 */
export async function blockersOf(
  shop: Workshop,
  stored: Stored,
  repo: KnownRepo,
): Promise<readonly Blocker[]> {
  const { store, tracker } = shop;
  const told = await tracker.dependencies(issueRefOf(stored.ticket.id, repo, stored));
  const known = new Set([stored.ref, ...told.map(({ ref }) => ref)].map((ref) => ref.toLowerCase()));
  const spec = stored.ticket.spec === undefined ? undefined : await store.specOf(stored.ticket.spec);
  const written = dependenciesIn(spec?.body ?? "", repo).filter(
    (one) => !known.has(refOf(one).toLowerCase()),
  );
  const read = await Promise.all(written.map((one) => standingOf(shop, one)));
  const found: Blocker[] = [
    ...told.flatMap(({ ref, is }) => (is === "completed" ? [] : [{ ref, is }])),
    ...read.flatMap((one) => one ?? []),
  ];
  const waiting = await store.blockedTickets();
  return await Promise.all(
    found.map(async (one) =>
      (await leadsBack(shop, one.ref, stored.ref, waiting)) ? { ...one, is: "circular" } : one,
    ),
  );
}

/** Undefined when it is done. */
async function standingOf({ store, tracker, forge }: Workshop, named: Named): Promise<Blocker | undefined> {
  const ref = refOf(named);
  const repo = await store.repoNamed(named.owner, named.name);
  if (repo === undefined) return { ref, is: "unseen" };
  const { number } = named;
  const issue = await tracker.ticket({ repo, number });
  if (issue !== undefined)
    return issue.open ? { ref, is: "open" } : issue.declined ? { ref, is: "declined" } : undefined;
  const pull = await forge.pull({ repo, number });
  if (pull === undefined) return { ref, is: "unseen" };
  if (pull.merged !== undefined) return undefined;
  return { ref, is: pull.open ? "open" : "declined" };
}

/** Whether what is known of other tickets' dependencies leads from one to the other. */
async function leadsBack(
  { store }: Workshop,
  from: string,
  to: string,
  waiting: Awaited<ReturnType<Workshop["store"]["blockedTickets"]>>,
): Promise<boolean> {
  const seen = new Set<string>();
  const ahead = [from];
  for (let ref = ahead.pop(); ref !== undefined; ref = ahead.pop()) {
    if (ref.toLowerCase() === to.toLowerCase()) return true;
    if (seen.has(ref.toLowerCase())) continue;
    seen.add(ref.toLowerCase());
    for (const { ticket } of await store.findTickets(ref))
      ahead.push(...(waiting.get(ticket.id)?.by ?? []).map((one) => one.ref));
  }
  return false;
}

/** Whether anything blocks a ticket; `upon`: something does, and it is stacked on that. */
type Readiness = { readonly is: "free"; readonly upon: Upon | undefined } | { readonly is: "blocked" };

/** Keeps what blocks a ticket and, when that is news, has it told on the issue. Answers whether anything does. */
export async function holdIfBlocked(shop: Workshop, stored: Stored, repo: KnownRepo): Promise<Readiness> {
  const { store, clock } = shop;
  const { ticket, version, since } = stored;
  // As the store sorts them: the forge's order is no news.
  const by = (await blockersOf(shop, stored, repo)).toSorted((one, other) => (one.ref < other.ref ? -1 : 1));
  const upon = await stackFor(store, stored, shop.rulesOf(repo).config, by);
  if (upon !== undefined) {
    await store.keepBlockers(ticket.id, { version, at: clock.now(), by: [] });
    return { is: "free", upon: ticket.upon ?? upon };
  }
  const before = (await store.blockedTickets()).get(ticket.id)?.by ?? [];
  const found = { version, at: clock.now(), by };
  if (by.length === 0 || JSON.stringify(by) === JSON.stringify(before)) {
    await store.keepBlockers(ticket.id, found);
    return by.length === 0 ? { is: "free", upon: ticket.upon } : { is: "blocked" };
  }
  const why =
    explain({ ticket, since, policy: shop.rulesOf(repo).policy, heldUp: blockedBy(by) })?.waitsFor ?? "";
  await store.keepBlockers(ticket.id, found, {
    id: `withheld:${ticket.id}:${version}`,
    source: "schedule",
    name: "slot.withheld",
    ticket: ticket.id,
    body: JSON.stringify({ type: "slot.withheld", why }),
    receivedAt: found.at,
  });
  shop.poke("intake");
  return { is: "blocked" };
}
