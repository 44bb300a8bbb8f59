/** `forgehand review` before a push, and on what it cannot take. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fails, openStand, passes, type ReviewStand } from "./review-stand.ts";
import { program } from "./run.ts";

let stand: ReviewStand;
beforeEach(() => {
  stand = openStand();
});
afterEach(() => stand.close());

describe("a push", () => {
  const document = readFileSync(new URL("../../docs/review.md", import.meta.url), "utf8");
  const pushed = (head: string, remote: string): string =>
    `refs/heads/feature ${head} refs/heads/feature ${remote}\n`;
  const zero = "0".repeat(40);

  test("of a new branch is reviewed against the default branch, and one that fails ends with 1", async () => {
    stand.scenes({ role: "review", prompt: "+two", steps: [fails] });
    const input = pushed(stand.git("rev-parse", "feature"), zero);
    const { code, out } = await stand.review(["--hook", "pre-push"], { input });
    expect(out).toContain("FAIL: main...feature");
    expect(code).toBe(1);
  });

  test("of a known branch is reviewed from what the remote has", async () => {
    const known = stand.git("rev-parse", "feature");
    stand.write("three.txt", "three\n");
    const head = stand.commit("feature", "three");
    stand.scenes({ role: "review", prompt: "+two", steps: [fails] }, { role: "review", steps: [passes] });
    const input = pushed(head, known);
    const { code, out } = await stand.review(["--hook", "pre-push"], { input });
    expect(out).toContain(`PASS: ${known.slice(0, 7)}...feature`);
    expect(code).toBe(0);
  });

  test("over what was never fetched is reviewed against the default branch", async () => {
    stand.scenes({ role: "review", prompt: "+two", steps: [fails] });
    const input = pushed(stand.git("rev-parse", "feature"), "1".repeat(40));
    expect((await stand.review(["--hook", "pre-push"], { input })).code).toBe(1);
  });

  test("of git itself is stopped by the hook that is documented, and let through when it passes", async () => {
    const [, hook = ""] = /```sh\n(#!\/bin\/sh\n# \.git\/hooks\/pre-push[^]*?)```/u.exec(document) ?? [];
    const bin = join(stand.dir, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "forgehand"), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`, {
      mode: 0o755,
    });
    stand.git("init", "-q", "--bare", join(stand.dir, "remote.git"));
    stand.git("remote", "add", "origin", join(stand.dir, "remote.git"));
    stand.git("push", "-q", "origin", "main");
    stand.write(".git/hooks/pre-push", hook.replace("\n", `\nPATH="${bin}:$PATH"\n`));
    chmodSync(join(stand.repo, ".git/hooks/pre-push"), 0o755);
    const pushed = (): string => stand.git("ls-remote", "origin", "feature");
    stand.scenes({ role: "review", prompt: "+two", steps: [fails] });
    expect(() => stand.git("push", "-q", "origin", "feature")).toThrow("failed to push");
    expect(pushed()).toBe("");
    stand.scenes({ role: "review", prompt: "+two", steps: [passes] });
    stand.git("push", "-q", "origin", "feature");
    expect(pushed()).toContain(stand.git("rev-parse", "feature"));
  });

  test("that deletes a branch or moves a tag needs none", async () => {
    stand.scenes();
    const input = `(delete) ${zero} refs/heads/old ${stand.git("rev-parse", "main")}\nrefs/tags/v1 ${stand.git("rev-parse", "main")} refs/tags/v1 ${zero}\n`;
    expect((await stand.review(["--hook", "pre-push"], { input })).code).toBe(0);
  });
});

describe("bad input", () => {
  test.each([
    [["--pr", "42"], 4, "Write OWNER/REPO#N"],
    [["--pr", "acme/web#42"], 6, "GH_TOKEN"],
    [["--pr", "https://github.com/acme/web/pull/42"], 6, "GH_TOKEN"],
    [["--pr", "https://ghe.example.com/acme/web/pull/42"], 4, "FORGEHAND_GITHUB_API_URL=https://HOST/api/v3"],
    [["--base", "nowhere"], 5, 'git knows no commit called "nowhere" here'],
    [["--head", "--output=x"], 5, "git knows no commit called"],
    [["--diff", "missing.diff"], 5, "cannot be read (ENOENT)"],
    [["--runtime", "codx"], 4, "did you mean codex?"],
    [["--output", "no/such/folder/x", "--base", "nowhere"], 4, "cannot be written (ENOENT)"],
    [["--format", "xml"], 4, "Allowed choices are text, json, sarif"],
    [["--hook", "pre-push"], 4, "git writes"],
  ])("%j ends with %i and says what to type", async (argv, exit, words) => {
    const { code, err } = await stand.review(argv, { input: "what is this\n" });
    expect(err).toContain(words);
    expect(err).not.toContain("    at ");
    expect(code).toBe(exit);
  });

  test("no repository", async () => {
    const cwd = join(stand.dir, "elsewhere");
    mkdirSync(cwd);
    const { code, err } = await stand.review([], { cwd });
    expect(err).toContain("is in no git repository");
    expect(code).toBe(5);
  });

  test("a diff that is none, and one that fits nowhere", async () => {
    const none = await stand.review(["--diff", "-"], { input: "hello\n" });
    expect(none.err).toContain("is no unified diff");
    const diff = `${stand.git("diff", "main", "feature")}\n`;
    const torn = await stand.review(["--diff", "-"], {
      input: diff.replace("@@ -1 +1,2 @@", "@@ -1 +1,9 @@"),
    });
    expect(torn.err).toContain("fits neither onto HEAD nor is it part of it already");
    const strange = await stand.review(["--diff", "-"], { input: diff.replaceAll("one", "eleven") });
    expect(strange.err).toContain("fits neither");
    expect([none.code, torn.code, strange.code]).toEqual([4, 4, 4]);
  });

  test("a merge that is not settled", async () => {
    stand.git("checkout", "-q", "main");
    stand.write("a.txt", "one\nthree\n");
    stand.commit("main", "another two");
    expect(() => stand.git("merge", "-q", "feature")).toThrow();
    for (const what of ["--staged", "--worktree"]) {
      const { code, err } = await stand.review([what]);
      expect(err).toContain("a.txt is in conflict. Settle the merge and `git add` it first.");
      expect(code).toBe(4);
    }
  });

  test("branches without a common commit, and a repository without commits", async () => {
    stand.git("checkout", "-q", "--orphan", "island");
    stand.commit("island", "alone");
    expect((await stand.review([])).err).toContain("have no commit in common here");
    const cwd = join(stand.dir, "empty");
    mkdirSync(cwd);
    stand.git("init", "-q", cwd);
    const empty = await stand.review([], { cwd });
    expect(empty.err).toContain("This repository has no commit yet");
    expect(empty.code).toBe(5);
  });

  test("no agent at all", async () => {
    const { code, err } = await stand.review([], { env: { FORGEHAND_SCENES: join(stand.dir, "none.json") } });
    expect(err).toContain("there is no agent to review with");
    expect(err).toContain("forgehand doctor");
    expect(code).toBe(4);
    expect(existsSync(join(stand.repo, "data"))).toBe(false);
  });

  test("is told in JSON where JSON was asked for", async () => {
    const { out, code } = await stand.review(["--base", "nowhere", "--format", "json"]);
    expect(JSON.parse(out)).toMatchObject({ schema: "review/1", data: null, error: { code: "notFound" } });
    expect(code).toBe(5);
  });
});
