import { afterEach, expect, test } from "vitest";
import { openWorld, pass, proceed, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

test("a run that spends its money stops with the work kept, and a raised budget goes on in the phase it stopped in", async () => {
  const dear = { usage: { inputTokens: 1000, outputTokens: 100, usd: 6 } };
  world = await openWorld({
    scenes: [
      {
        role: "build",
        steps: [
          { write: { path: "src/half.txt", text: "half\n" } },
          dear,
          { fail: { how: "unfinished", code: "budget", why: "the run spent its $5" } },
        ],
      },
    ],
  });
  const { people, forgehand, repo } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "Blocked");
  await world.settled();
  const id = `github:${repo.id}#${issue}`;
  const stored = await forgehand.store.load(id);
  expect(stored?.ticket.stoppedIn).toBe("In Progress");
  expect(stored?.ticket.counters).toEqual({ attempts: 0, cycles: 0, unreviewed: 0 });
  expect(people.thread(issue).labels.has("harness-blocked")).toBe(true);
  expect(people.thread(issue).comments.some(({ body }) => body.includes("the run spent its $5"))).toBe(true);
  world.scenes([
    { role: "gate", steps: [usage, { answer: proceed }] },
    { role: "review", steps: [usage, { answer: pass }] },
  ]);
  people.comment(issue, "bob", "/forgehand budget 8");
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  expect(await people.file(people.thread(pull).pull?.head ?? "", "src/half.txt")).toBe("half\n");
  const builds = (await forgehand.store.sessionsOf(id)).filter(({ role }) => role === "build");
  expect(new Set(builds.map(({ session }) => session)).size).toBe(1);
});

test("a run that codes for several rounds spends no more than one run may", async () => {
  const dear = { usage: { inputTokens: 1000, outputTokens: 100, usd: 4 } };
  world = await openWorld({
    config:
      "commands: { test: 'false' }\nmerge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0, run_usd: 5 }\n",
    scenes: [{ role: "build", steps: [dear, { done: "wrote it" }] }],
  });
  const { people, forgehand, repo } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "Blocked");
  await world.settled();
  const id = `github:${repo.id}#${issue}`;
  expect((await forgehand.store.load(id))?.ticket.stoppedIn).toBe("In Progress");
  const builds = (await forgehand.store.sessionsOf(id)).filter(({ role }) => role === "build");
  expect(new Set(builds.map(({ run }) => run)).size).toBe(1);
  // A turn may go over the edge; beyond it none starts.
  expect(builds.map(({ usd }) => usd)).toEqual([4, 4, 0]);
});

test("the dollars that a person allows are for the next run, and for that alone", async () => {
  const dear = { usage: { inputTokens: 1000, outputTokens: 100, usd: 6 } };
  world = await openWorld({
    config:
      "commands: { test: 'false' }\nmerge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0, run_usd: 5 }\n",
    scenes: [{ role: "build", steps: [dear, { done: "wrote it" }] }],
  });
  const { people, forgehand, repo } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  const id = `github:${repo.id}#${issue}`;
  const spent = (): number => world.steps.filter(({ event }) => event === "budget.spent").length;
  const builds = async (): Promise<readonly number[]> =>
    (await forgehand.store.sessionsOf(id)).filter(({ role }) => role === "build").map(({ usd }) => usd);
  await world.until("spent", () => spent() === 1);
  await world.settled();
  expect(await builds()).toEqual([6, 0]);
  people.comment(issue, "bob", "/forgehand budget 8");
  await world.until("spent again", () => spent() === 2);
  await world.settled();
  // The second turn begins within eight dollars, where five would have ended it.
  expect(await builds()).toEqual([6, 0, 6, 6, 0]);
  expect((await forgehand.store.load(id))?.ticket.allowance).toBeUndefined();
  people.comment(issue, "bob", "/forgehand retry");
  await world.until("retried", () => world.steps.some(({ event }) => event === "operator.retried"));
  await world.until("spent a third time", () => spent() === 3);
  await world.settled();
  expect(await builds()).toEqual([6, 0, 6, 6, 0, 6, 0]);
});

test("a person who allows more than the operator allows a day allows that much, and money that nobody waits for is refused", async () => {
  world = await openWorld({
    config: "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0, run_usd: 5 }\n",
  });
  const { people, forgehand, repo } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  people.comment(issue, "bob", "/forgehand budget 500");
  await world.settled();
  expect(
    people
      .thread(issue)
      .comments.map(({ body }) => body)
      .join(),
  ).toContain("does not wait for money");
  world.scenes([
    { role: "build", steps: [{ fail: { how: "unfinished", code: "budget", why: "the run spent its $5" } }] },
  ]);
  await people.requestChanges(await world.pullOf(issue), "ada", "Call it differently.");
  await world.untilState(issue, "Blocked");
  await world.settled();
  people.comment(issue, "bob", "/forgehand budget 500");
  await world.until("raised", () => world.steps.some(({ event }) => event === "budget.raised"));
  await world.settled();
  const raised = (await forgehand.store.linesOf(`github:${repo.id}#${issue}`)).flatMap(({ event }) =>
    event.type === "budget.raised" ? [event.usd] : [],
  );
  expect(raised).toEqual([100]);
});
