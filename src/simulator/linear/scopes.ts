import type { SimToken } from "./context.ts";

/** Mutations that a narrower scope than `write` allows too, or that need a wider one. */
const narrower: Readonly<Record<string, string>> = {
  issueCreate: "issues:create",
  attachmentCreate: "issues:create",
  attachmentLinkURL: "issues:create",
  attachmentLinkGitHubPR: "issues:create",
  commentCreate: "comments:create",
};
const needsAdmin = /^(webhook|organization|integration)/;
const speaksAsAgent =
  /^(agentActivityCreate|agentSessionCreateOnIssue|agentSessionCreateOnComment|agentSessionUpdate.*)$/;

/** The scope that a request lacks, if any: mutations need `write`, or just what they do. */
export function missingScope(
  token: SimToken,
  operation: string,
  roots: readonly string[],
): string | undefined {
  const has = (scope: string): boolean => token.scopes.includes(scope) || token.scopes.includes("admin");
  if (operation !== "mutation") return has("read") ? undefined : "read";
  for (const root of roots) {
    const narrow = narrower[root];
    if (needsAdmin.test(root) && !has("admin")) return "admin";
    if (!has("write") && (narrow === undefined || !has(narrow))) return narrow ?? "write";
    if (speaksAsAgent.test(root) && !has("app:assignable") && !has("app:mentionable"))
      return "app:assignable";
  }
  return undefined;
}
