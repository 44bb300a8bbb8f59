/** The boards of the workspaces at hand, for setup and doctor. */
import { systemClock } from "../adapters/clock.ts";
import { linearBoards, type LinearBoards } from "../adapters/linear/team-boards.ts";
import type { Environment } from "../config-environment.ts";
import { linearDefaults } from "../config-linear.ts";
import type { LinearFile } from "../config-linear-file.ts";
import type { LinearTokens } from "../ports-linear.ts";
import { redact } from "../secrets.ts";
import { warn, type Finding } from "./doctor-finding.ts";
import { shellWord } from "./shell-word.ts";
import { ourLabels, planBoard, type BoardPlan } from "./linear-plan.ts";

/** A workspace whose boards can be read. */
export interface BoardedWorkspace {
  readonly id: string;
  readonly name: string;
  readonly urlKey: string;
  readonly tokens: Pick<LinearTokens, "accessToken" | "replace">;
}
export interface WorkspacePlan {
  readonly workspace: BoardedWorkspace;
  readonly boards: readonly BoardPlan[];
}

export function openBoards(
  { linear }: Pick<Environment, "linear">,
  { tokens }: BoardedWorkspace,
): LinearBoards {
  return linearBoards({
    tokens,
    apiUrl: `${linear?.apiUrl ?? linearDefaults.apiUrl}/graphql`,
    clock: systemClock(),
    // Whole boards are read and written once: there is nothing to remember.
    remember: { get: async () => undefined, set: async () => undefined },
    scrub: redact,
  });
}

/** Something of ours that a team is to have. */
export interface Wanted {
  readonly workspace: BoardedWorkspace;
  readonly board: BoardPlan;
  readonly is: "state" | "label";
  readonly name: string;
}
/** What a run of setup found and did. */
export interface Setup {
  readonly plans: readonly WorkspacePlan[];
  readonly wanted: readonly Wanted[];
  readonly created: readonly Wanted[];
  readonly findings: readonly Finding[];
}

/** A token as it is, never refreshed: a personal key, or one that is only looked with. */
export const fixedTokens = (token: string, as: "app" | "person"): BoardedWorkspace["tokens"] => {
  const access = async () => ({ is: "granted", token, as, expiresAt: undefined }) as const;
  return { accessToken: access, replace: access };
};

/** What each board of a workspace has of ours and lacks. */
export async function planWorkspace(
  linear: LinearBoards,
  workspace: BoardedWorkspace,
  rules: LinearFile,
): Promise<WorkspacePlan> {
  const teams = await linear.teams(
    workspace.id,
    ourLabels.map(({ name }) => name),
  );
  const boards = teams.map((team) =>
    planBoard(team, rules.namesOf({ ...team, workspace: workspace.id }), placeOf(workspace, team)),
  );
  return { workspace, boards };
}

/** How a team is named to people. */
export const placeOf = ({ urlKey }: { readonly urlKey: string }, { key }: { readonly key: string }): string =>
  `${urlKey}/${key}`;

export const setupCommand = (
  workspace: { readonly urlKey: string },
  team?: { readonly key: string },
): string =>
  `forgehand linear setup --workspace ${shellWord(workspace.urlKey)}${team === undefined ? "" : ` --team ${shellWord(team.key)}`}`;

/** What the operator's file speaks of and these workspaces do not have. */
export function fileFindings(rules: LinearFile, found: readonly WorkspacePlan[]): readonly Finding[] {
  const strangers = rules.workspaces.filter((id) => found.every(({ workspace }) => workspace.id !== id));
  const missing = rules.teams.filter(
    ({ workspace: of, team }) =>
      !(of !== undefined && strangers.includes(of)) &&
      found.every(
        ({ workspace, boards }) =>
          (of !== undefined && workspace.id !== of) ||
          boards.every(({ team: { id, key } }) => id !== team && key.toLowerCase() !== team.toLowerCase()),
      ),
  );
  const teams = [...new Set(missing.map(({ team }) => team))];
  return [
    ...(strangers.length === 0
      ? []
      : [
          warn(
            `linear.yml speaks of workspaces nobody is signed in to: ${strangers.join(", ")}`,
            "correct the ids, or `forgehand auth linear`",
          ),
        ]),
    ...(teams.length === 0
      ? []
      : [
          warn(
            `linear.yml speaks of teams the app does not see: ${teams.join(", ")}`,
            "correct the keys, or let the app in: Linear, Settings, Applications, the app, Team access",
          ),
        ]),
    ...(found.length > 1 && rules.offersAll
      ? [
          warn(
            `every one of ${found.length} workspaces may have tickets built in every repository`,
            "say under `repositories` in linear.yml what each is offered",
          ),
        ]
      : []),
  ];
}
