/** Facts and hints as a webhook's reading meets them: what is usual, and a test says what differs. */
import { defaultLabelNames } from "../../bootstrap/labels.ts";
import type { PullFacts, TicketFacts } from "../../src/ports.ts";
import { newTicket } from "../../src/state-machine/ticket.ts";
import type { Facts } from "../../src/webhooks/facts.ts";
import type { Heard, Say, Sender, Target } from "../../src/webhooks/heard.ts";

export const head = "a".repeat(40);
export const older = "b".repeat(40);
export const ticket = { ...newTicket("github:1#42"), head, pull: 43, spec: "old" };
export const issue: TicketFacts = {
  id: ticket.id,
  ref: "acme/web#42",
  number: 42,
  title: "Fix",
  body: "it",
  open: true,
  declined: false,
  labels: ["agent-ready"],
  author: "sam",
  url: "https://github.com/acme/web/issues/42",
  updatedAt: 0,
};
export const pull: PullFacts = {
  number: 43,
  url: "https://github.com/acme/web/pull/43",
  open: true,
  merged: undefined,
  draft: false,
  head,
  headBranch: "forgehand/42",
  base: older,
  baseBranch: "main",
  body: "",
  author: "forgehand[bot]",
  mergeable: "yes",
  armed: false,
  gateIsRequired: false,
  checks: "green",
  checkList: [],
  approvals: [],
};
export const facts = (change: Partial<Facts> = {}): Facts => ({
  permission: "write",
  bases: ["main"],
  allowBots: [],
  issue,
  spec: "new",
  pull,
  ticket,
  labels: defaultLabelNames,
  runtimes: ["claude-code", "codex"],
  workflows: ["docs", "careful"],
  checksSettled: "no",
  ...change,
});
export const person: Sender = { login: "alex", id: 7, kind: "person" };
export const bot: Sender = { login: "helper[bot]", id: 8, kind: "bot" };
export const own: Sender = { login: "forgehand[bot]", id: 9, kind: "forgehand" };
export const heard = (says: Say, sender: Sender = person, target: Target = { issue: 42 }): Heard => ({
  repo: { id: 1, owner: "acme", name: "web", installation: 5, defaultBranch: "main", private: false },
  target,
  sender,
  says,
});
export const withLabels = (...labels: string[]): TicketFacts => ({ ...issue, labels });
export const labelled = (label: string): Say => ({ type: "labelled", label });
