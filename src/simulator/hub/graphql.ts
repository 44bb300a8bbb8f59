import type { Context } from "hono";
import { pullOf } from "./format.ts";
import type { Env, Hub } from "./context.ts";
import { mergeability, unmet } from "./mergeability.ts";
import type { SimRepo, SimThread } from "./state.ts";

/** The mutations that GitHub offers over GraphQL alone, found by their names. */
export async function graphql(hub: Hub, context: Context<Env>): Promise<Response> {
  const { query, variables } = context.get("body") as {
    query: string;
    variables: Readonly<Record<string, string>>;
  };
  const name =
    /\b(markPullRequestReadyForReview|convertPullRequestToDraft|enablePullRequestAutoMerge|disablePullRequestAutoMerge|addReaction)\b/.exec(
      query,
    )?.[1];
  const id = Object.values(variables).find((value) => /^(PR|I|PRR)_\d+$/.test(value));
  if (name === "addReaction") return context.json({ data: { addReaction: { clientMutationId: null } } });
  const found = id === undefined ? undefined : pullById(hub, id);
  if (name === undefined || found === undefined)
    return fault(context, "NOT_FOUND", `Could not resolve to a node with the global id of '${id ?? ""}'`);
  const { repo, thread } = found;
  const { pull } = thread;
  if (pull === undefined) return fault(context, "NOT_FOUND", "it is no pull request");
  const by = context.get("caller").login;
  const tell = async (action: string): Promise<void> =>
    hub.courier.send(repo, "pull_request", action, by, {
      number: thread.number,
      pull_request: pullOf(hub.state, repo, thread, hub.url, await mergeability(repo, thread)),
    });
  switch (name) {
    case "markPullRequestReadyForReview":
      if (pull.draft) {
        pull.draft = false;
        await tell("ready_for_review");
      }
      break;
    case "convertPullRequestToDraft":
      pull.draft = true;
      await tell("converted_to_draft");
      break;
    case "enablePullRequestAutoMerge": {
      const head = Object.values(variables).find((value) => /^[0-9a-f]{40}$/.test(value));
      if (head !== undefined && head !== pull.head)
        return fault(context, "UNPROCESSABLE", "Head sha didn't match expected oid");
      if (pull.draft) return fault(context, "UNPROCESSABLE", "Pull request is in draft state");
      if (unmet(repo, thread) === undefined)
        return fault(context, "UNPROCESSABLE", "Pull request Pull request is in clean status");
      pull.auto = { method: "squash", by };
      await tell("auto_merge_enabled");
      break;
    }
    case "disablePullRequestAutoMerge":
      pull.auto = undefined;
      await tell("auto_merge_disabled");
      break;
  }
  hub.state.calls.push({
    method: "GRAPHQL",
    path: name,
    body: variables,
    status: 200,
    permissions: context.get("caller").permissions,
  });
  return context.json({ data: { [name]: { clientMutationId: null } } });
}

const fault = (context: Context, type: string, message: string): Response =>
  context.json({ data: null, errors: [{ type, message }] });

function pullById(hub: Hub, id: string): { readonly repo: SimRepo; readonly thread: SimThread } | undefined {
  for (const repo of hub.state.repos) {
    for (const thread of repo.threads.values()) if (`PR_${thread.id}` === id) return { repo, thread };
  }
  return undefined;
}
