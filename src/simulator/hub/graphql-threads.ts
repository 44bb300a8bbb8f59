/** Threads of comments on lines, which GitHub tells and resolves over GraphQL alone. */
import type { Caller, Hub } from "./context.ts";
import type { PullThread, SimInline, SimRepo } from "./state.ts";

type Variables = Readonly<Record<string, unknown>>;

/** It asks for the threads of a pull request and for nothing else of its repository. */
export const isAboutThreads = (query: string): boolean =>
  /\breviewThreads\s*\(/.test(query) && !/\b(?:isArchived|mergeStateStatus)\b/.test(query);

/** What a query about the threads of a pull request is answered; undefined when it is about something else. */
export function threadsAsked(hub: Hub, query: string, variables: Variables): object | undefined {
  if (/\bnode\s*\(/.test(query) || !/\breviewThreads\s*\(/.test(query)) return undefined;
  const { owner, name, number } = variables;
  const repo = hub.repo(String(owner), String(name));
  const thread = repo?.threads.get(Number(number));
  if (thread?.pull === undefined) return { repository: { pullRequest: null } };
  const nodes = thread.pull.inline.filter(isFirst).map((first) => shownOf(first, thread.pull?.inline ?? []));
  const reviewThreads = {
    nodes,
    pageInfo: { hasNextPage: false, endCursor: null },
    totalCount: nodes.length,
  };
  return { repository: { pullRequest: { reviewThreads } } };
}

/** Resolves a thread or opens it again; undefined when the mutation is another, a text when it is refused. */
export function resolveThread(
  hub: Hub,
  mutation: string | undefined,
  variables: Variables,
  caller: Caller,
): object | string | undefined {
  if (mutation !== "resolveReviewThread" && mutation !== "unresolveReviewThread") return undefined;
  const id = Object.values(variables).find((value) => typeof value === "string" && value.startsWith("PRRT_"));
  const found = firsts(hub).find(({ inline }) => idOf(inline) === id);
  if (found === undefined) return `Could not resolve to a node with the global id of '${String(id)}'`;
  found.inline.resolved = mutation === "resolveReviewThread";
  hub.state.calls.push({
    method: "GRAPHQL",
    path: mutation,
    body: variables,
    status: 200,
    permissions: caller.permissions,
  });
  return { [mutation]: { clientMutationId: null, thread: shownOf(found.inline, found.thread.pull.inline) } };
}

const isFirst = ({ replyTo }: SimInline): boolean => replyTo === undefined;
const idOf = ({ id }: SimInline): string => `PRRT_${id}`;

const shownOf = (first: SimInline, all: readonly SimInline[]) => ({
  id: idOf(first),
  isResolved: first.resolved === true,
  isOutdated: false,
  path: first.path,
  line: first.line,
  comments: {
    nodes: all
      .filter(({ id, replyTo }) => id === first.id || replyTo === first.id)
      .map(({ id, body, by }) => ({ databaseId: id, body, author: { login: by } })),
  },
});

const firsts = (hub: Hub) =>
  hub.state.repos.flatMap((repo: SimRepo) =>
    [...repo.threads.values()].flatMap((thread) =>
      // It has a pull, as is asked there; narrowing does not reach the object itself.
      (thread.pull?.inline ?? []).filter(isFirst).map((inline) => ({ inline, thread: thread as PullThread })),
    ),
  );
