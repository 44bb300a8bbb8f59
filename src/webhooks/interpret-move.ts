import type { TicketEvent } from "../state-machine/event.ts";
import type { State } from "../state-machine/ticket.ts";
import { ghost, isUnlinked } from "../linear-people.ts";
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

/** The event that a move comes to, of those that not every state takes. */
const eventOf: Partial<Readonly<Record<State, TicketEvent["type"]>>> = {
  Ready: "ready.granted",
  Rework: "human.objected",
  Merging: "human.approved",
};

/**
 * A card that was moved becomes the intent it expresses, or is put back with the reason. What a bot moves is no intent,
 * whatever bots may say elsewhere: it may only confirm what is so.
 */
export function interpretMove(says: Moved, standing: Standing, facts: Facts): Interpretation {
  const { ticket, pull } = facts;
  if (standing.sender.kind === "forgehand") return { ignored: "our own voice" };
  if (pull?.merged !== undefined && ticket?.state !== "Done")
    return { events: [{ type: "pr.merged", head: pull.head, merge: pull.merged }] };
  const event = says.to === undefined ? undefined : eventOf[says.to];
  if (event !== undefined && facts.taken?.has(event) === true) {
    // Read again after a crash, in what it made of the ticket: that is no reason to put the card back.
    const release = says.to === "Ready" ? released(facts, says.spec) : undefined;
    return release !== undefined && "events" in release ? release : { ignored: "it has counted already" };
  }
  const state = ticket?.state ?? "Backlog";
  if (says.belongs === "here" || says.to === state) return { ignored: "the card is where it belongs" };
  if (says.to === undefined ? isTheirs(says, facts) : !isMeant(says.to, says, facts))
    return { ignored: "the card is its people's own" };
  const meant: Meant =
    standing.sender.kind === "bot"
      ? { why: "an automation decides nothing" }
      : intended(says, state, { standing, facts });
  if ("events" in meant) return meant.events.length > 0 ? meant : { ignored: "nothing changes by it" };
  return contested(says, standing, facts, meant.why);
}

/** Until it is released, after it is over, and while it shows nowhere that it is blocked, a card is its people's own. */
const isTheirs = ({ belongs }: Moved, { ticket }: Facts): boolean =>
  ticket === undefined ||
  ticket.state === "Backlog" ||
  ticket.state === "Done" ||
  ticket.state === "Cancelled" ||
  belongs === "anywhere";

/** Whether somebody who moves the card there says something of the ticket. */
function isMeant(to: State, says: Moved, facts: Facts): boolean {
  const { ticket } = facts;
  if (!isTheirs(says, facts)) return true;
  if (to === "Ready") return true;
  if (ticket === undefined) return false;
  if (to === "Rework" || to === "Merging") return true;
  // What was taken back may have left a pull request behind, or an order.
  return (
    isOpen(ticket.state) &&
    (to === "Cancelled" || (to === "Done" && (ticket.pull !== undefined || ticket.state === "Blocked")))
  );
}

const isOpen = (state: State): boolean => state !== "Done" && state !== "Cancelled";

interface Mover {
  readonly standing: Standing;
  readonly facts: Facts;
}

function intended(says: Moved, state: State, mover: Mover): Meant {
  const { to } = says;
  if (says.isStale === true)
    return { why: "it was moved before the ticket came to be there, so move it again if you still want to" };
  const need = to === undefined ? undefined : needs[to];
  const forbidden = need === undefined ? undefined : forbids(mover.standing, need);
  return forbidden === undefined ? meaningOf(says, state, mover) : { why: forbidden };
}

function meaningOf(says: Moved, state: State, { standing, facts }: Mover): Meant {
  const by = standing.sender.login;
  switch (says.to) {
    case "Ready": {
      if (isOpen(state) && state !== "Backlog" && state !== "Blocked")
        return { why: "it is in work already; move it to Backlog to take it back" };
      const release = released(facts, says.spec);
      if ("why" in release) return release;
      return {
        events: [...(isOpen(state) ? [] : [{ type: "ticket.reopened" } as const]), ...release.events],
      };
    }
    case "Backlog":
      return { events: [{ type: "ready.revoked" }] };
    case "Rework":
      if (facts.ticket?.pull === undefined || !judged.has(state)) return { why: whyNoRework(state, facts) };
      return { events: [{ type: "human.objected", by, order: "The card was moved to Rework." }] };
    case "Merging":
      if (state !== "In Review") return { why: "nothing waits for an approval" };
      // Who does not say when may have looked at another head.
      return approvalOf(undefined, { wroteOn: undefined, at: says.at ?? 0, standing }, facts);
    case "Cancelled":
      return { events: [{ type: "ticket.cancelled", why: `@${by} moved the card to ${says.name}` }] };
    case "Done":
      return { why: "its pull request is not merged" };
    default:
      return { why: "only forgehand moves cards there: the board shows where the ticket is" };
  }
}

/** An objection sends these to Rework; from anywhere else the card would stand there and nobody would work on it. */
const judged: ReadonlySet<State> = new Set(["In Progress", "Adversarial Review", "In Review", "Merging"]);

function whyNoRework(state: State, { ticket }: Facts): string {
  if (ticket?.pull === undefined || !isOpen(state))
    return "there is no pull request in work whose changes could be asked for";
  return state === "Blocked"
    ? "say what to change with `/forgehand tell`, and `/forgehand retry` to go on with it"
    : "nobody works on its pull request; say what to change with `/forgehand tell`, and the next build reads it";
}

/** Put back so often, one time after another, and then left: an automation does not listen, and a person may be one. */
const mostReturns: Readonly<Record<"automation" | "person", number>> = { automation: 3, person: 10 };

/** The card goes back, and its thread says why; whoever does not listen has it left where it is, and that said. */
function contested(says: Moved, { sender }: Standing, { ticket }: Facts, why: string): Interpretation {
  const { name, returns, belongs } = says;
  const isBot = sender.kind === "bot";
  const most = mostReturns[isBot ? "automation" : "person"];
  if (returns > most) return { ignored: "left where it is kept" };
  const who = isBot ? (says.automation ?? "An automation") : nameOf(sender.login);
  const where = `the ticket is in ${ticket?.state ?? "Backlog"}`;
  const off = "Turn that automation off in the team's settings, under Workflows & automations.";
  const because = isBot ? `. ${off}` : `: ${why}.`;
  const text =
    returns === most
      ? `${who} keeps moving this card to ${name}, so I leave it there, although ${where}${because}`
      : belongs === "anywhere"
        ? `${who} moved this card to ${name}, which changes nothing, for ${where}${because}`
        : `${who} moved this card to ${name}, and I moved it back, for ${where}${because}`;
  return {
    refused: `card to ${name}: ${why}`,
    events: [{ type: "tracker.contested", why: text, card: returns === most ? "left" : "put back" }],
  };
}

/** Who is nobody on the forge has a name of the tracker's alone, and who is nobody there has none. */
const nameOf = (login: string): string =>
  !isUnlinked(login) ? `@${login}` : login === ghost ? "Somebody" : login.slice("linear:".length);
