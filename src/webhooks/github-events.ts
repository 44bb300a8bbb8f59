/** The GitHub events the App subscribes to and `read-github.ts` reads; `app.yml` lists the same (tested). */
export const subscribedEvents = [
  "check_run",
  "check_suite",
  "issue_comment",
  "issues",
  "merge_group",
  "pull_request",
  "pull_request_review",
  "pull_request_review_comment",
  "pull_request_review_thread",
  "push",
  "repository",
  "status",
] as const;

/** Events GitHub sends to every App; a manifest may not list them. */
export const givenEvents = ["installation", "installation_repositories"] as const;

export type GitHubEvent = (typeof subscribedEvents)[number] | (typeof givenEvents)[number];

const known: ReadonlySet<string> = new Set([...subscribedEvents, ...givenEvents]);

/** Whether a delivery of this name is worth storing: somebody reads it. */
export function isRead(name: string): name is GitHubEvent {
  return known.has(name);
}
