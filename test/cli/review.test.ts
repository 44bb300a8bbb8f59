/** `forgehand review` on the compiled program, with agents that play a part. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  fails,
  finding,
  openStand,
  passes,
  reported,
  type ReviewStand,
  type Reported,
} from "./review-stand.ts";

let stand: ReviewStand;
beforeEach(() => {
  stand = openStand();
});
afterEach(() => stand.close());

const json = (...argv: readonly string[]): Promise<Reported> => reported(stand, ...argv);

describe("a verdict", () => {
  test("that passes ends with 0 and says so", async () => {
    const { code, out } = await stand.review([]);
    expect(out).toContain("PASS: main...HEAD by scripted");
    expect(out).toContain("Well done.");
    expect(code).toBe(0);
  });

  test("that fails ends with 1 and names each finding with its place", async () => {
    stand.scenes({ role: "review", prompt: "+two", steps: [fails] });
    const { code, out } = await stand.review([]);
    expect(out).toContain("FAIL: main...HEAD");
    expect(out).toContain("[blocker] a.txt:2: Two is wrong (review/correctness)\n    It must be three.");
    expect(out).toContain("1 blocker, 0 polish, 0 future");
    expect(code).toBe(1);
  });

  test("that nobody gives ends with 7 and the reason", async () => {
    const how = { how: "give-up", code: "quota", why: "the quota is used up" };
    stand.scenes({ role: "review", steps: [{ fail: how }] });
    const { code, out } = await stand.review(["--runtime", "codex"]);
    expect(out).toContain("BLOCKED, no verdict: main...HEAD");
    expect(out).toContain("the quota is used up");
    expect(code).toBe(7);
  });

  test("of a reviewer that is not logged in ends with 7 and says what is missing", async () => {
    const how = { how: "blocked", code: "login-missing", why: "not logged in: run `codex login`" };
    stand.scenes({ role: "review", steps: [{ fail: how }] });
    const { code, out } = await stand.review(["--runtime", "codex"]);
    expect(out).toContain("run `codex login`");
    expect(code).toBe(7);
  });

  test("of a reviewer that writes files counts as none", async () => {
    stand.scenes({
      role: "review",
      steps: [{ run: "chmod -R u+w ." }, { write: { path: "b.txt", text: "x" } }, passes],
    });
    const { code, out } = await stand.review([]);
    expect(out).toContain("the reviewer wrote files: b.txt");
    expect(code).toBe(7);
  });

  test("is not waited for longer than --timeout allows", async () => {
    stand.scenes({ role: "review", steps: [{ sleep: 60_000 }, passes] });
    const { code, out } = await stand.review(["--timeout", "0.02"]);
    expect(out).toContain("no verdict within 0 minutes (--timeout)");
    expect(code).toBe(7);
  });

  test("is not waited for after an interrupt: it ends with 2, and nothing is left", async () => {
    stand.scenes({ role: "review", steps: [{ echo: join(stand.dir, "begun") }, { sleep: 60_000 }, passes] });
    const running = stand.start([]);
    await vi.waitFor(() => expect(existsSync(join(stand.dir, "begun"))).toBe(true), 60_000);
    running.process.kill("SIGINT");
    const { code, err } = await running.ended;
    expect(err).toContain("the review was interrupted");
    expect(code).toBe(2);
    expect(readdirSync(join(stand.dir, "state", "forgehand"))).toEqual([]);
  });

  test("is not paid for beyond --budget", async () => {
    stand.scenes({
      role: "review",
      steps: [{ usage: { usd: 3 } }, { say: "on" }, { sleep: 60_000 }, passes],
    });
    const { code, out } = await stand.review(["--budget", "1.50"]);
    expect(out).toContain("the review has spent the $1.50 it may (--budget)");
    expect(code).toBe(7);
  });

  test("on polish alone passes, and with --strict fails", async () => {
    const polish = { ...finding, grade: "polish" };
    const answer = { answer: { verdict: "pass", findings: [polish], summary: "Fine." } };
    stand.scenes({ role: "review", steps: [answer] });
    expect((await stand.review([])).code).toBe(0);
    expect((await stand.review(["--strict"])).code).toBe(1);
  });
});

describe("what rules find", () => {
  beforeEach(() => {
    stand.git("checkout", "-q", "main");
    stand.write("test/a.test.ts", 'test("a", () => {\n  expect(1).toBe(1);\n});\n');
    stand.commit("main", "test it");
    stand.git("rm", "-q", "test/a.test.ts");
    stand.write(".github/workflows/ci.yml", "on: push\n");
    stand.commit("feature", "No test");
  });

  test("stands beside the findings under rules of its own, and fails only where it is asked to", async () => {
    const { data } = await json();
    expect(data.verdict).toBe("pass");
    expect(data.findings.map(({ source, rule, path }) => [source, rule, path])).toEqual(
      expect.arrayContaining([
        ["gate", "gate/test-deleted", "test/a.test.ts"],
        ["gate", "gate/protected", ".github/workflows/ci.yml"],
      ]),
    );
    expect(data.exit).toBe(0);
    expect((await stand.review(["--fail-on", "gate"])).code).toBe(1);
  });

  test("is told also when nobody gave a verdict", async () => {
    stand.scenes({ role: "review", steps: [{ done: "I like it" }] });
    const { code, out } = await stand.review(["--fail-on", "never"]);
    expect(out).toContain("[gate] test/a.test.ts: ");
    expect(code).toBe(7);
  });
});

describe("who reviews", () => {
  test("is of another family than a builder that is named, as observed", async () => {
    const told = { ...passes.answer, summary: "Judged." };
    stand.scenes({ role: "review", model: "gpt-5-codex", steps: [{ answer: told }] });
    const other = await stand.review(["--builder-family", "anthropic"]);
    expect(other.err).toContain("codex reviews");
    expect(other.code).toBe(0);
    const same = await stand.review(["--builder-family", "openai"]);
    expect(same.out).toContain("builder and reviewer are both openai models");
    expect(same.code).toBe(7);
  });

  test("sits in a panel, each alone, and agreement is told", async () => {
    stand.scenes({ role: "review", steps: [fails] });
    const both = await stand.review(["--panel", "general,security"]);
    expect(both.out.match(/^\[blocker\] /gmu)).toHaveLength(1);
    expect(both.out).toContain("(review/correctness, by general and security)");
    expect(both.code).toBe(1);
  });

  test("wears the persona that --panel names", async () => {
    stand.scenes({ role: "review", prompt: "security", steps: [fails] }, { role: "review", steps: [passes] });
    expect((await stand.review(["--panel", "security"])).code).toBe(1);
  });
});
