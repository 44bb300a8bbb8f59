/** What a token may be narrowed to; never more than `app.yml` asks for. */
export type Grant = Readonly<
  Partial<
    Record<
      | "metadata"
      | "contents"
      | "pull_requests"
      | "issues"
      | "checks"
      | "statuses"
      | "actions"
      | "merge_queues",
      "read" | "write"
    >
  >
>;

/** Every operation on GitHub, and the least that its token must carry. */
export const grants = {
  "read a pull request": {
    pull_requests: "read",
    checks: "read",
    statuses: "read",
    contents: "read",
  },
  "read a person's permission": { metadata: "read" },
  "open a pull request": { pull_requests: "write", contents: "read" },
  // GitHub wants `contents: write` too before a pull request may leave draft or be armed.
  "ask for a review": { pull_requests: "write", contents: "write" },
  "close a pull request": { pull_requests: "write" },
  "change the base of a pull request": { pull_requests: "write" },
  "arm or disarm a merge": { pull_requests: "write", contents: "write", merge_queues: "read" },
  "read how a merge stands": {
    pull_requests: "read",
    contents: "read",
    merge_queues: "read",
  },
  "put into a merge queue": { pull_requests: "write", contents: "write", merge_queues: "read" },
  "merge a pull request": { pull_requests: "write", contents: "write" },
  "delete a branch": { contents: "write" },
  "read an issue": { issues: "read" },
  "close or open an issue": { issues: "write" },
  "set labels": { issues: "write" },
  "write a comment": { issues: "write" },
  "react to a comment": { issues: "write" },
  "react to a review": { pull_requests: "write" },
  "write a check run": { checks: "write" },
  "read checks": { checks: "read", statuses: "read", contents: "read" },
  "read a job's log": { checks: "read", actions: "read" },
  "run checks again": { checks: "write", actions: "write" },
  "open an issue": { issues: "write" },
  "edit an issue": { issues: "write" },
  "post a review": { pull_requests: "write" },
  // GitHub wants `contents: write` too before a thread may be resolved.
  "settle findings": { pull_requests: "write", contents: "write" },
  "read review threads": { pull_requests: "read" },
  "reply in a review thread": { pull_requests: "write" },
  // GitHub resolves threads only for who may push.
  "resolve a review thread": { pull_requests: "write", contents: "write" },
  "read a file": { contents: "read" },
  "list repositories": { metadata: "read" },
  "fetch with git": { contents: "read" },
  "push with git": { contents: "write" },
} as const satisfies Readonly<Record<string, Grant>>;

export type Operation = keyof typeof grants;

/** `checks: write, contents: read`, sorted, so that equal grants share one token. */
export function grantText(grant: Grant): string {
  return Object.entries(grant)
    .map(([name, level]) => `${name}: ${level}`)
    .sort()
    .join(", ");
}
