/** A merge into a branch of somebody who works there: in one step or not at all, and never over what they have not committed. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { localForge } from "../../../src/adapters/local/forge.ts";
import type { Forge, Key, PullRef } from "../../../src/ports.ts";
import { openLocalStage, type LocalStage } from "../../local-stage.ts";

const key = "merge" as Key;
const branch = "forgehand/1-till";
const message = { title: "Add a till (local-1)", body: "It rings.\n\n\nForgehand-Ticket: local/shop#1" };

let stage: LocalStage;
let forge: Forge;
let head: string;
let pull: PullRef;
beforeEach(async () => {
  stage = openLocalStage();
  forge = localForge(stage.parts);
  head = stage.push(branch, "till.txt", "ring\n");
  const draft = {
    repo: stage.parts.repo,
    branch,
    base: "main",
    title: "Add a till",
    region: "Why",
    draft: false,
  };
  pull = await forge.openPull(key, draft);
});
afterEach(() => stage.close());

const merge = () => forge.merge(key, pull, head, message);
const status = (): string => stage.git("status", "--porcelain");

test("one commit in the person's name, and their checkout follows it with what they have not committed", async () => {
  stage.write("README.md", "# my shop\n");
  stage.write("notes.txt", "mine\n");
  // A hook of theirs must not run, and could not stop it.
  stage.write(".git/hooks/post-merge", "#!/bin/sh\ntouch ran\n");
  stage.git("config", "core.hooksPath", join(stage.top, ".git", "hooks"));
  const before = stage.git("rev-parse", "main");
  const merged = await merge();
  expect(merged).toMatchObject({ is: "merged", merge: stage.git("rev-parse", "main") });
  expect(stage.git("log", "-1", "--format=%an <%ae>%n%P%n%B", "main")).toBe(
    `Ada <ada@example.org>\n${before}\nAdd a till (local-1)\n\nIt rings.\n\nForgehand-Ticket: local/shop#1`,
  );
  expect(readFileSync(join(stage.top, "till.txt"), "utf8")).toBe("ring\n");
  expect(readFileSync(join(stage.top, "README.md"), "utf8")).toBe("# my shop\n");
  expect(status()).toBe("M README.md\n?? notes.txt");
  expect(await forge.pull(pull)).toMatchObject({ open: false, mergedBy: "forgehand[bot]" });
});

test("it refuses to overwrite a file of theirs, says what to type, and goes on once that is done", async () => {
  stage.write("till.txt", "mine\n");
  const before = stage.git("rev-parse", "main");
  const refused = await merge();
  expect(refused).toMatchObject({ is: "refused", how: "pending" });
  expect(refused).toHaveProperty("why", expect.stringContaining("changes of yours in till.txt"));
  expect(refused).toHaveProperty("why", expect.stringContaining(`git -C ${stage.top} stash -u`));
  expect(stage.git("rev-parse", "main")).toBe(before);
  expect(readFileSync(join(stage.top, "till.txt"), "utf8")).toBe("mine\n");
  expect(await forge.pull(pull)).toMatchObject({ open: true, merged: undefined, mergeable: "yes" });
  stage.git("stash", "-u");
  expect(await merge()).toMatchObject({ is: "merged" });
});

test("a file of theirs that git ignores is not overwritten either", async () => {
  stage.write(".git/info/exclude", "till.txt\n");
  stage.write("till.txt", "mine\n");
  const refused = await merge();
  expect(readFileSync(join(stage.top, "till.txt"), "utf8")).toBe("mine\n");
  expect(refused).toMatchObject({ is: "refused", how: "pending" });
  expect(refused).toHaveProperty("why", expect.stringContaining("changes of yours in till.txt"));
  // A stash would leave it where it is.
  expect(refused).toHaveProperty("why", expect.not.stringContaining("stash"));
});

test("settings of theirs for merges neither squash nor stash", async () => {
  stage.git("config", "branch.main.mergeOptions", "--squash --autostash");
  stage.write("README.md", "# my shop\n");
  const merged = await merge();
  expect(merged).toMatchObject({ is: "merged", merge: stage.git("rev-parse", "main") });
  expect(status()).toBe("M README.md");
});

test("a checkout whose folder of git lies elsewhere follows as well", async () => {
  stage.close();
  stage = openLocalStage("elsewhere");
  forge = localForge(stage.parts);
  head = stage.push(branch, "till.txt", "ring\n");
  const { repo } = stage.parts;
  pull = await forge.openPull(key, { repo, branch, base: "main", title: "x", region: "", draft: false });
  expect(await merge()).toMatchObject({ is: "merged" });
  expect(readFileSync(join(stage.top, "till.txt"), "utf8")).toBe("ring\n");
  expect(status()).toBe("");
});

test("a base that is checked out nowhere moves by itself", async () => {
  stage.git("switch", "-q", "-c", "mine");
  stage.write("till.txt", "mine\n");
  expect(await merge()).toMatchObject({ is: "merged" });
  expect(stage.git("show", "main:till.txt")).toBe("ring");
  expect(readFileSync(join(stage.top, "till.txt"), "utf8")).toBe("mine\n");
});

test("a base that somebody rebases is left until they are done", async () => {
  stage.git("switch", "-q", "--detach", "main");
  stage.write(".git/rebase-merge/head-name", "refs/heads/main\n");
  expect(await merge()).toMatchObject({
    is: "refused",
    how: "pending",
    why: expect.stringContaining("rebase") as string,
  });
});

test("both changed the same: a conflict, and nothing is touched", async () => {
  stage.write("till.txt", "other\n");
  stage.git("add", "-A");
  stage.git("commit", "-q", "-m", "Mine");
  expect(await forge.pull(pull)).toMatchObject({ mergeable: "conflict" });
  expect(await merge()).toMatchObject({
    is: "refused",
    how: "conflict",
    why: expect.stringContaining("till.txt") as string,
  });
  expect(status()).toBe("");
});

test("another head than the one that was approved is not merged", async () => {
  const approved = head;
  stage.push(branch, "more.txt", "x\n");
  expect(await forge.merge(key, pull, approved, message)).toMatchObject({ is: "refused", how: "moved" });
});

test("a try that died after the branch had moved is found, and not made twice", async () => {
  const { records } = stage.parts;
  const before = records.pull(pull.number);
  const merged = await merge();
  const tip = stage.git("rev-parse", "main");
  // As it stood on disk right before the record of the merge was written.
  if (before !== undefined) records.keep({ ...before, merging: { head, commit: tip } });
  expect(await forge.pull(pull)).toMatchObject({ merged: tip, open: false });
  if (before !== undefined) records.keep({ ...before, merging: { head, commit: tip } });
  expect(await merge()).toEqual(merged);
  expect(stage.git("rev-parse", "main")).toBe(tip);
});

test("a try that died between checkout and branch goes on with the same commit", async () => {
  const { records, refs } = stage.parts;
  const tip = stage.git("rev-parse", "main");
  const tree = stage.git("merge-tree", "--write-tree", "main", head);
  const by = { name: "Ada", email: "ada@example.org" };
  const commit = await refs.make({ tree, parents: [tip], message: "Add a till\n", by });
  const known = records.pull(pull.number);
  if (known !== undefined) records.keep({ ...known, merging: { head, commit } });
  // Git writes files and index first.
  stage.git("read-tree", "-m", "-u", tip, commit);
  expect(await merge()).toEqual({ is: "merged", merge: commit });
  expect(status()).toBe("");
});

test("a commit of a try that waited and was swept away meanwhile is made anew", async () => {
  stage.write("till.txt", "mine\n");
  expect(await merge()).toMatchObject({ is: "refused", how: "pending" });
  stage.git("gc", "-q", "--prune=now");
  expect(await forge.pull(pull)).toMatchObject({ open: true, mergeable: "yes" });
  rmSync(join(stage.top, "till.txt"));
  expect(await merge()).toMatchObject({ is: "merged", merge: stage.git("rev-parse", "main") });
});

test("a branch that was deleted and swept away ends its pull request", async () => {
  stage.git("branch", "-q", "-D", branch);
  stage.git("gc", "-q", "--prune=now");
  expect(await forge.pull(pull)).toMatchObject({ open: false, merged: undefined, head });
});

test("what a person merges by hand is merged, by them", async () => {
  stage.git("merge", "-q", "--no-ff", "-m", "By hand", branch);
  expect(await forge.pull(pull)).toMatchObject({
    open: false,
    merged: stage.git("rev-parse", "main"),
    mergedBy: "ada",
  });
});

test("a branch is deleted only at the head we know, and not below somebody's feet", async () => {
  const { repo } = stage.parts;
  await forge.deleteBranch(key, repo, branch, "0".repeat(40));
  stage.git("switch", "-q", branch);
  await forge.deleteBranch(key, repo, branch, head);
  expect(stage.git("rev-parse", branch)).toBe(head);
  stage.git("switch", "-q", "main");
  await forge.deleteBranch(key, repo, branch, head);
  expect(stage.git("for-each-ref", "refs/heads/forgehand/")).toBe("");
});

test("a pull request needs commits, and is opened once", async () => {
  const draft = { repo: stage.parts.repo, branch, base: "main", title: "x", region: "y", draft: true };
  expect(await forge.openPull(key, draft)).toEqual(pull);
  await expect(forge.openPull(key, { ...draft, branch: "forgehand/2-none" })).rejects.toMatchObject({
    permanent: true,
  });
  stage.git("branch", "forgehand/3-same", "main");
  await expect(forge.openPull(key, { ...draft, branch: "forgehand/3-same" })).rejects.toMatchObject({
    permanent: true,
  });
  writeFileSync(join(stage.dir, "state", "records", `${pull.number}.json`), "{");
  await expect(forge.pull(pull)).rejects.toThrow(/is damaged/u);
});
