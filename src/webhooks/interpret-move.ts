import type { TicketEvent } from "../state-machine/event.ts";
import type { State } from "../state-machine/ticket.ts";
import { forbids, type Needs, type Standing } from "./authorise.ts";
import type { Facts, Interpretation } from "./facts.ts";
import type { Say } from "./heard.ts";
import { approvalOf } from "./interpret-command.ts";
import { released } from "./released.ts";

type Moved = Extract<Say, { type: "moved" }>;
type Meant = { readonly events: readonly TicketEvent[] } | { readonly why: string };

/** What each place takes of who moves a card there. */
const needs: Partial<Readonly<Record<State, Needs>>> = {
  Backlog: "triage",
  Ready: "triage",
  Rework: "write",
  Merging: "write",
  Cancelled: "triage",
};

/**
 * A card that was moved becomes the intent it expresses, or is put back with the reason. An automation's move is no
 * intent: it may only confirm what is so.
 */
export function interpretMove(says: Moved, standing: Standing, facts: Facts): Interpretation {
  const { ticket, pull } = facts;
  if (standing.sender.kind === "forgehand") return { ignored: "our own voice" };
  if (pull?.merged !== undefined && ticket?.state !== "Done")
    return { events: [{ type: "pr.merged", head: pull.head, merge: pull.merged }] };
  const state = ticket?.state ?? "Backlog";
  const to = says.to;
  // A board without a place for what is blocked leaves its card where it is: there each place still says what it says.
  const isIntent = to !== undefined && needs[to] !== undefined && standing.sender.kind === "person";
  if (says.belongs && !(state === "Blocked" && isIntent)) return { ignored: "the card is where it belongs" };
  // Until it is released a card is its people's own: where they keep it says nothing to us but in these places.
  const isTheirs = ticket === undefined || state === "Backlog" || state === "Done" || state === "Cancelled";
  if (isTheirs && (to === undefined || !intents.has(to))) return { ignored: "the card is its people's own" };
  if (ticket === undefined && to !== "Ready") return { ignored: "no ticket" };
  const need = to === undefined ? undefined : needs[to];
  const forbidden = need === undefined ? undefined : forbids(standing, need);
  const meant: Meant =
    forbidden !== undefined ? { why: forbidden } : meaningOf(to, state, { says, standing, facts });
  if ("events" in meant) return meant.events.length > 0 ? meant : { ignored: "nothing changes by it" };
  return contested(says, standing, facts, meant.why);
}

/** Places that say something of a ticket that nobody works on. */
const intents: ReadonlySet<State> = new Set(["Ready", "Rework", "Merging"]);

function meaningOf(
  to: State | undefined,
  state: State,
  at: { readonly says: Moved; readonly standing: Standing; readonly facts: Facts },
): Meant {
  const { says, standing, facts } = at;
  const by = standing.sender.login;
  const isOver = state === "Done" || state === "Cancelled";
  switch (to) {
    case "Ready": {
      if (!isOver && state !== "Backlog" && state !== "Blocked")
        return { why: `it is in work already (${state}); move it to Backlog to take it back` };
      const release = released(facts, says.spec);
      if ("why" in release) return release;
      return { events: [...(isOver ? [{ type: "ticket.reopened" } as const] : []), ...release.events] };
    }
    case "Backlog":
      return { events: [{ type: "ready.revoked" }] };
    case "Rework":
      if (isOver || facts.ticket?.pull === undefined)
        return { why: "there is no pull request in work whose changes could be asked for" };
      if (state === "Rework") return { events: [] };
      return { events: [{ type: "human.objected", by, order: "The card was moved to Rework." }] };
    case "Merging":
      if (state !== "In Review") return { why: `nothing waits for an approval: the ticket is in ${state}` };
      return approvalOf(undefined, { wroteOn: undefined, at: says.at, standing }, facts);
    case "Cancelled":
      return { events: [{ type: "ticket.cancelled", why: `@${by} moved the card to ${says.name}` }] };
    case "Done":
      return { why: "its pull request is not merged" };
    default:
      return { why: "only forgehand moves cards there: the board shows where the ticket is" };
  }
}

/** Put back so often for who does not listen, and then left. */
const mostReturns = 3;

/** The card goes back, and its thread says why; a contest with an automation ends with the card left where it is. */
function contested(says: Moved, { sender }: Standing, { ticket }: Facts, why: string): Interpretation {
  const who = sender.kind === "bot" ? says.automation : undefined;
  const isAgain = says.returns >= mostReturns;
  if (who !== undefined && says.returns > mostReturns)
    return { ignored: "left where the automation keeps it" };
  const where = `the ticket is in ${ticket?.state ?? "Backlog"}`;
  const off = "Turn that automation off in the team's settings, under Workflows & automations.";
  const text =
    who === undefined
      ? `@${sender.login} moved this card to ${says.name}, and I moved it back, for ${where}: ${why}.`
      : isAgain
        ? `${who} keeps moving this card to ${says.name}, so I leave it there, although ${where}. ${off}`
        : `${who} moved this card to ${says.name}, and I moved it back, for ${where}. ${off}`;
  return {
    refused: `card to ${says.name}: ${why}`,
    events: [
      { type: "tracker.contested", why: text, card: who !== undefined && isAgain ? "left" : "put back" },
    ],
  };
}
