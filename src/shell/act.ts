import type { IssueRef, Key, PullFacts, PullRef } from "../ports.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import { linearIssueOf } from "../state-machine/ticket-id.ts";
import type { OutboxEffect } from "../store/outbox.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import type { Workshop } from "./workshop.ts";

/** What became of an effect. `dropped`: its head or state is no longer current. */
export type Answer =
  | {
      readonly is: "done" | "dropped" | "gave-up";
      readonly note: string;
      readonly news?: readonly TicketEvent[];
    }
  | {
      readonly is: "snooze" | "back-off";
      readonly until: number;
      readonly note: string;
      /** It may meet this as often as it likes: the try counts for nothing. */
      readonly passes?: true;
    };

export interface Act<Wanted extends OutboxEffect = OutboxEffect> {
  readonly shop: Workshop;
  readonly key: Key;
  readonly effect: Wanted;
  readonly stored: Stored;
  readonly repo: KnownRepo;
  readonly createdAt: number;
}
export const issueOf = ({ repo, stored }: Pick<Act, "repo" | "stored">): IssueRef => ({
  repo,
  number: stored.number,
  linear: linearIssueOf(stored.ticket.id),
});
export const pullOf = ({ repo, stored }: Pick<Act, "repo" | "stored">): PullRef | undefined =>
  stored.ticket.pull === undefined ? undefined : { repo, number: stored.ticket.pull };
/** The ticket's newest pull request, in work or not. */
export async function lastPull({ shop, stored, repo }: Act): Promise<PullRef | undefined> {
  const lines = await shop.store.linesOf(stored.ticket.id);
  const number = lines.flatMap(({ event }) => (event.type === "pr.opened" ? [event.pull] : [])).at(-1);
  return number === undefined ? undefined : { repo, number };
}

/** A pull request we have not heard of yet: its number arrives with the news of `pull.open`. */
export const notYetOpenMs = 1_000;

/** Facts of the ticket's pull request, or why there are none. */
export async function pullFacts(act: Act): Promise<PullFacts | undefined> {
  const pull = pullOf(act);
  return pull === undefined ? undefined : await act.shop.forge.pull(pull);
}
