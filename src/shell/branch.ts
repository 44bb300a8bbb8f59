import type { Repo, TicketFacts } from "../ports.ts";
import { linearIssueOf } from "../state-machine/ticket-id.ts";
import type { TicketId } from "../state-machine/ticket.ts";
import type { Store } from "../store/store.ts";
import { slug } from "./slug.ts";

/**
 * The branch a ticket's work goes to: as its tracker would call it, so that the tracker knows it again, where that is a
 * branch and nobody else's; else one of our own.
 */
export async function branchFor(
  store: Pick<Store, "ticketOfPull">,
  repo: Repo,
  ticket: TicketId,
  issue: Pick<TicketFacts, "number" | "title"> & Partial<Pick<TicketFacts, "branch" | "ref">>,
): Promise<string> {
  if (linearIssueOf(ticket) === undefined) return `forgehand/${issue.number}-${slug(issue.title)}`;
  const name = issue.ref?.slice(issue.ref.lastIndexOf("/") + 1).toLowerCase() ?? String(issue.number);
  const own = `forgehand/${name}-${slug(issue.title)}`;
  // Teams of two workspaces may have one key; the issue's own id tells them apart.
  const unlike = `forgehand/${name}-${ticket.slice(-6)}-${slug(issue.title)}`;
  for (const branch of [issue.branch, own]) {
    if (branch === undefined || !isPlain(branch) || !branch.toLowerCase().includes(name)) continue;
    const other = await store.ticketOfPull(repo.id, 0, branch);
    if (other === undefined || other === ticket) return branch;
  }
  return unlike;
}

/** What git takes for a branch everywhere, and nothing takes for an option. */
const isPlain = (name: string): boolean =>
  /^[A-Za-z0-9][\w./-]{0,199}$/u.test(name) &&
  !/\.\.|\/\/|\/\.|[./]$|\.lock(?:$|\/)/u.test(name) &&
  !name.startsWith("refs/") &&
  name !== "HEAD";
