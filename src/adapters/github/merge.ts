import type { Octokit } from "@octokit/rest";
import type { Forge, Key, Merged, PullRef, Refused } from "../../ports.ts";
import type { MergeMethod as Method } from "../../state-machine/landing.ts";
import type { GitHub } from "./app.ts";
import { mergeableOf } from "./pull-facts.ts";
import type { RawPull } from "./pull-facts.ts";
import { graphqlTypes, saidBy, statusOf } from "./trouble.ts";

type Sha = Merged["merge"];

/** Merges exactly this head: by the wanted method, or else as the repository allows, squash before merge before rebase. */
export async function mergePull(
  github: GitHub,
  octokit: Octokit,
  key: Key,
  { repo, number }: PullRef,
  head: Sha,
  message: Parameters<Forge["merge"]>[3],
): Promise<Merged | Refused> {
  const at = { owner: repo.owner, repo: repo.name, pull_number: number };
  const { data: pull } = await octokit.rest.pulls.get(at);
  const settled = settledOf(pull, head);
  if (settled !== undefined) return settled;
  if (pull.draft === true) return refuse("policy", "The pull request is still a draft.");
  const methods = await methodsFor(octokit, { repo, number }, message.method);
  if (methods.length === 0) return refuse("policy", "The repository allows no way of merging.");
  for (const method of methods) {
    try {
      await github.writing(key, "merge a pull request", repo, number);
      const { data } = await octokit.rest.pulls.merge({
        ...at,
        sha: head,
        merge_method: method,
        ...(method === "rebase"
          ? {}
          : { commit_title: github.scrub(message.title), commit_message: github.scrub(message.body) }),
      });
      return { is: "merged", merge: data.sha };
    } catch (error) {
      const status = statusOf(error);
      const said = saidBy(error);
      if (status === 405 && /merges are not allowed|merge method/i.test(said)) continue;
      if (status === undefined || !isRefusal(status, said)) throw error;
      const { data: now } = await octokit.rest.pulls.get(at);
      return settledOf(now, head) ?? refusalOf(status, said, now);
    }
  }
  return refuse("policy", `The repository allows none of ${methods.join(", ")} here.`);
}

/** What needs no merge call any more: merged already, closed, or at another head. */
function settledOf(pull: RawPull, head: Sha): Merged | Refused | undefined {
  if (pull.merged && pull.head.sha === head) return { is: "merged", merge: pull.merge_commit_sha ?? "" };
  if (pull.head.sha !== head) return refuse("moved", `The head is ${pull.head.sha}, not ${head}.`);
  return pull.state === "closed" ? refuse("policy", "The pull request is closed.") : undefined;
}

/** 403 is a refusal only when it speaks of this change, such as a workflow file; a missing permission is trouble. */
function isRefusal(status: number, said: string): boolean {
  if (status === 403)
    return /workflow|protected branch|rule/i.test(said) && !/not accessible by integration/i.test(said);
  return [405, 409, 422].includes(status);
}

/** Sorts a refusal by GitHub's words first, then by what the pull request now says of itself. */
function refusalOf(
  status: number,
  said: string,
  pull: Pick<RawPull, "mergeable" | "mergeable_state">,
): Refused {
  if (status === 409 || /head branch was modified/i.test(said)) return refuse("moved", said);
  if (/base branch was modified|merge already in progress|try again/i.test(said))
    return refuse("pending", said);
  const mergeable = mergeableOf(pull);
  if (mergeable === "conflict" || /conflict/i.test(said)) return refuse("conflict", said);
  if (pull.mergeable_state === "behind" || /not up to date|out of date/i.test(said))
    return refuse("behind", said);
  if (/merge queue/i.test(said)) return refuse("unavailable", said);
  if (/\b(expected|pending|in progress|queued|waiting)\b/i.test(said)) return refuse("pending", said);
  // A check that failed speaks for itself elsewhere; one that merely has not passed is waited for.
  if (/status check/i.test(said) && !/fail/i.test(said)) return refuse("pending", said);
  return refuse(mergeable === "unknown" ? "pending" : "policy", said);
}

async function methodsFor(
  octokit: Octokit,
  { repo }: PullRef,
  wanted: Method | undefined,
): Promise<readonly Method[]> {
  if (wanted !== undefined) return [wanted];
  const { data } = await octokit.rest.repos.get({ owner: repo.owner, repo: repo.name });
  const allowed: readonly (readonly [Method, boolean | undefined])[] = [
    ["squash", data.allow_squash_merge],
    ["merge", data.allow_merge_commit],
    ["rebase", data.allow_rebase_merge],
  ];
  // GitHub hides these settings from some tokens; then each is tried in turn.
  return allowed.filter(([, is]) => is !== false).map(([method]) => method);
}

/** Arms GitHub's own auto-merge for this head. */
export async function armPull(
  github: GitHub,
  octokit: Octokit,
  key: Key,
  { repo, number }: PullRef,
  head: Sha,
  message: Parameters<Forge["arm"]>[3],
): Promise<"armed" | Refused> {
  const at = { owner: repo.owner, repo: repo.name, pull_number: number };
  const { data: pull } = await octokit.rest.pulls.get(at);
  if (pull.head.sha !== head) return refuse("moved", `The head is ${pull.head.sha}, not ${head}.`);
  if (pull.state === "closed") return refuse("unavailable", "The pull request is closed.");
  if (pull.auto_merge !== null && pull.auto_merge !== undefined) return "armed";
  if (pull.draft === true) return refuse("unavailable", "The pull request is still a draft.");
  const [method] = await methodsFor(octokit, { repo, number }, message?.method);
  if (method === undefined) return refuse("policy", "The repository allows no way of merging.");
  await github.writing(key, "arm or disarm a merge", repo, number);
  try {
    await octokit.graphql(
      `mutation ($pull: ID!, $how: PullRequestMergeMethod!, $head: GitObjectID!, $title: String, $body: String) {
        enablePullRequestAutoMerge(input: {
          pullRequestId: $pull, mergeMethod: $how, expectedHeadOid: $head, commitHeadline: $title, commitBody: $body
        }) {
          clientMutationId
        }
      }`,
      {
        pull: pull.node_id,
        how: method.toUpperCase(),
        head,
        ...(message === undefined || method === "rebase"
          ? {}
          : { title: github.scrub(message.title), body: github.scrub(message.body) }),
      },
    );
  } catch (error) {
    const types = graphqlTypes(error);
    if (
      types.length === 0 ||
      types.some((type) => ["FORBIDDEN", "NOT_FOUND", "RATE_LIMITED"].includes(type))
    ) {
      throw error;
    }
    const said = saidBy(error);
    // Clean and unstable pull requests, and repositories without the feature, are merged directly instead.
    return refuse(/\bhead\b|oid/i.test(said) ? "moved" : "unavailable", said);
  }
  // GitHub has been seen to accept this and arm nothing: only what it then says of itself counts.
  const { data: after } = await octokit.rest.pulls.get(at);
  const isArmed = after.state === "closed" || (after.auto_merge !== null && after.auto_merge !== undefined);
  return isArmed ? "armed" : refuse("unavailable", "GitHub accepted the request and armed nothing.");
}

/** Takes the arming back; a pull request that is not armed stays as it is. */
export async function disarmPull(
  github: GitHub,
  octokit: Octokit,
  key: Key,
  { repo, number }: PullRef,
): Promise<void> {
  const { data: pull } = await octokit.rest.pulls.get({
    owner: repo.owner,
    repo: repo.name,
    pull_number: number,
  });
  if (pull.auto_merge === null || pull.auto_merge === undefined || pull.state === "closed") return;
  await github.writing(key, "arm or disarm a merge", repo, number);
  await octokit.graphql(
    "mutation ($pull: ID!) { disablePullRequestAutoMerge(input: { pullRequestId: $pull }) { clientMutationId } }",
    { pull: pull.node_id },
  );
}

function refuse(how: Refused["how"], why: string): Refused {
  return { is: "refused", how, why };
}
