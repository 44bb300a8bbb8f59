import { z } from "zod";
import type { GitHubEvent } from "./github-events.ts";
import { isRead } from "./github-events.ts";
import type { Heard, Hint, Readable, RepoHint, Say, Self, Sender } from "./heard.ts";
import { readIssueComment, readIssues } from "./read-issues.ts";
import { readCheckRun, readCheckSuite, readMergeGroup, readStatus } from "./read-checks.ts";
import { readPullRequest, readReview, readReviewComment } from "./read-pulls.ts";

/**
 * What a stored delivery hints at; empty when it is none of our business or no payload we know. Never throws:
 * a payload is somebody else's text.
 */
export function readGitHub(delivery: Readable, self: Self): readonly Heard[] {
  if (!isRead(delivery.name)) return [];
  const payload = parseJson(delivery.body);
  const envelope = Envelope.safeParse(payload);
  if (!envelope.success) return [];
  const sender = senderOf(envelope.data, self);
  const { repository, installation } = envelope.data;
  if (delivery.name === "installation" || delivery.name === "installation_repositories") {
    return readInstallation(payload, sender);
  }
  if (repository === undefined) return [];
  const repo = repoOf(repository, installation?.id);
  return readers[delivery.name](payload, self).map((hint) => ({ repo, sender, ...hint }));
}

type RepoEvent = Exclude<GitHubEvent, "installation" | "installation_repositories">;

const readers: Readonly<Record<RepoEvent, (payload: unknown, self: Self) => readonly Hint[]>> = {
  issues: readIssues,
  issue_comment: readIssueComment,
  pull_request: readPullRequest,
  pull_request_review: readReview,
  pull_request_review_comment: readReviewComment,
  // Subscribed so that resolving a thread can be read later; it changes nothing about a ticket today.
  pull_request_review_thread: () => [],
  check_run: readCheckRun,
  check_suite: readCheckSuite,
  status: readStatus,
  merge_group: readMergeGroup,
  push: readPush,
  repository: readRepository,
};

const RepositoryHint = z.object({
  id: z.number().int().positive(),
  full_name: z.string().regex(/^[^/\s]+\/[^/\s]+$/u),
  private: z.boolean().default(false),
  default_branch: z.string().optional(),
});
const Account = z.object({ login: z.string(), id: z.number().int(), type: z.string() });
const Envelope = z.object({
  repository: RepositoryHint.optional(),
  sender: Account.optional(),
  installation: z.object({ id: z.number().int().positive() }).nullish(),
  comment: z.object({ performed_via_github_app: z.object({ id: z.number() }).nullish() }).optional(),
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function repoOf(hint: z.infer<typeof RepositoryHint>, installation: number | undefined): RepoHint {
  const [owner = "", name = ""] = hint.full_name.split("/");
  return {
    id: hint.id,
    owner,
    name,
    installation,
    defaultBranch: hint.default_branch,
    private: hint.private,
  };
}

/** Whoever is not plainly a person counts as a bot: organisations, mannequins, nobody at all. */
function senderOf({ sender, comment }: z.infer<typeof Envelope>, self: Self): Sender {
  if (sender === undefined) return { login: "ghost", id: 0, kind: "bot" };
  const { login, id, type } = sender;
  if (type === "Bot" && login === self.botLogin) return { login, id, kind: "forgehand" };
  // An App may write in a person's name, and then nobody knows who spoke.
  const viaApp =
    comment?.performed_via_github_app !== null && comment?.performed_via_github_app !== undefined;
  return { login, id, kind: type === "User" && !login.endsWith("[bot]") && !viaApp ? "person" : "bot" };
}

const Push = z.object({
  ref: z.string(),
  after: z.string(),
  deleted: z.boolean().default(false),
  repository: z.object({ default_branch: z.string() }),
});

function readPush(payload: unknown): readonly Hint[] {
  const push = Push.safeParse(payload);
  if (!push.success || push.data.deleted) return [];
  const { ref, after, repository } = push.data;
  if (ref !== `refs/heads/${repository.default_branch}`) return [];
  return [{ target: { repo: "whole" }, says: { type: "config.changed", at: after } }];
}

const RepositoryEvent = z.object({
  action: z.string(),
  changes: z.object({ default_branch: z.unknown().optional() }).optional(),
});

function readRepository(payload: unknown): readonly Hint[] {
  const event = RepositoryEvent.safeParse(payload);
  if (!event.success) return [];
  const whole = (says: Say): readonly Hint[] => [{ target: { repo: "whole" }, says }];
  switch (event.data.action) {
    case "renamed":
    case "transferred":
      return whole({ type: "repo.renamed" });
    case "deleted":
      return whole({ type: "uninstalled" });
    case "edited":
      return event.data.changes?.default_branch === undefined
        ? []
        : whole({ type: "config.changed", at: undefined });
    default:
      return [];
  }
}

const Installation = z.object({
  action: z.string(),
  installation: z.object({ id: z.number().int().positive() }),
  repositories: z.array(RepositoryHint).nullish(),
  repositories_added: z.array(RepositoryHint).nullish(),
  repositories_removed: z.array(RepositoryHint).nullish(),
});
const arrives = new Set(["created", "unsuspend", "new_permissions_accepted"]);
const leaves = new Set(["deleted", "suspend"]);

function readInstallation(payload: unknown, sender: Sender): readonly Heard[] {
  const event = Installation.safeParse(payload);
  if (!event.success) return [];
  const { action, installation, repositories, repositories_added, repositories_removed } = event.data;
  const say = (
    hints: readonly z.infer<typeof RepositoryHint>[] | null | undefined,
    says: Say,
  ): readonly Heard[] =>
    (hints ?? []).map((hint) => ({
      repo: repoOf(hint, installation.id),
      target: { repo: "whole" },
      sender,
      says,
    }));
  return [
    ...say(repositories_added, { type: "installed" }),
    ...say(repositories_removed, { type: "uninstalled" }),
    ...(arrives.has(action) ? say(repositories, { type: "installed" }) : []),
    ...(leaves.has(action) ? say(repositories, { type: "uninstalled" }) : []),
  ];
}
