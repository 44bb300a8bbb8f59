import type { Hono } from "hono";
import { changedFiles, entryOf } from "./changed-files.ts";
import { inRepo, missing, refuse, type Ctx, type Env, type Hub } from "./context.ts";
import { pullOf, simplePullOf } from "./format.ts";
import { git } from "./git.ts";
import { graphql } from "./graphql.ts";
import { isBehind, mergeability, unmet } from "./mergeability.ts";
import { mergePull } from "./merging.ts";
import { pageOf } from "./page.ts";
import { changePull, newPull } from "./pulls.ts";
import { reviewRoutes, type OnPull } from "./routes-reviews.ts";
import type { PullThread, SimRepo, SimThread } from "./state.ts";

/** Pull requests: their facts, their changes, and merging for real. */
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
    inRepo(hub, (context, repo) => {
      const { state: is = "open", head, base } = context.req.query();
      const found = [...repo.threads.values()].filter(
        (thread) =>
          thread.pull !== undefined &&
          (is === "all" || thread.state === is) &&
          (head === undefined || `${repo.owner}:${thread.pull.headRef}` === head) &&
          (base === undefined || thread.pull.baseRef === base),
      );
      return pageOf(
        context,
        found.toReversed().map((thread) => simplePullOf(state, repo, thread, url)),
      );
    }),
  );
  api.post(
    `${at}/pulls`,
    inRepo(hub, async (context, repo) => await openPull(hub, context, repo)),
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
      const body = context.get("body") as Parameters<typeof changePull>[3];
      if (body.base !== undefined && !repo.branches.has(body.base))
        return refuse(context, `Proposed base branch '${body.base}' was not found`);
      if (body.base !== undefined && body.base !== thread.pull.baseRef && thread.state === "closed")
        return refuse(context, "Cannot change the base branch of a closed pull request.");
      if (body.state === "open" && !repo.branches.has(thread.pull.baseRef))
        return refuse(context, "Could not open the pull request.");
      if (body.state === "open" && thread.pull.merged !== undefined)
        return refuse(context, "The pull request was merged and cannot be reopened");
      await changePull(hub, repo, thread, body, context.get("caller").login);
      return context.json(await shown(repo, thread));
    }),
  );
  api.get(
    `${at}/pulls/:number{[0-9]+}/files`,
    onPull(async (context, repo, { pull }) => {
      const files = await changedFiles(repo.dir, repo.branches.get(pull.baseRef) ?? "", pull.head);
      return pageOf(
        context,
        files.map((file) => entryOf(state, repo, file, pull.head)),
      );
    }),
  );
  api.get(
    `${at}/pulls/:number{[0-9]+}/merge`,
    onPull((context, _repo, { pull }) =>
      pull.merged === undefined ? missing(context) : context.body(null, 204),
    ),
  );
  api.put(
    `${at}/pulls/:number{[0-9]+}/merge`,
    onPull(async (context, repo, thread) => await merge(hub, context, repo, thread)),
  );
  reviewRoutes(api, hub, at, onPull);
}

async function openPull(hub: Hub, context: Ctx, repo: SimRepo): Promise<Response> {
  const { title, body, head, base, draft } = context.get("body") as {
    title: string;
    body?: string;
    head: string;
    base: string;
    draft?: boolean;
  };
  const branch = head.replace(/^[^:]+:/, "");
  const tip = repo.branches.get(branch);
  if (tip === undefined || !repo.branches.has(base)) {
    const field = tip === undefined ? "head" : "base";
    const errors = [{ resource: "PullRequest", field, code: "invalid" }];
    return context.json({ message: "Validation Failed", errors }, 422);
  }
  const isThere = [...repo.threads.values()].some(
    (one) => one.state === "open" && one.pull?.headRef === branch && one.pull.baseRef === base,
  );
  if (isThere) return refuse(context, `A pull request already exists for ${repo.owner}:${branch}.`);
  const ahead = await git(repo.dir, ["rev-list", "--count", `${base}..${branch}`]);
  if (Number(ahead) === 0) return refuse(context, `No commits between ${base} and ${branch}`);
  const by = context.get("caller").login;
  const thread = await newPull(hub, repo, {
    title,
    body: body ?? "",
    by,
    draft: draft === true,
    branch,
    base,
    tip,
  });
  const answer = pullOf(hub.state, repo, thread, hub.url, await mergeability(repo, thread));
  return context.json(answer, 201);
}

async function merge(hub: Hub, context: Ctx, repo: SimRepo, thread: PullThread): Promise<Response> {
  const body = (context.get("body") ?? {}) as {
    sha?: string;
    commit_title?: string;
    commit_message?: string;
    merge_method?: string;
  };
  const { pull } = thread;
  if (thread.state !== "open") return refuse(context, "Pull Request is not mergeable", 405);
  if (body.sha !== undefined && body.sha !== pull.head)
    return refuse(context, "Head branch was modified. Review and try the merge again.", 409);
  if (pull.draft) return refuse(context, "Pull Request is still a draft", 405);
  const why = unmet(repo, thread);
  if (why !== undefined) return refuse(context, why, 405);
  if (await isBehind(repo, thread))
    return refuse(context, "The head branch is not up to date with the base branch.", 405);
  if (repo.rules.get(pull.baseRef)?.queue !== undefined)
    return refuse(context, "Changes must be made through the merge queue", 405);
  const base = repo.branches.get(pull.baseRef);
  const merged = await mergePull(hub, repo, thread, context.get("caller").login, {
    title: body.commit_title,
    body: body.commit_message,
    method: body.merge_method,
  });
  if (merged !== undefined)
    return context.json({ merged: true, sha: merged, message: "Pull Request successfully merged" });
  const isRace = base !== repo.branches.get(pull.baseRef);
  return isRace
    ? refuse(context, "Base branch was modified. Review and try the merge again.", 405)
    : refuse(context, "Pull Request is not mergeable", 405);
}
