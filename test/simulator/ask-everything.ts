import { expect } from "vitest";
import type { Json, Stand } from "./forge-stand.ts";

/** A forge with something of everything, and a way of asking that says what must come back. */
interface Scene {
  readonly stand: Stand;
  readonly asked: (wanted: number, ...call: Parameters<Stand["api"]>) => Promise<Json>;
  readonly issue: number;
  readonly gone: number;
  readonly moved: number;
  readonly pull: number;
  readonly node: string;
  readonly tip: string;
}

/** Asks the forge for everything it has a route for, refusals and all. */
export async function askEverything(stand: Stand): Promise<void> {
  const scene = await setScene(stand);
  await askComments(scene);
  await askIssues(scene);
  await askPulls(scene);
  await askReviews(scene);
  await askGraphql(scene);
  await askChecks(scene);
  await askPlaces(scene);
  await askMerge(scene);
  await askApp(scene);
}

async function setScene(stand: Stand): Promise<Scene> {
  const { api, people, hub, repo } = stand;
  const issue = people.openIssue({ by: "bob", title: "one", body: "x" });
  const other = await hub.seed({ owner: "acme", name: "other", files: { "README.md": "# other\n" } });
  const gone = people.openIssue({ by: "bob", title: "gone", body: "x" });
  const moved = people.openIssue({ by: "bob", title: "moved", body: "x" });
  people.deleteIssue(gone, "ada");
  people.transferIssue(moved, "ada", other);
  const first = people.comment(issue, "bob", "first");
  people.editComment(first, "bob", "edited");
  await people.push("work", "bob", { "a.txt": "one\nthree\n", "new.txt": "n\n" });
  await people.push("idle", "bob", { "idle.txt": "i\n" });
  await people.deleteBranch("idle", "bob");
  const tip = repo.branches.get("work") ?? "";
  const opened = await api("POST", "/pulls", { title: "t", body: "closes #1", head: "work", base: "main" });
  const pull = Number(opened.body["number"]);
  const asked = async (wanted: number, ...call: Parameters<Stand["api"]>): Promise<Json> => {
    const { status, body } = await api(...call);
    expect([call[0], call[1], status]).toEqual([call[0], call[1], wanted]);
    return body;
  };
  return { stand, asked, issue, gone, moved, pull, node: String(opened.body["node_id"]), tip };
}

async function askComments({ asked, issue }: Scene): Promise<void> {
  const comment = await asked(201, "POST", `/issues/${issue}/comments`, { body: "said" });
  const said = String(comment["id"]);
  await asked(200, "PATCH", `/issues/comments/${said}`, { body: "said again" });
  await asked(200, "GET", `/issues/comments/${said}`);
  await asked(200, "GET", `/issues/${issue}/comments`);
  await asked(201, "POST", `/issues/comments/${said}/reactions`, { content: "eyes" });
  await asked(200, "POST", `/issues/comments/${said}/reactions`, { content: "eyes" });
  await asked(200, "GET", `/issues/comments/${said}/reactions`);
  await asked(201, "POST", `/issues/${issue}/reactions`, { content: "rocket" });
  await asked(200, "GET", `/issues/${issue}/reactions`);
  await asked(204, "DELETE", `/issues/comments/${said}`);
  await asked(404, "GET", `/issues/comments/${said}`);
}

async function askIssues({ stand, asked, issue, gone, moved }: Scene): Promise<void> {
  const { hub } = stand;
  await asked(200, "GET", "/issues?state=all&labels=agent-ready&per_page=1");
  await asked(200, "PATCH", `/issues/${issue}`, { title: "one more" });
  await asked(200, "PATCH", `/issues/${issue}`, { state: "closed", state_reason: "not_planned" });
  await asked(200, "PATCH", `/issues/${issue}`, { state: "open" });
  await asked(201, "POST", "/labels", { name: "kind", color: "c0ffee", description: "so it is" });
  await asked(422, "POST", "/labels", { name: "kind", color: "c0ffee" });
  await asked(200, "GET", "/labels/kind");
  await asked(200, "GET", "/labels?per_page=100");
  await asked(404, "GET", "/labels/unkind");
  await asked(200, "POST", `/issues/${issue}/labels`, { labels: ["kind"] });
  await asked(200, "GET", `/issues/${issue}/labels`);
  await asked(200, "GET", `/issues/${issue}/events`);
  await asked(200, "DELETE", `/issues/${issue}/labels/kind`);
  await asked(404, "DELETE", `/issues/${issue}/labels/kind`);
  const made = await asked(201, "POST", "/issues", { title: "another", body: "x" });
  await asked(201, "POST", `/issues/${issue}/dependencies/blocked_by`, { issue_id: made["id"] });
  await asked(200, "GET", `/issues/${issue}/dependencies/blocked_by`);
  await asked(410, "GET", `/issues/${gone}`);
  await asked(404, "GET", "/issues/999");
  const from = { authorization: `Bearer ${await stand.token()}` };
  const there = await fetch(`${hub.url}/repos/acme/web/issues/${moved}`, {
    headers: from,
    redirect: "manual",
  });
  expect(there.status).toBe(301);
}

async function askPulls({ stand, asked, pull }: Scene): Promise<void> {
  const { api, people } = stand;
  await asked(422, "POST", "/pulls", { title: "t", head: "work", base: "main" });
  await asked(422, "POST", "/pulls", { title: "t", head: "nothing", base: "main" });
  await asked(422, "POST", "/pulls", { title: "t", head: "main", base: "main" });
  await asked(200, "GET", "/pulls?state=all&head=acme:work&base=main");
  await asked(200, "GET", `/pulls/${pull}`);
  expect(
    (await api("GET", `/pulls/${pull}`, undefined, { accept: "application/vnd.github.diff" })).text,
  ).toContain("+three");
  await asked(200, "GET", `/pulls/${pull}/files`);
  await asked(404, "GET", `/pulls/${pull}/merge`);
  await asked(201, "POST", `/pulls/${pull}/requested_reviewers`, { reviewers: ["bob"] });
  await asked(422, "POST", `/pulls/${pull}/requested_reviewers`, { reviewers: ["nobody"] });
  people.label(pull, "kind", "bob");
  people.unlabel(pull, "kind", "bob");
  await people.push("next", "bob", { "next.txt": "n\n" });
  await people.retarget(pull, "bob", "next");
  await people.retarget(pull, "bob", "main");
  await asked(422, "PATCH", `/pulls/${pull}`, { base: "nowhere" });
  await asked(200, "PATCH", `/pulls/${pull}`, { body: "words" });
}

async function askReviews({ stand, asked, pull, tip }: Scene): Promise<void> {
  const { people } = stand;
  const at = { path: "a.txt", line: 2, side: "RIGHT" };
  const review = await asked(200, "POST", `/pulls/${pull}/reviews`, {
    event: "COMMENT",
    body: "see",
    commit_id: tip,
    comments: [{ ...at, body: "here" }],
  });
  await asked(422, "POST", `/pulls/${pull}/reviews`, { event: "APPROVE" });
  await asked(200, "GET", `/pulls/${pull}/reviews`);
  await asked(200, "GET", `/pulls/${pull}/reviews/${String(review["id"])}`);
  await asked(200, "PUT", `/pulls/${pull}/reviews/${String(review["id"])}`, { body: "see there" });
  await asked(200, "GET", `/pulls/${pull}/reviews/${String(review["id"])}/comments`);
  await asked(422, "PUT", `/pulls/${pull}/reviews/${String(review["id"])}/dismissals`, { message: "no" });
  await people.requestChanges(pull, "ada", "no");
  const objection = people.thread(pull).pull?.reviews.at(-1)?.id ?? 0;
  await asked(200, "PUT", `/pulls/${pull}/reviews/${objection}/dismissals`, { message: "talked" });
  const inline = await asked(201, "POST", `/pulls/${pull}/comments`, { ...at, body: "b", commit_id: tip });
  await asked(422, "POST", `/pulls/${pull}/comments`, { ...at, line: 99, body: "b", commit_id: tip });
  const hung = String(inline["id"]);
  await asked(201, "POST", `/pulls/${pull}/comments/${hung}/replies`, { body: "so" });
  await asked(200, "GET", `/pulls/${pull}/comments`);
  await asked(200, "GET", `/pulls/comments/${hung}`);
  await asked(201, "POST", `/pulls/comments/${hung}/reactions`, { content: "+1" });
  await asked(200, "GET", `/pulls/comments/${hung}/reactions`);
}

async function askGraphql({ stand, node: id }: Scene): Promise<void> {
  const graph = (name: string, more = ""): string =>
    `mutation ($pull: ID!) { ${name}(input: { pullRequestId: $pull${more} }) { pullRequest { number isDraft } } }`;
  const node = { pull: id };
  for (const query of [
    graph("convertPullRequestToDraft"),
    graph("markPullRequestReadyForReview"),
    graph("enablePullRequestAutoMerge", ", mergeMethod: SQUASH"),
    graph("disablePullRequestAutoMerge"),
    "query ($pull: ID!) { node(id: $pull) { __typename ... on PullRequest { autoMergeRequest { mergeMethod } } } }",
  ])
    await stand.graphql(query, node);
  await stand.graphql(graph("markPullRequestReadyForReview"), { pull: "PR_0" });
}

async function askChecks({ stand, asked, tip }: Scene): Promise<void> {
  const { ask, people } = stand;
  const run = await asked(201, "POST", "/check-runs", {
    name: "ours",
    head_sha: tip,
    status: "in_progress",
    output: { title: "t", summary: "s" },
    actions: [{ label: "l", description: "d", identifier: "i" }],
  });
  await asked(200, "GET", `/check-runs/${String(run["id"])}`);
  await asked(200, "PATCH", `/check-runs/${String(run["id"])}`, {
    status: "completed",
    conclusion: "success",
  });
  await asked(200, "GET", `/commits/${tip}/check-runs?check_name=ours&filter=latest`);
  await people.status(tip, "docs", "success");
  await asked(200, "GET", `/commits/${tip}/status?per_page=100&page=1`);
  await asked(200, "GET", `/commits/${tip}/statuses?per_page=100&page=1`);
  await askActions({ stand, asked, tip });
  const statuses = await ask(
    await stand.token({ statuses: "read", metadata: "read" }),
    "POST",
    `/repos/acme/web/statuses/${tip}`,
    {
      state: "success",
    },
  );
  expect(statuses.status).toBe(403);
}

async function askActions({ stand, asked, tip }: Pick<Scene, "stand" | "asked" | "tip">): Promise<void> {
  const { people, repo } = stand;
  await people.job(tip, "job", "failure", "it broke\n");
  const job = repo.checkRuns.findLast(({ name }) => name === "job");
  await asked(200, "GET", `/actions/jobs/${job?.id}/logs`);
  await asked(200, "GET", `/actions/runs/${job?.workflowRun}`);
  await asked(201, "POST", `/actions/runs/${job?.workflowRun}/rerun-failed-jobs`);
  await asked(403, "POST", `/actions/runs/${job?.workflowRun}/rerun-failed-jobs`);
  await people.job(tip, "job", "success");
  await people.check(tip, "scan", "success");
  const scan = repo.checkRuns.findLast(({ name }) => name === "scan");
  await asked(200, "GET", `/check-runs/${scan?.id}/annotations?per_page=30`);
  await asked(201, "POST", `/check-runs/${scan?.id}/rerequest`);
  await people.check(tip, "scan", "success");
}

async function askPlaces({ stand, asked, tip }: Scene): Promise<void> {
  const { people } = stand;
  for (const path of [
    "",
    "/branches/main",
    "/rules/branches/main",
    "/contents/README.md?ref=main",
    "/git/ref/heads/main",
    `/git/commits/${tip}`,
    "/compare/main...work",
    "/collaborators/tri/permission",
  ])
    await asked(200, "GET", path);
  people.protect("main", { checks: ["ci"], approvals: 0 });
  await asked(200, "GET", "/branches/main");
  for (const path of [
    "/branches/none",
    "/contents/none",
    "/git/ref/heads/none",
    `/git/commits/${"0".repeat(40)}`,
    "/collaborators/none/permission",
  ])
    await asked(404, "GET", path);
}

async function askMerge({ stand, asked, pull, tip }: Scene): Promise<void> {
  const { people, repo } = stand;
  await asked(405, "PUT", `/pulls/${pull}/merge`, { merge_method: "squash" });
  await people.check(tip, "ci", "success");
  await asked(409, "PUT", `/pulls/${pull}/merge`, { sha: repo.branches.get("main") });
  await asked(200, "PUT", `/pulls/${pull}/merge`, { merge_method: "merge", sha: tip, commit_title: "m" });
  await asked(204, "GET", `/pulls/${pull}/merge`);
  await asked(204, "DELETE", "/git/refs/heads/work");
  await asked(422, "DELETE", "/git/refs/heads/work");
}

async function askApp({ stand }: Scene): Promise<void> {
  const { ask, hub, repo } = stand;
  const app = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const { status, body: answer } = await ask(stand.jwt(), method, path, body);
    expect([path, status < 300]).toEqual([path, true]);
    return answer;
  };
  await app("GET", "/app");
  await app("GET", "/app/installations");
  await app("GET", "/app/hook/config");
  await app("PATCH", "/app/hook/config", { url: hub.courier.url });
  await app("GET", "/repos/acme/web/installation");
  await app("GET", "/app/hook/deliveries?per_page=2");
  const [newest] = hub.state.deliveries;
  await app("GET", `/app/hook/deliveries/${newest?.id ?? 0}`);
  await app("POST", `/app/hook/deliveries/${newest?.id ?? 0}/attempts`);
  const token = await stand.token();
  await ask(token, "GET", "/installation/repositories?per_page=1");
  await ask(token, "GET", `/repositories/${repo.id}`);
  await ask(token, "DELETE", "/installation/token");
  await ask(token, "GET", "/installation/repositories");
  const refused = await ask(
    stand.jwt(),
    "POST",
    `/app/installations/${hub.state.app.installation}/access_tokens`,
    {
      permissions: { administration: "write" },
    },
  );
  expect(refused.status).toBe(422);
  const { permissions: default_permissions, events: default_events } = hub.state.app;
  const place = { url: "https://example.com", redirect_url: "http://127.0.0.1:9/created" };
  const manifest = { name: "another", ...place, default_permissions, default_events };
  hub.registration.codes.set("c0de", { manifest, owner: "acme", until: hub.now() + 60_000 });
  // The last call of all, since the App has another key from here on.
  await app("POST", "/app-manifests/c0de/conversions");
}
