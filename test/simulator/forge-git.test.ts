import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openStand, type Stand } from "./forge-stand.ts";

let stand: Stand;
beforeEach(async () => {
  stand = await openStand();
});
afterEach(() => stand.close());

/** Clones, commits these files on a branch and pushes it; answers the new tip. */
async function pushBranch(
  branch: string,
  files: Readonly<Record<string, string>>,
  message = "Work",
): Promise<string> {
  const { git, dir } = stand;
  await git("clone", "-q", await stand.remote(), branch);
  await git("-C", branch, "checkout", "-q", "-b", branch);
  for (const [path, text] of Object.entries(files)) await writeFile(join(dir, branch, path), text);
  await git("-C", branch, "add", "-A");
  await git("-C", branch, "commit", "-q", "-m", message);
  await git("-C", branch, "push", "-q", "origin", branch);
  return await git("-C", branch, "rev-parse", "HEAD");
}

test("a pushed commit is the forge's own, and a pull request sees it at once", async () => {
  const head = await pushBranch("work", { "a.txt": "one\nthree\n", "b.txt": "new\n" });
  const ref = await stand.api("GET", "/git/ref/heads/work");
  expect(ref.body["object"]).toMatchObject({ sha: head });
  const opened = await stand.api("POST", "/pulls", { title: "Work", head: "work", base: "main" });
  expect([opened.status, opened.body["head"]]).toMatchObject([201, { sha: head }]);
});

test("the push is told with its commits, before and after", async () => {
  const head = await pushBranch("work", { "b.txt": "new\n" }, "Add b");
  const [push] = await stand.heard();
  expect(push).toMatchObject({
    name: "push",
    body: {
      ref: "refs/heads/work",
      after: head,
      created: true,
      deleted: false,
      forced: false,
      commits: [{ id: head, message: "Add b", author: { name: "builder" } }],
      head_commit: { id: head },
      pusher: { name: "forgehand[bot]" },
      organization: { login: "acme" },
      repository: { full_name: "acme/web" },
      installation: { id: stand.hub.state.app.installation },
      sender: { login: "forgehand[bot]", type: "Bot" },
    },
  });
});

test("a push to the branch of a pull request moves its head and says from where", async () => {
  const first = await pushBranch("work", { "b.txt": "new\n" });
  await stand.api("POST", "/pulls", { title: "Work", head: "work", base: "main" });
  await stand.heard();
  stand.forget();
  const second = await stand.people.push("work", "bob", { "c.txt": "more\n" });
  expect(await stand.names()).toEqual(["push", "pull_request.synchronize"]);
  expect((await stand.heard())[1]?.body).toMatchObject({
    before: first,
    after: second,
    pull_request: { head: { sha: second } },
  });
});

test("a forced push says so", async () => {
  await stand.people.push("work", "bob", { "b.txt": "one\n" });
  await stand.heard();
  stand.forget();
  await stand.people.push("work", "bob", { "b.txt": "two\n" }, { force: true });
  expect((await stand.heard())[0]?.body).toMatchObject({ forced: true, created: false });
});

test("a deleted branch is told and closes its pull request", async () => {
  await pushBranch("work", { "b.txt": "new\n" });
  await stand.api("POST", "/pulls", { title: "Work", head: "work", base: "main" });
  await stand.heard();
  stand.forget();
  expect((await stand.api("DELETE", "/git/refs/heads/work")).status).toBe(204);
  expect(await stand.names()).toEqual(["push", "delete", "pull_request.closed"]);
  expect((await stand.heard())[2]?.body).toMatchObject({ pull_request: { merged: false, state: "closed" } });
  expect((await stand.api("DELETE", "/git/refs/heads/work")).status).toBe(422);
  await expect(stand.git("-C", "work", "ls-remote", "--exit-code", "origin", "work")).rejects.toThrow();
});

test("files and diff of a pull request are those of git", async () => {
  await pushBranch("work", { "a.txt": "one\nthree\n", "b.txt": "new\n" });
  await stand.api("POST", "/pulls", { title: "Work", head: "work", base: "main" });
  const { list } = await stand.api("GET", "/pulls/1/files");
  expect(list).toMatchObject([
    { filename: "a.txt", status: "modified", additions: 1, deletions: 1, changes: 2 },
    { filename: "b.txt", status: "added", additions: 1, deletions: 0, patch: "@@ -0,0 +1 @@\n+new" },
  ]);
  const diff = await stand.api("GET", "/pulls/1", undefined, { accept: "application/vnd.github.v3.diff" });
  expect(diff.text).toContain("-two\n+three");
  const compare = await stand.api("GET", "/compare/main...work");
  expect(compare.body).toMatchObject({ status: "ahead", ahead_by: 1, behind_by: 0, total_commits: 1 });
});

test("git refuses who has no token, a bad one, a read-only one, or the wrong repository", async () => {
  const { git, hub } = stand;
  const at = (credential: string, path = "/acme/web.git"): string =>
    hub.url.replace("://", `://${credential}@`) + path;
  await expect(git("clone", "-q", `${hub.url}/acme/web.git`, "x")).rejects.toThrow(/could not read Username/);
  await expect(git("clone", "-q", at("x-access-token:ghs_wrong"), "x")).rejects.toThrow(
    /Authentication failed/,
  );
  const readOnly = await stand.token({ contents: "read" });
  await git("clone", "-q", at(`x-access-token:${readOnly}`), "x");
  await expect(git("-C", "x", "push", "origin", "HEAD:new")).rejects.toThrow(/403/);
  await expect(git("clone", "-q", at(`x-access-token:${readOnly}`, "/acme/none.git"), "y")).rejects.toThrow(
    /not found/,
  );
});

test("a branch that is missing, nothing new, and a second pull request are refused", async () => {
  const open = (head: string) => stand.api("POST", "/pulls", { title: "t", head, base: "main" });
  const saying = async (head: string) => {
    const { status, body } = await open(head);
    return [status, JSON.stringify(body["errors"])];
  };
  await stand.people.push("work", "bob", { "b.txt": "new\n" });
  await stand.git("clone", "-q", await stand.remote(), "c");
  await stand.git("-C", "c", "push", "-q", "origin", "HEAD:same");
  expect(await saying("nowhere")).toEqual([422, expect.stringContaining("head")]);
  expect(await saying("same")).toEqual([422, expect.stringContaining("No commits between main and same")]);
  expect((await open("acme:work")).status).toBe(201);
  expect(await saying("work")).toEqual([
    422,
    expect.stringContaining("A pull request already exists for acme:work."),
  ]);
});

test("two forges live side by side in one process", async () => {
  const other = await openStand();
  await other.people.push("work", "bob", { "b.txt": "new\n" });
  expect((await other.api("GET", "/branches/work")).status).toBe(200);
  expect((await stand.api("GET", "/branches/work")).status).toBe(404);
  expect(await stand.names()).toEqual([]);
  await other.close();
});
