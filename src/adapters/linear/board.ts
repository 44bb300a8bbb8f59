import { Trouble } from "../../ports.ts";
import type { Key } from "../../ports.ts";
import { usualBoard, type BoardNames } from "../../ports-linear.ts";
import type { LinearIssueRef } from "../../state-machine/ticket-id.ts";
import { states, type State } from "../../state-machine/ticket.ts";
import type { LinearApi } from "./api.ts";
import { boardQuery, updateIssue, type BoardState } from "./documents.ts";
import { isHidden, unlessGone } from "./gone.ts";
import { isInvalid } from "./trouble.ts";

/** A column for a state of ours, and whether it bears its name or is but the first of its category. */
export interface StateFound {
  readonly state: BoardState;
  readonly by: "name" | "category";
}

/** The column of this state: by the team's name for it, by the usual name, else the first of its category. */
export function findState(
  to: State,
  board: readonly BoardState[],
  names: BoardNames,
): StateFound | "stay" | undefined {
  const live = board
    .filter(({ archivedAt }) => archivedAt === undefined)
    .toSorted((one, other) => one.position - other.position);
  const own = names[to];
  const { names: usualNames, category } = usualBoard[to];
  for (const name of own === undefined ? usualNames : [own]) {
    const state = live.find((one) => one.name.trim().toLowerCase() === name.trim().toLowerCase());
    if (state !== undefined) return { state, by: "name" };
  }
  if (category === undefined) return "stay";
  const state = live.find(({ type }) => type === category);
  return state === undefined ? undefined : { state, by: "category" };
}

/** Where a card of this state belongs. */
export function stateFor(
  to: State,
  board: readonly BoardState[],
  names: BoardNames,
): BoardState | "stay" | undefined {
  const found = findState(to, board, names);
  return found === undefined || found === "stay" ? found : found.state;
}

/** Which of our states a card of this name stands in; a name that is nobody's says only what its category ends or takes back. */
export function meaningOf(
  { name, category }: { readonly name: string; readonly category: string },
  names: BoardNames,
): State | undefined {
  const said = name.trim().toLowerCase();
  const isNamed = (state: State): boolean => {
    const own = names[state];
    return (own === undefined ? usualBoard[state].names : [own]).some(
      (one) => one.trim().toLowerCase() === said,
    );
  };
  const named = states.find(isNamed);
  if (named !== undefined) return named;
  switch (category) {
    case "completed":
      return "Done";
    case "canceled":
    case "duplicate":
      return "Cancelled";
    case "backlog":
    case "triage":
      return "Backlog";
    // A started or unstarted state of another name may be anything of the team's own.
    default:
      return undefined;
  }
}

/** Whether the card stands where `move` would put it; one that is gone stands nowhere else. */
export async function isAt(
  api: LinearApi,
  { workspace, issue }: LinearIssueRef,
  state: State,
  namesOf: NamesOf,
): Promise<boolean> {
  const found = await unlessGone(async () => (await api.ask(workspace, boardQuery, { id: issue })).issue);
  if (found === undefined || isHidden(found)) return true;
  const { team } = found;
  const names = namesOf({ id: team.id, key: team.key, workspace });
  const wanted = stateFor(state, team.states.nodes, names);
  return wanted === undefined || wanted === "stay" || wanted.id === found.state.id;
}

/** What of a move of ours is remembered: how the shell tells it from a person's. */
const memoryOf = ({ workspace, issue }: LinearIssueRef): string => `linear move ${workspace}/${issue}`;

/** What each team calls our states. */
export type NamesOf = (team: {
  readonly id: string;
  readonly key: string;
  readonly workspace: string;
}) => BoardNames;

export async function move(
  api: LinearApi,
  key: Key,
  { workspace, issue }: LinearIssueRef,
  to: State,
  namesOf: NamesOf,
): Promise<void> {
  const found = await unlessGone(async () => (await api.ask(workspace, boardQuery, { id: issue })).issue);
  if (found === undefined || found.id !== issue || isHidden(found)) return;
  const { team } = found;
  const board = team.states.nodes;
  const names = namesOf({ id: team.id, key: team.key, workspace });
  const wanted = stateFor(to, board, names);
  if (wanted === undefined) throw missing(to, team.key, names, board);
  // A duplicate is not done either, and says more than we would.
  const isSo = wanted === "stay" || found.state.id === wanted.id;
  if (isSo || (to === "Cancelled" && found.state.type === "duplicate")) return;
  // Remembered first: a move whose answer is lost is ours all the same.
  await api.memory.set(memoryOf({ workspace, issue }), wanted.id);
  await api.writing(key, "move a card", { workspace, issue });
  try {
    await unlessGone(() => api.ask(workspace, updateIssue, { id: issue, input: { stateId: wanted.id } }));
  } catch (error) {
    // The board changed between look and move: the next try looks again.
    if (!isInvalid(error)) throw error;
    throw new Trouble(
      "linear-board-changed",
      `Linear would not move the card to ${wanted.name} of team ${team.key}: the state may just have been removed. The board is looked at again.`,
    );
  }
}

function missing(to: State, team: string, names: BoardNames, board: readonly BoardState[]): Trouble {
  const { names: usualNames, category } = usualBoard[to];
  const wanted = names[to] ?? usualNames[0] ?? to;
  const has = board.filter(({ archivedAt }) => archivedAt === undefined).map(({ name }) => name);
  return new Trouble(
    "linear-state-missing",
    `The board of team ${team} has no state "${wanted}" for ${to}, and none of the category ${category ?? "any"}; it has ${has.join(", ")}. \`forgehand linear setup --team ${team}\` creates it.`,
    { permanent: true },
  );
}

/**
 * Whether a move was ours: done by our own account and, where that is a person's whose key we use, to where we last
 * put the card ourselves.
 */
export async function isOurMove(
  api: LinearApi,
  ref: LinearIssueRef,
  moved: { readonly to: string; readonly by: string | undefined },
): Promise<boolean> {
  const us = await api.identity(ref.workspace);
  if (moved.by !== us.id) return false;
  return us.app || (await api.memory.get(memoryOf(ref))) === moved.to;
}
