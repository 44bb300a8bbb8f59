import { cardLinks } from "../says-links.ts";
import type { TicketView } from "../says.ts";
import { linearIssueOf } from "../state-machine/ticket-id.ts";
import { lastPull, pullOf, type Act } from "./act.ts";

/**
 * Keeps the links of a card in Linear: its pull request and its check, with the cost so far. The same again changes
 * nothing. On the forge a ticket and its pull request know each other already.
 */
export async function keepLinks(act: Act, view: TicketView): Promise<void> {
  const { key, stored, repo } = act;
  const { forge, linear } = act.shop;
  const card = linearIssueOf(stored.ticket.id);
  if (card === undefined) return;
  const ref = pullOf(act) ?? (await lastPull(act));
  const pull = ref === undefined ? undefined : await forge.pull(ref);
  if (pull === undefined) return;
  const links = cardLinks(view, {
    repository: `${repo.owner}/${repo.name}`,
    number: pull.number,
    url: pull.url,
    draft: pull.draft,
    open: pull.open,
    isMerged: pull.merged !== undefined,
  });
  for (const link of links) await linear.issues.attach(key, card, link);
}
