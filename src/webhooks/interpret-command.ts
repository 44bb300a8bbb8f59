import type { Instant } from "../ports.ts";
import type { Ask, CommentRef, TicketEvent } from "../state-machine/event.ts";
import { sets } from "../state-machine/table.ts";
import type { Sha, SpecHash, State, Ticket } from "../state-machine/ticket.ts";
import type { Needs, Standing } from "./authorise.ts";
import { forbids } from "./authorise.ts";
import type { Command, Order, Question } from "./command.ts";
import { readButton } from "./command.ts";
import type { Facts, Interpretation } from "./facts.ts";
import { released } from "./released.ts";

/** A command as it was said: in a comment, or with a button of our check run. */
export type Spoken = {
  /** The comment to answer; a button has none. */
  readonly comment: CommentRef | undefined;
  /** The head it was written on, where it stands on one. */
  readonly wroteOn: Sha | undefined;
  /** When the comment was written, to the second. */
  readonly at?: Instant | undefined;
  /** The ticket's text when it was said, where that is known. */
  readonly spec?: SpecHash | undefined;
  readonly standing: Standing;
} & ({ readonly command: Command } | { readonly button: string });

/** What each command takes. Questions take triage too, so that a passer-by cannot make us talk. */
const needs: Readonly<Record<Command["name"], Needs>> = {
  run: "triage",
  retry: "triage",
  stop: "triage",
  approve: "write",
  budget: "write",
  tell: "write",
  ask: "triage",
  explain: "triage",
  status: "triage",
  help: "triage",
  refused: "triage",
};
/** To these a stranger gets no answer. */
const questions: ReadonlySet<Command["name"]> = new Set(["explain", "status", "help", "refused"]);

/** A command plus fresh facts → its events and the answer to the person. Pure. */
export function interpretCommand(spoken: Spoken, facts: Facts): Interpretation {
  const command = "command" in spoken ? spoken.command : readButton(spoken.button);
  if (command === undefined) return { ignored: "no button of ours" };
  const { standing, comment } = spoken;
  const forbidden = forbids(standing, needs[command.name]);
  if (forbidden !== undefined) {
    const isSilent = questions.has(command.name) || command.name === "ask";
    if (standing.sender.kind !== "person" || isSilent) return { ignored: forbidden };
    return refusal(command.name, forbidden, comment);
  }
  if (command.name === "refused") return refusal(command.word, command.why, comment);
  if (isQuestion(command)) {
    return comment === undefined
      ? { ignored: "a question without a place to answer" }
      : { events: [{ type: "human.asked", comment, ask: { about: command.name } }] };
  }
  const meant = meaningOf(command, spoken, facts);
  if ("why" in meant) return refusal(command.name, meant.why, comment);
  if (command.name === "ask") return { events: meant.events };
  return { events: [...meant.events, ...answer(comment, { about: "accepted", command: command.name })] };
}

function isQuestion(command: Order | Question): command is Question {
  return questions.has(command.name);
}

type Meant = { readonly events: readonly TicketEvent[] } | { readonly why: string };

function meaningOf(command: Order, spoken: Spoken, facts: Facts): Meant {
  const { ticket, taken } = facts;
  const event = eventOf[command.name];
  if (event !== undefined && taken?.has(event) === true) {
    // Read again after a crash: what it would be refused for now is what it made of the ticket.
    const meant = eventsOf(command, spoken, facts);
    return "why" in meant ? { events: [] } : meant;
  }
  const why = ticket && uselessHere(command.name, { ...facts, ticket }, spoken.comment);
  return why === undefined ? eventsOf(command, spoken, facts) : { why };
}

/** The event that an order comes to. */
const eventOf: Readonly<Partial<Record<Command["name"], TicketEvent["type"]>>> = {
  run: "ready.granted",
  retry: "operator.retried",
  stop: "operator.stopped",
  budget: "budget.raised",
  approve: "human.approved",
};

function eventsOf(command: Order, spoken: Spoken, facts: Facts): Meant {
  const { ticket } = facts;
  if (command.name === "run") return released(facts, spoken.spec);
  if (ticket === undefined) {
    return {
      why: "there is no ticket here yet; set the label `agent-ready` on the issue or say `/forgehand run`",
    };
  }
  switch (command.name) {
    case "retry":
      return { events: [{ type: "operator.retried" }] };
    case "stop":
      return { events: [{ type: "operator.stopped" }] };
    case "budget":
      return ticket.stoppedIn === undefined
        ? { why: "the ticket does not wait for money" }
        : { events: [{ type: "budget.raised", usd: command.usd }] };
    case "tell":
      return isOver(ticket.state)
        ? { why: "the ticket is over, so no agent will read it; reopen the issue, or open another" }
        : { events: [{ type: "human.told", by: spoken.standing.sender.login, order: command.order }] };
    case "ask":
      return asked(command.question, spoken, ticket);
    case "approve":
      return approvalOf(command.sha, spoken, facts);
  }
}

const halted =
  "the ticket is halted, and this counts only once that is lifted; `/forgehand explain` says how";
const isActive = ({ state }: Ticket): boolean => sets.active.some((one) => one === state);

/** Why this order would move nothing as the ticket stands; undefined where it does. To be told nothing looks like being heard. */
function uselessHere(
  order: Order["name"],
  { ticket, issue, spec }: Facts & { readonly ticket: Ticket },
  comment: CommentRef | undefined,
): string | undefined {
  const { state } = ticket;
  // There a retry lifts the halt as well.
  const isLifted = comment?.kind === "tracker" && comment.session !== undefined;
  const over = `the ticket is over; ${issue?.open === true ? "close the issue and reopen it" : "reopen the issue"} to have it released anew`;
  switch (order) {
    case "run":
      if (isOver(state)) return issue === undefined ? undefined : over;
      if (ticket.halted) return halted;
      if (!isActive(ticket)) return undefined;
      // We have not heard of that edit yet, or have seen it first here.
      return spec === undefined || spec === ticket.spec
        ? "it is released and on its way; `/forgehand status` says where it stands"
        : "its text was edited since it was released, which takes the release back in a moment; say it again then";
    case "retry":
      if (isOver(state)) return over;
      if (state === "Backlog")
        return ticket.halted && !isLifted ? halted : "it is not released; `/forgehand run` releases it";
      if (ticket.halted && isLifted) return undefined;
      if (isActive(ticket))
        return "it is not blocked, so there is nothing to retry; `/forgehand explain` says what it waits for";
      // An edited spec sends it back to be released, halted or not.
      return ticket.halted && ticket.spec !== undefined ? halted : undefined;
    case "stop":
      if (isActive(ticket)) return undefined;
      if (state === "Blocked") return "it is stopped already; `/forgehand explain` says what it waits for";
      return state === "Backlog" ? "nothing works on it, so there is nothing to stop" : over;
    case "budget":
      return ticket.halted && ticket.stoppedIn !== undefined ? halted : undefined;
    case "tell":
    case "ask":
    case "approve":
      return undefined;
  }
}

/** A question for an agent; only of a ticket that was released, since somebody has to pay for the answer. */
function asked(text: string, { comment, standing }: Spoken, ticket: Ticket): Meant {
  if (comment === undefined) return { why: "there is no comment to answer" };
  if (ticket.spec === undefined)
    return {
      why: "nothing is released here that an agent could answer for; set the label `agent-ready` first",
    };
  const grants = forbids(standing, "write") === undefined ? "an order" : "an answer";
  const ask = { about: "question", text, by: standing.sender.login, grants } as const;
  return { events: [{ type: "human.asked", comment, ask }] };
}

const isOver = (state: State): boolean => state === "Done" || state === "Cancelled";

/**
 * Approves exactly the head the words were written on. In a thread that is the head we last told about: had the
 * branch moved in between, the person has not seen what is there now. Nor has one who wrote before we knew of it, and
 * whose words reach us only now.
 */
export function approvalOf(
  sha: string | undefined,
  { wroteOn, at, standing }: Pick<Spoken, "wroteOn" | "at" | "standing">,
  { pull, ticket, headSince }: Facts,
): Meant {
  if (pull === undefined || !pull.open) return { why: "there is no open pull request to approve" };
  const short = pull.head.slice(0, 7);
  const again = `; look at \`${short}\` and say \`/forgehand approve ${short}\``;
  if (sha !== undefined && !pull.head.startsWith(sha)) {
    return { why: `\`${sha}\` is not the head${again}` };
  }
  // GitHub tells whole seconds.
  const isEarlier = at !== undefined && headSince !== undefined && at < Math.floor(headSince / 1_000) * 1_000;
  const inThread = isEarlier ? undefined : ticket?.head;
  const meant = sha === undefined ? (wroteOn ?? inThread) : pull.head;
  if (meant !== pull.head) {
    return {
      why: `the head moved${meant === undefined ? "" : ` from \`${meant.slice(0, 7)}\``} since you looked${again}`,
    };
  }
  return { events: [{ type: "human.approved", head: pull.head, by: standing.sender.login }] };
}

function refusal(command: string, why: string, comment: CommentRef | undefined): Interpretation {
  return {
    refused: `/forgehand ${command}: ${why}`,
    events: answer(comment, { about: "refused", command, why }),
  };
}

function answer(comment: CommentRef | undefined, ask: Ask): readonly TicketEvent[] {
  return comment === undefined ? [] : [{ type: "human.asked", comment, ask }];
}
