import type { Actor, Linear } from "./context.ts";
import { changeIssue, firstOf } from "./issues.ts";
import { attach } from "./settings.ts";
import {
  born,
  isIdentifier,
  type SimGitAutomation,
  type SimIntegration,
  type SimIssue,
  type SimOrganization,
  type SimState,
  type SimTeam,
  type SimUser,
} from "./world.ts";

/** Moments of a pull request at which Linear may move cards. */
export type GitMoment = "draft" | "start" | "review" | "mergeable" | "merge";

/** A pull request as far as Linear reads it: cards are named by its branch, title or text. */
export interface LinkedPull {
  readonly url: string;
  readonly number: number;
  readonly title: string;
  readonly body?: string;
  readonly branch: string;
}
/** Linear's own GitHub integration, which moves cards by itself, as another actor than any person or app. */
export interface GitHubAutomation {
  /** Stops moving cards; links are still made. */
  isOn: boolean;
  /** Where a team's cards go at a moment; nowhere when undefined. */
  rule(team: SimTeam, moment: GitMoment, to: SimState | undefined): void;
  opened(pull: LinkedPull, how?: "draft"): void;
  readyForReview(pull: LinkedPull): void;
  mergeable(pull: LinkedPull): void;
  merged(pull: LinkedPull): void;
  /** Reads a webhook of GitHub's; any but those of pull requests means nothing to it. */
  hear(event: string, payload: unknown): void;
}

/**
 * Connects a workspace to GitHub: each team's cards move to its first started state when a pull request opens, to its
 * first completed one when it merges.
 */
export function connectGitHub(
  linear: Linear,
  organization: SimOrganization,
  creator: SimUser,
): GitHubAutomation {
  const { world } = linear;
  const { tables } = world;
  const integration: SimIntegration = {
    ...born(world, "Integration", undefined),
    organization,
    creator,
    service: "github",
  };
  tables.Integration.push(integration);
  const actor: Actor = { is: "integration", id: integration.id, service: "github" };
  const rule = (team: SimTeam, event: GitMoment, state: SimState | undefined): void => {
    const old = tables.GitAutomationState.find((one) => one.team === team && one.event === event);
    if (old !== undefined) old.state = state;
    else {
      const automation: SimGitAutomation = {
        ...born(world, "GitAutomationState", undefined),
        team,
        event,
        state,
      };
      tables.GitAutomationState.push(automation);
    }
  };
  for (const team of tables.Team.filter((one) => one.organization === organization)) {
    rule(team, "start", firstOf(linear, team, "started"));
    rule(team, "merge", firstOf(linear, team, "completed"));
  }
  const linked = (pull: LinkedPull, closingOnly: boolean): readonly SimIssue[] =>
    tables.Issue.filter(
      (issue) =>
        issue.team.organization === organization &&
        issue.archivedAt === undefined &&
        namesIn(pull, closingOnly).some((name) => isIdentifier(issue, name)),
    );
  const moves = (pull: LinkedPull, moment: GitMoment): void => {
    for (const issue of linked(pull, false)) {
      const { url, number, title } = pull;
      attach(
        linear,
        {
          id: undefined,
          issue,
          url,
          title,
          subtitle: `#${number}`,
          metadata: { status: moment, number, branch: pull.branch },
          sourceType: "github",
          groupBySource: false,
        },
        actor,
      );
    }
    if (!automation.isOn) return;
    for (const issue of linked(pull, moment === "merge")) {
      const to = tables.GitAutomationState.find(
        (one) => one.team === issue.team && one.event === moment,
      )?.state;
      if (to !== undefined && to.archivedAt === undefined) changeIssue(linear, issue, { state: to }, actor);
    }
  };
  const automation: GitHubAutomation = {
    isOn: true,
    rule,
    opened: (pull, how) => moves(pull, how === "draft" ? "draft" : "start"),
    readyForReview: (pull) => moves(pull, "review"),
    mergeable: (pull) => moves(pull, "mergeable"),
    merged: (pull) => moves(pull, "merge"),
    hear: (event, payload) => {
      const { action, pull_request: pull } = payload as { action?: string; pull_request?: GitHubPull };
      if (event !== "pull_request" || pull === undefined) return;
      const { html_url: url, number, title, body, head, merged, draft } = pull;
      const read: LinkedPull = { url, number, title, body: body ?? "", branch: head.ref };
      if (action === "opened" || action === "reopened") moves(read, draft ? "draft" : "start");
      if (action === "ready_for_review" || action === "review_requested") moves(read, "review");
      if (action === "closed" && merged) moves(read, "merge");
    },
  };
  return automation;
}

interface GitHubPull {
  readonly html_url: string;
  readonly number: number;
  readonly title: string;
  readonly body: string | null;
  readonly head: { readonly ref: string };
  readonly merged: boolean;
  readonly draft: boolean;
}

const identifier = "[a-z][a-z0-9]*-\\d+";
const closing = "close[sd]?|closing|fix(?:e[sd]|ing)?|resolve[sd]?|resolving|complete[sd]?|completing";
const linking = "ref(?:s|erences)?|part of|related to|relates to|contributes to|towards?";

/** Identifiers a pull request names; after words that only link, a merge completes nothing. */
function namesIn({ branch, title, body = "" }: LinkedPull, closingOnly: boolean): readonly string[] {
  const words = closingOnly ? closing : `${closing}|${linking}`;
  const said = [
    ...`${title}\n${body}`.matchAll(new RegExp(`\\b(?:${words})\\s*:?\\s+(${identifier})\\b`, "gi")),
  ];
  const named = [branch, title].flatMap((text) => text.match(new RegExp(`\\b${identifier}\\b`, "gi")) ?? []);
  return [...named, ...said.map(([, name = ""]) => name)];
}
