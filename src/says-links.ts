/** What a card's links to its pull request and check say: one line each. */
import { age, dollars, short, type TicketView } from "./says.ts";
import { gateCheck, gateCheckName } from "./says-gate.ts";

/** What is known of a pull request when its link is written. */
export interface LinkedPull {
  readonly repository: string;
  readonly number: number;
  readonly url: string;
  readonly draft: boolean;
  readonly open: boolean;
  readonly isMerged: boolean;
}
export interface CardLink {
  readonly url: string;
  readonly title: string;
  readonly subtitle: string;
  readonly metadata: Readonly<Record<string, string | number>>;
}

/** The pull request with where it is, and the check with what it waits for; both with the cost so far. */
export function cardLinks(view: TicketView, pull: LinkedPull): readonly CardLink[] {
  const { ticket, usd, usdIsGuess, usdCap, spentMs, maxCycles } = view;
  const rounds = view.rounds.length;
  const stands = standing(view, pull);
  const metadata = {
    state: stands,
    costUsd: Math.round(usd * 100) / 100,
    ...(ticket.head === undefined ? {} : { head: short(ticket.head) }),
  };
  const cost = `${dollars(usd, usdIsGuess)} of ${dollars(usdCap, false)}`;
  return [
    {
      url: pull.url,
      title: `Pull request #${pull.number}: ${stands}`,
      subtitle: `${pull.repository} · ${rounds} of ${maxCycles} review rounds · ${cost}`,
      metadata,
    },
    {
      // The page of all checks: the check itself is another one for each head, this address stays.
      url: `${pull.url}/checks`,
      title: `${gateCheckName}: ${gateCheck(view).title}`,
      subtitle: `${cost} · ${age(spentMs)} of agent time`,
      metadata,
    },
  ];
}

/** The ticket knows first what the forge is only about to hear. */
function standing({ ticket }: TicketView, { draft, open, isMerged }: LinkedPull): string {
  if (isMerged || ticket.state === "Done") return "merged";
  if (!open || ticket.pull === undefined) return "closed";
  const isApproved = ticket.head !== undefined && ticket.approved === ticket.head;
  switch (ticket.state) {
    case "Merging":
      return isApproved ? "approved" : "being merged";
    case "In Review":
      return isApproved ? "approved" : "in review";
    case "Rework":
    case "In Progress":
      return draft ? "draft" : "in rework";
    default:
      return draft ? "draft" : "in review";
  }
}
