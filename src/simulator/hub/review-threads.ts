import type { HubState, SimInline, SimPull } from "./state.ts";
import { iso } from "./time.ts";

/** Conversations on lines as GraphQL tells them; REST tells only their comments. */
export const reviewThreadsOf = ({ inline }: SimPull) => ({
  pageInfo: { hasNextPage: false, endCursor: null },
  nodes: inline.filter(({ replyTo }) => replyTo === undefined).map((root) => shownThread(inline, root)),
});

export const shownThread = (inline: readonly SimInline[], root: SimInline) => ({
  __typename: "PullRequestReviewThread",
  id: `PRRT_${root.id}`,
  isResolved: root.resolved === true,
  isOutdated: false,
  comments: {
    nodes: inline
      .filter(({ id, replyTo }) => id === root.id || replyTo === root.id)
      .map(({ id, by, edited }) => ({
        databaseId: id,
        lastEditedAt: edited === undefined ? null : iso(edited.at),
        author: { login: by },
        editor: edited === undefined ? null : { login: edited.by },
      })),
  },
});

/** The comment that a conversation began with, by its global id. */
export const threadRootOf = ({ repos }: HubState, id: string): SimInline | undefined =>
  repos
    .flatMap(({ threads }) => [...threads.values()])
    .flatMap(({ pull }) => pull?.inline ?? [])
    .find((one) => one.replyTo === undefined && `PRRT_${one.id}` === id);
