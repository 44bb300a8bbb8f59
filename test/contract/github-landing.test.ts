import { describe, expect, test } from "vitest";
import { githubForge } from "../../src/adapters/github/github.ts";
import type { Asked } from "./front.ts";
import { head, ok, repo, scripted, type Script } from "./scripted.ts";
import { key } from "./stage.ts";

const pull = (fields: object = {}): object => ({
  id: "PR_3",
  state: "OPEN",
  merged: false,
  headRefOid: head,
  isDraft: false,
  mergeStateStatus: "BLOCKED",
  reviewDecision: "REVIEW_REQUIRED",
  mergeCommit: null,
  mergeQueueEntry: null,
  latestOpinionatedReviews: { nodes: [{ state: "APPROVED" }, { state: "CHANGES_REQUESTED" }, null] },
  reviewThreads: { nodes: [{ isResolved: false }, { isResolved: true }] },
  timelineItems: { nodes: [] },
  ...fields,
});
const settings = {
  isArchived: false,
  squashMergeAllowed: true,
  mergeCommitAllowed: false,
  rebaseMergeAllowed: true,
  autoMergeAllowed: false,
  mergeQueue: null,
  ref: {
    refUpdateRule: {
      requiredApprovingReviewCount: 1,
      requiredStatusCheckContexts: ["ci"],
      requiresCodeOwnerReviews: false,
      requiresConversationResolution: true,
      requiresLinearHistory: false,
      requiresSignatures: false,
    },
  },
};
const queryOf = ({ body }: Asked): string => (body as { readonly query: string }).query;
const answers = (repository: object | null, mutation?: () => object): Script => ({
  "POST /graphql": (asked) =>
    ok(queryOf(asked).startsWith("mutation") ? (mutation?.() ?? {}) : { data: { repository } }),
  "GET /repos/acme/shop/rules/branches/main": ok([
    {
      type: "pull_request",
      parameters: { required_approving_review_count: 2, allowed_merge_methods: ["squash", "merge"] },
    },
    {
      type: "required_status_checks",
      parameters: {
        strict_required_status_checks_policy: true,
        required_status_checks: [{ context: "lint" }],
      },
    },
    { type: "required_deployments", parameters: { required_deployment_environments: ["staging"] } },
    { type: "merge_queue", parameters: { merge_method: "MERGE" } },
    { type: "a rule of tomorrow" },
  ]),
});
const at = { repo, number: 3 };
const added = { __typename: "AddedToMergeQueueEvent", id: "A1" };
const removed = (reason: string) => ({ __typename: "RemovedFromMergeQueueEvent", id: "R1", reason });

test("settings, the older protection and rulesets are one set of rules, the stricter of each", async () => {
  const { github } = await scripted(answers({ ...settings, pullRequest: pull() }));
  const standing = await githubForge(github).standing(at);
  expect(standing).toMatchObject({ approvals: 1, decision: "required", unresolved: 1, behind: false });
  expect(standing?.rules).toEqual({
    branch: "main",
    archived: false,
    restricted: false,
    methods: ["squash", "rebase"],
    ruledMethods: ["squash"],
    approvals: 2,
    codeOwners: false,
    lastPush: false,
    conversations: true,
    signed: false,
    linear: false,
    upToDate: true,
    checks: ["ci", "lint"],
    deployments: ["staging"],
    autoMerge: false,
    queue: { method: "merge" },
  });
});

test("what is gone has no standing", async () => {
  const { github } = await scripted(answers(null));
  expect(await githubForge(github).standing(at)).toBeUndefined();
});

describe("a merge queue", () => {
  test("what it holds already is left alone", async () => {
    const world = await scripted(answers({ pullRequest: pull({ mergeQueueEntry: { position: 4 } }) }));
    expect(await githubForge(world.github).enqueue(key("k"), at, head)).toEqual({
      is: "queued",
      position: 4,
    });
    expect(world.writes).toEqual([]);
  });

  test("another head is not put in", async () => {
    const world = await scripted(answers({ pullRequest: pull({ headRefOid: "b".repeat(40) }) }));
    expect(await githubForge(world.github).enqueue(key("k"), at, head)).toMatchObject({ how: "moved" });
    expect(world.writes).toEqual([]);
  });

  test.each([
    ["CI_FAILURE", "checks"],
    ["CI_TIMEOUT", "checks"],
    ["MERGE_CONFLICT", "conflict"],
    ["GIT_TREE_INVALID", "conflict"],
    ["MANUAL", "policy"],
    ["QUEUE_CLEARED", "policy"],
  ])(
    "put in once under a key; taken out for %s it is told as %s and not put in again",
    async (reason, how) => {
      let nodes: readonly object[] = [];
      const world = await scripted({
        ...answers({}),
        "POST /graphql": (asked) => {
          if (!queryOf(asked).startsWith("mutation"))
            return ok({ data: { repository: { pullRequest: pull({ timelineItems: { nodes } }) } } });
          nodes = [added, removed(reason)];
          return "reset";
        },
      });
      const forge = githubForge(world.github);
      await expect(forge.enqueue(key("k"), at, head)).rejects.toThrow();
      expect(await forge.enqueue(key("k"), at, head)).toMatchObject({ is: "refused", how });
      expect(world.writes).toHaveLength(1);
      // A new release is a new intention.
      nodes = [added, removed(reason)];
      await expect(forge.enqueue(key("another"), at, head)).rejects.toThrow();
      expect(world.writes).toHaveLength(2);
    },
  );

  test.each([
    ["Pull request has merge conflicts", "conflict"],
    ['Required status check "ci" is expected.', "pending"],
    ["Head sha didn't match expected oid", "moved"],
    ["Merge queue is not enabled for this branch", "policy"],
  ])("%s is %s", async (message, how) => {
    const world = await scripted(
      answers({ pullRequest: pull() }, () => ({
        data: { enqueuePullRequest: null },
        errors: [{ type: "UNPROCESSABLE", message, path: ["enqueuePullRequest"] }],
      })),
    );
    expect(await githubForge(world.github).enqueue(key("k"), at, head)).toMatchObject({ is: "refused", how });
  });
});
