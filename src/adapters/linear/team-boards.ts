/** The boards of a workspace: what they hold, and putting there what is missing. */
import type { LabelWord } from "../github/issues.ts";
import { openLinear, type LinearApi, type LinearOptions } from "./api.ts";
import {
  automationsQuery,
  createState,
  labelsAmongQuery,
  teamsQuery,
  teamStatesQuery,
  type GitAutomation,
} from "./documents-boards.ts";
import { createLabel, type BoardState, type NamedLabel } from "./documents.ts";
import { pages } from "./facts.ts";

/** A team that the app may enter, and its board. */
export interface TeamBoard {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  /** Its states are those of this team, and only there can they be changed. */
  readonly statesOf: string | undefined;
  readonly states: readonly BoardState[];
  /** Of the names asked for: those of the team and of the whole workspace. */
  readonly labels: readonly NamedLabel[];
  /** Those that move cards. */
  readonly automations: readonly GitAutomation[];
}
/** A state that a board is to have. */
export interface NewState {
  readonly name: string;
  readonly category: string;
  /** With `#`. */
  readonly color: string;
  /** Among the states of its category; Linear's choice when undefined. */
  readonly position: number | undefined;
}
export interface LinearBoards {
  /** Every team the app may enter, by key, with those labels of theirs that bear one of these names. */
  teams(workspace: string, labels: readonly string[]): Promise<readonly TeamBoard[]>;
  createState(workspace: string, team: string, state: NewState): Promise<void>;
  createLabel(workspace: string, team: string, label: LabelWord): Promise<void>;
}

/** Opens the boards. Nothing is sent yet. */
export function linearBoards(options: LinearOptions): LinearBoards {
  const api = openLinear(options);
  // Every deed begins by knowing that the token is one of this very workspace.
  const inside = <Result>(doing: string, workspace: string, work: () => Promise<Result>): Promise<Result> =>
    api.within(doing, workspace, async () => {
      await api.identity(workspace);
      return await work();
    });
  return {
    teams: (workspace, labels) =>
      inside("read its boards", workspace, () => readTeams(api, workspace, labels)),
    createState: (workspace, teamId, { category, position, ...rest }) =>
      inside(`create the state "${rest.name}"`, workspace, async () => {
        const input = { ...rest, teamId, type: category, ...(position === undefined ? {} : { position }) };
        await api.ask(workspace, createState, { input });
      }),
    createLabel: (workspace, teamId, { name, color, description }) =>
      inside(`create the label "${name}"`, workspace, async () => {
        const input = { name, color: `#${color}`, teamId, ...(description === "" ? {} : { description }) };
        await api.ask(workspace, createLabel, { input });
      }),
  };
}

async function readTeams(
  api: LinearApi,
  workspace: string,
  names: readonly string[],
): Promise<readonly TeamBoard[]> {
  const teams = await pages(async (after) => (await api.ask(workspace, teamsQuery, { after })).teams);
  const filter = { or: names.map((name) => ({ name: { eqIgnoreCase: name } })) };
  const labels = await pages(
    async (after) => (await api.ask(workspace, labelsAmongQuery, { filter, after })).issueLabels,
  );
  const boards: TeamBoard[] = [];
  // One after the other: the budget is shared with whoever serves.
  for (const { id, key, name, inheritWorkflowStatuses, parent } of teams) {
    const states = await pages(
      async (after) => (await api.ask(workspace, teamStatesQuery, { id, after })).team.states,
    );
    const automations = await pages(
      async (after) => (await api.ask(workspace, automationsQuery, { id, after })).team.gitAutomationStates,
    );
    boards.push({
      id,
      key,
      name,
      statesOf: inheritWorkflowStatuses ? parent?.key : undefined,
      states: states.filter(({ archivedAt }) => archivedAt === undefined),
      labels: labels.filter(({ team }) => team === undefined || team.id === id),
      automations: automations.filter(({ state }) => state !== undefined),
    });
  }
  return boards.toSorted((one, other) => one.key.localeCompare(other.key, "en"));
}
