/** The operator's file on Linear: which repositories are offered, where tickets go, what teams call our states, who is who. */
import { z } from "zod";
import { readYaml } from "./config-yaml.ts";
import { nearest } from "./nearest.ts";
import { usualBoard, type BoardNames } from "./ports-linear.ts";
import { Problem } from "./problems.ts";
import { states as ourStates, type State } from "./state-machine/ticket.ts";
import type { RepositoryRoute } from "./state-machine/which-repository.ts";

/** What the operator says of Linear's boards. Workspaces come and go by the id of their organisation. */
export interface LinearBoardRules {
  /** `owner/name` of what tickets of this workspace may be built in, spelt as it is installed. */
  offeredTo(workspace: string, installed: readonly string[]): readonly string[];
  readonly routes: readonly RepositoryRoute[];
  /** What this team calls our states; what is left out has its usual name. */
  namesOf(team: { readonly workspace: string; readonly id: string; readonly key: string }): BoardNames;
  /** The GitHub login of somebody who has not linked their account. */
  loginOf(person: { readonly id: string; readonly email?: string | undefined }): string | undefined;
}

/** The rules, and what they speak of, so that it can be held against what there is. */
export interface LinearFile extends LinearBoardRules {
  /** Every workspace is offered every repository. */
  readonly offersAll: boolean;
  /** Ids. */
  readonly workspaces: readonly string[];
  /** By key, or in routes by id; of any workspace when it names none. */
  readonly teams: readonly { readonly workspace: string | undefined; readonly team: string }[];
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu;
const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

const repository = z
  .string()
  .regex(/^[A-Za-z0-9][\w-]{0,99}\/[\w.-]{1,100}$/u, "a repository is named `owner/name`");
const name = z.string().trim().min(1, "a name is expected").max(200, "it is too long");
const login = z.string().regex(/^[A-Za-z0-9][\w-]{0,99}$/u, "a GitHub login without @ is expected");
const repositories = z.array(repository).max(1000);
const route = z
  .strictObject({ workspace: name.optional(), team: name.optional(), project: name.optional(), repository })
  .refine(({ team, project }) => team !== undefined || project !== undefined, {
    error: "a route names a `team`, a `project`, or both",
  });
const shape = z.strictObject({
  workspaces: z
    .record(
      z.string(),
      z
        .string()
        .regex(uuid, "the id of a workspace (a UUID) is expected; `forgehand auth linear --status` shows it"),
    )
    .default({}),
  repositories: z
    .union([repositories, z.record(z.string(), repositories)], {
      error: "a list of `owner/name`, or such lists by workspace",
    })
    .optional(),
  routes: z.array(route).max(1000).default([]),
  states: z.record(z.string(), z.record(z.string(), name)).default({}),
  people: z.record(z.string(), login).default({}),
});
type Shape = z.infer<typeof shape>;
/** Says what is wrong, and at which key. */
type Wrong = (path: readonly PropertyKey[], why: string) => void;

const file = shape.superRefine((read, context) => {
  const wrong: Wrong = (path, message) => {
    context.addIssue({ code: "custom", path: [...path], message });
  };
  refuseWorkspaces(read, wrong);
  refuseRoutes(read, wrong);
  refuseStates(read, wrong);
  refusePeople(read, wrong);
});

/**
 * Reads the operator's file on Linear; throws a `Problem` with the place of what is wrong. Undefined: there is no such
 * file, and every workspace is offered everything.
 */
export function readLinearFile(path: string, text: string | undefined): LinearFile {
  const read = readYaml(file, text ?? "");
  if ("problems" in read) {
    const [first] = read.problems;
    const place = first === undefined ? "" : `:${first.line}:${first.column}`;
    throw new Problem("linear-file-wrong", { path: path + place, why: first?.message ?? "it is malformed" });
  }
  return rulesOf(read.value);
}

function rulesOf(read: Shape): LinearFile {
  const people = new Map(Object.entries(read.people).map(([who, one]) => [who.toLowerCase(), one]));
  const boards = Object.entries(read.states).map(([team, names]) => ({ ...teamNamed(read, team), names }));
  const routes = read.routes.map(({ workspace, ...rest }) => ({
    ...rest,
    ...(workspace === undefined ? {} : { workspace: workspaceNamed(read, workspace) ?? workspace }),
  }));
  const teams = [
    ...boards.map(({ workspace, team }) => ({ workspace, team })),
    ...routes.flatMap(({ workspace, team }) => (team === undefined ? [] : [{ workspace, team }])),
  ];
  const named = [
    ...Object.values(read.workspaces),
    ...[...teams, ...routes, ...offers(read)].map(({ workspace }) => workspace),
  ];
  return {
    offersAll: read.repositories === undefined,
    workspaces: [...new Set(named.flatMap((id) => id?.toLowerCase() ?? []))],
    teams,
    offeredTo: (workspace, installed) => {
      const offered = offers(read).filter(
        (one) => one.workspace === undefined || one.workspace === workspace,
      );
      if (read.repositories === undefined) return installed;
      return installed.filter((one) => offered.some(({ repository: other }) => same(one, other)));
    },
    routes,
    namesOf: ({ workspace, key }) => {
      const of = (one: string | undefined) =>
        boards.find((board) => board.workspace === one && same(board.team, key))?.names;
      return { ...of(undefined), ...of(workspace) };
    },
    loginOf: ({ id, email }) =>
      people.get(id.toLowerCase()) ?? (email === undefined ? undefined : people.get(email.toLowerCase())),
  };
}

/** Ids of workspaces are compared as Linear writes them: in small letters. */
const workspaceNamed = ({ workspaces }: Shape, named: string): string | undefined =>
  uuid.test(named)
    ? named.toLowerCase()
    : Object.entries(workspaces)
        .find(([one]) => same(one, named))?.[1]
        .toLowerCase();

/** `ENG`, or `acme/ENG` for the team of one workspace. */
function teamNamed(read: Shape, text: string) {
  const slash = text.indexOf("/");
  return slash < 0
    ? { workspace: undefined, team: text }
    : { workspace: workspaceNamed(read, text.slice(0, slash)), team: text.slice(slash + 1) };
}

/** Each repository that is offered, and to which workspace; to all when undefined. */
function offers(
  read: Shape,
): readonly { readonly workspace: string | undefined; readonly repository: string }[] {
  const { repositories: listed = [] } = read;
  if (Array.isArray(listed)) return listed.map((one) => ({ workspace: undefined, repository: one }));
  return Object.entries(listed).flatMap(([workspace, some]) =>
    // A name that means nobody is refused when the file is read.
    some.map((one) => ({ workspace: workspaceNamed(read, workspace) ?? workspace, repository: one })),
  );
}

function refuseWorkspaces(read: Shape, wrong: Wrong): void {
  const known = Object.keys(read.workspaces);
  for (const one of known) {
    const twin = known.find((other) => other !== one && same(other, one));
    if (uuid.test(one) || one.trim() === "" || one.includes("/"))
      wrong(["workspaces", one], "a word of your own for the workspace is expected, such as its URL key");
    else if (twin !== undefined) wrong(["workspaces", one], `\`${twin}\` is the same name`);
  }
  const check = (path: readonly PropertyKey[], named: string): void => {
    if (workspaceNamed(read, named) !== undefined) return;
    const meant = nearest(named, known);
    wrong(
      path,
      `no workspace is called \`${named}\`; ${meant === undefined ? `give its id, or name it under \`workspaces\` as \`${named}: ID\`` : `did you mean \`${meant}\`?`} \`forgehand auth linear --status\` shows the ids`,
    );
  };
  if (read.repositories !== undefined && !Array.isArray(read.repositories)) {
    const named = Object.keys(read.repositories);
    for (const one of named) {
      check(["repositories", one], one);
      const id = workspaceNamed(read, one);
      const twin = named.find(
        (other) => other !== one && id !== undefined && workspaceNamed(read, other) === id,
      );
      if (twin !== undefined) wrong(["repositories", one], `\`${twin}\` is the same workspace`);
    }
  }
  for (const [index, { workspace }] of read.routes.entries())
    if (workspace !== undefined) check(["routes", index, "workspace"], workspace);
  for (const text of Object.keys(read.states))
    if (text.includes("/")) check(["states", text], text.slice(0, text.indexOf("/")));
}

function refuseRoutes(read: Shape, wrong: Wrong): void {
  const offered = offers(read);
  const textOf = ({ workspace, team, project }: Shape["routes"][number]): string =>
    JSON.stringify([
      workspace === undefined ? null : (workspaceNamed(read, workspace) ?? workspace),
      team?.toLowerCase(),
      project?.toLowerCase(),
    ]);
  for (const [index, one] of read.routes.entries()) {
    const workspace = one.workspace === undefined ? undefined : workspaceNamed(read, one.workspace);
    const isOffered =
      read.repositories === undefined ||
      offered.some(
        (offer) =>
          same(offer.repository, one.repository) &&
          (workspace === undefined || offer.workspace === undefined || offer.workspace === workspace),
      );
    if (!isOffered)
      wrong(
        ["routes", index, "repository"],
        `\`${one.repository}\` is not offered${one.workspace === undefined ? "" : ` to \`${one.workspace}\``} under \`repositories\``,
      );
    const first = read.routes.findIndex((other) => textOf(other) === textOf(one));
    if (first < index) wrong(["routes", index], `the ${ordinal(first)} route sends the same tickets already`);
  }
}

const ordinal = (index: number): string => ["first", "second", "third"][index] ?? `${index + 1}th`;

/** To these a person drags a card and means something by it. */
const meantByDragging: readonly State[] = ["Backlog", "Ready", "Rework", "Merging", "Done", "Cancelled"];

function refuseStates(read: Shape, wrong: Wrong): void {
  const teams = Object.keys(read.states);
  for (const [team, names] of Object.entries(read.states)) {
    const { team: key, workspace } = teamNamed(read, team);
    const twin = teams.find((other) => {
      const { team: otherKey, workspace: otherWorkspace } = teamNamed(read, other);
      return other !== team && same(otherKey, key) && otherWorkspace === workspace;
    });
    if (!/^[\p{L}\p{N}_]{1,50}$/u.test(key))
      wrong(["states", team], "the key of a team is expected, such as `ENG`, or `acme/ENG` in one workspace");
    else if (twin !== undefined && teams.indexOf(twin) < teams.indexOf(team))
      wrong(["states", team], `\`${twin}\` is the same team`);
    for (const ours of Object.keys(names)) {
      if ((ourStates as readonly string[]).includes(ours)) continue;
      const meant = nearest(ours, ourStates);
      wrong(
        ["states", team, ours],
        `that is no state of ours; ${meant === undefined ? `they are ${ourStates.join(", ")}` : `did you mean \`${meant}\`?`}`,
      );
    }
    // A team of one workspace keeps what is said of its key alone.
    const general = workspace === undefined ? undefined : teams.find((other) => same(other, key));
    const all: BoardNames = { ...(general === undefined ? {} : read.states[general]), ...names };
    for (const [one, other, why] of sharedBy(all)) {
      const said = [other, one].find((ours) => Object.hasOwn(names, ours));
      if (said !== undefined) wrong(["states", team, said], why);
    }
  }
}

/** Where two of ours lie in one column, nobody can say by dragging which of them is meant. */
function sharedBy(names: BoardNames): readonly (readonly [State, State, string])[] {
  const wordsOf = (ours: State): readonly string[] => {
    const own = names[ours];
    return own === undefined ? usualBoard[ours].names : [own];
  };
  return ourStates.flatMap((one, index) =>
    ourStates.slice(index + 1).flatMap((other): readonly (readonly [State, State, string])[] => {
      const isMeant = [one, other].some((ours) => meantByDragging.includes(ours));
      const shared = wordsOf(one).find((word) => wordsOf(other).some((twin) => same(word, twin)));
      if (!isMeant || shared === undefined) return [];
      const silent = [one, other].find((ours) => names[ours] === undefined);
      const rest =
        silent === undefined
          ? ""
          : `; \`${silent}\` is looked for by that name, so give \`${silent}\` one of its own too`;
      const why = `\`${one}\` and \`${other}\` would share "${shared}", and a card dragged there could mean either`;
      return [[one, other, why + rest]];
    }),
  );
}

function refusePeople({ people }: Shape, wrong: Wrong): void {
  const known = Object.keys(people);
  for (const [index, who] of known.entries()) {
    if (!uuid.test(who) && !/^[^\s@]+@[^\s@]+$/u.test(who))
      wrong(["people", who], "the id of a person in Linear (a UUID) or their email address is expected");
    const twin = known.slice(0, index).find((other) => same(other, who));
    if (twin !== undefined) wrong(["people", who], `\`${twin}\` is the same person`);
  }
}
