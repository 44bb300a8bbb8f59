import { ghost, loginOfPerson } from "../linear-people.ts";
import type { IssueRef } from "../ports.ts";
import type { LinearIssueRef } from "../state-machine/ticket-id.ts";
import type { Line } from "../store/ledger.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import type { Say } from "../webhooks/heard.ts";
import type { Hint } from "./said.ts";
import type { Workshop } from "./workshop.ts";

export interface CardAtHand {
  readonly issueRef: IssueRef;
  readonly linear: LinearIssueRef;
  readonly repo: KnownRepo;
  readonly stored: Stored | undefined;
}

/** How often a card was put back since anything else happened to its ticket. */
export function returnsIn(lines: readonly Line[]): number {
  const other = lines.findLastIndex(({ event }) => event.type !== "tracker.contested");
  return lines.length - 1 - other;
}

/** A card that stands where its ticket is not, without anybody having told us: by whom, as its own history knows. */
export async function cardHints(
  shop: Workshop,
  { linear: ref, repo, stored }: CardAtHand,
): Promise<readonly Hint[]> {
  const { linear, store } = shop;
  if (linear === undefined) return [];
  const { issues, loginGiven } = linear;
  const state = stored?.ticket.state ?? "Backlog";
  const facts = await issues.ticket(ref);
  if (facts === undefined || (await issues.isAt(ref, state))) return [];
  // What we have not shown yet cannot be contradicted.
  const isOnItsWay = (await store.effectsOf(stored?.ticket.id ?? "")).some(
    (effect) => effect.type === "mirror" && effect.state === "new",
  );
  if (isOnItsWay) return [];
  const last = (await issues.history(ref))?.moves.at(-1);
  const isTold = last !== undefined && last.to.id === facts.state.id;
  if (isTold && (await issues.isOurMove(ref, { to: last.to.id, by: last.person?.id }))) return [];
  const person = isTold ? last.person : facts.createdAt === facts.updatedAt ? facts.creator : undefined;
  const by =
    person === undefined
      ? ghost
      : await loginOfPerson({ forge: shop.forge, loginGiven }, repo, ref.workspace, person);
  const lines = stored === undefined ? [] : await store.linesOf(stored.ticket.id);
  const says: Say = {
    type: "moved",
    to: facts.means,
    name: facts.state.name,
    belongs: false,
    returns: returnsIn(lines),
    automation: isTold && person === undefined ? (last.bot ?? "An automation") : undefined,
    at: isTold ? last.at : undefined,
  };
  return [{ on: "issue", by, says }];
}
