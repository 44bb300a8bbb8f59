/** What changed in the world since we last heard of it: seen in the facts that are read right before a merge. */
import { afterEach, expect, test } from "vitest";
import { openWorld, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const headOf = (pull: number): string => world.people.thread(pull).pull?.head ?? "";
const isMerged = (pull: number): boolean => world.people.thread(pull).pull?.merged !== undefined;

/** A ticket that is released by bob's approval and waits for its checks. */
async function releasedAndPending(): Promise<{ readonly issue: number; readonly pull: number }> {
  const { people } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  await people.check(headOf(pull), "ci", "pending");
  await people.approve(pull, "bob");
  await world.untilState(issue, "Merging");
  await world.settled();
  return { issue, pull };
}
/** From here on only this kind of delivery arrives. */
const onlyHears = (name: string): void => {
  world.hub.courier.deliver = (delivery) => (delivery.name === name ? [delivery] : []);
};

test("a pull request that was pointed at another base a moment ago is not merged into it", async () => {
  world = await openWorld();
  const { people } = world;
  const { issue, pull } = await releasedAndPending();
  await people.push("production", "ada", { "release.txt": "1\n" });
  onlyHears("check_run");
  await people.retarget(pull, "ada", "production");
  await people.check(headOf(pull), "ci", "success");
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(isMerged(pull)).toBe(false);
});

test("an objection of which no delivery has told yet stops the merge, and is heard once", async () => {
  world = await openWorld();
  const { people, hub } = world;
  const { issue, pull } = await releasedAndPending();
  onlyHears("check_run");
  await people.requestChanges(pull, "ada", "This drops the user table. Do not merge.");
  await people.check(headOf(pull), "ci", "success");
  await world.until("heard", () => world.steps.some(({ event }) => event === "human.objected"));
  hub.courier.deliver = undefined;
  await world.settled();
  world.forgehand.reconcile();
  await world.settled();
  expect(isMerged(pull)).toBe(false);
  expect(await world.stateOf(issue)).not.toBe("Done");
  expect(world.steps.filter(({ event }) => event === "human.objected")).toHaveLength(1);
});

test("an approval that was dismissed, of which no delivery has told yet, releases no merge", async () => {
  world = await openWorld();
  const { people } = world;
  const { issue, pull } = await releasedAndPending();
  onlyHears("check_run");
  await people.dismiss(pull, "bob");
  await people.check(headOf(pull), "ci", "success");
  await world.untilState(issue, "In Review");
  await world.settled();
  expect(isMerged(pull)).toBe(false);
});

test("an objection by somebody who may not merge holds no merge up", async () => {
  world = await openWorld();
  const { people } = world;
  const { issue, pull } = await releasedAndPending();
  onlyHears("check_run");
  await people.requestChanges(pull, "eve", "I do not like it.");
  await people.check(headOf(pull), "ci", "success");
  await world.untilState(issue, "Done");
});

test("an objection that only a look tells of waits for the reviewers' pause too, and the ticket says so", async () => {
  world = await openWorld({ config: "merge: { settle_seconds: 0 }\n" });
  const { people, hub } = world;
  const { issue, pull } = await releasedAndPending();
  const deliveries = hub.state.deliveries.length;
  hub.courier.deliver = () => [];
  await people.requestChanges(pull, "ada", "Call it differently.");
  await hub.courier.idle();
  hub.state.deliveries.splice(deliveries);
  hub.courier.deliver = undefined;
  world.forgehand.reconcile();
  await world.untilState(issue, "Rework");
  await world.settled();
  const { store } = world.forgehand;
  const id = `github:${world.repo.id}#${issue}`;
  const [timer] = (await store.timersOf(id)).filter(({ name }) => name === "objections");
  expect(timer).toBeDefined();
  expect(await world.stateOf(issue)).toBe("Rework");
  const workpad = people
    .thread(issue)
    .comments.find(({ body }) => body.includes("Acceptance Criteria"))?.body;
  expect(workpad).toContain("the reviewers' pause");
  // A look that meets the same objection again makes nobody wait longer.
  world.forgehand.reconcile();
  await world.settled();
  expect((await store.timersOf(id)).find(({ name }) => name === "objections")).toEqual(timer);
});
