import type { TicketEvent } from "../../state-machine/event.ts";
import type { Stored } from "../../store/tickets.ts";
import { released } from "../../webhooks/released.ts";
import { specHash } from "../../webhooks/spec-hash.ts";
import { issueRefOf } from "../meaning.ts";
import type { Workshop } from "../workshop.ts";

type Shop = Pick<Workshop, "store" | "tracker" | "rulesOf" | "runtimes" | "workflows">;

/** What releases a ticket as its issue reads now: the text is kept, since agents see exactly that. */
export async function releaseOf(
  shop: Shop,
  stored: Stored,
): Promise<{ readonly events: readonly TicketEvent[] } | { readonly why: string }> {
  const { ticket } = stored;
  const repo = await shop.store.repoById(stored.repo);
  if (repo === undefined) return { why: "its repository is not served any more" };
  const issue = await shop.tracker.ticket(issueRefOf(ticket.id, repo, stored));
  if (issue === undefined) return { why: "the issue is gone" };
  const spec = specHash(issue);
  await shop.store.keepSpec(spec, issue.title, issue.body);
  const { labels } = shop.rulesOf(repo).config;
  const facts = { issue, spec, ticket, labels, runtimes: shop.runtimes, workflows: shop.workflows() };
  return released(facts, undefined);
}
