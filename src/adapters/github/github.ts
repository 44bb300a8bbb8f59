import type { Octokit } from "@octokit/rest";
import type { Forge, Permission, PullFacts, PullRef, Repo } from "../../ports.ts";
import { Trouble } from "../../ports.ts";
import type { GitHub } from "./app.ts";
import { readBase, readPaths } from "./base.ts";
import { dequeuePull, enqueuePull, readQueue, readStanding } from "./landing.ts";
import { armPull, disarmPull, mergePull } from "./merge.ts";
import { pullFactsOf } from "./pull-facts.ts";
import { readThreads } from "./threads.ts";
import { capped, sameText, withRegion } from "./text.ts";
import { saidBy, statusOf, unless } from "./trouble.ts";

/** The Forge on GitHub: pull requests, people and merging. */
export function githubForge(github: GitHub): Forge {
  return {
    pull: (ref) =>
      github.within("read a pull request", ref.repo, (octokit) => readPull(github, octokit, ref)),
    threads: (ref) =>
      github.within("read review threads", ref.repo, (octokit) => readThreads(github, octokit, ref)),
    permission: (repo, login) =>
      github.within("read a person's permission", repo, (octokit) => readPermission(octokit, repo, login)),
    loginOf: (repo, account) =>
      github.within("read a person's permission", repo, async (octokit) => {
        const found = await unless([404], octokit.rest.users.getById({ account_id: account }));
        return found?.data.type === "User" ? found.data.login : undefined;
      }),
    openPull: (key, draft) =>
      github.within("open a pull request", draft.repo, (octokit) => openPull(github, octokit, key, draft)),
    askReview: (key, pull, change) =>
      github.within("ask for a review", pull.repo, (octokit) =>
        askReview(github, octokit, key, pull, change),
      ),
    closePull: (key, pull) =>
      github.within("close a pull request", pull.repo, async (octokit) => {
        const at = { ...placeOf(pull.repo), pull_number: pull.number };
        const { data } = await octokit.rest.pulls.get(at);
        if (data.state === "closed") return;
        await github.writing(key, "close a pull request", pull.repo, pull.number);
        await octokit.rest.pulls.update({ ...at, state: "closed" });
      }),
    retarget: (key, pull, base) =>
      github.within("change the base of a pull request", pull.repo, async (octokit) => {
        const at = { ...placeOf(pull.repo), pull_number: pull.number };
        const { data } = await octokit.rest.pulls.get(at);
        if (data.state === "closed" || data.base.ref === base) return;
        await github.writing(key, "change the base of a pull request", pull.repo, pull.number);
        await octokit.rest.pulls.update({ ...at, base });
      }),
    arm: (key, pull, head, message) =>
      github.within("arm or disarm a merge", pull.repo, (octokit) =>
        armPull(github, octokit, key, pull, head, message),
      ),
    disarm: (key, pull) =>
      github.within("arm or disarm a merge", pull.repo, async (octokit) => {
        await disarmPull(github, octokit, key, pull);
        await dequeuePull(github, octokit, key, pull);
      }),
    standing: (pull) =>
      github.within("read how a merge stands", pull.repo, (octokit) => readStanding(octokit, pull)),
    enqueue: (key, pull, head) =>
      github.within("put into a merge queue", pull.repo, (octokit) =>
        enqueuePull(github, octokit, key, pull, head),
      ),
    queue: (repo, branch) =>
      github.within("read how a merge stands", repo, (octokit) => readQueue(octokit, repo, branch)),
    commit: (repo, sha) =>
      github.within("read a file", repo, async (octokit) => {
        const found = await unless(
          [404, 409, 422],
          octokit.rest.git.getCommit({ ...placeOf(repo), commit_sha: sha }),
        );
        if (found === undefined) return undefined;
        const { tree, parents } = found.data;
        return { tree: tree.sha, parents: parents.map((parent) => parent.sha) };
      }),
    merge: (key, pull, head, message) =>
      github.within("merge a pull request", pull.repo, (octokit) =>
        mergePull(github, octokit, key, pull, head, message),
      ),
    base: (repo, branch, merge) =>
      github.within("read a pull request", repo, (octokit) => readBase(github, octokit, repo, branch, merge)),
    paths: (pull) => github.within("read a pull request", pull.repo, (octokit) => readPaths(octokit, pull)),
    deleteBranch: (key, repo, branch, head) =>
      github.within("delete a branch", repo, async (octokit) => {
        const found = await unless(
          [404, 409],
          octokit.rest.git.getRef({ ...placeOf(repo), ref: `heads/${branch}` }),
        );
        if (found?.data.object.sha !== head || branch === repo.defaultBranch) return;
        await github.writing(key, "delete a branch", repo);
        // 422: somebody deleted it between our look and our deed.
        await unless([404, 422], octokit.rest.git.deleteRef({ ...placeOf(repo), ref: `heads/${branch}` }));
      }),
  };
}

/** Owner and name as Octokit's methods want them. */
function placeOf(repo: Repo): { readonly owner: string; readonly repo: string } {
  return { owner: repo.owner, repo: repo.name };
}

async function readPull(github: GitHub, octokit: Octokit, ref: PullRef): Promise<PullFacts | undefined> {
  const place = placeOf(ref.repo);
  const at = { ...place, pull_number: ref.number };
  const [answer, reviews] = await Promise.all([
    unless([404, 410], octokit.rest.pulls.get(at)),
    unless([404, 410], octokit.paginate(octokit.rest.pulls.listReviews, { ...at, per_page: 100 })),
  ]);
  if (answer === undefined || reviews === undefined) return undefined;
  const pull = answer.data;
  const of = { ...place, ref: pull.head.sha, per_page: 100 };
  const [runs, statuses, required] = await Promise.all([
    octokit.paginate(octokit.rest.checks.listForRef, of),
    readStatuses(octokit, of),
    readRequired(octokit, ref.repo, pull.base.ref),
  ]);
  return pullFactsOf({ pull, reviews, runs, statuses, required }, github.appId);
}

/** The newest status of each context; GitHub pages them inside one object. */
async function readStatuses(
  octokit: Octokit,
  of: { readonly owner: string; readonly repo: string; readonly ref: string; readonly per_page: number },
): Promise<Awaited<ReturnType<Octokit["rest"]["repos"]["getCombinedStatusForRef"]>>["data"]["statuses"]> {
  const found = [];
  for (let page = 1; page <= maxStatusPages; page++) {
    const { data } = await octokit.rest.repos.getCombinedStatusForRef({ ...of, page });
    found.push(...data.statuses);
    if (data.statuses.length < of.per_page) break;
  }
  return found;
}
const maxStatusPages = 10;

/** Required checks from the branch itself and from rulesets; rules that we may not read are unknown, not an error. */
async function readRequired(octokit: Octokit, repo: Repo, branch: string): Promise<readonly string[]> {
  const [tip, rules] = await Promise.all([
    unless([403, 404], octokit.rest.repos.getBranch({ ...placeOf(repo), branch })),
    unless([403, 404], octokit.rest.repos.getBranchRules({ ...placeOf(repo), branch, per_page: 100 })),
  ]);
  const classic = tip?.data.protection?.required_status_checks;
  const names = classic === undefined || classic.enforcement_level === "off" ? [] : (classic.contexts ?? []);
  const ruled = (rules?.data ?? []).flatMap((rule) =>
    rule.type === "required_status_checks"
      ? (rule.parameters?.required_status_checks ?? []).map((check) => check.context)
      : [],
  );
  return [...new Set([...names, ...ruled])];
}

const roles: ReadonlySet<string> = new Set(["none", "read", "triage", "write", "maintain", "admin"]);

async function readPermission(octokit: Octokit, repo: Repo, login: string): Promise<Permission> {
  if (login === "" || login.endsWith("[bot]")) return "none";
  const answer = await unless(
    [404],
    octokit.rest.repos.getCollaboratorPermissionLevel({ ...placeOf(repo), username: login }),
  );
  const data = answer?.data;
  if (data === undefined || data.user?.type === "Bot") return "none";
  // A custom role has a name of its own; `permission` then names the standard role it grows from.
  const role = roles.has(data.role_name) ? data.role_name : data.permission;
  return roles.has(role) ? (role as Permission) : "none";
}

async function findOpenPull(octokit: Octokit, repo: Repo, branch: string): Promise<PullRef | undefined> {
  const { data } = await octokit.rest.pulls.list({
    ...placeOf(repo),
    state: "open",
    head: `${repo.owner}:${branch}`,
    per_page: 100,
  });
  // The filter is GitHub's; that it filtered is checked here.
  const found = data.find((pull) => pull.head.ref === branch && pull.head.repo?.id === repo.id);
  return found === undefined ? undefined : { repo, number: found.number };
}

async function openPull(
  github: GitHub,
  octokit: Octokit,
  key: Parameters<Forge["openPull"]>[0],
  draft: Parameters<Forge["openPull"]>[1],
): Promise<PullRef> {
  const { repo, branch } = draft;
  const known = await findOpenPull(octokit, repo, branch);
  if (known !== undefined) return known;
  const create = async (isDraft: boolean): Promise<PullRef> => {
    const { data } = await octokit.rest.pulls.create({
      ...placeOf(repo),
      head: branch,
      base: draft.base,
      title: capped(github.scrub(draft.title), maxTitle),
      body: withRegion("", github.scrub(draft.region)),
      draft: isDraft,
    });
    return { repo, number: data.number };
  };
  await github.writing(key, "open a pull request", repo);
  try {
    return await create(draft.draft);
  } catch (error) {
    if (statusOf(error) !== 422) throw error;
    if (draft.draft && /draft pull requests are not supported/i.test(saidBy(error))) return create(false);
    const raced = await findOpenPull(octokit, repo, branch);
    if (raced !== undefined) return raced;
    throw new Trouble(
      "github-rejected",
      `GitHub opens no pull request from ${branch} to ${draft.base} in ${repo.owner}/${repo.name}: ${saidBy(error)}.`,
      { cause: error, permanent: true },
    );
  }
}
const maxTitle = 250;

async function askReview(
  github: GitHub,
  octokit: Octokit,
  key: Parameters<Forge["askReview"]>[0],
  { repo, number }: PullRef,
  change: Parameters<Forge["askReview"]>[2],
): Promise<void> {
  const at = { ...placeOf(repo), pull_number: number };
  const { data: pull } = await octokit.rest.pulls.get(at);
  if (pull.state === "closed") return;
  const body = withRegion(pull.body ?? "", github.scrub(change.region));
  if (!sameText(body, pull.body)) {
    await github.writing(key, "ask for a review", repo, number);
    await octokit.rest.pulls.update({ ...at, body });
  }
  if (pull.draft === true) {
    await github.writing(key, "ask for a review", repo, number);
    await octokit.graphql(
      "mutation ($pull: ID!) { markPullRequestReadyForReview(input: { pullRequestId: $pull }) { clientMutationId } }",
      { pull: pull.node_id },
    );
  }
  const reviews = await octokit.paginate(octokit.rest.pulls.listReviews, { ...at, per_page: 100 });
  const settled = new Set([
    pull.user.login,
    ...(pull.requested_reviewers ?? []).map((person) => person.login),
    ...reviews.filter((review) => review.commit_id === pull.head.sha).map((review) => review.user?.login),
  ]);
  const wanted = [...new Set(change.reviewers)].filter((login) => !settled.has(login));
  if (wanted.length === 0) return;
  await github.writing(key, "ask for a review", repo, number);
  if ((await unless([422], octokit.rest.pulls.requestReviewers({ ...at, reviewers: wanted }))) !== undefined)
    return;
  // One person who may not review spoils the whole request: ask the others one by one.
  if (wanted.length === 1) return;
  for (const login of wanted)
    await unless([422], octokit.rest.pulls.requestReviewers({ ...at, reviewers: [login] }));
}
