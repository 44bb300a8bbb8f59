/** `forgehand linear setup`: what boards lack of ours, and putting it there. */
import { existsSync } from "node:fs";
import type { LinearBoards, NewState } from "../adapters/linear/team-boards.ts";
import { type Environment } from "../config-environment.ts";
import type { LinearFile } from "../config-linear-file.ts";
import { Trouble } from "../ports.ts";
import { exitCodes, Problem } from "../problems.ts";
import { ownSettings } from "./own-settings.ts";
import { agreed } from "./agreed.ts";
import { personOf } from "./auth-status.ts";
import { bad, warn, worstOf, type Finding } from "./doctor-finding.ts";
import {
  fileFindings,
  fixedTokens,
  openBoards,
  placeOf,
  planWorkspace,
  type BoardedWorkspace,
  type Setup,
  type Wanted,
  type WorkspacePlan,
} from "./linear-boards.ts";
import { atLinear, unhurried, workspacesNamed, type LinearAtDesk } from "./linear-desk.ts";
import type { BoardPlan } from "./linear-plan.ts";
import { ownLinearRules } from "./linear-rules.ts";
import { shellWord } from "./shell-word.ts";
import { setupText } from "./linear-setup-text.ts";
import { Failure, terminal, type Answer } from "./output.ts";

export interface SetupOptions {
  readonly workspace?: string | undefined;
  readonly team?: string | undefined;
  readonly dryRun?: true | undefined;
  readonly yes?: true | undefined;
  readonly json?: true | undefined;
  readonly database?: string | undefined;
}
interface Reached {
  readonly workspaces: readonly BoardedWorkspace[];
  /** None is left out. */
  readonly isAll: boolean;
  readonly findings: readonly Finding[];
}
const command = "forgehand linear setup";

/** Tells what the boards lack, and creates it once somebody agreed. A second run finds nothing to create. */
export async function linearSetup(options: SetupOptions): Promise<Answer> {
  const environment = ownSettings();
  const rules = ownLinearRules(environment);
  if (existsSync(options.database ?? environment.database))
    return await atLinear({ ...options, command }, "write", async (linear) =>
      setUp(environment, rules, await reach(linear, options), options),
    );
  try {
    const person = await ownKey(environment, options);
    if (person === undefined) throw await noSignIn(environment);
    return await setUp(environment, rules, { workspaces: [person], isAll: true, findings: [] }, options);
  } catch (error) {
    if (error instanceof Trouble)
      throw new Problem("linear-unreachable", { why: error.message, command }, { cause: error });
    throw error;
  }
}

/** Why there is nothing to work with where no app is signed in. */
async function noSignIn({ linear }: Pick<Environment, "linear">): Promise<Error> {
  const person = await personOf(linear);
  if (person?.is === "unknown") return new Problem("linear-unreachable", { why: person.why, command });
  const what =
    person?.is === "refused"
      ? "Linear does not accept FORGEHAND_LINEAR_API_KEY, and"
      : person?.is === "accepted"
        ? `FORGEHAND_LINEAR_API_KEY belongs to the workspace ${person.workspace} (${person.urlKey}), and`
        : "";
  return new Failure(
    exitCodes.permission,
    `${what} nobody is signed in to Linear as the app: \`forgehand auth linear\``.trim(),
  );
}

/** The workspaces of the app, and that of a personal key where the app is not there. */
async function reach({ desk, store, environment }: LinearAtDesk, options: SetupOptions): Promise<Reached> {
  const own = await ownKey(environment, options);
  const known = await store.linearWorkspaces();
  if (known.length === 0 && own === undefined && options.workspace === undefined)
    throw await noSignIn(environment);
  const isOwnAlone = own !== undefined && known.every(({ id }) => id !== own.id);
  const rows =
    isOwnAlone && (known.length === 0 || options.workspace !== undefined)
      ? known.filter((row) => options.workspace !== undefined && isNamed(row, options.workspace))
      : await workspacesNamed(store, options.workspace);
  const out = await desk.signedOut();
  const findings: Finding[] = [];
  const workspaces: BoardedWorkspace[] = [];
  for (const { id, name, urlKey } of rows) {
    const gone = out.find(({ workspace }) => workspace === id);
    if (gone === undefined) workspaces.push({ id, name, urlKey, tokens: unhurriedTokens(desk) });
    else findings.push(bad("permission", `${name} needs a person to sign in: ${gone.why}`, gone.fix));
    const lost = await store.lostLinearTeams(id);
    if (lost.length > 0) findings.push(lostTeams(name, lost));
  }
  const isAll = workspaces.length === known.length;
  return { workspaces: isOwnAlone ? [...workspaces, own] : workspaces, isAll, findings };
}

const isNamed = (one: Pick<BoardedWorkspace, "id" | "name" | "urlKey">, named: string): boolean =>
  [one.id, one.name, one.urlKey].some((word) => word.toLowerCase() === named.toLowerCase());

/** A token may be refreshed on the way, and an interrupt must not lose the new one. */
const unhurriedTokens = (desk: LinearAtDesk["desk"]): BoardedWorkspace["tokens"] => ({
  accessToken: (workspace) => unhurried(() => desk.accessToken(workspace)),
  replace: (workspace, refused) => unhurried(() => desk.replace(workspace, refused)),
});

/** Teams the app was taken out of are known by id alone: Linear shows nothing more of them. */
const lostTeams = (workspace: string, lost: readonly string[]): Finding =>
  warn(
    `${workspace}: the app was taken out of ${lost.length} teams (${lost.join(", ")})`,
    "give it access again in Linear: Settings, Applications, the app, Team access",
  );

/** The workspace of a personal API key, unless another one is meant. */
async function ownKey(
  { linear }: Pick<Environment, "linear">,
  { workspace }: SetupOptions,
): Promise<BoardedWorkspace | undefined> {
  const person = await personOf(linear);
  const token = linear?.apiKey;
  if (person?.is !== "accepted" || token === undefined) return undefined;
  const found = { id: person.id, name: person.workspace, urlKey: person.urlKey };
  return workspace === undefined || isNamed(found, workspace)
    ? { ...found, tokens: fixedTokens(token, "person") }
    : undefined;
}

async function setUp(
  environment: Environment,
  rules: LinearFile,
  reached: Reached,
  options: SetupOptions,
): Promise<Answer> {
  const opened = reached.workspaces.map((workspace) => ({
    workspace,
    linear: openBoards(environment, workspace),
  }));
  const all: WorkspacePlan[] = [];
  for (const { workspace, linear } of opened) all.push(await planWorkspace(linear, workspace, rules));
  const plans = options.team === undefined ? all : ofTeam(all, options.team);
  const wanted = plans.flatMap(({ workspace, boards }) =>
    boards.flatMap((board) => wantedOn(workspace, board)),
  );
  const findings = [
    ...reached.findings,
    // A look at some workspaces says nothing of the others that the file speaks of.
    ...(reached.isAll && options.team === undefined ? fileFindings(rules, all) : []),
    ...plans.flatMap(({ boards }) => boards.flatMap((board) => [...board.findings, ...inherited(board)])),
  ];
  const found: Setup = { plans, wanted, created: [], findings };
  if (wanted.length === 0) return told(found, "told");
  if (options.dryRun === true) return { ...told(found, "told"), hint: "nothing was created" };
  const agreement = options.yes === true ? "yes" : await askFor(found, options);
  if (agreement === "no")
    return { ...told(found, "told"), text: "Nothing was created.", exit: exitCodes.cancelled };
  if (agreement === "nobody")
    return {
      ...told(found, "told"),
      exit: exitCodes.waiting,
      hint: `nothing was created; to create it: \`${command}${said(options)} --yes\``,
    };
  const created: Wanted[] = [];
  const refused: Finding[] = [];
  for (const { workspace, linear } of opened)
    for (const board of plans.find((one) => one.workspace === workspace)?.boards ?? []) {
      const done = await create(linear, workspace, board);
      created.push(...done.created);
      refused.push(...done.refused);
    }
  return told({ plans, wanted, created, findings: [...findings, ...refused] }, "created");
}

const said = ({ workspace, team, database }: SetupOptions): string =>
  Object.entries({ workspace, team, database })
    .map(([name, value]) => (value === undefined ? "" : ` --${name} ${shellWord(value)}`))
    .join("");

/** What is to be created is shown first; whoever reads JSON, or is no person, is not asked. */
async function askFor(found: Setup, { json }: SetupOptions): Promise<"yes" | "no" | "nobody"> {
  if (json === true || !process.stdin.isTTY || !process.stderr.isTTY) return "nobody";
  terminal.err(`${setupText(found)}\n`);
  return (await agreed("Create them in Linear?")) ? "yes" : "no";
}

function ofTeam(all: readonly WorkspacePlan[], named: string): readonly WorkspacePlan[] {
  const found = all
    .map(({ workspace, boards }) => ({
      workspace,
      boards: boards.filter(
        ({ team }) => team.key.toLowerCase() === named.toLowerCase() || team.id === named,
      ),
    }))
    .filter(({ boards }) => boards.length > 0);
  if (found.length > 0) return found;
  const seen = all.flatMap(({ workspace, boards }) => boards.map(({ team }) => placeOf(workspace, team)));
  throw new Failure(
    exitCodes.notFound,
    `the app sees no team ${named}; it sees ${seen.length === 0 ? "none" : seen.join(", ")}. To let it in: Linear, Settings, Applications, the app, Team access`,
  );
}

const wantedOn = (workspace: BoardedWorkspace, board: BoardPlan): readonly Wanted[] => [
  ...board.newStates.map(({ name }) => ({ workspace, board, is: "state", name }) as const),
  ...board.newLabels.map(({ name }) => ({ workspace, board, is: "label", name }) as const),
];

/** States that are another team's are made there. */
function inherited({ team, states }: BoardPlan): readonly Finding[] {
  const missing = states.filter(({ by }) => by === "category" || by === "nothing");
  if (team.statesOf === undefined || missing.length === 0) return [];
  return [
    warn(
      `${team.key} has the states of its parent team ${team.statesOf}: ${missing.map(({ name }) => name).join(", ")} can only be created there`,
      `${command} --team ${team.statesOf}`,
    ),
  ];
}

/** Creates what one board lacks. What Linear refuses is told, and the rest is created all the same. */
async function create(
  linear: LinearBoards,
  workspace: BoardedWorkspace,
  board: BoardPlan,
): Promise<{ readonly created: readonly Wanted[]; readonly refused: readonly Finding[] }> {
  const created: Wanted[] = [];
  const refused: Finding[] = [];
  const { team } = board;
  const steps = [
    ...board.newStates.map((state) => ({
      is: "state" as const,
      name: state.name,
      by: () => linear.createState(workspace.id, team.id, state),
      hand: `create it by hand in Linear: Settings, Teams, ${team.name}, Issue statuses & automations (category ${categoryOf(state)})`,
    })),
    ...board.newLabels.map((label) => ({
      is: "label" as const,
      name: label.name,
      by: () => linear.createLabel(workspace.id, team.id, label),
      hand: `create it by hand in Linear: Settings, Teams, ${team.name}, Issue labels`,
    })),
  ];
  for (const { is, name, by, hand } of steps) {
    try {
      await by();
      created.push({ workspace, board, is, name });
    } catch (error) {
      // What passes ends the whole: the next run goes on where this one stopped.
      if (!(error instanceof Trouble) || !error.permanent) throw error;
      refused.push(
        bad(
          "permission",
          `${placeOf(workspace, team)}: the ${is} ${name} was not created: ${error.message}`,
          hand,
        ),
      );
    }
  }
  return { created, refused };
}

const categoryOf = ({ category }: NewState): string => category;

function told(setup: Setup, did: "told" | "created"): Answer {
  const { plans, wanted, created, findings } = setup;
  const tell = ({ workspace, board, is, name }: Wanted) => ({
    workspace: workspace.urlKey,
    team: board.team.key,
    is,
    name,
  });
  return {
    schema: "linear-setup/1",
    data: {
      did,
      workspaces: plans.map(({ workspace, boards }) => ({
        id: workspace.id,
        name: workspace.name,
        urlKey: workspace.urlKey,
        teams: boards.map(({ team, states, newStates, newLabels }) => ({
          id: team.id,
          key: team.key,
          name: team.name,
          states: states.map(({ ours, name, on, by }) => ({ ours, name, on: on ?? null, by })),
          newStates: newStates.map((state) => ({ ...state, position: state.position ?? null })),
          newLabels: newLabels.map(({ name, color, description }) => ({
            name,
            color: `#${color}`,
            description,
          })),
          automations: team.automations.map(({ event, state, targetBranch }) => ({
            event,
            to: state?.name ?? null,
            branch: targetBranch?.branchPattern ?? null,
          })),
        })),
      })),
      wanted: wanted.map(tell),
      created: created.map(tell),
      findings: findings.map(({ is, what, fix }) => ({ is, what, fix: fix ?? null })),
    },
    text: setupText(setup),
    exit: worstOf([{ title: "", findings }]),
  };
}
