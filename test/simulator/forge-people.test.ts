import { afterEach, beforeEach, expect, test } from "vitest";
import { openStand, type Stand } from "./forge-stand.ts";

let stand: Stand;
beforeEach(async () => {
  stand = await openStand();
});
afterEach(() => stand.close());

async function openPull(): Promise<string> {
  const head = await stand.people.push("work", "bob", { "a.txt": "one\nthree\n" });
  await stand.api("POST", "/pulls", { title: "Work", head: "work", base: "main" });
  await stand.heard();
  stand.forget();
  return head;
}

test("an issue's life is told step by step, with what was changed", async () => {
  const { people } = stand;
  const issue = people.openIssue({ by: "bob", title: "old", body: "b", labels: ["bug"] });
  people.editIssue(issue, "bob", { title: "new" });
  people.label(issue, "agent-ready", "ada");
  people.label(issue, "agent-ready", "ada");
  people.unlabel(issue, "bug", "ada");
  people.closeIssue(issue, "ada", "not_planned");
  people.reopenIssue(issue, "bob");
  expect(await stand.names()).toEqual([
    "issues.opened",
    "issues.labeled",
    "issues.edited",
    "issues.labeled",
    "issues.unlabeled",
    "issues.closed",
    "issues.reopened",
  ]);
  const heard = await stand.heard();
  expect(heard[2]?.body).toMatchObject({ changes: { title: { from: "old" } }, issue: { title: "new" } });
  expect(heard[3]?.body).toMatchObject({
    label: { name: "agent-ready" },
    sender: { login: "ada", type: "User" },
  });
  expect(heard[5]?.body).toMatchObject({ issue: { state: "closed", state_reason: "not_planned" } });
  expect(people.labels(issue)).toEqual(["agent-ready"]);
});

test("the history knows who labelled", async () => {
  const issue = stand.people.openIssue({ by: "bob", title: "t", body: "" });
  stand.people.label(issue, "agent-ready", "ada");
  expect((await stand.api("GET", `/issues/${issue}/events`)).list).toMatchObject([
    { event: "labeled", label: { name: "agent-ready" }, actor: { login: "ada" } },
  ]);
});

test("a deleted issue is gone, a transferred one has moved", async () => {
  const other = await stand.hub.seed({ owner: "acme", name: "other", files: { a: "b" } });
  const deleted = stand.people.openIssue({ by: "bob", title: "d", body: "" });
  const moved = stand.people.openIssue({ by: "bob", title: "m", body: "" });
  stand.people.deleteIssue(deleted, "ada");
  expect(stand.people.transferIssue(moved, "ada", other)).toBe(1);
  expect((await stand.api("GET", `/issues/${deleted}`)).status).toBe(410);
  const response = await fetch(`${stand.hub.url}/repos/acme/web/issues/${moved}`, {
    headers: { authorization: `Bearer ${await stand.token()}` },
    redirect: "manual",
  });
  expect(response.status).toBe(301);
  expect(await stand.names()).toEqual([
    "issues.opened",
    "issues.opened",
    "issues.deleted",
    "issues.transferred",
    "issues.opened",
  ]);
});

test("comments are told when made, edited and deleted; on a pull request they say so", async () => {
  await openPull();
  const id = stand.people.comment(1, "eve", "first");
  stand.people.editComment(id, "eve", "second");
  stand.people.deleteComment(id, "ada");
  const heard = await stand.heard();
  expect(await stand.names()).toEqual([
    "issue_comment.created",
    "issue_comment.edited",
    "issue_comment.deleted",
  ]);
  expect(heard[0]?.body["issue"]).toMatchObject({ number: 1, pull_request: {} });
  expect(heard[1]?.body).toMatchObject({ changes: { body: { from: "first" } }, comment: { body: "second" } });
  expect((await stand.api("GET", "/issues/1/comments")).list).toEqual([]);
});

test("a label on a pull request is a pull request's news", async () => {
  await openPull();
  stand.people.label(1, "auto-merge", "ada");
  expect(await stand.names()).toEqual(["pull_request.labeled"]);
});

test("roles are told apart from permissions", async () => {
  stand.people.person("mia", "maintain");
  const of = async (login: string) => {
    const { body } = await stand.api("GET", `/collaborators/${login}/permission`);
    return [body["permission"], body["role_name"]];
  };
  expect(await Promise.all(["ada", "mia", "bob", "tri", "eve"].map(of))).toEqual([
    ["admin", "admin"],
    ["write", "maintain"],
    ["write", "write"],
    ["read", "triage"],
    ["read", "read"],
  ]);
  expect((await stand.api("GET", "/collaborators/nobody/permission")).status).toBe(404);
});

test("reviews are lower case on the wire and capital in REST, of the head they were given on", async () => {
  const head = await openPull();
  await stand.people.approve(1, "bob", { body: "fine" });
  await stand.people.push("work", "bob", { "b.txt": "new\n" });
  await stand.people.dismiss(1, "bob");
  const heard = await stand.heard();
  expect(heard[0]?.body).toMatchObject({ review: { state: "approved", commit_id: head, body: "fine" } });
  expect(heard.at(-1)).toMatchObject({ action: "dismissed", body: { review: { state: "dismissed" } } });
  expect((await stand.api("GET", "/pulls/1/reviews")).list).toMatchObject([
    { state: "DISMISSED", commit_id: head, user: { login: "bob" } },
  ]);
});

test("nobody takes a stance on their own pull request, the App neither", async () => {
  await openPull();
  const review = async (event: string) => {
    const { status, body } = await stand.api("POST", "/pulls/1/reviews", { event, body: "x" });
    return [status, body["errors"]];
  };
  expect(await review("APPROVE")).toEqual([422, ["Can not approve your own pull request"]]);
  expect(await review("REQUEST_CHANGES")).toEqual([
    422,
    ["Can not request changes on your own pull request"],
  ]);
  expect((await review("COMMENT"))[0]).toBe(200);
});

test("a review hangs its comments on lines of the diff, all or none", async () => {
  await openPull();
  const review = (...comments: object[]) =>
    stand.api("POST", "/pulls/1/reviews", { event: "COMMENT", body: "look", comments });
  const good = { path: "a.txt", line: 2, side: "RIGHT", body: "why" };
  expect((await review(good, { ...good, line: 40 })).body["errors"]).toEqual(["Line could not be resolved"]);
  expect((await review(good, { ...good, path: "no.txt" })).body["errors"]).toEqual([
    "Path could not be resolved",
  ]);
  expect((await stand.api("GET", "/pulls/1/comments")).list).toEqual([]);
  const made = await review(good, { ...good, side: "LEFT", body: "gone" });
  expect(made.status).toBe(200);
  const { list } = await stand.api("GET", "/pulls/1/comments");
  expect(list).toMatchObject([
    { path: "a.txt", line: 2, side: "RIGHT", body: "why", pull_request_review_id: made.body["id"] },
    { side: "LEFT", body: "gone" },
  ]);
  expect(await stand.names()).toEqual([
    "pull_request_review.submitted",
    "pull_request_review_comment.created",
    "pull_request_review_comment.created",
  ]);
  const reply = await stand.api("POST", `/pulls/1/comments/${String(list[0]?.["id"])}/replies`, {
    body: "so",
  });
  expect(reply.body).toMatchObject({ in_reply_to_id: list[0]?.["id"], line: 2 });
});

test("reactions stand once on issues, comments, inline comments and reviews", async () => {
  await openPull();
  const comment = stand.people.comment(1, "bob", "hi");
  const inline = await stand.people.inline(1, "bob", "hm", { path: "a.txt", line: 2 });
  for (const path of ["/issues/1", `/issues/comments/${comment}`, `/pulls/comments/${inline}`]) {
    expect((await stand.api("POST", `${path}/reactions`, { content: "eyes" })).status).toBe(201);
    expect((await stand.api("POST", `${path}/reactions`, { content: "eyes" })).status).toBe(200);
    expect((await stand.api("GET", `${path}/reactions`)).list).toMatchObject([
      { content: "eyes", user: { login: "forgehand[bot]" } },
    ]);
  }
  await stand.people.comments(1, "bob", "/forgehand retry");
  const [review] = (await stand.api("GET", "/pulls/1/reviews")).list;
  const react =
    "mutation ($on: ID!, $content: ReactionContent!) { addReaction(input: { subjectId: $on, content: $content }) { clientMutationId } }";
  await stand.graphql(react, { on: review?.["node_id"], content: "ROCKET" });
  expect(stand.people.thread(1).pull?.reviews[0]?.reactions).toMatchObject([{ content: "rocket" }]);
});

test("reviewers can be asked when they belong here and are not the author", async () => {
  await openPull();
  const ask = (...reviewers: string[]) => stand.api("POST", "/pulls/1/requested_reviewers", { reviewers });
  expect((await ask("stranger")).status).toBe(422);
  expect((await ask("forgehand[bot]")).status).toBe(422);
  expect((await ask("bob", "ada")).body["requested_reviewers"]).toMatchObject([
    { login: "bob" },
    { login: "ada" },
  ]);
  expect(await stand.names()).toEqual(["pull_request.review_requested", "pull_request.review_requested"]);
  await stand.people.approve(1, "bob");
  expect(stand.people.pulls()[0]?.pull.requested).toEqual(["ada"]);
});

test("check runs name their App and pull requests, and end their suite", async () => {
  const head = await openPull();
  const made = await stand.api("POST", "/check-runs", {
    name: "gate",
    head_sha: head,
    status: "in_progress",
  });
  await stand.api("PATCH", `/check-runs/${String(made.body["id"])}`, { conclusion: "success" });
  await stand.people.check(head, "test", "failure");
  expect(await stand.names()).toEqual([
    "check_run.created",
    "check_run.completed",
    "check_suite.completed",
    "check_run.completed",
    "check_suite.completed",
  ]);
  const heard = await stand.heard();
  expect(heard[1]?.body).toMatchObject({
    check_run: { app: { id: stand.hub.state.app.id }, pull_requests: [{ number: 1 }], conclusion: "success" },
  });
  expect(heard.at(-1)?.body).toMatchObject({ check_suite: { head_sha: head, conclusion: "failure" } });
  expect(stand.people.checks(head)).toEqual([
    { name: "gate", is: "success" },
    { name: "test", is: "failure" },
  ]);
});

test("a button pressed on our check names the button and the person", async () => {
  const head = await openPull();
  await stand.api("POST", "/check-runs", { name: "gate", head_sha: head, conclusion: "success" });
  stand.people.press(head, "retry", "bob");
  expect((await stand.heard()).at(-1)).toMatchObject({
    action: "requested_action",
    body: { requested_action: { identifier: "retry" }, sender: { login: "bob" } },
  });
});
