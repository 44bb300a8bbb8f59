import fc from "fast-check";
import { expect, test } from "vitest";
import { findSecrets, redact } from "./secrets.ts";

// Put together here, so that no scanner takes this file for a leak.
const letters = "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD3fG6iJ9l";
const secrets: Readonly<Record<string, string>> = {
  "GitHub token": `ghs_${letters}`,
  "personal token": `github_pat_${letters}`,
  "Anthropic key": `sk-ant-api03-${letters}`,
  "OpenAI key": `sk-proj-${letters}`,
  "AWS key": `AKIA${"ABCDEFGHIJKLMNOP"}`,
  "Slack token": `xoxb-${letters}`,
  "GitLab token": `glpat-${letters}`,
  "JSON web token": `eyJ${letters}.eyJ${letters}.${letters}`,
  "named secret": `api_key = "${letters}"`,
  "private key": `-----BEGIN RSA PRIVATE KEY-----\nMII${letters}\n-----END RSA PRIVATE KEY-----`,
  "private key cut short": `-----BEGIN OPENSSH PRIVATE KEY-----`,
};

test.each(Object.entries(secrets))("a %s is taken out of text and found in a diff", (_name, secret) => {
  expect(redact(`before ${secret} after`)).toMatch(/^before .*removed\] ?"? ?after$/su);
  expect(redact(`before ${secret} after`)).not.toContain(letters);
  const [first = ""] = secret.split("\n");
  const diff = `diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n a\n+${first}\n`;
  expect(findSecrets(diff)).toMatchObject([{ path: "x", line: 2 }]);
});

test("what only looks a little like one stays", () => {
  for (const text of [
    "sk-learn and skis",
    "token = getTokenFromTheEnvironmentOfThisProcess()",
    "sha512-0123456789abcdef",
    "password: ${{ secrets.PASSWORD }}",
    "ghs_short",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  ])
    expect(redact(text)).toBe(text);
});

test("a line of a file cannot pretend that the hunk is over", () => {
  const diff = `diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -0,0 +1,3 @@\n+++ b/harmless\n+diff --git a/y b/y\n+ghs_${letters}\n`;
  expect(findSecrets(diff)).toMatchObject([{ path: "x", line: 3 }]);
});

test("text built to be slow is read as soon as any other", () => {
  const piece = fc.constantFrom(
    "secret",
    "token",
    "=",
    '"',
    "eyJ",
    ".",
    "-",
    "_",
    "A",
    "-----BEGIN ",
    "PRIVATE KEY-----",
    "ghs_",
    "sk-",
    " ",
    "\n+",
  );
  fc.assert(
    fc.property(piece, piece, piece, (...parts) => {
      const text = parts.join("").repeat(20_000);
      redact(text);
      findSecrets(`+${text}`);
    }),
    { numRuns: 25 },
  );
});
