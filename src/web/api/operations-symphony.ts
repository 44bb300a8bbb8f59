/** What clients of Symphony ask: the state, one issue by its identifier, and a refresh. */
import { z } from "zod";
import type { RoomParts } from "../answer.ts";
import { operation, type Operation } from "./operation.ts";
import { refuse } from "./refusals.ts";
import { nothing } from "./schemas.ts";
import { issueSummary, refreshed, stateSummary } from "./schemas-symphony.ts";

const tag = "symphony";

export const symphonyOperations = (
  { dashboard, commands }: RoomParts,
  now: () => number,
): readonly Operation[] => [
  operation({
    id: "getState",
    method: "get",
    path: "/state",
    tag,
    summary: "What runs, what is tried again, what is blocked",
    says: "In Symphony's shape. At most 200 of each are listed; the counts tell of all. Totals are of agents that began since midnight UTC.",
    answer: { status: 200, says: "As it stands now.", body: stateSummary },
    refuses: [],
    handle: async ({ viewer }) => await dashboard.api.state(viewer),
  }),
  operation({
    id: "refresh",
    method: "post",
    path: "/refresh",
    tag,
    summary: "Look now for what was missed",
    says: "Has trackers and forges looked at, as happens every few minutes anyway.",
    body: nothing,
    bodyIsOptional: true,
    answer: { status: 202, says: "It is looked for.", body: refreshed },
    refuses: [403],
    handle: async ({ viewer }) => {
      const is = await commands.api.refresh(viewer);
      if (is === "forbidden") return refuse(403, "this takes somebody who may act in some repository");
      return {
        queued: true as const,
        coalesced: is === "underWay",
        requested_at: new Date(now()).toISOString(),
        operations: ["poll" as const, "reconcile" as const],
      };
    },
  }),
];

/**
 * Comes after all others, so that a name of ours wins. None is hidden by that: every identifier has a `#` or a digit, and no
 * name of ours has either.
 */
export const issueOperation = ({ dashboard }: RoomParts): Operation =>
  operation({
    id: "getIssue",
    method: "get",
    path: "/{identifier}",
    tag,
    summary: "One issue by its identifier",
    says: "In Symphony's shape: `ENG-42`, or `acme/web#42` with its signs encoded (`acme%2Fweb%2342`). `/tickets/{id}` tells more.",
    params: z.strictObject({
      identifier: z
        .string()
        .min(1)
        .max(300)
        .meta({ examples: ["ENG-42", "acme/web#42"] }),
    }),
    answer: { status: 200, says: "The issue.", body: issueSummary },
    refuses: [404],
    handle: async ({ viewer, params }) => {
      const issue = await dashboard.api.issue(viewer, params.identifier);
      return issue === undefined ? refuse(404, "there is no such issue", { code: "issue_not_found" }) : issue;
    },
  });
