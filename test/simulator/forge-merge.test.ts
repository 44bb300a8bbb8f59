import { afterEach, beforeEach, expect, test } from "vitest";
import { openStand, type Stand } from "./forge-stand.ts";

let stand: Stand;
beforeEach(async () => {
  stand = await openStand();
});
afterEach(() => stand.close());

/** A pull request of the App's from a branch with these files; answers its head. */
async function openPull(
  files: Readonly<Record<string, string>> = { "b.txt": "new\n" },
  more: object = {},
): Promise<string> {
  const head = await stand.people.push("work", "bob", files);
  await stand.api("POST", "/pulls", { title: "Work", head: "work", base: "main", ...more });
  await stand.heard();
  stand.forget();
  return head;
}
const pull = async () => (await stand.api("GET", "/pulls/1")).body;
const merge = async (body: object = {}) => {
  const { status, body: said } = await stand.api("PUT", "/pulls/1/merge", body);
  return [status, said["message"]];
};
const mutation = (name: string) => {
  const arms = name === "enablePullRequestAutoMerge";
  const [asks, more] = arms
    ? [", $how: PullRequestMergeMethod!, $head: GitObjectID", ", mergeMethod: $how, expectedHeadOid: $head"]
    : ["", ""];
  return `mutation ($pull: ID!${asks}) { ${name}(input: { pullRequestId: $pull${more} }) { clientMutationId } }`;
};
const mutate = async (name: string, more: object = {}) => {
  const { body } = await stand.graphql(mutation(name), {
    pull: (await pull())["node_id"],
    how: "SQUASH",
    ...more,
  });
  return JSON.stringify(body["errors"] ?? "ok");
};

test("a merge is a real three-way merge: nothing of either side is lost", async () => {
  await openPull({ "b.txt": "new\n" });
  await stand.people.push("main", "ada", { "c.txt": "meanwhile\n" });
  expect(await pull()).toMatchObject({ mergeable: true, mergeable_state: "clean" });
  expect(await merge()).toEqual([200, "Pull Request successfully merged"]);
  expect(await stand.people.file("main", "b.txt")).toBe("new\n");
  expect(await stand.people.file("main", "c.txt")).toBe("meanwhile\n");
  expect(await stand.people.mergeLog("main")).toEqual(["First commit", "by ada", "Work (#1)"]);
  expect((await pull())["merged_by"]).toMatchObject({ login: "forgehand[bot]" });
  expect(await merge()).toEqual([405, "Pull Request is not mergeable"]);
});

test("a merge tells the push, the closed pull request and the issue it closes", async () => {
  const issue = stand.people.openIssue({ by: "bob", title: "Please", body: "" });
  await stand.people.push("work", "bob", { "b.txt": "new\n" });
  await stand.api("POST", "/pulls", { title: "Work", body: `Closes #${issue}`, head: "work", base: "main" });
  await stand.heard();
  stand.forget();
  expect((await stand.api("PUT", "/pulls/2/merge", { commit_title: "Ours" })).status).toBe(200);
  expect(await stand.names()).toEqual(["push", "pull_request.closed", "issues.closed"]);
  const [push, closed, done] = await stand.heard();
  expect(closed?.body).toMatchObject({
    pull_request: { merged: true, merge_commit_sha: push?.body["after"], state: "closed" },
  });
  expect(done?.body).toMatchObject({ issue: { number: issue, state_reason: "completed" } });
  expect(await stand.people.mergeLog("main")).toEqual(["First commit", "Ours"]);
});

test("a merge method of merge keeps both parents", async () => {
  const head = await openPull();
  await merge({ merge_method: "merge" });
  expect(await stand.git(`--git-dir=${stand.repo.dir}`, "rev-parse", "main^2")).toBe(head);
});

test("a conflict is dirty and refused", async () => {
  await openPull({ "a.txt": "one\nours\n" });
  await stand.people.push("main", "ada", { "a.txt": "one\ntheirs\n" });
  expect(await pull()).toMatchObject({ mergeable: false, mergeable_state: "dirty" });
  expect(await merge()).toEqual([405, "Pull Request is not mergeable"]);
});

test("another head than the one named is refused", async () => {
  const head = await openPull();
  await stand.people.push("work", "bob", { "c.txt": "more\n" });
  expect(await merge({ sha: head })).toEqual([
    409,
    "Head branch was modified. Review and try the merge again.",
  ]);
});

test("two merges at once make one", async () => {
  await openPull();
  const both = await Promise.all([merge(), merge()]);
  expect(new Set(both.map(([status]) => status))).toEqual(new Set([200, 405]));
  expect(await stand.people.mergeLog("main")).toHaveLength(2);
});

test("a draft is refused until it is ready; both ways are told", async () => {
  await openPull({ "b.txt": "new\n" }, { draft: true });
  expect(await pull()).toMatchObject({ draft: true, mergeable_state: "draft" });
  expect(await merge()).toEqual([405, "Pull Request is still a draft"]);
  await mutate("markPullRequestReadyForReview");
  await mutate("convertPullRequestToDraft");
  await mutate("markPullRequestReadyForReview");
  expect(await stand.names()).toEqual([
    "pull_request.ready_for_review",
    "pull_request.converted_to_draft",
    "pull_request.ready_for_review",
  ]);
  expect((await pull())["draft"]).toBe(false);
});

test("protection names what is missing, check by check, then the approvals", async () => {
  stand.people.protect("main", { checks: ["test", "lint"], approvals: 1 });
  const head = await openPull();
  expect(await pull()).toMatchObject({ mergeable: true, mergeable_state: "blocked" });
  expect(await merge()).toEqual([405, 'Required status check "test" is expected.']);
  await stand.people.check(head, "test", "success");
  await stand.people.status(head, "lint", "failure");
  expect(await merge()).toEqual([405, 'Required status check "lint" is failing.']);
  await stand.people.status(head, "lint", "success");
  expect((await merge())[1]).toMatch(/At least 1 approving review/);
  await stand.people.approve(1, "tri");
  expect((await merge())[0]).toBe(405);
  await stand.people.approve(1, "bob");
  await stand.people.requestChanges(1, "bob", "wait");
  expect((await merge())[0]).toBe(405);
  await stand.people.approve(1, "bob");
  expect((await merge())[0]).toBe(200);
});

test("auto-merge refuses what is clean, unstable, draft or another head", async () => {
  const head = await openPull();
  expect(await mutate("enablePullRequestAutoMerge")).toContain("Pull request is in clean status");
  await stand.people.check(head, "optional", "pending");
  expect(await mutate("enablePullRequestAutoMerge")).toContain("Pull request is in unstable status");
  stand.people.protect("main", { checks: ["test"], approvals: 0 });
  expect(await mutate("enablePullRequestAutoMerge", { head: "0".repeat(40) })).toContain("oid");
  stand.repo.allowsAutoMerge = false;
  expect(await mutate("enablePullRequestAutoMerge")).toContain("not allowed for this repository");
  expect((await pull())["auto_merge"]).toBeNull();
});

test("auto-merge fires with the last check and the last approval", async () => {
  stand.people.protect("main", { checks: ["test"], approvals: 1 });
  const head = await openPull();
  expect(await mutate("enablePullRequestAutoMerge", { head })).toBe('"ok"');
  expect((await pull())["auto_merge"]).toMatchObject({ merge_method: "squash" });
  const read = await stand.graphql("query { node(id: $id) { autoMergeRequest { mergeMethod } } }", {
    id: (await pull())["node_id"],
  });
  expect(read.body["data"]).toMatchObject({ node: { autoMergeRequest: { mergeMethod: "SQUASH" } } });
  await stand.people.approve(1, "bob");
  expect((await pull())["merged"]).toBe(false);
  await stand.people.check(head, "test", "success");
  expect((await pull())["merged"]).toBe(true);
  expect(await stand.names()).toEqual([
    "pull_request.auto_merge_enabled",
    "pull_request_review.submitted",
    "check_run.completed",
    "check_suite.completed",
    "push",
    "pull_request.closed",
  ]);
});

test("a push leaves auto-merge armed, as on GitHub; a new base disarms", async () => {
  stand.people.protect("main", { checks: ["test"], approvals: 0 });
  stand.people.protect("next", { checks: ["test"], approvals: 0 });
  await openPull();
  await mutate("enablePullRequestAutoMerge");
  await stand.people.push("work", "bob", { "c.txt": "more\n" });
  expect((await pull())["auto_merge"]).not.toBeNull();
  await stand.people.push("next", "ada", { "d.txt": "other\n" });
  await stand.people.retarget(1, "bob", "next");
  expect((await pull())["auto_merge"]).toBeNull();
  expect((await stand.heard()).find(({ action }) => action === "edited")?.body).toMatchObject({
    changes: { base: { ref: { from: "main" } } },
    pull_request: { base: { ref: "next" } },
  });
});

test("disarming is told, and refused when nothing is armed", async () => {
  stand.people.protect("main", { checks: ["test"], approvals: 0 });
  await openPull();
  await mutate("enablePullRequestAutoMerge");
  expect(await mutate("disablePullRequestAutoMerge")).toBe('"ok"');
  expect(await mutate("disablePullRequestAutoMerge")).toContain("Can't disable auto-merge");
  expect(await stand.names()).toEqual([
    "pull_request.auto_merge_enabled",
    "pull_request.auto_merge_disabled",
  ]);
});

test("mergeability may come late: unknown at the first read, known at the second", async () => {
  stand.repo.mergeability = "late";
  await openPull();
  await stand.people.push("work", "bob", { "c.txt": "more\n" });
  expect(await pull()).toMatchObject({ mergeable: true });
  await stand.people.push("main", "ada", { "d.txt": "other\n" });
  expect(await pull()).toMatchObject({ mergeable: null, mergeable_state: "unknown" });
  expect(await pull()).toMatchObject({ mergeable: true, mergeable_state: "clean" });
});

test("a closed pull request can be opened again, a merged one cannot", async () => {
  await openPull();
  await stand.people.closePull(1, "bob");
  expect((await stand.api("PATCH", "/pulls/1", { state: "open" })).body["state"]).toBe("open");
  expect(await stand.names()).toEqual(["pull_request.closed", "pull_request.reopened"]);
  await merge();
  expect((await stand.api("PATCH", "/pulls/1", { state: "open" })).status).toBe(422);
});

test("statuses come together, newest of each context", async () => {
  const head = await openPull();
  const combined = async () => (await stand.api("GET", `/commits/${head}/status`)).body;
  expect(await combined()).toMatchObject({ state: "pending", total_count: 0 });
  await stand.people.status(head, "ci", "failure");
  await stand.people.status(head, "ci", "success");
  expect(await combined()).toMatchObject({ state: "success", total_count: 1 });
  await stand.people.status(head, "more", "pending");
  expect(await combined()).toMatchObject({ state: "pending", total_count: 2 });
  expect(await stand.names()).toEqual(["status", "status", "status"]);
  expect((await stand.heard())[0]?.body).toMatchObject({ sha: head, state: "failure", context: "ci" });
});
