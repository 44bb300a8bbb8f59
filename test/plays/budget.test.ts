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
