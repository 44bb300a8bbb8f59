import { randomUUID } from "node:crypto";
import { systemClock } from "../adapters/clock.ts";
import { isDead } from "../adapters/owner.ts";
import { exitCodes } from "../problems.ts";
import { boardName } from "../says.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import { transition } from "../state-machine/transition.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";
import { dayCapsOf } from "../shell/day.ts";
import { atDesk, rulesFor, ticketNamed } from "./database.ts";
import { operator } from "./operator.ts";
import { Failure, type Answer } from "./output.ts";

const commands = {
  approve: (stored: Stored, by: string): TicketEvent => {
    const { head } = stored.ticket;
    if (head === undefined)
      throw new Failure(
        exitCodes.usage,
        `${stored.ref} has no pull request to approve yet; see \`forgehand explain ${stored.ref}\``,
      );
    return { type: "human.approved", head, by };
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
): Promise<Answer> {
  return await atDesk(options, "write", ({ store }) => leave(store, command, name, commands[command]));
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
    ...(serving ? {} : { hint: "forgehand is not running; this is done when `forgehand up` starts" }),
  };
}
