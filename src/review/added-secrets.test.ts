import { expect, test } from "vitest";
import { findAddedSecrets } from "./added-secrets.ts";
import { parseDiff } from "./diff.ts";
import { sayHit } from "./tamper/hit.ts";

// Put together here, so that no scanner takes this file for a leak.
const slack = `xo${"xb"}-123456789012-1234567890123-${"aB3dE6gH9jK2mN5pQ8sT1vW4"}`;
const database = `postgres://ada:${"s3cretpassw0rd"}@db.acme.io/shop`;
const github = `gh${"p_"}aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD3fG6`;
const key = ["-----BEGIN RSA PRIVATE ", "KEY-----"].join("");

const change = (...lines: readonly string[]): string => {
  const before = lines.filter((line) => !line.startsWith("+")).length;
  const after = lines.filter((line) => !line.startsWith("-")).length;
  return [
    "diff --git a/src/app.ts b/src/app.ts",
    "--- a/src/app.ts",
    "+++ b/src/app.ts",
    `@@ -1,${before} +1,${after} @@`,
    ...lines,
    "",
  ].join("\n");
};
const told = async (diff: string): Promise<readonly string[]> =>
  (await findAddedSecrets(diff, parseDiff(diff))).map(sayHit);

test.each([
  ["a token that both scans know is told once", github, "GitHub token"],
  ["a connection string that only the library knows", database, "database-connection-string"],
  ["a token of a chat", slack, "Slack token"],
  ["a private key", key, "private key"],
])("%s", async (_name, secret, kind) => {
  const [reason, ...others] = await told(change(" const a = 1;", `+const b = "${secret}";`));
  expect(others).toEqual([]);
  expect(reason).toBe(`\`src/app.ts:2\`: what looks like a credential was added (${kind})`);
  expect(reason).not.toContain(secret);
});

test("a change cannot say of itself that it is not to be looked at", async () => {
  const diff = change("+// secretlint-disable", `+const b = "${database}"; // secretlint-disable-line`);
  expect(await told(diff)).toHaveLength(1);
});

test("what is taken out, or was there before, is no new secret", async () => {
  expect(await told(change(`-const b = "${database}";`, ` const c = "${slack}";`, "+const d = 1;"))).toEqual(
    [],
  );
});

test("a change with a secret on each of a hundred lines tells of no more than twenty", async () => {
  const lines = Array.from({ length: 100 }, (_, index) => `+const k${index} = "${database}";`);
  expect(await told(change(...lines))).toHaveLength(20);
});
