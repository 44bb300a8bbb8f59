import type { TicketFacts } from "../ports.ts";
import { linearIssueOf } from "../state-machine/ticket-id.ts";
import type { TicketId } from "../state-machine/ticket.ts";
import { slug } from "./slug.ts";

/** A branch of our own, for an issue on the forge. */
export const ownBranch = (number: number, title: string): string => `forgehand/${number}-${slug(title)}`;

/**
 * The branch that is wanted for a ticket's work: as its tracker would call it, so that the tracker knows it again, where that
 * is a branch; else one of our own. Whether another ticket has it already the store sees when it is written.
 */
export function branchFor(
  ticket: TicketId,
  {
    number,
    title,
    ref,
    branch,
  }: Pick<TicketFacts, "number" | "title"> & Partial<Pick<TicketFacts, "branch" | "ref">>,
): string {
  if (linearIssueOf(ticket) === undefined) return ownBranch(number, title);
  const name = ref?.slice(ref.lastIndexOf("/") + 1).toLowerCase() ?? String(number);
  return branch !== undefined && isPlain(branch) && branch.toLowerCase().includes(name)
    ? branch
    : `forgehand/${name}-${slug(title)}`;
}

/** What git takes for a branch everywhere, and nothing takes for an option. */
const isPlain = (name: string): boolean =>
  /^[A-Za-z0-9][\w./-]{0,199}$/u.test(name) &&
  !/\.\.|\/\/|\/\.|[./]$|\.lock(?:$|\/)/u.test(name) &&
  !name.startsWith("refs/") &&
  name !== "HEAD";
