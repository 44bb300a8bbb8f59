import { z } from "zod";
import { readCommand, readMention } from "./command.ts";
import type { Hint, Say, Self } from "./heard.ts";

const Pull = z.object({
  number: z.number().int().positive(),
  head: z.object({ sha: z.string() }),
  base: z.object({ ref: z.string() }),
  merged: z.boolean().nullish(),
  merge_commit_sha: z.string().nullish(),
});

const PullEvent = z.object({
  action: z.string(),
  pull_request: Pull,
  label: z.object({ name: z.string() }).optional(),
  changes: z.object({ base: z.unknown().optional() }).optional(),
});

/** `pull_request`: where its head is, whether it is open, and what it aims at. */
export function readPullRequest(payload: unknown): readonly Hint[] {
  const event = PullEvent.safeParse(payload);
  if (!event.success) return [];
  const says = sayOf(event.data);
  return says === undefined ? [] : [{ target: { pull: event.data.pull_request.number }, says }];
}

function sayOf({ action, pull_request: pull, label, changes }: z.infer<typeof PullEvent>): Say | undefined {
  const head = pull.head.sha;
  switch (action) {
    case "opened":
      return { type: "pull.opened", head };
    case "reopened":
      return { type: "pull.reopened", head };
    case "synchronize":
      return { type: "pull.moved", head };
    case "closed":
      return {
        type: "pull.closed",
        merge: pull.merged === true ? (pull.merge_commit_sha ?? undefined) : undefined,
      };
    case "edited":
      return changes?.base === undefined ? undefined : { type: "pull.retargeted", base: pull.base.ref };
    case "dequeued":
      return { type: "pull.dequeued" };
    case "auto_merge_disabled":
      return { type: "pull.disarmed" };
    case "labeled":
      return label && { type: "labelled", label: label.name };
    case "unlabeled":
      return label && { type: "unlabelled", label: label.name };
    default:
      return undefined;
  }
}

const ReviewEvent = z.object({
  action: z.string(),
  pull_request: z.object({ number: z.number().int().positive() }),
  review: z.object({
    id: z.number().int(),
    state: z.string(),
    commit_id: z.string().nullable(),
    body: z.string().nullable(),
    submitted_at: z.iso.datetime({ offset: true }).nullish(),
    user: z.object({ login: z.string() }).nullable(),
  }),
});

/** Webhooks write these in lower case, REST in upper. */
const stances: Readonly<Record<string, "approved" | "objected" | "commented">> = {
  approved: "approved",
  changes_requested: "objected",
  commented: "commented",
};

/** `pull_request_review`: a person's stance on one head, and a command in the review's body. */
export function readReview(payload: unknown, self: Self): readonly Hint[] {
  const event = ReviewEvent.safeParse(payload);
  if (!event.success) return [];
  const { action, pull_request: pull, review } = event.data;
  const head = review.commit_id;
  // GitHub forgets the commit of a review when it is pushed away; then it is about no head we could name.
  if (head === null) return [];
  const target = { pull: pull.number };
  const at = typeof review.submitted_at === "string" ? { at: Date.parse(review.submitted_at) } : {};
  if (action === "dismissed") {
    const by = review.user?.login ?? "ghost";
    return [{ target, says: { type: "review.dismissed", head, by, review: review.id, ...at } }];
  }
  const state = stances[review.state.toLowerCase()];
  if (action !== "submitted" || state === undefined) return [];
  const body = review.body ?? "";
  const command = readCommand(body) ?? readMention(body, self.botLogin);
  if (state === "commented" && command === undefined) return [];
  const comment = { kind: "review", id: review.id, thread: pull.number } as const;
  return [{ target, says: { type: "reviewed", state, head, body, comment, command, ...at } }];
}

const ReviewCommentEvent = z.object({
  action: z.string(),
  pull_request: z.object({ number: z.number().int().positive() }),
  comment: z.object({
    id: z.number().int(),
    body: z.string(),
    path: z.string().nullish(),
    line: z.number().int().nullish(),
    original_line: z.number().int().nullish(),
    in_reply_to_id: z.number().int().nullish(),
    pull_request_review_id: z.number().int().nullish(),
    commit_id: z.string(),
    /** GitHub carries `commit_id` along with later pushes; this one stays where the person looked. */
    original_commit_id: z.string().nullish(),
  }),
});

/**
 * `pull_request_review_comment`: words on lines of the diff, or a command, which stands on the commit it was written on.
 * Comments of a review that is not submitted yet are told to nobody.
 */
export function readReviewComment(payload: unknown, self: Self): readonly Hint[] {
  const event = ReviewCommentEvent.safeParse(payload);
  if (!event.success || event.data.action !== "created") return [];
  const { pull_request: pull, comment } = event.data;
  const command = readCommand(comment.body) ?? readMention(comment.body, self.botLogin);
  if (command === undefined) {
    if (typeof comment.path !== "string") return [];
    const line = comment.line ?? comment.original_line;
    const review = comment.pull_request_review_id;
    const on = {
      root: comment.in_reply_to_id ?? comment.id,
      comment: comment.id,
      path: comment.path,
      ...(typeof line === "number" ? { line } : {}),
      ...(typeof review === "number" ? { review } : {}),
    };
    return [{ target: { pull: pull.number }, says: { type: "remarked", on, body: comment.body } }];
  }
  const where = { kind: "inline", id: comment.id, thread: pull.number } as const;
  return [
    {
      target: { pull: pull.number },
      says: {
        type: "commented",
        comment: where,
        command,
        wroteOn: comment.original_commit_id ?? comment.commit_id,
      },
    },
  ];
}
