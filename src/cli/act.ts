import { randomUUID } from "node:crypto";
import { systemClock } from "../adapters/clock.ts";
import { isDead } from "../adapters/owner.ts";
import { exitCodes } from "../problems.ts";
import { boardName } from "../says.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import { isLocal } from "../state-machine/ticket-id.ts";
import { transition } from "../state-machine/transition.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";
import { dayCapsOf } from "../shell/day.ts";
import { atDesk, rulesFor, ticketNamed } from "./database.ts";
import { operator } from "./operator.ts";
import { Failure, oneLine, type Answer } from "./output.ts";

const commands = {
  /** `said`: the head that was looked at, as far as it was typed. */
  approve: (stored: Stored, by: string, said?: string): TicketEvent => {
    const { head } = stored.ticket;
    if (
      head !== undefined &&
      said !== undefined &&
      !(said.length >= 4 && head.startsWith(said.toLowerCase()))
    )
      throw new Failure(
        exitCodes.usage,
        `${stored.ref} is at ${head.slice(0, 7)} and not at ${oneLine(said).slice(0, 40)}: look at it, then \`forgehand approve ${stored.number} ${head.slice(0, 7)}\``,
      );
    if (head === undefined)
      throw new Failure(
        exitCodes.usage,
        `${stored.ref} has no pull request to approve yet; see \`forgehand explain ${stored.ref}\``,
      );
    return { type: "human.approved", head, by };
  },
  reject: (stored: Stored, by: string, said = ""): TicketEvent => {
    if (said.trim() === "")
      throw new Failure(
        exitCodes.usage,
        `say what is to change: \`forgehand reject ${stored.number} "why"\``,
      );
    return { type: "human.objected", by, order: said.trim() };
  },
  retry: (): TicketEvent => ({ type: "operator.retried" }),
  stop: (): TicketEvent => ({ type: "operator.stopped" }),
} as const;
type Command = keyof typeof commands;

/**
 * Leaves an operator's command in the inbox, where the serving process finds it. Refused when the table has no row
 * for it now, so that nobody waits for what cannot happen.
 */
export async function act(
  command: Command,
  name: string,
  options: { readonly database?: string | undefined },
  said?: string,
): Promise<Answer> {
  return await atDesk(options, "write", ({ store }) =>
    leave(store, command, name, (stored, by) => commands[command](stored, by, said)),
  );
}

/** Allows a ticket that has spent its budget so many dollars more. */
export async function raise(
  name: string,
  dollars: string,
  options: { readonly database?: string | undefined },
): Promise<Answer> {
  const usd = Number(/^\$?(\d{1,4}(?:\.\d{1,2})?)$/u.exec(dollars)?.[1] ?? Number.NaN);
  if (!(usd > 0))
    throw new Failure(exitCodes.usage, `"${dollars}" is no sum in dollars: \`forgehand budget ${name} 3\``);
  return await atDesk(options, "write", ({ store, environment }) => {
    const { dayStopUsd: most } = dayCapsOf(environment);
    if (usd > most)
      throw new Failure(
        exitCodes.usage,
        `$${usd} is more than everything may cost a day ($${most}); FORGEHAND_DAY_STOP_USD sets that cap`,
      );
    return leave(store, "budget", name, () => ({ type: "budget.raised", usd }));
  });
}

async function leave(
  store: Store,
  command: Command | "budget",
  name: string,
  eventOf: (stored: Stored, by: string) => TicketEvent,
): Promise<Answer> {
  const stored = await ticketNamed(store, name);
  const actor = `operator:${operator()}`;
  const event = eventOf(stored, actor);
  const { policy } = await rulesFor(store, stored);
  const outcome = transition(stored.ticket, event, policy);
  if (outcome.row === undefined) {
    throw new Failure(
      exitCodes.usage,
      `${stored.ref} is in ${boardName(stored.ticket.state)}: ${command === "budget" ? "it does not wait for money" : `there is nothing to ${command}`}. See \`forgehand explain ${stored.ref}\``,
    );
  }
  const id = `op:${randomUUID()}`;
  await store.receive({
    id,
    source: "operator",
    name: event.type,
    ticket: stored.ticket.id,
    body: JSON.stringify({ ...event, actor }),
    receivedAt: systemClock().now(),
  });
  const owner = await store.instanceOwner();
  const serving = owner !== undefined && !isDead(owner);
  const takes = `${boardName(stored.ticket.state)} → ${boardName(outcome.ticket.state)}`;
  return {
    schema: `${command}/1`,
    data: {
      ticket: stored.ref,
      item: id,
      from: stored.ticket.state,
      to: outcome.ticket.state,
      serving,
    },
    text: `${stored.ref}: ${command}, ${takes}`,
    ...(serving
      ? {}
      : {
          hint: `forgehand is not running; this is done when \`forgehand ${isLocal(stored.ticket.id) ? `run ${stored.number}` : "up"}\` starts`,
        }),
  };
}
