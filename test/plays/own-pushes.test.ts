/** People push to the branch themselves: it is fetched, reviewed and never written over. */
import { writeFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { openWorld, usage, type World } from "../world.ts";
import { inReview } from "./in-review.ts";

let world: World;
afterEach(() => world.close());

const atWork = (issue: number): Promise<void> =>
  world.until("a builder is at work", async () =>
    (await world.forgehand.store.sessionsOf(`github:${world.repo.id}#${issue}`)).some(
      ({ role, endedAt }) => role === "build" && endedAt === null,
    ),
  );
const head = (): string => world.people.pulls()[0]?.pull.head ?? "";
const rework = (...steps: readonly object[]) => ({
  role: "build",
  prompt: "People with permission ask for this",
  steps: [usage, ...steps, { done: "did it" }],
});

test("a push while the builder works is under what it delivers", async () => {
  world = await openWorld();
  const { issue, pull, branch } = await inReview(world);
  const marker = `${world.dir}/push`;
  world.scenes([rework({ run: `until test -e ${marker}; do sleep 0.05; done; echo more >> src/more.txt` })]);
  await world.people.requestChanges(pull, "ada", "More.");
  await atWork(issue);
  const theirs = await world.people.push(branch, "ada", { "src/theirs.txt": "mine\n" });
  writeFileSync(marker, "");
  await world.until(
    "reviewed",
    async () => (await world.stateOf(issue)) === "In Review" && head() !== theirs,
  );
  await world.settled();
  expect(await world.people.file(head(), "src/theirs.txt")).toBe("mine\n");
  expect(await world.people.file(head(), "src/more.txt")).toBe("more\n");
  expect((await world.forgehand.store.load(`github:${world.repo.id}#${issue}`))?.ticket.reviewed).toBe(
    head(),
  );
  expect(world.steps.filter(({ event }) => event === "build.gave-up")).toEqual([]);
});

test("a push that changes the same lines is settled by the builder in the same build", async () => {
  world = await openWorld();
  const { issue, pull, branch } = await inReview(world);
  const marker = `${world.dir}/push`;
  world.scenes([
    {
      role: "build",
      prompt: "Somebody pushed to this branch meanwhile",
      steps: [usage, { run: "sed -i '/^[<=>]\\{7\\}/d' src/done.txt" }, { done: "kept both" }],
    },
    rework({ run: `until test -e ${marker}; do sleep 0.05; done; echo ours > src/done.txt` }),
  ]);
  await world.people.requestChanges(pull, "ada", "Otherwise.");
  await atWork(issue);
  await world.people.push(branch, "ada", { "src/done.txt": "theirs\n" });
  writeFileSync(marker, "");
  await world.until(
    "delivered",
    () => world.steps.filter(({ event }) => event === "build.delivered").length === 2,
  );
  await world.untilState(issue, "In Review");
  await world.settled();
  const words = (await world.people.file(head(), "src/done.txt")).split("\n").toSorted();
  expect(words).toEqual(["", "ours", "theirs"]);
});

test("a push after the approval is reviewed on its own, and the approval is void", async () => {
  world = await openWorld();
  const { issue, pull, branch } = await inReview(world);
  world.people.protect("main", { checks: ["ci"], approvals: 0 });
  await world.people.approve(pull, "ada");
  await world.untilState(issue, "Merging");
  const theirs = await world.people.push(branch, "bob", { "src/theirs.txt": "mine\n" });
  await world.untilState(issue, "In Review");
  await world.settled();
  const ticket = (await world.forgehand.store.load(`github:${world.repo.id}#${issue}`))?.ticket;
  expect(ticket).toMatchObject({ head: theirs, reviewed: theirs, approved: undefined });
  expect(head()).toBe(theirs);
});
