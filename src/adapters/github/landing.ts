import type { Octokit } from "@octokit/rest";
import { z } from "zod";
import type { Key, Merged, PullRef, QueueEntry, Refused, Repo } from "../../ports.ts";
import type { BranchRules, MergeMethod, Queued, Standing } from "../../state-machine/landing.ts";
import type { GitHub } from "./app.ts";
import { graphqlTypes, saidBy, unless } from "./trouble.ts";

const pullFields = `
  id state merged headRefOid isDraft mergeStateStatus reviewDecision
  mergeCommit { oid }
  mergeQueueEntry { position }
  latestOpinionatedReviews(first: 100, writersOnly: true) { nodes { state } }
  reviewThreads(first: 100) { nodes { isResolved } }
  timelineItems(last: 20, itemTypes: [ADDED_TO_MERGE_QUEUE_EVENT, REMOVED_FROM_MERGE_QUEUE_EVENT]) {
    nodes {
      __typename
      ... on AddedToMergeQueueEvent { id }
      ... on RemovedFromMergeQueueEvent { id reason }
    }
  }`;
const branchFields = `
  isArchived squashMergeAllowed mergeCommitAllowed rebaseMergeAllowed autoMergeAllowed
  mergeQueue(branch: $branch) { configuration { mergeMethod } }
  ref(qualifiedName: $ref) {
    refUpdateRule {
      requiredApprovingReviewCount requiredStatusCheckContexts requiresCodeOwnerReviews
      requiresConversationResolution requiresLinearHistory requiresSignatures
    }
  }`;

const Nodes = <One extends z.ZodType>(one: One) =>
  z.object({ nodes: z.array(one.nullable()).nullish() }).nullish();
const Pull = z.object({
  id: z.string(),
  state: z.string(),
  merged: z.boolean(),
  headRefOid: z.string(),
  isDraft: z.boolean(),
  mergeStateStatus: z.string(),
  reviewDecision: z.string().nullable(),
  mergeCommit: z.object({ oid: z.string() }).nullable(),
  mergeQueueEntry: z.object({ position: z.number() }).nullable(),
  latestOpinionatedReviews: Nodes(z.object({ state: z.string() })),
  reviewThreads: Nodes(z.object({ isResolved: z.boolean() })),
  timelineItems: Nodes(
    z
      .object({ __typename: z.string(), id: z.string(), reason: z.string().nullish() })
      .transform(({ __typename: type, id, reason }) => ({ type, id, reason })),
  ),
});
type Pull = z.infer<typeof Pull>;
const Branch = z.object({
  isArchived: z.boolean(),
  squashMergeAllowed: z.boolean(),
  mergeCommitAllowed: z.boolean(),
  rebaseMergeAllowed: z.boolean(),
  autoMergeAllowed: z.boolean(),
  mergeQueue: z
    .object({ configuration: z.object({ mergeMethod: z.string().nullish() }).nullish() })
    .nullish(),
  ref: z
    .object({
      refUpdateRule: z
        .object({
          requiredApprovingReviewCount: z.number().nullish(),
          requiredStatusCheckContexts: z.array(z.string().nullable()).nullish(),
          requiresCodeOwnerReviews: z.boolean(),
          requiresConversationResolution: z.boolean(),
          requiresLinearHistory: z.boolean(),
          requiresSignatures: z.boolean(),
        })
        .nullish(),
    })
    .nullish(),
});
type Branch = z.infer<typeof Branch>;

const all = <One>(list: { readonly nodes?: readonly (One | null)[] | null | undefined } | null | undefined) =>
  (list?.nodes ?? []).filter((one) => one !== null);

/** How a pull request stands with the rules of its base; undefined when there is none. */
export async function readStanding(octokit: Octokit, ref: PullRef): Promise<Standing | undefined> {
  const branch = ref.repo.defaultBranch;
  const [found, rules] = await Promise.all([
    ask(octokit, ref.repo, {
      asks: "$branch: String!, $ref: String!, $number: Int!",
      fields: `${branchFields} pullRequest(number: $number) { ${pullFields} }`,
      variables: { branch, ref: `refs/heads/${branch}`, number: ref.number },
      shape: Branch.extend({ pullRequest: Pull.nullable() }),
    }),
    readRuled(octokit, ref.repo, branch),
  ]);
  const pull = found?.pullRequest ?? undefined;
  if (found === undefined || pull === undefined) return undefined;
  const approvals = all(pull.latestOpinionatedReviews).filter(({ state }) => state === "APPROVED").length;
  return {
    rules: rulesFrom(branch, found, rules),
    open: pull.state === "OPEN",
    merged: mergedAs(pull),
    head: pull.headRefOid,
    approvals,
    decision: decisions[pull.reviewDecision ?? ""],
    unresolved: all(pull.reviewThreads).filter(({ isResolved }) => !isResolved).length,
    behind: pull.mergeStateStatus === "BEHIND",
    queued: queuedAs(pull),
  };
}

/** What a branch asks, without any pull request. */
export async function readRules(
  octokit: Octokit,
  repo: Repo,
  branch: string,
): Promise<BranchRules | undefined> {
  const [found, rules] = await Promise.all([
    ask(octokit, repo, {
      asks: "$branch: String!, $ref: String!",
      fields: branchFields,
      variables: { branch, ref: `refs/heads/${branch}` },
      shape: Branch,
    }),
    readRuled(octokit, repo, branch),
  ]);
  return found && rulesFrom(branch, found, rules);
}

const decisions: Readonly<Record<string, Standing["decision"]>> = {
  APPROVED: "approved",
  CHANGES_REQUESTED: "objected",
  REVIEW_REQUIRED: "required",
};
const mergedAs = (pull: Pull): string | undefined =>
  pull.merged ? (pull.mergeCommit?.oid ?? "") : undefined;
const queuedAs = ({ mergeQueueEntry: entry }: Pull): Queued | undefined =>
  entry === null ? undefined : { is: "queued", position: entry.position };

async function ask<Shape extends z.ZodType>(
  octokit: Octokit,
  repo: Repo,
  {
    asks,
    fields,
    variables,
    shape,
  }: {
    readonly asks: string;
    readonly fields: string;
    readonly variables: Readonly<Record<string, string | number>>;
    readonly shape: Shape;
  },
): Promise<z.infer<Shape> | undefined> {
  const answer: { readonly repository?: unknown } = await octokit.graphql(
    `query ($owner: String!, $name: String!, ${asks}) { repository(owner: $owner, name: $name) { ${fields} } }`,
    { owner: repo.owner, name: repo.name, ...variables },
  );
  return answer.repository === null || answer.repository === undefined
    ? undefined
    : shape.parse(answer.repository);
}

interface Ruled {
  readonly type: string;
  readonly parameters?: Readonly<Record<string, unknown>> | undefined;
}

/** The rules of all rulesets that speak of this branch; those of an old server that has none are none. */
async function readRuled(octokit: Octokit, repo: Repo, branch: string): Promise<readonly Ruled[]> {
  const found = await unless(
    [403, 404],
    octokit.paginate("GET /repos/{owner}/{repo}/rules/branches/{branch}", {
      owner: repo.owner,
      repo: repo.name,
      branch,
      per_page: 100,
    }),
  );
  return found ?? [];
}

const methodNamed = (word: unknown): MergeMethod | undefined => {
  const name = typeof word === "string" ? word.toLowerCase() : "";
  return name === "squash" || name === "merge" || name === "rebase" ? name : undefined;
};

/** Settings, classic protection as far as everybody may see it, and rulesets, as one. */
function rulesFrom(branch: string, settings: Branch, ruled: readonly Ruled[]): BranchRules {
  const classic = settings.ref?.refUpdateRule;
  const of = (type: string): readonly Readonly<Record<string, unknown>>[] =>
    ruled.filter((rule) => rule.type === type).map(({ parameters }) => parameters ?? {});
  const reviews = of("pull_request");
  const checks = of("required_status_checks");
  const listed = reviews.flatMap(({ allowed_merge_methods: methods }) =>
    Array.isArray(methods) ? [methods.flatMap((one) => methodNamed(one) ?? [])] : [],
  );
  const queue = of("merge_queue");
  const methods = [
    settings.squashMergeAllowed ? ["squash" as const] : [],
    settings.mergeCommitAllowed ? ["merge" as const] : [],
    settings.rebaseMergeAllowed ? ["rebase" as const] : [],
  ].flat();
  return {
    branch,
    archived: settings.isArchived,
    restricted: of("update").length > 0,
    methods,
    ruledMethods:
      listed.length === 0
        ? undefined
        : methods.filter((method) => listed.every((allowed) => allowed.includes(method))),
    approvals: Math.max(
      classic?.requiredApprovingReviewCount ?? 0,
      ...reviews.map((one) => Number(one["required_approving_review_count"] ?? 0)),
    ),
    codeOwners:
      classic?.requiresCodeOwnerReviews === true ||
      reviews.some((one) => one["require_code_owner_review"] === true),
    lastPush: reviews.some((one) => one["require_last_push_approval"] === true),
    conversations:
      classic?.requiresConversationResolution === true ||
      reviews.some((one) => one["required_review_thread_resolution"] === true),
    signed: classic?.requiresSignatures === true || of("required_signatures").length > 0,
    linear: classic?.requiresLinearHistory === true || of("required_linear_history").length > 0,
    upToDate: checks.some((one) => one["strict_required_status_checks_policy"] === true),
    checks: [
      ...new Set([
        ...(classic?.requiredStatusCheckContexts ?? []).filter((name) => name !== null),
        ...checks.flatMap((one) => contextsIn(one["required_status_checks"])),
      ]),
    ],
    deployments: of("required_deployments").flatMap((one) =>
      wordsIn(one["required_deployment_environments"]),
    ),
    autoMerge: settings.autoMergeAllowed,
    queue:
      queue.length === 0 && (settings.mergeQueue ?? undefined) === undefined
        ? undefined
        : {
            method:
              methodNamed(queue[0]?.["merge_method"]) ??
              methodNamed(settings.mergeQueue?.configuration?.mergeMethod),
          },
  };
}
const wordsIn = (list: unknown): readonly string[] =>
  Array.isArray(list) ? list.filter((one): one is string => typeof one === "string") : [];
const contextsIn = (list: unknown): readonly string[] =>
  Array.isArray(list)
    ? list.flatMap((one: { readonly context?: unknown }) =>
        typeof one.context === "string" ? [one.context] : [],
      )
    : [];

/**
 * Puts exactly this head into the merge queue, once under one key: taken out again, it is told and not put back. What
 * the queue already holds is left alone, since a new entry would begin the group anew.
 */
export async function enqueuePull(
  github: GitHub,
  octokit: Octokit,
  key: Key,
  ref: PullRef,
  head: string,
): Promise<Queued | Merged | Refused> {
  const pull = await readPull(octokit, ref);
  if (pull === undefined) return refuse("policy", "The pull request is gone.");
  const merged = mergedAs(pull);
  if (merged !== undefined && pull.headRefOid === head) return { is: "merged", merge: merged };
  if (pull.headRefOid !== head) return refuse("moved", `The head is ${pull.headRefOid}, not ${head}.`);
  if (pull.state !== "OPEN") return refuse("policy", "The pull request is closed.");
  const queued = queuedAs(pull);
  if (queued !== undefined) return queued;
  // Written before the call: what is then found in the pull request's history was put there by it.
  const mark = `enqueue ${key}`;
  const before = await github.memory.get(mark);
  const events = all(pull.timelineItems);
  const added = events.findLast((one) => one.type === "AddedToMergeQueueEvent")?.id ?? "never";
  if (before !== undefined && before !== added)
    return removed(events.findLast((one) => one.type === "RemovedFromMergeQueueEvent")?.reason);
  if (before === undefined) await github.memory.set(mark, added);
  await github.writing(key, "put into a merge queue", ref.repo, ref.number);
  try {
    const answer: { readonly enqueuePullRequest?: unknown } = await octokit.graphql(
      `mutation ($pull: ID!, $head: GitObjectID!) {
        enqueuePullRequest(input: { pullRequestId: $pull, expectedHeadOid: $head }) { mergeQueueEntry { position } }
      }`,
      { pull: pull.id, head },
    );
    const made = z
      .object({ mergeQueueEntry: z.object({ position: z.number() }).nullish() })
      .parse(answer.enqueuePullRequest);
    return { is: "queued", position: made.mergeQueueEntry?.position ?? 1 };
  } catch (error) {
    const types = graphqlTypes(error);
    if (types.length === 0 || types.some((type) => ["FORBIDDEN", "NOT_FOUND", "RATE_LIMITED"].includes(type)))
      throw error;
    const said = saidBy(error);
    if (/conflict/i.test(said)) return refuse("conflict", said);
    if (/\bhead\b|oid/i.test(said)) return refuse("moved", said);
    return refuse(
      /\b(expected|pending|in progress|waiting|try again)\b/i.test(said) ? "pending" : "policy",
      said,
    );
  }
}

/** Takes it out of the merge queue, if it is in one. */
export async function dequeuePull(github: GitHub, octokit: Octokit, key: Key, ref: PullRef): Promise<void> {
  const pull = await readPull(octokit, ref);
  if (pull === undefined || queuedAs(pull) === undefined) return;
  await github.writing(key, "put into a merge queue", ref.repo, ref.number);
  await octokit.graphql(
    "mutation ($pull: ID!) { dequeuePullRequest(input: { id: $pull }) { clientMutationId } }",
    { pull: pull.id },
  );
}

/** What a queue said when it took a pull request out, in our words. */
function removed(reason: string | null | undefined): Refused {
  const word = reason ?? "it did not say why";
  const why = `The merge queue took it out: ${word}.`;
  if (/conflict|tree_invalid|invalid_merge/i.test(word)) return refuse("conflict", why);
  return refuse(/fail|time_?d?_?out|checks/i.test(word) ? "checks" : "policy", why);
}

async function readPull(octokit: Octokit, { repo, number }: PullRef): Promise<Pull | undefined> {
  const found = await ask(octokit, repo, {
    asks: "$number: Int!",
    fields: `pullRequest(number: $number) { ${pullFields} }`,
    variables: { number },
    shape: z.object({ pullRequest: Pull.nullable() }),
  });
  return found?.pullRequest ?? undefined;
}

const Entry = z.object({
  position: z.number(),
  headCommit: z.object({ oid: z.string() }).nullish(),
  pullRequest: z.object({ number: z.number(), headRefOid: z.string() }).nullish(),
});

/** What stands in the queue of a branch, first come first. */
export async function readQueue(
  octokit: Octokit,
  repo: Repo,
  branch: string,
): Promise<readonly QueueEntry[]> {
  const found = await ask(octokit, repo, {
    asks: "$branch: String!",
    fields:
      "mergeQueue(branch: $branch) { entries(first: 100) { nodes { position headCommit { oid } pullRequest { number headRefOid } } } }",
    variables: { branch },
    shape: z.object({ mergeQueue: z.object({ entries: Nodes(Entry) }).nullable() }),
  });
  return all(found?.mergeQueue?.entries)
    .flatMap(({ position, headCommit, pullRequest: pull }) =>
      pull === null || pull === undefined
        ? []
        : [{ position, group: headCommit?.oid, pull: pull.number, head: pull.headRefOid }],
    )
    .toSorted((a, b) => a.position - b.position);
}

function refuse(how: Refused["how"], why: string): Refused {
  return { is: "refused", how, why };
}
