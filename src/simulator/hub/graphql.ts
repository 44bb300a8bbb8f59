import type { Caller, Ctx, Hub } from "./context.ts";
import { answerTo, Refusal, type Arguments, type Fields } from "./graphql-document.ts";
import { forbidden, mutations, pullById, unknownNode } from "./graphql-mutations.ts";
import { pullFields, repositoryFields } from "./graphql-repository.ts";
import { threadById, threadFields } from "./graphql-threads.ts";
import type { SimRepo, SimThread } from "./state.ts";
import { iso } from "./time.ts";

/** What GitHub tells and changes over GraphQL alone, as far as anybody here asks for it. */
export async function graphql(hub: Hub, context: Ctx): Promise<Response> {
  const asked = context.get("body") as { readonly query: string; readonly variables?: Arguments };
  const caller = context.get("caller");
  const roots = { query: queries(hub, caller), mutation: mutations(hub, caller) };
  return context.json(await answerTo(asked, roots));
}

function queries(hub: Hub, caller: Caller): Fields {
  return {
    __typename: "Query",
    viewer: { __typename: "User", login: caller.login },
    repository: ({ owner, name }) => {
      const repo = hub.repo(String(owner), String(name));
      if (repo === undefined || caller.denies("GET", `/repos/${repo.owner}/${repo.name}`))
        throw new Refusal(
          "NOT_FOUND",
          `Could not resolve to a Repository with the name '${String(owner)}/${String(name)}'.`,
        );
      return repositoryFields(repo, (area) => mayRead(caller, repo, area));
    },
    node: ({ id }) => nodeBy(hub, caller, String(id)),
  };
}

function mayRead(caller: Caller, { owner, name }: SimRepo, area: string): void {
  if (caller.denies("GET", `/repos/${owner}/${name}/${area}`)) throw forbidden();
}

function nodeBy(hub: Hub, caller: Caller, id: string): Fields {
  const pull = pullById(hub, id);
  if (pull !== undefined) {
    mayRead(caller, pull.repo, "pulls");
    return pullFields(pull.repo, pull.thread);
  }
  const talk = threadById(hub, id);
  if (talk !== undefined) {
    mayRead(caller, talk.repo, "pulls");
    return threadFields(talk.thread.pull.inline, talk.root);
  }
  const issue = issueById(hub, id);
  if (issue === undefined) throw unknownNode(id);
  mayRead(caller, issue.repo, "issues");
  const { editedAt } = issue.thread;
  return { __typename: "Issue", lastEditedAt: editedAt === undefined ? null : iso(editedAt) };
}

function issueById(
  { state }: Hub,
  id: string,
): { readonly repo: SimRepo; readonly thread: SimThread } | undefined {
  for (const repo of state.repos)
    for (const thread of repo.threads.values())
      if (thread.pull === undefined && `I_${thread.id}` === id) return { repo, thread };
  return undefined;
}
