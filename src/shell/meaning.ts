import { slug } from "./slug.ts";
import type { PullFacts, TicketFacts } from "../ports.ts";
import type { TicketId } from "../state-machine/ticket.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import type { Heard } from "../webhooks/heard.ts";
import { factsNeeded, interpret } from "../webhooks/interpret.ts";
import { specHash } from "../webhooks/spec-hash.ts";
import type { Said } from "./said.ts";
import type { Workshop } from "./workshop.ts";

/** Facts already read by the caller, so that one look at the world serves many hints. */
export interface AtHand {
  readonly issue?: TicketFacts | undefined;
  readonly pull?: PullFacts | undefined;
}
export interface Meaning {
  readonly said: readonly Said[];
  readonly notes: readonly string[];
}

/** Reads the facts a hint needs, freshly, and says what it comes to for this ticket. */
export async function meaningOf(
  shop: Workshop,
  heard: Heard,
  ticket: TicketId,
  repo: KnownRepo,
  atHand: AtHand = {},
): Promise<Meaning> {
  const { store } = shop;
  const needs = factsNeeded(heard);
  const stored = await store.load(ticket);
  const number = numberOf(ticket);
  const pullNumber = "pull" in heard.target ? heard.target.pull : stored?.ticket.pull;
  const [permission, issue, pull] = await Promise.all([
    needs.permission === "read" ? shop.forge.permission(repo, heard.sender.login) : ("none" as const),
    "issue" in atHand
      ? atHand.issue
      : needs.issue === "read"
        ? shop.tracker.ticket({ repo, number })
        : undefined,
    "pull" in atHand
      ? atHand.pull
      : needs.pull === "read" && pullNumber !== undefined
        ? shop.forge.pull({ repo, number: pullNumber })
        : undefined,
  ]);
  const { config } = shop.rulesOf(repo);
  const meaning = interpret(heard, {
    permission,
    allowBots: config.allow_bots,
    issue,
    spec: issue && specHash(issue),
    pull,
    ticket: stored?.ticket,
    labels: config.labels,
    runtimes: shop.runtimes,
    checksSettled: "no",
  });
  if ("ignored" in meaning) return { said: [], notes: [meaning.ignored] };
  if ("halt" in meaning) {
    await setHaltAll(shop, meaning.halt, heard.sender.login);
    return { said: [], notes: [`halt-all ${meaning.halt} by ${heard.sender.login}`] };
  }
  if (meaning.events.length > 0) await makeKnown(shop, ticket, repo, stored, issue);
  return {
    said: meaning.events.map((event) => ({ ticket, event, actor: heard.sender.login })),
    notes: "refused" in meaning ? [`refused: ${meaning.refused}`] : [],
  };
}

export const numberOf = (ticket: TicketId): number => Number(ticket.slice(ticket.lastIndexOf("#") + 1));

/** A durable switch: the scheduler and the outbox look at it before they act. */
async function setHaltAll(shop: Workshop, halt: "raised" | "lifted", by: string): Promise<void> {
  if (halt === "raised") await shop.store.set("halt-all", "on", by, shop.clock.now());
  else await shop.store.unset("halt-all");
  for (const loop of ["outbox", "schedule"] as const) shop.poke(loop);
}

/** Keeps the ticket's name and the text that may now be released, before any event speaks of them. */
async function makeKnown(
  shop: Workshop,
  ticket: TicketId,
  repo: KnownRepo,
  stored: Stored | undefined,
  issue: TicketFacts | undefined,
): Promise<void> {
  const { store, clock } = shop;
  const number = numberOf(ticket);
  if (issue === undefined && stored !== undefined) return;
  const title = issue?.title ?? `issue ${number}`;
  await store.name(
    ticket,
    {
      repo: repo.id,
      number,
      ref: issue?.ref ?? `${repo.owner}/${repo.name}#${number}`,
      title,
      url: issue?.url ?? "",
      author: issue?.author ?? "",
      branch: `forgehand/${number}-${slug(title)}`,
    },
    clock.now(),
  );
  if (issue !== undefined) await store.keepSpec(specHash(issue), issue.title, issue.body);
}
