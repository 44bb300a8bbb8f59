import type { Hono } from "hono";
import { changedFiles, placeInPatch } from "./changed-files.ts";
import { inRepo, missing, type Ctx, type Env, type Hub } from "./context.ts";
import { inlineOf, pullOf, reviewOf, simplePullOf } from "./format.ts";
import { mergeability } from "./mergeability.ts";
import { pageOf } from "./page.ts";
import { userOf } from "./places.ts";
import { dismissReview, editRemark, editReview, remarkOn, submitReview, type Remark } from "./reviewing.ts";
import type { PullThread, SimRepo } from "./state.ts";

export type OnPull = (
  work: (context: Ctx, repo: SimRepo, thread: PullThread) => Response | Promise<Response>,
) => (context: Ctx) => Response | Promise<Response>;

/** Reviews refuse in a shape of their own. */
const unprocessable = (context: Ctx, message: string): Response =>
  context.json({ message: "Unprocessable Entity", errors: [message] }, 422);

/** A single comment is refused in another shape than a review is. */
const unhangable = (context: Ctx, message: string): Response =>
  context.json(
    {
      message: "Validation Failed",
      errors: [
        {
          resource: "PullRequestReviewComment",
          field: "pull_request_review_thread",
          code: "custom",
          message,
        },
      ],
    },
    422,
  );

const stances = { APPROVE: "APPROVED", REQUEST_CHANGES: "CHANGES_REQUESTED", COMMENT: "COMMENTED" } as const;

/** Reviews of a pull request, the comments in them, and who is asked for one. */
export function reviewRoutes(api: Hono<Env>, hub: Hub, at: string, onPull: OnPull): void {
  const { state } = hub;
  const pull = `${at}/pulls/:number{[0-9]+}`;
  const reviewIn = (context: Ctx, thread: PullThread) =>
    thread.pull.reviews.find((one) => one.id === Number(context.req.param("id")));
  api.get(
    `${pull}/reviews`,
    onPull((context, repo, thread) =>
      pageOf(
        context,
        thread.pull.reviews.map((review) => reviewOf(state, repo, thread, review)),
      ),
    ),
  );
  api.get(
    `${pull}/reviews/:id`,
    onPull((context, repo, thread) => {
      const review = reviewIn(context, thread);
      return review === undefined ? missing(context) : context.json(reviewOf(state, repo, thread, review));
    }),
  );
  api.post(
    `${pull}/reviews`,
    onPull(async (context, repo, thread) => {
      const body = context.get("body") as {
        event?: keyof typeof stances;
        body?: string;
        commit_id?: string;
        comments?: readonly Remark[];
      };
      const by = context.get("caller").login;
      const stance = body.event === undefined ? undefined : stances[body.event];
      if (stance === undefined)
        return unprocessable(context, "Event is not one of APPROVE, REQUEST_CHANGES, COMMENT");
      if (stance !== "COMMENTED" && by === thread.by)
        return unprocessable(
          context,
          `Can not ${stance === "APPROVED" ? "approve" : "request changes on"} your own pull request`,
        );
      const remarks = body.comments ?? [];
      if (stance !== "APPROVED" && (body.body ?? "") === "" && remarks.length === 0)
        return unprocessable(context, "Body is required");
      const wrong = await misplaced(repo, thread, remarks);
      if (wrong !== undefined) return unprocessable(context, wrong);
      const head = body.commit_id ?? thread.pull.head;
      const review = { by, state: stance, head, body: body.body ?? "", remarks };
      return context.json(reviewOf(state, repo, thread, await submitReview(hub, repo, thread, review)));
    }),
  );
  api.put(
    `${pull}/reviews/:id{[0-9]+}`,
    onPull((context, repo, thread) => {
      const review = reviewIn(context, thread);
      if (review === undefined) return missing(context);
      const { body } = context.get("body") as { body: string };
      // Whoever may write pull requests may edit what was written by the same account.
      if (review.by !== context.get("caller").login) return context.json({ message: "Forbidden" }, 403);
      editReview(hub, repo, thread, review, body);
      return context.json(reviewOf(state, repo, thread, review));
    }),
  );
  api.put(
    `${pull}/reviews/:id/dismissals`,
    onPull(async (context, repo, thread) => {
      const review = reviewIn(context, thread);
      if (review === undefined) return missing(context);
      if (review.state !== "APPROVED" && review.state !== "CHANGES_REQUESTED")
        return unprocessable(context, "Can not dismiss a commented pull request review");
      await dismissReview(hub, repo, thread, review, context.get("caller").login);
      return context.json(reviewOf(state, repo, thread, review));
    }),
  );
  api.post(
    `${pull}/requested_reviewers`,
    onPull(async (context, repo, thread) => {
      const { reviewers = [] } = context.get("body") as { reviewers?: string[] };
      if (reviewers.includes(thread.by))
        return unprocessable(context, "Review cannot be requested from pull request author.");
      if (reviewers.some((login) => (repo.members.get(login) ?? "none") === "none"))
        return unprocessable(context, "Reviews may only be requested from collaborators.");
      const shown = async () => pullOf(state, repo, thread, hub.url, await mergeability(repo, thread));
      for (const login of reviewers) {
        if (thread.pull.requested.includes(login)) continue;
        thread.pull.requested.push(login);
        hub.courier.send(repo, "pull_request", "review_requested", context.get("caller").login, {
          number: thread.number,
          pull_request: await shown(),
          requested_reviewer: userOf(state, login),
        });
      }
      return context.json(simplePullOf(state, repo, thread, hub.url), 201);
    }),
  );
  remarkRoutes(api, hub, at, onPull);
}

function remarkRoutes(api: Hono<Env>, hub: Hub, at: string, onPull: OnPull): void {
  const { state, url } = hub;
  const pull = `${at}/pulls/:number{[0-9]+}`;
  api.get(
    `${pull}/comments`,
    onPull((context, repo, thread) =>
      pageOf(
        context,
        thread.pull.inline.map((comment) => inlineOf(state, repo, thread, comment, url)),
      ),
    ),
  );
  api.get(
    `${pull}/reviews/:id/comments`,
    onPull((context, repo, thread) => {
      const id = Number(context.req.param("id"));
      const said = thread.pull.inline.filter(({ review }) => review === id);
      return pageOf(
        context,
        said.map((comment) => inlineOf(state, repo, thread, comment, url)),
      );
    }),
  );
  api.post(
    `${pull}/comments`,
    onPull(async (context, repo, thread) => {
      const remark = context.get("body") as Remark & { readonly commit_id?: string };
      const wrong = await misplaced(repo, thread, [remark]);
      if (wrong !== undefined) return unhangable(context, wrong);
      const from = {
        by: context.get("caller").login,
        head: remark.commit_id ?? thread.pull.head,
        review: undefined,
      };
      return context.json(
        inlineOf(state, repo, thread, await remarkOn(hub, repo, thread, from, remark), url),
        201,
      );
    }),
  );
  api.post(
    `${pull}/comments/:id{[0-9]+}/replies`,
    onPull(async (context, repo, thread) => {
      const to = thread.pull.inline.find((one) => one.id === Number(context.req.param("id")));
      if (to === undefined) return missing(context);
      const { body } = context.get("body") as { body: string };
      const from = { by: context.get("caller").login, head: to.head, review: undefined };
      const reply = { path: to.path, line: to.line, side: to.side, body, replyTo: to.replyTo ?? to.id };
      return context.json(
        inlineOf(state, repo, thread, await remarkOn(hub, repo, thread, from, reply), url),
        201,
      );
    }),
  );
  oneRemarkRoutes(api, hub, at);
}

/** A comment on a line: told, and changed by whoever wrote it. */
function oneRemarkRoutes(api: Hono<Env>, hub: Hub, at: string): void {
  const { state, url } = hub;
  const found = (context: Ctx, repo: SimRepo) => {
    const id = Number(context.req.param("id"));
    for (const thread of repo.threads.values()) {
      const inline = thread.pull?.inline.find((one) => one.id === id);
      // It has a pull, as is asked there; narrowing does not reach the object itself.
      if (inline !== undefined) return { thread: thread as PullThread, inline };
    }
    return undefined;
  };
  api.get(
    `${at}/pulls/comments/:id{[0-9]+}`,
    inRepo(hub, (context, repo) => {
      const one = found(context, repo);
      return one === undefined
        ? missing(context)
        : context.json(inlineOf(state, repo, one.thread, one.inline, url));
    }),
  );
  api.patch(
    `${at}/pulls/comments/:id{[0-9]+}`,
    inRepo(hub, (context, repo) => {
      const one = found(context, repo);
      if (one === undefined) return missing(context);
      const by = context.get("caller").login;
      if (one.inline.by !== by)
        return context.json({ message: "Resource not accessible by integration" }, 403);
      const { body } = context.get("body") as { body: string };
      editRemark(hub, repo, one.thread, { inline: one.inline, body, by });
      return context.json(inlineOf(state, repo, one.thread, one.inline, url));
    }),
  );
}

/** What is wrong with where the remarks hang, or undefined: GitHub takes all of them or none. */
async function misplaced(
  repo: SimRepo,
  { pull }: PullThread,
  remarks: readonly Remark[],
): Promise<string | undefined> {
  if (remarks.length === 0) return undefined;
  const files = await changedFiles(repo.dir, repo.branches.get(pull.baseRef) ?? "", pull.head);
  for (const { path, line, side } of remarks) {
    const file = files.find(({ filename }) => filename === path);
    if (file === undefined) return "Path could not be resolved";
    if (placeInPatch(file.patch ?? "", line, side ?? "RIGHT") === undefined)
      return "Line could not be resolved";
  }
  return undefined;
}
