import { slugOf } from "./payloads.ts";
import type { Linear, SimApp, SimToken } from "./context.ts";
import { addState } from "./settings.ts";
import {
  born,
  newId,
  type SimCycle,
  type SimOrganization,
  type SimProject,
  type SimState,
  type SimTeam,
  type SimUser,
  type StateCategory,
} from "./world.ts";

/** What a test puts there before anything happens; nobody is told of it. */
export interface Seeds {
  workspace(spec: {
    readonly name: string;
    readonly urlKey?: string;
    readonly guidance?: string;
  }): SimOrganization;
  user(
    organization: SimOrganization,
    spec: { readonly name: string; readonly admin?: true; readonly gitHubUserId?: string },
  ): SimUser;
  /** A team with Linear's usual states, or with those given: name and category, from left to right. */
  team(
    organization: SimOrganization,
    spec: {
      readonly key: string;
      readonly name?: string;
      readonly states?: readonly (readonly [string, StateCategory])[];
      readonly private?: true;
      readonly members?: readonly SimUser[];
      readonly guidance?: string;
    },
  ): SimTeam;
  state(team: SimTeam, name: string): SimState;
  cycle(
    team: SimTeam,
    spec: { readonly startsAt: number; readonly endsAt: number; readonly name?: string },
  ): SimCycle;
  project(
    organization: SimOrganization,
    spec: { readonly name: string; readonly teams: readonly SimTeam[] },
  ): SimProject;
  /** An OAuth application; `webhook.url` may be set later. */
  app(spec: {
    readonly name: string;
    readonly home: SimOrganization;
    readonly redirectUris?: readonly string[];
    readonly allowsClientCredentials?: true;
    readonly webhook?: {
      readonly url?: string;
      readonly secret?: string;
      readonly resourceTypes?: readonly string[];
    };
  }): SimApp;
  /** A personal API key. */
  apiKey(user: SimUser, scopes?: readonly string[]): string;
}

const usualStates: readonly (readonly [string, StateCategory])[] = [
  ["Backlog", "backlog"],
  ["Todo", "unstarted"],
  ["In Progress", "started"],
  ["In Review", "started"],
  ["Done", "completed"],
  ["Canceled", "canceled"],
  ["Duplicate", "duplicate"],
];
const usualResources = [
  "Issue",
  "Comment",
  "IssueLabel",
  "Attachment",
  "Reaction",
  "AgentSessionEvent",
  "PermissionChange",
];

export function seeds(linear: Linear): Seeds {
  const { world } = linear;
  const { tables } = world;
  return {
    workspace: ({ name, urlKey, guidance }) => {
      const organization: SimOrganization = {
        ...born(world, "Organization", undefined),
        name,
        urlKey: urlKey ?? slugOf(name),
        guidance,
      };
      tables.Organization.push(organization);
      return organization;
    },
    user: (organization, { name, admin, gitHubUserId }) => {
      const displayName = name.toLowerCase().replaceAll(/\s+/g, ".");
      const user: SimUser = {
        ...born(world, "User", undefined),
        organization,
        name,
        displayName,
        email: `${displayName}@${organization.urlKey}.example`,
        active: true,
        admin: admin === true,
        app: false,
        gitHubUserId,
      };
      tables.User.push(user);
      return user;
    },
    team: (organization, { key, name, states, private: isPrivate, members, guidance }) => {
      const team: SimTeam = {
        ...born(world, "Team", undefined),
        organization,
        key,
        name: name ?? key,
        private: isPrivate === true,
        cyclesEnabled: false,
        issueEstimationType: "linear",
        guidance,
        members: [...(members ?? [])],
        lastNumber: 0,
      };
      tables.Team.push(team);
      for (const [state, type] of states ?? usualStates) addState(linear, { team, name: state, type });
      return team;
    },
    state: (team, name) => {
      const found = tables.WorkflowState.find(
        (one) => one.team === team && one.name === name && one.archivedAt === undefined,
      );
      if (found === undefined) throw new Error(`team ${team.key} has no state ${name}`);
      return found;
    },
    cycle: (team, { startsAt, endsAt, name }) => {
      team.cyclesEnabled = true;
      const number = tables.Cycle.filter((one) => one.team === team).length + 1;
      const cycle: SimCycle = { ...born(world, "Cycle", undefined), team, number, name, startsAt, endsAt };
      tables.Cycle.push(cycle);
      return cycle;
    },
    project: (organization, { name, teams }) => {
      const project: SimProject = {
        ...born(world, "Project", undefined),
        organization,
        name,
        description: "",
        teams: [...teams],
      };
      tables.Project.push(project);
      return project;
    },
    app: ({ name, home, redirectUris, allowsClientCredentials, webhook }) => {
      const app: SimApp = {
        clientId: linear.secret().slice(0, 32),
        clientSecret: linear.secret(),
        name,
        home,
        redirectUris: redirectUris ?? [],
        allowsClientCredentials: allowsClientCredentials === true,
        webhook: {
          id: newId(world),
          url: webhook?.url,
          secret: webhook?.secret ?? `lin_wh_${linear.secret()}`,
          enabled: true,
          resourceTypes: webhook?.resourceTypes ?? usualResources,
        },
      };
      linear.apps.push(app);
      return app;
    },
    apiKey: (user, scopes = ["read", "write", ...(user.admin ? ["admin"] : [])]) => {
      const value = `lin_api_${linear.secret()}`;
      const token: SimToken = {
        value,
        is: "key",
        user,
        scopes,
        install: undefined,
        app: undefined,
        expiresAt: Number.POSITIVE_INFINITY,
      };
      linear.tokens.set(value, token);
      return value;
    },
  };
}
