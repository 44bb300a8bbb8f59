/** Halts of tickets that an operator and people say apart from each other: who lifts one leaves the other. */
import type { Viewer } from "../ports-dashboard-viewer.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { TicketId } from "../state-machine/ticket.ts";
import type { Workshop } from "./workshop.ts";
import { capsOf } from "./day.ts";
import { step } from "./step.ts";

/** Whether it was said at this host or on a page, and not on a forge or a board: no login has a colon. */
export const isOperator = (actor: string): boolean => /^(?:operator|page|token):/u.test(actor);

/** Whoever halts as an operator is named as one, whether they came by a link, the forge or a token. */
export const halterNamed = ({ who, rights }: Viewer): string =>
  rights !== "operator" || isOfOperator(who) ? who : `operator:${who}`;
/** Only operators lift such a halt. */
export const isOfOperator = (actor: string): boolean => actor.startsWith("operator:");

/** Keeps who halts a ticket. `held`: this one lets go, somebody else does not, so the ticket stays halted. */
export async function keepHalter(
  { store, clock }: Workshop,
  said: { readonly ticket: TicketId; readonly event: TicketEvent; readonly actor: string },
): Promise<"goes on" | "held"> {
  const { ticket, event, actor } = said;
  if (event.type === "halt.raised" && !isOperator(actor))
    await store.markHalt(ticket, "people", actor, clock.now());
  if (event.type !== "halt.lifted") return "goes on";
  if (!isOperator(actor)) await store.unmarkHalt(ticket, "people");
  return (await store.haltersOf(ticket)).length > 0 ? "held" : "goes on";
}

/** Items looked through at a start. */
const batch = 500;

/**
 * Takes what an operator halted while nobody served, before anything starts. Intake meets the same item again, and its
 * event is known by then.
 */
export async function haltBeforeStart(shop: Workshop): Promise<void> {
  const { store, clock } = shop;
  let after = 0;
  for (;;) {
    const items = await store.unread(after, batch);
    for (const { seq, id, source, name, ticket, body } of items) {
      after = seq;
      if (source !== "operator" || name !== "halt.raised" || ticket === undefined) continue;
      // What an operator has lifted again since is no halt any more.
      if (!(await store.haltersOf(ticket)).some(({ by }) => by === "operator")) continue;
      const stored = await store.load(ticket);
      const repo = stored && (await store.repoById(stored.repo));
      if (repo === undefined) continue;
      const { policy, config } = shop.rulesOf(repo);
      const now = clock.now();
      await step(store, {
        ticket,
        event: { type: "halt.raised" },
        eventId: eventIdOf(id, ticket),
        actor: actorIn(body),
        policy,
        caps: capsOf(config, shop.limits, now),
        runLimitMs: config.limits.run_minutes * 60_000,
        now,
      });
    }
    if (items.length < batch) return;
  }
}

/** As intake names the first event of this type in an item. */
const eventIdOf = (item: string, ticket: TicketId): string => `${item}#${ticket}#halt.raised`;
const actorIn = (body: string): string =>
  (JSON.parse(body) as { readonly actor?: string }).actor ?? "operator";
