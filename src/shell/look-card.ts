import { ghost, loginOfPerson } from "../linear-people.ts";
import type { LinearFacts } from "../ports-linear-issues.ts";
import type { State } from "../state-machine/ticket.ts";
import type { Line } from "../store/ledger.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import type { Say } from "../webhooks/heard.ts";
import { automationNamed, automationWords } from "./linear-people.ts";
import type { Hint } from "./said.ts";
import type { LinearSide, Workshop } from "./workshop.ts";

/** How far two hosts' clocks may be apart. */
export const clockSkewMs = 60_000;
/** Stands for a text that nobody can show any more: releasing it is void like that of any text edited since. */
export const unknownText = "0".repeat(64);

export interface CardAtHand {
  readonly facts: LinearFacts;
  readonly repo: KnownRepo;
  readonly stored: Stored | undefined;
}

/** How often a card was put back since anything else happened to its ticket. */
export function returnsIn(lines: readonly Line[]): number {
  const other = lines.findLastIndex(({ event }) => event.type !== "tracker.contested");
  return lines.length - 1 - other;
}

/** Whether the card stands where a ticket of this state belongs. A blocked one stays where it is on most boards. */
export async function placeOf(
  { issues }: Pick<LinearSide, "issues">,
  facts: LinearFacts,
  state: State,
): Promise<Extract<Say, { type: "moved" }>["belongs"]> {
  if (!(await issues.isAt(facts, state))) return "elsewhere";
  return state === "Blocked" && facts.means !== "Blocked" ? "anywhere" : "here";
}

/** A card that stands where its ticket is not, without anybody having told us: by whom, as its own history knows. */
export async function cardHints(
  shop: Workshop,
  { facts, repo, stored }: CardAtHand,
): Promise<readonly Hint[]> {
  const { linear, store } = shop;
  const { issues, loginGiven } = linear;
  const state = stored?.ticket.state ?? "Backlog";
  const belongs = await placeOf(linear, facts, state);
  if (belongs === "here") return [];
  // What we have not shown yet cannot be contradicted.
  const isOnItsWay = (await store.effectsOf(stored?.ticket.id ?? "")).some(
    (effect) => effect.type === "mirror" && effect.state === "new",
  );
  if (isOnItsWay) return [];
  const lines = stored === undefined ? [] : await store.linesOf(stored.ticket.id);
  const history = await issues.history(facts);
  const last = history?.moves.at(-1);
  if (last !== undefined && last.to.id !== facts.state.id) return [];
  if (last !== undefined && (await issues.isOurMove(facts, { to: last.to.id, by: last.person?.id })))
    return [];
  // Where nobody ever moved it, its creator put it.
  const { person, at, bot } = last ?? { person: facts.creator, at: facts.createdAt, bot: undefined };
  const since = lines.at(-1)?.at ?? 0;
  if (belongs === "anywhere" && at <= since) return [];
  const says: Say = {
    type: "moved",
    to: facts.means,
    name: facts.state.name,
    belongs,
    returns: returnsIn(lines),
    automation: person === undefined || person.app ? automationWords(person?.displayName ?? bot) : undefined,
    at,
    isStale: stored !== undefined && stored.version > 0 && at < stored.since + clockSkewMs,
    spec: (history?.textChangedAt ?? -1) >= at ? unknownText : undefined,
  };
  if (says.automation !== undefined)
    return [{ on: "issue", by: automationNamed(says.automation), kind: "bot", says }];
  const by =
    person && (await loginOfPerson({ forge: shop.forge, loginGiven }, repo, facts.workspace, person));
  return [{ on: "issue", by: by ?? ghost, says }];
}
