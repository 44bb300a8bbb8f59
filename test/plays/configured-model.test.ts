/** A reviewer whose model nobody saw: what its operator's word is worth. */
import { afterEach, expect, test } from "vitest";
import type { Agent, Family } from "../../src/ports-agents.ts";
import { openWorld, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

/** The same reviewer, whose stream names no model: the operator's configuration does. */
const unnamed =
  (configured: Family) =>
  (agent: Agent): Agent =>
    agent.name === "claude-code"
      ? agent
      : {
          ...agent,
          work: async function* (order, signal) {
            for await (const said of agent.work(order, signal))
              yield said.type === "model" ? { type: "model", id: "house-1", configured } : said;
          },
        };
const released = (): number => {
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  world.people.label(issue, "agent-ready", "bob");
  return issue;
};
const review = async (issue: number) =>
  (await world.forgehand.store.sessionsOf(`github:${world.repo.id}#${issue}`)).find(
    ({ role }) => role === "review",
  );

test("a model that is only configured blocks the review, and stands as such on record", async () => {
  world = await openWorld({ recast: unnamed("unknown") });
  const issue = released();
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(world.steps.at(-1)?.event).toBe("review.blocked");
  expect(await review(issue)).toMatchObject({ model: "house-1", family: "unknown", modelBy: "configured" });
});

test("a model its operator vouches for passes the review, and the certificate says whose word it is", async () => {
  world = await openWorld({ recast: unnamed("mistral") });
  const issue = released();
  await world.untilState(issue, "In Review");
  await world.settled();
  expect(await review(issue)).toMatchObject({ model: "house-1", family: "mistral", modelBy: "configured" });
  const said = JSON.stringify([...world.repo.threads.values()].map(({ comments, pull }) => [comments, pull]));
  expect(said).toContain("codex (house-1, as configured)");
});

test("the builder's own family is no other family because its operator vouches for it", async () => {
  world = await openWorld({ recast: unnamed("anthropic") });
  const issue = released();
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(world.steps.at(-1)?.event).toBe("review.blocked");
});
