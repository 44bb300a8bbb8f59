/** Whoever requests changes is heard with all they said: the agent cannot look it up on the forge. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { SimDelivery } from "../../src/simulator/hub/state.ts";
import { openWorld, usage, type World } from "../world.ts";
import { inReview } from "./in-review.ts";

let world: World;
afterEach(() => world.close());

const renames = {
  role: "build",
  prompt: "People with permission ask for this",
  steps: [usage, { run: "date +%N >> src/done.txt" }, { done: "renamed" }],
};
const orders = async (issue: number): Promise<readonly string[]> =>
  (await world.forgehand.store.linesOf(`github:${world.repo.id}#${issue}`)).flatMap(({ event }) =>
    event.type === "human.objected" ? [event.order] : [],
  );

test("an objection that says all at single lines reaches the builder with what it says there", async () => {
  world = await openWorld();
  const { issue, pull } = await inReview(world);
  world.scenes([
    {
      role: "build",
      prompt: ["on src/done.txt:1", "@ada: Say finished, not done."],
      steps: [
        usage,
        { run: "echo finished > src/done.txt" },
        { answer: { summary: "finished", threads: [] } },
      ],
    },
  ]);
  await world.people.requestChanges(pull, "ada", "", [
    { path: "src/done.txt", line: 1, body: "Say finished, not done." },
  ]);
  await world.until("heard", async () => (await orders(issue)).length === 1);
  expect(await orders(issue)).toEqual([
    "@ada asked for changes on lines of the diff; each stands with its conversation.",
  ]);
  await world.until(
    "delivered",
    () => world.steps.filter(({ event }) => event === "build.delivered").length === 2,
  );
  await world.untilState(issue, "In Review");
  const branch = world.people.thread(pull).pull?.headRef ?? "";
  expect(await world.people.file(branch, "src/done.txt")).toBe("finished\n");
});

test("what two people ask for within the pause is one work order and one build", async () => {
  world = await openWorld({ config: "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 3 }\n" });
  const { people, dir } = world;
  const told = join(dir, "told.json");
  const { issue, pull } = await inReview(world);
  const work = { run: "echo finished > src/done.txt" };
  const answer = { summary: "finished", threads: [] };
  world.scenes([{ ...renames, steps: [usage, { echo: told }, work, { answer }] }]);
  await people.requestChanges(pull, "ada", "Call it differently.");
  await world.untilState(issue, "Rework");
  await people.requestChanges(pull, "bob", "And write a test.", [
    { path: "src/done.txt", line: 1, body: "Say finished, not done." },
  ]);
  await world.until(
    "delivered",
    () => world.steps.filter(({ event }) => event === "build.delivered").length === 2,
  );
  await world.untilState(issue, "In Review");
  await world.settled();
  const { prompt } = JSON.parse(readFileSync(told, "utf8")) as { readonly prompt: string };
  for (const words of ["Call it differently.", "And write a test.", "Say finished, not done."])
    expect(prompt).toContain(words);
  const builds = world.steps.filter(({ event, to }) => event === "slot.granted" && to === "In Progress");
  expect(builds).toHaveLength(1);
});

test("what people ask for while the ticket is blocked is built when it goes on, not passed over by a review", async () => {
  world = await openWorld({ scenes: [renames] });
  const { people } = world;
  const { issue, pull } = await inReview(world);
  people.label(issue, "forgehand:halt", "bob");
  await world.untilState(issue, "Blocked");
  people.label(issue, "auto-merge", "bob");
  await world.settled();
  await people.requestChanges(pull, "ada", "Say finished.");
  await world.until("heard", async () => (await orders(issue)).length === 1);
  people.unlabel(issue, "forgehand:halt", "bob");
  await world.settled();
  people.comment(issue, "bob", "/forgehand retry");
  await world.until(
    "built",
    () => world.steps.filter(({ event }) => event === "build.delivered").length === 2,
  );
  expect(world.steps.find(({ event }) => event === "operator.retried")?.to).toBe("Rework");
});

test("two objections of one person that arrive together are both heard", async () => {
  world = await openWorld({ scenes: [renames] });
  const { people, hub } = world;
  const { issue, pull } = await inReview(world);
  const held: SimDelivery[] = [];
  hub.courier.deliver = (delivery) => {
    if (delivery.name !== "pull_request_review") return [delivery];
    held.push(delivery);
    return [];
  };
  await people.requestChanges(pull, "ada", "Call it differently.");
  // GitHub's times are told in whole seconds.
  const second = Math.floor(Date.now() / 1_000);
  await world.until("a second later", () => Math.floor(Date.now() / 1_000) > second);
  await people.requestChanges(pull, "ada", "And write a test.");
  await hub.courier.idle();
  hub.courier.deliver = undefined;
  for (const delivery of held) hub.courier.redeliver(delivery);
  await world.until("heard", async () => (await orders(issue)).length === 2);
  expect(await orders(issue)).toEqual(["Call it differently.", "And write a test."]);
});
