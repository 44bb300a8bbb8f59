import { linearIssues, type LinearIssuesOptions } from "../../src/adapters/linear/linear.ts";
import type { BoardNames } from "../../src/ports-linear.ts";
import type { LinearIssues } from "../../src/ports-linear-issues.ts";
import type { LinearAccess } from "../../src/ports-linear.ts";
import type { Key } from "../../src/ports.ts";
import type { SimIssue, SimOrganization } from "../../src/simulator/linear/world.ts";
import { stand, type Stand } from "../simulator/linear/stand.ts";

/** The adapter as the installed app, on the stand's Linear. */
export interface LinearStage extends Stand {
  readonly issues: LinearIssues;
  /** Token of each workspace, and those asked for after a refusal. */
  readonly tokens: Map<string, string>;
  readonly refused: string[];
  readonly memory: Map<string, string>;
  readonly writes: string[];
  /** What teams call our states, by key of the team. */
  readonly boards: Map<string, BoardNames>;
  ref(issue: SimIssue): { readonly workspace: string; readonly issue: string };
  /** Roots of all requests since the last time. */
  asked(): readonly string[];
}

export const key = (text: string): Key => text as Key;

export async function linearStage(options: Parameters<typeof stand>[0] = {}): Promise<LinearStage> {
  const s = await stand(options);
  const tokens = new Map<string, string>([[s.acme.id, s.accessToken]]);
  const refused: string[] = [];
  const memory = new Map<string, string>();
  const writes: string[] = [];
  const boards = new Map<string, BoardNames>();
  const accessTo = (workspace: string): LinearAccess => {
    const token = tokens.get(workspace);
    if (token === undefined)
      return {
        is: "signed-out",
        workspace,
        name: "Acme",
        since: undefined,
        why: "revoked",
        fix: "auth linear",
      };
    return {
      is: "granted",
      token,
      as: token.startsWith("lin_api_") ? "person" : "app",
      expiresAt: undefined,
    };
  };
  const given: LinearIssuesOptions = {
    apiUrl: s.linear.apiUrl,
    clock: s.clock,
    tokens: {
      accessToken: async (workspace) => accessTo(workspace),
      replace: async (workspace, old) => {
        refused.push(old);
        return accessTo(workspace);
      },
    },
    remember: {
      get: async (name) => memory.get(name),
      set: async (name, value) => void memory.set(name, value),
    },
    scrub: (text) => text.replaceAll("hunter2", "[removed]"),
    onWrite: ({ operation }) => void writes.push(operation),
    vocabulary: [
      { label: "agent-ready", name: "agent-ready", color: "0e8a16", description: "Released" },
      { label: "needs-spec", name: "needs-spec", color: "fbca04", description: "" },
    ],
    boardNames: ({ key: team }) => boards.get(team) ?? {},
  };
  let seen = 0;
  return {
    ...s,
    issues: linearIssues(given),
    tokens,
    refused,
    memory,
    writes,
    boards,
    ref: (issue) => ({ workspace: organization(issue).id, issue: issue.id }),
    asked: () => {
      const calls = s.linear.calls.slice(seen).flatMap(({ roots }) => roots);
      seen = s.linear.calls.length;
      return calls;
    },
  };
}

const organization = (issue: SimIssue): SimOrganization => issue.team.organization;

/** The Trouble a deed ends in. */
export async function trouble(work: () => Promise<unknown>): Promise<{
  readonly code: string;
  readonly message: string;
  readonly permanent: boolean;
  readonly retryAt: number | undefined;
}> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Error && error.name === "Trouble") return error as never;
    throw error;
  }
  throw new Error("there was no trouble");
}
