import type { Hono } from "hono";
import { commentOf, issueOf, labelOf, reactionOf } from "./format.ts";
import { inRepo, missing, type Ctx, type Env, type Hub } from "./context.ts";
import { changeIssue, commentOn, deleteComment, editComment, tellIssue, type IssueChange } from "./issues.ts";
import { pageOf } from "./page.ts";
import { userOf, viaApp } from "./places.ts";
import type { HubState, Reaction, SimComment, SimRepo, SimThread } from "./state.ts";
import { changeLabels, newThread } from "./threads.ts";
import { iso } from "./time.ts";

/** Issues, their labels, comments, reactions and history; a pull request is an issue, too. */
export function issueRoutes(api: Hono<Env>, hub: Hub): void {
  const { state, url } = hub;
  const at = "/repos/:owner/:name";
  const threadOf = (context: Ctx, repo: SimRepo): SimThread | undefined => {
    const thread = repo.threads.get(Number(context.req.param("number")));
    return thread?.gone === true ? undefined : thread;
  };
  const onThread = (work: (context: Ctx, repo: SimRepo, thread: SimThread) => Response | Promise<Response>) =>
    inRepo(hub, (context, repo) => {
      const thread = threadOf(context, repo);
      if (repo.issuesOff === true && thread?.pull === undefined)
        return context.json({ message: "Issues has been disabled in this repository." }, 410);
      if (thread !== undefined) return work(context, repo, thread);
      const gone = repo.threads.get(Number(context.req.param("number")));
      const to = /^(.+)#(\d+)$/.exec(gone?.movedTo ?? "");
      if (to !== null) {
        const place = `${url}/repos/${to[1]}/issues/${to[2]}`;
        return context.json({ message: "Moved Permanently", url: place }, 301, { location: place });
      }
      return gone?.gone === true
        ? context.json({ message: "This issue was deleted" }, 410)
        : missing(context);
    });

  api.get(
    `${at}/issues`,
    inRepo(hub, (context, repo) => {
      const { labels, since, state: is = "open" } = context.req.query();
      const wanted = labels?.split(",") ?? [];
      const found = [...repo.threads.values()].filter(
        (thread) =>
          !thread.gone &&
          (is === "all" || thread.state === is) &&
          wanted.every((label) => thread.labels.has(label)) &&
          (since === undefined || thread.updatedAt >= Date.parse(since)),
      );
      return pageOf(
        context,
        found.toSorted((a, b) => b.number - a.number).map((thread) => issueOf(state, repo, thread, url)),
      );
    }),
  );
  api.post(
    `${at}/issues`,
    inRepo(hub, (context, repo) => {
      const { title, body = "" } = context.get("body") as { readonly title: string; readonly body?: string };
      const by = context.get("caller").login;
      const thread = newThread(hub, repo, { title, body, by });
      tellIssue(hub, repo, thread, "opened", by);
      return context.json(issueOf(state, repo, thread, url), 201);
    }),
  );
  api.get(
    `${at}/issues/:number{[0-9]+}`,
    onThread((context, repo, thread) => context.json(issueOf(state, repo, thread, url))),
  );
  api.patch(
    `${at}/issues/:number{[0-9]+}`,
    onThread((context, repo, thread) => {
      const body = context.get("body") as IssueChange & { readonly state_reason?: SimThread["reason"] };
      changeIssue(hub, repo, thread, { ...body, reason: body.state_reason }, context.get("caller").login);
      return context.json(issueOf(state, repo, thread, url));
    }),
  );
  api.get(
    `${at}/issues/:number{[0-9]+}/dependencies/blocked_by`,
    onThread((context, repo, thread) =>
      pageOf(
        context,
        (thread.blockedBy ?? []).flatMap((number) => {
          const other = repo.threads.get(number);
          return other === undefined || other.gone ? [] : [issueOf(state, repo, other, url)];
        }),
      ),
    ),
  );
  api.post(
    `${at}/issues/:number{[0-9]+}/dependencies/blocked_by`,
    onThread((context, repo, thread) => {
      const { issue_id: id } = context.get("body") as { readonly issue_id?: number };
      const other = [...repo.threads.values()].find((one) => one.id === id && one.pull === undefined);
      if (other === undefined) return missing(context);
      thread.blockedBy = [...(thread.blockedBy ?? []), other.number];
      return context.json(issueOf(state, repo, thread, url), 201);
    }),
  );
  api.get(
    `${at}/issues/:number{[0-9]+}/events`,
    onThread((context, repo, thread) =>
      pageOf(
        context,
        // A review is told in the timeline alone.
        thread.events.filter(({ event }) => event !== "reviewed").map((event) => eventOf(state, repo, event)),
      ),
    ),
  );
  labelRoutes(api, hub, at, onThread);
  commentRoutes(api, hub, at, onThread);
}

function eventOf(
  state: HubState,
  repo: SimRepo,
  { id, event, label, rename, by, at }: SimThread["events"][number],
) {
  const { name = "", color = "" } = label === undefined ? {} : labelOf(repo, label);
  return {
    id,
    node_id: `E_${id}`,
    url: `${state.url}/repos/${repo.owner}/${repo.name}/issues/events/${id}`,
    actor: userOf(state, by),
    event,
    commit_id: null,
    commit_url: null,
    created_at: iso(at),
    performed_via_github_app: viaApp(state, by),
    ...(label === undefined ? {} : { label: { name, color } }),
    ...(rename === undefined ? {} : { rename }),
  };
}

type OnThread = (
  work: (context: Ctx, repo: SimRepo, thread: SimThread) => Response | Promise<Response>,
) => (context: Ctx) => Response | Promise<Response>;

function labelRoutes(api: Hono<Env>, hub: Hub, at: string, onThread: OnThread): void {
  const { state } = hub;
  const named = (repo: SimRepo, thread: SimThread) => [...thread.labels].map((name) => shown(repo, name));
  const shown = (repo: SimRepo, name: string) => ({
    ...labelOf(repo, name),
    url: `${state.url}/repos/${repo.owner}/${repo.name}/labels/${encodeURIComponent(name)}`,
  });
  api.get(
    `${at}/labels/:label`,
    inRepo(hub, (context, repo) => {
      const name = context.req.param("label") ?? "";
      return repo.labels.has(name) ? context.json(shown(repo, name)) : missing(context);
    }),
  );
  api.get(
    `${at}/labels`,
    inRepo(hub, (context, repo) =>
      pageOf(
        context,
        [...repo.labels.keys()].map((name) => shown(repo, name)),
      ),
    ),
  );
  api.post(
    `${at}/labels`,
    inRepo(hub, (context, repo) => {
      const { name, color, description } = context.get("body") as {
        name: string;
        color: string;
        description?: string;
      };
      if (repo.labels.has(name))
        return context.json(
          {
            message: "Validation Failed",
            errors: [{ code: "already_exists", field: "name", resource: "Label" }],
          },
          422,
        );
      repo.labels.set(name, { id: hub.id(), color, description: description ?? "" });
      return context.json(shown(repo, name), 201);
    }),
  );
  api.get(
    `${at}/issues/:number{[0-9]+}/labels`,
    onThread((context, repo, thread) => context.json(named(repo, thread))),
  );
  api.post(
    `${at}/issues/:number{[0-9]+}/labels`,
    onThread((context, repo, thread) => {
      const { labels } = context.get("body") as { labels: string[] };
      changeLabels(hub, repo, thread, { add: labels, remove: [], by: context.get("caller").login });
      return context.json(named(repo, thread));
    }),
  );
  api.delete(
    `${at}/issues/:number{[0-9]+}/labels/:label`,
    onThread((context, repo, thread) => {
      const label = context.req.param("label") ?? "";
      if (!thread.labels.has(label)) return context.json({ message: "Label does not exist" }, 404);
      changeLabels(hub, repo, thread, { add: [], remove: [label], by: context.get("caller").login });
      return context.json(named(repo, thread));
    }),
  );
}

function commentRoutes(api: Hono<Env>, hub: Hub, at: string, onThread: OnThread): void {
  const { state, url } = hub;
  const commentIn = (context: Ctx, repo: SimRepo): { thread: SimThread; comment: SimComment } | undefined => {
    const id = Number(context.req.param("id"));
    for (const thread of repo.threads.values()) {
      const comment = thread.comments.find((one) => one.id === id);
      if (comment !== undefined) return { thread, comment };
    }
    return undefined;
  };
  api.get(
    `${at}/issues/:number{[0-9]+}/comments`,
    onThread((context, repo, thread) =>
      pageOf(
        context,
        thread.comments.map((comment) => commentOf(state, repo, thread, comment, url)),
      ),
    ),
  );
  api.post(
    `${at}/issues/:number{[0-9]+}/comments`,
    onThread((context, repo, thread) => {
      const { body } = context.get("body") as { body: string };
      const comment = commentOn(hub, repo, thread, context.get("caller").login, body);
      return context.json(commentOf(state, repo, thread, comment, url), 201);
    }),
  );
  api.get(
    `${at}/issues/comments/:id{[0-9]+}`,
    inRepo(hub, (context, repo) => {
      const found = commentIn(context, repo);
      return found === undefined
        ? missing(context)
        : context.json(commentOf(state, repo, found.thread, found.comment, url));
    }),
  );
  api.patch(
    `${at}/issues/comments/:id{[0-9]+}`,
    inRepo(hub, (context, repo) => {
      const found = commentIn(context, repo);
      if (found === undefined) return missing(context);
      const { body } = context.get("body") as { body: string };
      editComment(hub, repo, found.thread, { comment: found.comment, body, by: context.get("caller").login });
      return context.json(commentOf(state, repo, found.thread, found.comment, url));
    }),
  );
  api.delete(
    `${at}/issues/comments/:id{[0-9]+}`,
    inRepo(hub, (context, repo) => {
      const found = commentIn(context, repo);
      if (found === undefined) return missing(context);
      deleteComment(hub, repo, found.thread, found.comment, context.get("caller").login);
      return context.body(null, 204);
    }),
  );
  const listed = (reactions: readonly Reaction[]) => reactions.map((reaction) => reactionOf(state, reaction));
  const reacted = (context: Ctx, reactions: Reaction[]): Response => {
    const { content } = context.get("body") as { content: string };
    const by = context.get("caller").login;
    const known = reactions.find((one) => one.by === by && one.content === content);
    if (known !== undefined) return context.json(reactionOf(state, known), 200);
    const reaction = { id: hub.id(), content, by, at: hub.now() };
    reactions.push(reaction);
    return context.json(reactionOf(state, reaction), 201);
  };
  api.get(
    `${at}/issues/:number{[0-9]+}/reactions`,
    onThread((context, _repo, thread) => pageOf(context, listed(thread.reactions))),
  );
  api.post(
    `${at}/issues/:number{[0-9]+}/reactions`,
    onThread((context, _repo, thread) => reacted(context, thread.reactions)),
  );
  for (const kind of ["issues", "pulls"] as const) {
    const reactionsOf = (context: Ctx, repo: SimRepo): Reaction[] | undefined =>
      kind === "issues"
        ? commentIn(context, repo)?.comment.reactions
        : [...repo.threads.values()]
            .flatMap((thread) => thread.pull?.inline ?? [])
            .find((one) => one.id === Number(context.req.param("id")))?.reactions;
    api.get(
      `${at}/${kind}/comments/:id{[0-9]+}/reactions`,
      inRepo(hub, (context, repo) => {
        const reactions = reactionsOf(context, repo);
        return reactions === undefined ? missing(context) : pageOf(context, listed(reactions));
      }),
    );
    api.post(
      `${at}/${kind}/comments/:id{[0-9]+}/reactions`,
      inRepo(hub, (context, repo) => {
        const reactions = reactionsOf(context, repo);
        return reactions === undefined ? missing(context) : reacted(context, reactions);
      }),
    );
  }
}
