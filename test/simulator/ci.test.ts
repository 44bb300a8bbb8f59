/** The Ci on the simulated forge: tries, logs, and running again. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { openGitHub } from "../../src/adapters/github/app.ts";
import { githubCi } from "../../src/adapters/github/ci.ts";
import type { Key, Repo } from "../../src/ports.ts";
import type { Ci } from "../../src/ports-ci.ts";
import { openStand, type Stand } from "./forge-stand.ts";

let stand: Stand;
let ci: Ci;
let repo: Repo;
let head: string;
const writes: string[] = [];
beforeEach(async () => {
  stand = await openStand();
  const { app } = stand.hub.state;
  writes.length = 0;
  const github = openGitHub({
    appId: app.id,
    privateKey: app.privateKey,
    apiUrl: `${stand.hub.url}/api/v3`,
    userAgent: "forgehand-test",
    clock: { now: () => Date.now() },
    remember: { get: async () => undefined, set: async () => undefined },
    scrub: (text) => text,
    onWrite: ({ operation }) => void writes.push(operation),
  });
  ci = githubCi(github);
  const { id, owner, name, defaultBranch } = stand.repo;
  repo = { id, owner, name, defaultBranch, installation: app.installation, private: false };
  head = await stand.people.push("work", "bob", { "a.txt": "three\n" });
});
afterEach(() => stand.close());

const key = "k" as Key;
const runsOf = (name: string) => stand.repo.checkRuns.filter((run) => run.name === name);
const red = (name: string) => {
  const run = runsOf(name).at(-1);
  if (run === undefined) throw new Error(`no ${name}`);
  return { name, id: run.id };
};

test("tries are told oldest first, statuses among them, our own left out", async () => {
  const { people } = stand;
  await people.job(head, "test", "failure");
  await people.status(head, "docs", "failure");
  await people.status(head, "docs", "success");
  await stand.api("POST", "/check-runs", { name: "forgehand / gate", head_sha: head, conclusion: "failure" });
  const tries = await ci.tries(repo, head);
  expect(tries.map(({ name, is, conclusion }) => [name, is, conclusion])).toEqual([
    ["test", "red", "failure"],
    ["docs", "red", "failure"],
    ["docs", "green", "success"],
  ]);
  expect(tries.map(({ id }) => id === undefined)).toEqual([false, true, true]);
  expect(await ci.tip(repo, "main")).toBe(stand.repo.branches.get("main"));
  expect(await ci.tip(repo, "nowhere")).toBeUndefined();
});

test("a job's log is read to its end, and no more of a long one than that", async () => {
  await stand.people.job(head, "test", "failure", `${"early\n".repeat(200_000)}why it failed\n`);
  const log = await ci.log(repo, red("test").id);
  expect(log).toMatch(/why it failed\n$/);
  expect(log?.length).toBeLessThan(300_000);
});

test("without a log the run's own words and its notes on lines are read; with neither, nothing", async () => {
  await stand.people.check(head, "lint", "failure");
  expect(await ci.log(repo, red("lint").id)).toBeUndefined();
  const run = runsOf("lint")[0];
  if (run === undefined) throw new Error("no run");
  run.output = { title: "2 problems", summary: "see below" };
  run.annotations = [
    {
      path: "a.txt",
      start_line: 2,
      end_line: 2,
      annotation_level: "failure",
      message: "too many words",
    },
  ];
  expect(await ci.log(repo, run.id)).toBe("2 problems\n\nsee below\n\na.txt:2: failure: too many words");
  expect(await ci.log(repo, 424_242)).toBeUndefined();
});

test("failed jobs run again together and once, however often they are asked for", async () => {
  await stand.people.job(head, "test", "failure");
  await stand.people.job(head, "e2e", "timed_out");
  await stand.people.job(head, "lint", "success");
  const runs = [red("test"), red("e2e")];
  expect(await ci.rerun(key, repo, head, runs)).toBe("asked");
  expect(await ci.rerun(key, repo, head, runs)).toBe("asked");
  expect(["test", "e2e", "lint"].map((name) => runsOf(name).length)).toEqual([2, 2, 1]);
  expect(writes).toEqual(["run checks again"]);
});

test("while the workflow is not over, running again waits", async () => {
  await stand.people.job(head, "test", "timed_out");
  await stand.people.job(head, "slow", "pending");
  expect(await ci.rerun(key, repo, head, [red("test")])).toMatchObject({ is: "refused", how: "pending" });
  await stand.people.job(head, "slow", "success");
  expect(await ci.rerun(key, repo, head, [red("test")])).toBe("asked");
});

test("another App's check is asked for again by itself, and what is gone is refused", async () => {
  await stand.people.check(head, "scan", "failure");
  expect(await ci.rerun(key, repo, head, [red("scan")])).toBe("asked");
  expect(runsOf("scan").length).toBe(2);
  stand.hub.fail({ method: /POST/, path: /rerequest$/, status: 404 });
  await stand.people.check(head, "other", "failure");
  expect(await ci.rerun(key, repo, head, [red("other")])).toMatchObject({
    is: "refused",
    how: "unavailable",
  });
});
