import type { Hono } from "hono";
import { inlineOf, pullOf, reviewOf } from "./format.ts";
import { git } from "./git.ts";
import { graphql } from "./graphql.ts";
import type { Env, Hub } from "./hub.ts";
import { mergeability, unmet } from "./mergeability.ts";
import { mergePull } from "./merging.ts";
import { pageOf } from "./page.ts";
import { inRepo, missing, type Ctx } from "./routes-repos.ts";
import type { SimInline, SimPull, SimRepo, SimReview, SimThread } from "./state.ts";
import { newThread } from "./threads.ts";

type PullThread = SimThread & { pull: SimPull };
type OnPull = (
  work: (context: Ctx, repo: SimRepo, thread: PullThread) => Response | Promise<Response>,
) => (context: Ctx) => Response | Promise<Response>;
const refuse = (context: Ctx, message: string, status: 405 | 409 | 422 = 422): Response =>
  context.json(
    {
      message: status === 422 ? "Validation Failed" : message,
      errors: status === 422 ? [{ message, resource: "PullRequest", code: "custom" }] : [],
    },
    status,
  );

/** Pull requests: their facts, reviews, and merging for real. */
export function pullRoutes(api: Hono<Env>, hub: Hub): void {
  const { state, url } = hub;
  const at = "/repos/:owner/:name";
  const onPull: OnPull = (work) =>
    inRepo(hub, (context, repo) => {
      const thread = repo.threads.get(Number(context.req.param("number")));
      return thread?.pull === undefined ? missing(context) : work(context, repo, thread as PullThread);
    });
  const shown = async (repo: SimRepo, thread: SimThread) =>
    pullOf(state, repo, thread, url, await mergeability(repo, thread));
  api.post("/graphql", (context) => graphql(hub, context));
  api.get(
    `${at}/pulls`,
    inRepo(hub, async (context, repo) => {
      const { state: is = "open", head, base } = context.req.query();
      const found = [...repo.threads.values()].filter(
        (thread) =>
          thread.pull !== undefined &&
          (is === "all" || thread.state === is) &&
          (head === undefined || `${repo.owner}:${thread.pull.headRef}` === head) &&
          (base === undefined || thread.pull.baseRef === base),
      );
      return pageOf(context, await Promise.all(found.toReversed().map((thread) => shown(repo, thread))));
    }),
  );
  api.post(
    `${at}/pulls`,
    inRepo(hub, async (context, repo) => {
      const { title, body, head, base, draft } = context.get("body") as {
        title: string;
        body?: string;
        head: string;
        base: string;
        draft?: boolean;
      };
      const branch = head.replace(/^[^:]+:/, "");
      const tip = repo.branches.get(branch);
      if (tip === undefined || !repo.branches.has(base))
        return refuse(context, `The ${tip === undefined ? "head" : "base"} branch does not exist`);
      if (
        [...repo.threads.values()].some(
          (one) => one.state === "open" && one.pull?.headRef === branch && one.pull.baseRef === base,
        )
      )
        return refuse(context, `A pull request already exists for ${repo.owner}:${branch}.`);
      const ahead = await git(repo.dir, ["rev-list", "--count", `${base}..${branch}`]);
      if (Number(ahead) === 0) return refuse(context, `No commits between ${base} and ${branch}`);
      const by = context.get("caller").login;
      const pull: SimPull = {
        headRef: branch,
        baseRef: base,
        head: tip,
        draft: draft === true,
        merged: undefined,
        reviews: [],
        inline: [],
        requested: [],
        auto: undefined,
      };
      const thread = newThread(hub, repo, { title, body: body ?? "", by, pull });
      const answer = await shown(repo, thread);
      hub.courier.send(repo, "pull_request", "opened", by, { number: thread.number, pull_request: answer });
      return context.json(answer, 201);
    }),
  );
  api.get(
    `${at}/pulls/:number{[0-9]+}`,
    onPull(async (context, repo, thread) => {
      const base = repo.branches.get(thread.pull.baseRef) ?? "";
      if (context.req.header("accept")?.includes("diff") === true)
        return context.text(await git(repo.dir, ["diff", `${base}...${thread.pull.head}`]));
      return context.json(await shown(repo, thread));
    }),
  );
  api.patch(
    `${at}/pulls/:number{[0-9]+}`,
    onPull(async (context, repo, thread) => {
      const body = context.get("body") as {
        state?: "open" | "closed";
        title?: string;
        body?: string;
        base?: string;
      };
      const closed = body.state === "closed" && thread.state === "open";
      thread.state = body.state ?? thread.state;
      thread.title = body.title ?? thread.title;
      thread.body = body.body ?? thread.body;
      thread.updatedAt = hub.now();
      const answer = await shown(repo, thread);
      hub.courier.send(repo, "pull_request", closed ? "closed" : "edited", context.get("caller").login, {
        number: thread.number,
        pull_request: answer,
        changes: {},
      });
      return context.json(answer);
    }),
  );
  api.get(
    `${at}/pulls/:number{[0-9]+}/files`,
    onPull(async (context, repo, thread) => pageOf(context, await filesOf(repo, thread))),
  );
  api.put(
    `${at}/pulls/:number{[0-9]+}/merge`,
    onPull(async (context, repo, thread) => {
      const body = (context.get("body") ?? {}) as {
        sha?: string;
        commit_title?: string;
        commit_message?: string;
      };
      const { pull } = thread;
      if (thread.state !== "open") return refuse(context, "Pull Request is not mergeable", 405);
      if (body.sha !== undefined && body.sha !== pull.head)
        return refuse(context, "Head branch was modified. Review and try the merge again.", 409);
      if (pull.draft) return refuse(context, "Pull Request is still a draft", 405);
      const why = unmet(repo, thread);
      if (why !== undefined) return refuse(context, why, 405);
      const merged = await mergePull(hub, repo, thread, context.get("caller").login, {
        title: body.commit_title,
        body: body.commit_message,
      });
      return merged === undefined
        ? refuse(context, "Pull Request is not mergeable", 405)
        : context.json({ merged: true, sha: merged, message: "Pull Request successfully merged" });
    }),
  );
  reviewRoutes(api, hub, at, onPull, shown);
}

async function filesOf(repo: SimRepo, thread: PullThread): Promise<readonly object[]> {
  const base = repo.branches.get(thread.pull.baseRef) ?? "";
  const names = (await git(repo.dir, ["diff", "--name-only", `${base}...${thread.pull.head}`]))
    .split("\n")
    .filter((name) => name !== "");
  return await Promise.all(
    names.map(async (filename) => {
      const patch = await git(repo.dir, ["diff", `${base}...${thread.pull.head}`, "--", filename]);
      return { filename, status: "modified", patch: patch.slice(patch.indexOf("@@")) };
    }),
  );
}

function reviewRoutes(
  api: Hono<Env>,
  hub: Hub,
  at: string,
  onPull: OnPull,
  shown: (repo: SimRepo, thread: SimThread) => Promise<object>,
): void {
  const { state, url } = hub;
  api.get(
    `${at}/pulls/:number{[0-9]+}/reviews`,
    onPull((context, _repo, thread) =>
      pageOf(
        context,
        thread.pull.reviews.map((review) => reviewOf(state, review)),
      ),
    ),
  );
  api.get(
    `${at}/pulls/:number{[0-9]+}/reviews/:id`,
    onPull((context, _repo, thread) => {
      const review = thread.pull.reviews.find((one) => one.id === Number(context.req.param("id")));
      return review === undefined ? missing(context) : context.json(reviewOf(state, review));
    }),
  );
  api.post(
    `${at}/pulls/:number{[0-9]+}/reviews`,
    onPull(async (context, repo, thread) => {
      const body = context.get("body") as {
        event?: string;
        body?: string;
        commit_id?: string;
        comments?: { path: string; line?: number; body: string }[];
      };
      const by = context.get("caller").login;
      if (body.event !== "COMMENT" && by === thread.by)
        return refuse(
          context,
          `Can not ${body.event === "APPROVE" ? "approve" : "request changes on"} your own pull request`,
        );
      const lines = await filesOf(repo, thread);
      const strange = (body.comments ?? []).find(
        ({ path }) => !lines.some((file) => "filename" in file && file.filename === path),
      );
      if (strange !== undefined) return refuse(context, "Path could not be resolved");
      const review: SimReview = {
        id: hub.id(),
        by,
        state: "COMMENTED",
        head: body.commit_id ?? thread.pull.head,
        body: body.body ?? "",
        at: hub.now(),
      };
      thread.pull.reviews.push(review);
      for (const one of body.comments ?? []) {
        const inline: SimInline = {
          id: hub.id(),
          body: one.body,
          by,
          reactions: [],
          createdAt: hub.now(),
          path: one.path,
          line: one.line ?? 1,
          head: review.head,
          review: review.id,
        };
        thread.pull.inline.push(inline);
      }
      hub.courier.send(repo, "pull_request_review", "submitted", by, {
        review: { ...reviewOf(state, review), state: "commented" },
        pull_request: await shown(repo, thread),
      });
      return context.json(reviewOf(state, review));
    }),
  );
  api.get(
    `${at}/pulls/:number{[0-9]+}/comments`,
    onPull((context, _repo, thread) =>
      pageOf(
        context,
        thread.pull.inline.map((comment) => inlineOf(state, comment, url)),
      ),
    ),
  );
  api.post(
    `${at}/pulls/:number{[0-9]+}/requested_reviewers`,
    onPull(async (context, repo, thread) => {
      const { reviewers = [] } = context.get("body") as { reviewers?: string[] };
      if (reviewers.includes(thread.by))
        return refuse(context, "Review cannot be requested from pull request author.");
      if (reviewers.some((login) => (repo.members.get(login) ?? "none") === "none"))
        return refuse(context, "Reviews may only be requested from collaborators.");
      thread.pull.requested = [...new Set([...thread.pull.requested, ...reviewers])];
      hub.courier.send(repo, "pull_request", "review_requested", context.get("caller").login, {
        number: thread.number,
        pull_request: await shown(repo, thread),
      });
      return context.json(await shown(repo, thread), 201);
    }),
  );
}
