import type { Hub } from "./context.ts";
import { changedFiles, placeInPatch } from "./changed-files.ts";
import { inlineOf, reviewOf, simplePullOf } from "./format.ts";
import { mergeArmed } from "./merging.ts";
import type { PullThread, SimInline, SimRepo, SimReview } from "./state.ts";
import { note } from "./threads.ts";

/** Stances as webhooks spell them; REST spells them in capitals. */
const spelled = {
  APPROVED: "approved",
  CHANGES_REQUESTED: "changes_requested",
  COMMENTED: "commented",
  DISMISSED: "dismissed",
} as const;

export interface Remark {
  readonly path: string;
  readonly line: number;
  /** Of several lines, the first. */
  readonly start_line?: number | undefined;
  readonly side?: "LEFT" | "RIGHT" | undefined;
  readonly body: string;
  readonly replyTo?: number | undefined;
}

const shown = (hub: Hub, repo: SimRepo, thread: PullThread): object =>
  simplePullOf(hub.state, repo, thread, hub.url);

/** Submits a review with its remarks, tells everybody, and merges what waited for it. */
export async function submitReview(
  hub: Hub,
  repo: SimRepo,
  thread: PullThread,
  review: Omit<SimReview, "id" | "at" | "reactions"> & { readonly remarks: readonly Remark[] },
): Promise<SimReview> {
  const { remarks, ...rest } = review;
  const made: SimReview = { ...rest, id: hub.id(), at: hub.now(), reactions: [] };
  thread.pull.reviews.push(made);
  thread.pull.requested = thread.pull.requested.filter((login) => login !== made.by);
  note(hub, thread, "reviewed", made.by);
  // Whoever asks when told of the review finds its comments there.
  const hung: SimInline[] = [];
  for (const remark of remarks)
    hung.push(await hang(hub, repo, thread, { by: made.by, head: made.head, review: made.id }, remark));
  hub.courier.send(repo, "pull_request_review", "submitted", made.by, {
    review: { ...reviewOf(hub.state, repo, thread, made), state: spelled[made.state] },
    pull_request: shown(hub, repo, thread),
  });
  for (const inline of hung) tellRemark(hub, repo, thread, inline);
  await mergeArmed(hub, repo);
  return made;
}

/** Changes what a review says; its stance and its comments stay. */
export function editReview(
  hub: Hub,
  repo: SimRepo,
  thread: PullThread,
  review: SimReview,
  body: string,
): void {
  const from = review.body;
  review.body = body;
  hub.courier.send(repo, "pull_request_review", "edited", review.by, {
    changes: { body: { from } },
    review: { ...reviewOf(hub.state, repo, thread, review), state: spelled[review.state] },
    pull_request: shown(hub, repo, thread),
  });
}

/** Takes a stance back. */
export async function dismissReview(
  hub: Hub,
  repo: SimRepo,
  thread: PullThread,
  review: SimReview,
  by: string,
): Promise<void> {
  review.state = "DISMISSED";
  note(hub, thread, "review_dismissed", by);
  hub.courier.send(repo, "pull_request_review", "dismissed", by, {
    review: { ...reviewOf(hub.state, repo, thread, review), state: "dismissed" },
    pull_request: shown(hub, repo, thread),
  });
}

/** Hangs a comment on a line of the diff, and tells of it. */
export async function remarkOn(...order: Parameters<typeof hang>): Promise<SimInline> {
  const [hub, repo, thread] = order;
  const inline = await hang(...order);
  tellRemark(hub, repo, thread, inline);
  return inline;
}

async function hang(
  hub: Hub,
  repo: SimRepo,
  thread: PullThread,
  from: { readonly by: string; readonly head: string; readonly review: number | undefined },
  remark: Remark,
): Promise<SimInline> {
  const side = remark.side ?? "RIGHT";
  const base = repo.branches.get(thread.pull.baseRef) ?? "";
  const files = await changedFiles(repo.dir, base, thread.pull.head);
  const patch = files.find(({ filename }) => filename === remark.path)?.patch ?? "";
  const { hunk, position } = placeInPatch(patch, remark.line, side) ?? { hunk: "", position: 1 };
  const inline: SimInline = {
    id: hub.id(),
    body: remark.body,
    by: from.by,
    reactions: [],
    createdAt: hub.now(),
    path: remark.path,
    line: remark.line,
    startLine: remark.start_line,
    side,
    hunk,
    position,
    head: from.head,
    review: from.review,
    replyTo: remark.replyTo,
  };
  thread.pull.inline.push(inline);
  thread.updatedAt = hub.now();
  return inline;
}

/** Changes what a comment on a line says, and tells of it. */
export function editRemark(
  hub: Hub,
  repo: SimRepo,
  thread: PullThread,
  change: { readonly inline: SimInline; readonly body: string; readonly by: string },
): void {
  const { inline, body, by } = change;
  const from = inline.body;
  inline.body = body;
  inline.edited = { by, at: hub.now() };
  hub.courier.send(repo, "pull_request_review_comment", "edited", by, {
    changes: { body: { from } },
    comment: inlineOf(hub.state, repo, thread, inline, hub.url),
    pull_request: shown(hub, repo, thread),
  });
}

function tellRemark(hub: Hub, repo: SimRepo, thread: PullThread, inline: SimInline): void {
  hub.courier.send(repo, "pull_request_review_comment", "created", inline.by, {
    comment: inlineOf(hub.state, repo, thread, inline, hub.url),
    pull_request: shown(hub, repo, thread),
  });
}
