/** Conversations on lines, which GitHub tells and resolves over GraphQL alone; REST tells only their comments. */
import type { Hub } from "./context.ts";
import { connection, type Fields } from "./graphql-document.ts";
import type { PullThread, SimInline, SimPull, SimRepo } from "./state.ts";
import { iso } from "./time.ts";

/** A conversation, by the comment that it began with. */
interface FoundThread {
  readonly repo: SimRepo;
  readonly thread: PullThread;
  readonly root: SimInline;
}

export const threadsOf = ({ inline }: SimPull): readonly Fields[] =>
  inline.filter(isRoot).map((root) => threadFields(inline, root));

export const threadFields = (inline: readonly SimInline[], root: SimInline): Fields => ({
  __typename: "PullRequestReviewThread",
  id: idOf(root),
  isResolved: root.resolved === true,
  isOutdated: false,
  path: root.path,
  line: root.line,
  comments: connection(
    "PullRequestReviewComment",
    inline.filter(({ id, replyTo }) => id === root.id || replyTo === root.id).map(commentFields),
  ),
});

const commentFields = ({ id, body, by, edited }: SimInline): Fields => ({
  __typename: "PullRequestReviewComment",
  databaseId: id,
  body,
  lastEditedAt: edited === undefined ? null : iso(edited.at),
  author: actor(by),
  editor: edited === undefined ? null : actor(edited.by),
});

/** Of an App GraphQL tells the name without what REST adds to it. */
const actor = (login: string): Fields =>
  login.endsWith("[bot]")
    ? { __typename: "Bot", login: login.slice(0, -"[bot]".length) }
    : { __typename: "User", login };

const isRoot = ({ replyTo }: SimInline): boolean => replyTo === undefined;
const idOf = ({ id }: SimInline): string => `PRRT_${id}`;

export function threadById({ state }: Hub, id: string): FoundThread | undefined {
  for (const repo of state.repos)
    for (const thread of repo.threads.values()) {
      const root = thread.pull?.inline.find((one) => isRoot(one) && idOf(one) === id);
      // It has a pull, as is asked there; narrowing does not reach the object itself.
      if (root !== undefined) return { repo, thread: thread as PullThread, root };
    }
  return undefined;
}
