import { randomUUID } from "node:crypto";
import { systemClock } from "../adapters/clock.ts";
import { isDead } from "../adapters/owner.ts";
import { exitCodes } from "../problems.ts";
import { boardName } from "../says.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import { isLocal } from "../state-machine/ticket-id.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";
import type { OrderName } from "../ports-dashboard.ts";
import { dayCapsToday } from "../shell/day-cap.ts";
import { eventOf, leave } from "../shell/orders.ts";
import { atDesk, rulesFor, ticketNamed } from "./database.ts";
import { operator } from "./operator.ts";
import { Failure, oneLine, type Answer } from "./output.ts";

/** An approval is for the head that was looked at, as far as it was typed. */
function refuseOther({ ref, number, ticket: { head } }: Stored, said: string | undefined): void {
  if (head === undefined || said === undefined) return;
  if (said.length >= 4 && head.startsWith(said.toLowerCase())) return;
  throw new Failure(
    exitCodes.usage,
    `${ref} is at ${head.slice(0, 7)} and not at ${oneLine(said).slice(0, 40)}: look at it, then \`forgehand approve ${number} ${head.slice(0, 7)}\``,
  );
}

/**
 * Leaves an operator's command in the inbox, where the serving process finds it. Refused when the table has no row
 * for it now, so that nobody waits for what cannot happen.
 */
export async function act(
  command: "approve" | "reject" | "retry" | "stop",
  name: string,
  options: { readonly database?: string | undefined },
  said?: string,
): Promise<Answer> {
  return await atDesk(options, "write", ({ store }) =>
    order(store, command, name, (stored, by) => {
      if (command === "approve") refuseOther(stored, said);
      const event = eventOf(command, stored, by, { text: said });
      if (event !== undefined) return event;
      if (command === "reject")
        throw new Failure(
          exitCodes.usage,
          `say what is to change: \`forgehand reject ${stored.number} "why"\``,
        );
      throw new Failure(
        exitCodes.usage,
        `${stored.ref} has no pull request to approve yet; see \`forgehand explain ${stored.ref}\``,
      );
    }),
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
  return await atDesk(options, "write", async ({ store, environment }) => {
    const { dayStopUsd: most } = await dayCapsToday(store, environment, systemClock().now());
    if (usd > most)
      throw new Failure(
        exitCodes.usage,
        `$${usd} is more than everything may cost a day ($${most}); FORGEHAND_DAY_STOP_USD sets that cap`,
      );
    return await order(store, "budget", name, () => ({ type: "budget.raised", usd }));
  });
}

async function order(
  store: Store,
  command: OrderName,
  name: string,
  eventFor: (stored: Stored, by: string) => TicketEvent,
): Promise<Answer> {
  const stored = await ticketNamed(store, name);
  const actor = `operator:${operator()}`;
  const event = eventFor(stored, actor);
  const { policy } = await rulesFor(store, stored);
  const id = `op:${randomUUID()}`;
  const answer = await leave(store, stored, policy, { event, actor, id, at: systemClock().now() });
  if (answer.is === "impossible") {
    throw new Failure(
      exitCodes.usage,
      `${stored.ref} is in ${boardName(answer.state)}: ${command === "budget" ? "it does not wait for money" : `there is nothing to ${command}`}. See \`forgehand explain ${stored.ref}\``,
    );
  }
  const owner = await store.instanceOwner();
  const serving = owner !== undefined && !isDead(owner);
  const takes = `${boardName(stored.ticket.state)} → ${boardName(answer.to)}`;
  return {
    schema: `${command}/1`,
    data: {
      ticket: stored.ref,
      item: id,
      from: stored.ticket.state,
      to: answer.to,
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
