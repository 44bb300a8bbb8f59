import { createHash } from "node:crypto";
import type { IssueValues, PromptValues } from "./config-template.ts";
import { clean, fence } from "./untrusted.ts";

/** An issue as the variables of Symphony tell of it, from what is known of the ticket. */
export function issueValues(
  issue: {
    readonly id: string;
    readonly ref: string;
    readonly title: string;
    readonly body: string;
    readonly url: string;
    readonly state: string;
    readonly branch: string;
    readonly priority?: number | null | undefined;
  },
  asked: Partial<Pick<IssueValues, "labels" | "blocked_by" | "updated_at">> = {},
): IssueValues {
  const text = clean(issue.body).trim();
  return {
    id: issue.id,
    identifier: issue.ref,
    title: clean(issue.title).replaceAll(/\s+/gu, " "),
    // Whoever opened the issue wrote it. No text holds its own hash, so none can end this quotation.
    description: text === "" ? null : fence({ nonce: hashOf(issue.body), about: "ticket", text: issue.body }),
    priority: issue.priority ?? null,
    state: issue.state,
    branch_name: issue.branch,
    url: issue.url,
    labels: asked.labels ?? [],
    blocked_by: asked.blocked_by ?? [],
    assignee_id: null,
    created_at: null,
    updated_at: asked.updated_at ?? null,
  };
}

/** `attempt` counts what came before it, as Symphony does: nothing the first time. */
export const attemptValue = (run: PromptValues["run"]): number | null => {
  const before = Math.max(Number(run.attempt), Number(run.round)) - 1;
  return before > 0 ? before : null;
};

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 32);
