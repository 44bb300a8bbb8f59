import { labels, runtimePrefix, workflowPrefix } from "../../bootstrap/labels.ts";
import type { Needs, Standing } from "./authorise.ts";
import { forbids } from "./authorise.ts";
import type { Facts, Interpretation } from "./facts.ts";
import type { Heard, Say } from "./heard.ts";
import { interpretCommand } from "./interpret-command.ts";
import { interpretMove } from "./interpret-move.ts";
import { interpretPull } from "./interpret-pull.ts";
import { interpretRemark } from "./interpret-remark.ts";
import { updateWanted } from "./interpret-self-update.ts";
import { canonicalName, choiceOf, isChoice, released, runtimeNamed, workflowNamed } from "./released.ts";

/** Which facts must be read before this hint can be interpreted; the ticket's own row is always at hand. */
export function factsNeeded(heard: Heard): {
  readonly [fact in "permission" | "issue" | "pull"]: "read" | "skip";
} {
  const { type } = heard.says;
  const speaks = speech.has(type) && heard.sender.kind === "person";
  return {
    permission: speaks ? "read" : "skip",
    issue: aboutIssue.has(type) ? "read" : "skip",
    pull: aboutPull.has(type) ? "read" : "skip",
  };
}

const speech: ReadonlySet<Say["type"]> = new Set([
  "released",
  "moved",
  "labelled",
  "unlabelled",
  "commented",
  "remarked",
  "button",
  "reviewed",
  "pull.disarmed",
]);
const aboutIssue: ReadonlySet<Say["type"]> = new Set([
  "released",
  "moved",
  "labelled",
  "unlabelled",
  "issue.edited",
  "issue.closed",
  "issue.reopened",
  "issue.deleted",
  "issue.transferred",
  "commented",
  "reviewed",
  "button",
]);
const aboutPull: ReadonlySet<Say["type"]> = new Set([
  // The issue of a merged pull request is closed by GitHub, in either order of the two deliveries.
  "issue.closed",
  "moved",
  "commented",
  "remarked",
  "reviewed",
  "button",
  "review.dismissed",
  "pull.closed",
  "pull.moved",
  "pull.retargeted",
  "pull.disarmed",
  "checks.changed",
]);

/** A hint plus fresh facts → the events it comes to, or why not. Pure. */
export function interpret(heard: Heard, facts: Facts): Interpretation {
  const standing = { sender: heard.sender, permission: facts.permission, allowBots: facts.allowBots };
  if (speech.has(heard.says.type) && heard.sender.kind === "forgehand") return { ignored: "our own voice" };
  const { says } = heard;
  switch (says.type) {
    case "labelled":
    case "unlabelled":
      if (!("issue" in heard.target))
        return { ignored: "labels count on the issue, not on its pull request" };
      return says.type === "labelled"
        ? labelled(says, standing, facts)
        : unlabelled(says.label, standing, facts);
    case "released": {
      const forbidden = forbids(standing, "triage");
      return forbidden === undefined
        ? ready(facts, says.spec)
        : { refused: `delegated: ${forbidden}`, events: [] };
    }
    case "moved":
      return interpretMove(says, standing, facts);
    case "issue.edited":
    case "issue.closed":
    case "issue.reopened":
    case "issue.deleted":
    case "issue.transferred":
      return aboutTheIssue(heard, says, facts);
    case "commented":
      return interpretCommand({ ...says, standing }, facts);
    case "button":
      return interpretCommand(
        { comment: undefined, button: says.identifier, wroteOn: says.head, standing },
        facts,
      );
    case "remarked":
      return interpretRemark(says, standing, facts);
    case "reviewed":
    case "review.dismissed":
    case "pull.closed":
    case "pull.moved":
    case "pull.retargeted":
    case "pull.disarmed":
    case "checks.changed":
      return interpretPull(says, standing, facts);
    case "pull.dequeued":
      return { ignored: "the merge queue let it go; the merge that waits looks why" };
    case "pull.opened":
    case "pull.reopened":
    case "config.changed":
    case "merge.grouped":
    case "installed":
    case "uninstalled":
    case "repo.renamed":
      return { ignored: `${says.type} is about no ticket` };
  }
}

type Labelled = Extract<Say, { type: "labelled" }>;

function labelled({ label, spec }: Labelled, standing: Standing, facts: Facts): Interpretation {
  const { issue } = facts;
  if (issue === undefined) return { ignored: "the issue is gone" };
  if (!issue.labels.includes(label)) return { ignored: `the label ${label} is no longer there` };
  if (!issue.open) return { ignored: "the issue is closed" };
  const name = canonicalName(label, facts.labels);
  if (name === undefined && !isChoice(label)) return { ignored: `${label} is no label of ours` };
  const needs: Needs | "forgehand" = name === undefined ? "triage" : labels[name].setBy;
  if (needs === "forgehand") return { ignored: `${label} is set by forgehand itself` };
  const forbidden = forbids(standing, needs);
  if (forbidden !== undefined) return { refused: `label ${label}: ${forbidden}`, events: [] };
  switch (name) {
    case "agent-ready":
      return ready(facts, spec);
    case "auto-merge":
      return { events: [{ type: "automerge.set", on: true }] };
    case "forgehand:halt":
      return { events: [{ type: "halt.raised" }] };
    case "forgehand:halt-all":
      return { halt: "raised" };
    case "forgehand:self-update":
      return { update: updateWanted(standing.sender, spec, facts) };
    case "forgehand:hard-reset":
      return { events: [{ type: "operator.reset" }] };
    case "forgehand:do-not-dispatch":
      return { events: [{ type: "hold.set", on: true }] };
    case "runtime/codex":
    case "runtime/claude-code":
    case undefined:
      return picked(label, facts);
    case "needs-spec":
    case "harness-blocked":
      return { ignored: `${label} is set by forgehand itself` };
  }
}

function unlabelled(label: string, standing: Standing, facts: Facts): Interpretation {
  if (facts.issue?.labels.includes(label) === true) return { ignored: `the label ${label} is there again` };
  const name = canonicalName(label, facts.labels);
  if (name === undefined && !isChoice(label)) return { ignored: `${label} is no label of ours` };
  const needs = name === undefined ? "triage" : labels[name].removedBy;
  const forbidden = needs === "anyone" ? undefined : forbids(standing, needs);
  if (forbidden !== undefined) return { refused: `removing label ${label}: ${forbidden}`, events: [] };
  switch (name) {
    case "agent-ready":
      return { events: [{ type: "ready.revoked" }] };
    case "auto-merge":
      return { events: [{ type: "automerge.set", on: false }] };
    case "harness-blocked":
      return { events: [{ type: "operator.retried" }] };
    case "forgehand:halt":
      return { events: [{ type: "halt.lifted" }] };
    case "forgehand:halt-all":
      return { halt: "lifted" };
    case "forgehand:do-not-dispatch":
      return { events: [{ type: "hold.set", on: false }] };
    case "runtime/codex":
    case "runtime/claude-code":
    case undefined:
      return { events: [choiceOf(facts)] };
    case "needs-spec":
    case "forgehand:hard-reset":
    case "forgehand:self-update":
      return { ignored: `removing ${label} changes nothing` };
  }
}

function ready(facts: Facts, spec: Labelled["spec"]): Interpretation {
  if (facts.issue?.labels.includes(facts.labels["forgehand:self-update"]) === true)
    return { ignored: "it asks for an update of forgehand, which no agent builds" };
  const release = released(facts, spec);
  return "why" in release ? { ignored: release.why } : release;
}

function picked(label: string, facts: Facts): Interpretation {
  const isWorkflow = label.startsWith(workflowPrefix);
  const found = isWorkflow ? workflowNamed(label, facts) : runtimeNamed(label, facts);
  if (found !== undefined) return { events: [choiceOf(facts)] };
  const known = isWorkflow
    ? facts.workflows.map((name) => workflowPrefix + name)
    : facts.runtimes.map((name) => runtimePrefix + name);
  const there = known.length === 0 ? "none is configured" : `there is ${known.join(", ")}`;
  const what = isWorkflow ? "workflow" : "runtime";
  return { refused: `label ${label}: there is no such ${what}; ${there}`, events: [] };
}

type IssueSay = Extract<Say, { type: `issue.${string}` }>;

function aboutTheIssue(heard: Heard, says: IssueSay, facts: Facts): Interpretation {
  const { issue, pull, ticket, spec } = facts;
  if (ticket === undefined) return { ignored: "no ticket" };
  const own = heard.sender.kind === "forgehand";
  switch (says.type) {
    case "issue.edited":
      // Whoever edited: what was released is no longer what stands there.
      if (spec === undefined) return { ignored: "the issue is gone" };
      if (spec === ticket.spec) return { ignored: "the released text stands" };
      return { events: [{ type: "spec.edited", spec }] };
    case "issue.closed":
      if (pull?.merged !== undefined)
        return { events: [{ type: "pr.merged", head: pull.head, merge: pull.merged }] };
      if (own) return { ignored: "our own voice" };
      if (issue?.open === true) return { ignored: "the issue is open again" };
      return {
        events: [{ type: "ticket.cancelled", why: `@${heard.sender.login} closed the issue as ${says.how}` }],
      };
    case "issue.reopened":
      if (own) return { ignored: "our own voice" };
      return issue?.open === true
        ? { events: [{ type: "ticket.reopened" }] }
        : { ignored: "the issue is closed again" };
    case "issue.deleted":
    case "issue.transferred": {
      if (issue !== undefined) return { ignored: "the issue is still there" };
      const why = says.type === "issue.deleted" ? "the issue was deleted" : `the issue moved to ${says.to}`;
      return { events: [{ type: "ticket.cancelled", why }] };
    }
  }
}
