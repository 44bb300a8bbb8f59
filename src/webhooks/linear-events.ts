/** The types of Linear's webhooks that `read-linear.ts` reads; all others are acknowledged and not kept. */
const read: ReadonlySet<string> = new Set([
  "Issue",
  "Comment",
  "IssueLabel",
  "AgentSessionEvent",
  "OAuthApp",
  "PermissionChange",
]);

/** Whether a webhook of this type is worth storing: somebody reads it. */
export function isReadOfLinear(type: string): boolean {
  return read.has(type);
}
