import type { Setup, Wanted } from "./linear-boards.ts";
import type { BoardPlan, StateOnBoard } from "./linear-plan.ts";
import { bold, oneLine, plain } from "./output.ts";

/** A run of setup for people: each board, what it lacks, and what is in the way. */
export function setupText(setup: Setup): string {
  const { plans, wanted, created, findings } = setup;
  const boards = plans.flatMap(({ workspace, boards: some }) => [
    bold(oneLine(`${workspace.name} (${workspace.urlKey}, ${workspace.id})`)),
    ...(some.length === 0 ? ["  the app may enter no team"] : []),
    ...some.flatMap((board) => boardLines(board, created)),
    "",
  ]);
  const troubles = findings.flatMap(({ is, what, fix }) => [
    `${is === "fail" ? "✗" : "!"} ${oneLine(what)}`,
    ...(fix === undefined ? [] : [`  → ${oneLine(fix)}`]),
  ]);
  const end =
    created.length > 0
      ? `Created ${created.length} of ${wanted.length}.`
      : wanted.length === 0
        ? "Nothing is missing."
        : `${wanted.length} to create.`;
  return [...boards, ...troubles, ...(troubles.length === 0 ? [] : [""]), end].join("\n");
}

function boardLines(board: BoardPlan, created: readonly Wanted[]): readonly string[] {
  const { team, states, newLabels } = board;
  const isMade = (is: Wanted["is"], name: string): boolean =>
    created.some((one) => one.board === board && one.is === is && one.name === name);
  const labelLine = (what: string, some: BoardPlan["newLabels"]): readonly string[] =>
    some.length === 0 ? [] : [`    ${oneLine(`labels ${what}: ${some.map(({ name }) => name).join(", ")}`)}`];
  const width = Math.max(...states.map(({ ours }) => ours.length));
  return [
    oneLine(`  ${team.key}  ${team.name}`).replace(/^\s*/u, "  "),
    ...states.map((state) =>
      plain(
        `    ${state.ours.padEnd(width)}  ${oneLine(standing(state, board, isMade("state", state.name)))}`,
      ),
    ),
    ...labelLine(
      "created",
      newLabels.filter(({ name }) => isMade("label", name)),
    ),
    ...labelLine(
      "to create",
      newLabels.filter(({ name }) => !isMade("label", name)),
    ),
  ];
}

function standing({ name, on, by }: StateOnBoard, { newStates }: BoardPlan, isMade: boolean): string {
  const state = newStates.find((one) => one.name === name);
  const today = on === undefined ? "" : `; until then its cards go to "${on}"`;
  if (isMade) return `"${name}" created`;
  if (state !== undefined) return `"${name}" to create (${state.category}, ${state.color})${today}`;
  switch (by) {
    case "name":
      return `"${on ?? name}"`;
    case "stays":
      return "the card stays where it is";
    case "category":
      return `no "${name}"; its cards go to "${on ?? ""}"`;
    case "nothing":
      return `no "${name}", and nowhere else for its cards`;
  }
}
