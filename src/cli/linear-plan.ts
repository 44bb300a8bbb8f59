/** What a team's board has of ours, what it lacks, and what there is in our way. */
import { vocabulary } from "../../bootstrap/labels.ts";
import { findState } from "../adapters/linear/board.ts";
import type { LabelWord } from "../adapters/github/issues.ts";
import type { NewState, TeamBoard } from "../adapters/linear/team-boards.ts";
import { usualBoard, type BoardNames } from "../ports-linear.ts";
import type { State } from "../state-machine/ticket.ts";
import { bad, warn, type Finding } from "./doctor-finding.ts";

export interface StateOnBoard {
  readonly ours: State;
  /** What it is called there, or would be. */
  readonly name: string;
  /** Where its cards go today; undefined where they stay, or can go nowhere. */
  readonly on: string | undefined;
  readonly by: "name" | "category" | "stays" | "nothing";
}
export interface BoardPlan {
  readonly team: TeamBoard;
  readonly states: readonly StateOnBoard[];
  readonly newStates: readonly NewState[];
  readonly newLabels: readonly LabelWord[];
  /** What setup cannot put right: a person in Linear, or the operator's file. */
  readonly findings: readonly Finding[];
}

/** Our labels as Linear has them: by their own names. */
export const ourLabels: readonly LabelWord[] = vocabulary();

/** Colour of each state of ours, in the order in which they follow one another on a board. */
const looks: Readonly<Record<State, string>> = {
  Backlog: "#bec2c8",
  Ready: "#e2e2e2",
  Gate: "#26b5ce",
  "In Progress": "#f2c94c",
  "Adversarial Review": "#f2994a",
  "In Review": "#0f783c",
  Rework: "#eb5757",
  Merging: "#4cb782",
  Blocked: "#b60205",
  Done: "#5e6ad2",
  Cancelled: "#95a2b3",
};
const boardOrder = Object.keys(looks) as readonly State[];

const same = (one: string, other: string): boolean => one.trim().toLowerCase() === other.trim().toLowerCase();

/** Looks at one board; changes nothing. */
export function planBoard(team: TeamBoard, names: BoardNames, place: string): BoardPlan {
  const states = boardOrder.map((ours): StateOnBoard => {
    const name = names[ours] ?? usualBoard[ours].names[0] ?? ours;
    const found = findState(ours, team.states, names);
    if (found === undefined) return { ours, name, on: undefined, by: "nothing" };
    if (found === "stay") return { ours, name, on: undefined, by: "stays" };
    return { ours, name, on: found.state.name, by: found.by };
  });
  return {
    team,
    states,
    newStates: team.statesOf === undefined ? newStates(team, states, names) : [],
    newLabels: ourLabels.filter(({ name }) => !team.labels.some((label) => same(label.name, name))),
    findings: [
      ...wrongCategories(team, states, place),
      ...labelTroubles(team, place),
      ...automations(team, place),
    ],
  };
}

/** A blocked card stays where it is, unless the operator gave it a column. */
const isWanted = ({ ours, by }: StateOnBoard, names: BoardNames): boolean =>
  by === "category" || by === "nothing" || (by === "stays" && names[ours] !== undefined);

function newStates(
  { states: present }: TeamBoard,
  states: readonly StateOnBoard[],
  names: BoardNames,
): readonly NewState[] {
  const made: NewState[] = [];
  // Places of ours in each category, those that are made here included.
  const placed = present.map(({ name, type, position }) => ({
    type,
    position,
    ranks: states.flatMap(({ ours, on, by }) =>
      by === "name" && on === name ? [boardOrder.indexOf(ours)] : [],
    ),
  }));
  for (const state of states) {
    if (!isWanted(state, names) || made.some(({ name }) => same(name, state.name))) continue;
    const category = usualBoard[state.ours].category ?? "started";
    const rank = boardOrder.indexOf(state.ours);
    const position = positionOf(
      rank,
      placed.filter(({ type }) => type === category).toSorted((one, other) => one.position - other.position),
    );
    made.push({ name: state.name, category, color: looks[state.ours], position });
    if (position !== undefined) placed.push({ type: category, position, ranks: [rank] });
  }
  return made;
}

/** Behind the last that goes before it, else before the first that comes after it, else at the end. */
function positionOf(
  rank: number,
  siblings: readonly { readonly position: number; readonly ranks: readonly number[] }[],
): number | undefined {
  const before = siblings.findLastIndex(({ ranks }) => ranks.some((one) => one < rank));
  const after = siblings.findIndex(({ ranks }) => ranks.some((one) => one > rank));
  const index = before >= 0 ? before + 1 : after >= 0 ? after : siblings.length;
  const left = siblings[index - 1]?.position;
  const right = siblings[index]?.position;
  if (left === undefined) return right === undefined ? undefined : right - 1;
  return right === undefined ? left + 1 : (left + right) / 2;
}

const labelSettings = "in Linear's settings (Labels)";

/** Where a ticket's end does not count as one, it never ends. */
function wrongCategories(
  { key, states: present }: TeamBoard,
  states: readonly StateOnBoard[],
  place: string,
): readonly Finding[] {
  return states.flatMap(({ ours, on, by }) => {
    const { category } = usualBoard[ours];
    const found = present.find(({ name }) => name === on);
    const isEnd = ours === "Done" || ours === "Cancelled";
    if (by !== "name" || found === undefined || found.type === category || !isEnd) return [];
    return [
      bad(
        "usage",
        `${place}: "${found.name}", which is ${ours}, is of the category ${found.type} and not ${category}: its cards would count as open`,
        `name a state of the category ${category} for ${ours} under \`states.${key}\` in linear.yml, or rename that one in Linear`,
      ),
    ];
  });
}

function labelTroubles({ labels }: TeamBoard, place: string): readonly Finding[] {
  const ours = ourLabels.flatMap(({ name }) => {
    const named = labels.filter((label) => same(label.name, name));
    // As labels are set: the team's own goes before the workspace's.
    const usable = named.filter(({ isGroup }) => !isGroup);
    const label = usable.find(({ team }) => team !== undefined) ?? usable[0] ?? named[0];
    return label === undefined ? [] : [label];
  });
  const groups = new Map<string, string[]>();
  for (const { name, parent } of ours)
    if (parent !== undefined) groups.set(parent.name, [...(groups.get(parent.name) ?? []), name]);
  return [
    ...ours
      .filter(({ isGroup }) => isGroup)
      .map(({ name }) =>
        bad(
          "usage",
          `${place}: "${name}" is a group of labels, which no issue can bear`,
          `rename the group "${name}" ${labelSettings}`,
        ),
      ),
    ...[...groups].flatMap(([group, names]) => {
      // That an issue has one runtime at most is as it should be.
      if (names.every((name) => name.startsWith("runtime/"))) return [];
      const move = `move ${names.map((name) => `"${name}"`).join(", ")} out of the group "${group}" ${labelSettings}`;
      return names.length > 1
        ? [
            bad(
              "usage",
              `${place}: ${names.join(", ")} exclude one another: an issue bears one of "${group}"`,
              move,
            ),
          ]
        : [warn(`${place}: ${names.join()} cannot stand beside any other of the group "${group}"`, move)];
    }),
  ];
}

const moments: Readonly<Record<string, string>> = {
  draft: "On draft PR open",
  start: "On PR open",
  review: "On PR review request or activity",
  mergeable: "On PR ready for merge",
  merge: "On PR merge",
};

/** Linear moves cards by itself when their pull requests move: against the moves of ours. */
function automations({ name, automations: rules }: TeamBoard, place: string): readonly Finding[] {
  if (rules.length === 0) return [];
  const order = Object.keys(moments);
  const sorted = rules.toSorted((one, other) => order.indexOf(one.event) - order.indexOf(other.event));
  const said = sorted.map(({ event, state, targetBranch }) => {
    const branch = targetBranch === undefined ? "" : ` (${targetBranch.branchPattern})`;
    return `${moments[event] ?? event}${branch}: ${state?.name ?? ""}`;
  });
  return [
    warn(
      `${place}: Linear's own GitHub automation moves cards too: ${said.join("; ")}`,
      `set each to "No action" in Linear: Settings, Teams, ${name}, Issue statuses & automations, Pull request and commit automations`,
    ),
  ];
}

/** What setup would put right, as doctor tells it. */
export function gaps(
  { team, states, newLabels }: BoardPlan,
  place: string,
  command: string,
): readonly Finding[] {
  const { statesOf } = team;
  const nowhere = states.filter(({ by }) => by === "nothing");
  const byCategory = states.filter(({ by }) => by === "category");
  const fix =
    statesOf === undefined
      ? command
      : `create them in team ${statesOf}, whose states ${team.key} has: \`${command.replace(/--team \S+$/u, `--team ${statesOf}`)}\``;
  return [
    ...(nowhere.length === 0
      ? []
      : [
          bad(
            "usage",
            `${place}: no state for ${nowhere.map(({ ours, name }) => nameFor(ours, name)).join(", ")}, nor any of the category: their cards cannot be moved`,
            fix,
          ),
        ]),
    ...(byCategory.length === 0
      ? []
      : [
          warn(
            `${place}: no state for ${byCategory.map(({ ours, name, on }) => `${nameFor(ours, name)} (its cards go to "${on ?? ""}")`).join(", ")}`,
            fix,
          ),
        ]),
    ...(newLabels.length === 0
      ? []
      : [warn(`${place}: no label ${newLabels.map(({ name }) => name).join(", ")}`, command)]),
  ];
}

const nameFor = (ours: State, name: string): string => (ours === name ? ours : `${ours}, here "${name}"`);
