/** A branch with a merge queue: what is released is enqueued once, our gate judges the group, and what comes back is answered. */
import { afterEach, expect, test } from "vitest";
import { openWorld, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const gate = "forgehand / gate";
async function released(title: string, checks: readonly string[] = ["ci"]): Promise<number> {
  const { people } = world;
  people.protect("main", { checks, approvals: 0, queue: "squash" });
  const issue = people.openIssue({ by: "bob", title, body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  return issue;
}
const entries = () => world.repo.queues?.get("main") ?? [];
const headOf = (pull: number): string => world.people.thread(pull).pull?.head ?? "";
const enqueued = (): number =>
  world.hub.state.calls.filter(({ path }) => path === "enqueuePullRequest").length;

/** Reviewed, approved, its own checks green, and in the queue. */
async function inQueue(title = "Say done"): Promise<{ readonly issue: number; readonly pull: number }> {
  const issue = await released(title);
  const pull = await world.pullOf(issue);
  for (const name of ["ci"]) await world.people.check(headOf(pull), name, "success");
  await world.people.approve(pull, "bob");
  await world.until("enqueued", () => entries().some(({ thread }) => thread.number === pull));
  await world.settled();
  return { issue, pull };
}
const said = (issue: number): string =>
  world.people
    .thread(issue)
    .comments.map(({ body }) => body)
    .join("\n");

test("a released head is enqueued once, its group passes our gate, and the queue merges it", async () => {
  world = await openWorld();
  const { issue, pull } = await inQueue();
  const [entry] = entries();
  expect(entry).toMatchObject({ head: headOf(pull) });
  const group = entry?.group ?? "";
  await world.until("judged", () => world.people.checks(group).some(({ is }) => is === "success"));
  expect(world.people.checks(group)).toEqual([{ name: gate, is: "success" }]);
  await world.people.check(group, "ci", "success");
  await world.untilState(issue, "Done");
  await world.settled();
  expect(world.people.thread(pull).pull?.merged).toBe(group);
  expect(enqueued()).toBe(1);
});

test("checks that fail on the group bring the ticket back to the builder, and nothing is enqueued again by itself", async () => {
  world = await openWorld({
    scenes: [
      {
        role: "build",
        prompt: "CI_FAILURE",
        steps: [{ write: { path: "src/more.txt", text: "more\n" } }, { done: "more" }],
      },
    ],
  });
  const { issue, pull } = await inQueue();
  const before = headOf(pull);
  await world.people.check(entries()[0]?.group ?? "", "ci", "failure");
  await world.until("refused", () => world.steps.some(({ event }) => event === "merge.refused"));
  expect(world.steps.find(({ event }) => event === "merge.refused")?.to).toBe("Rework");
  await world.untilState(issue, "In Review");
  await world.settled();
  expect(headOf(pull)).not.toBe(before);
  expect(entries()).toEqual([]);
  expect(enqueued()).toBe(1);
});

test("whoever takes it out of the queue by hand decides: the ticket stops and says so", async () => {
  world = await openWorld();
  const { issue, pull } = await inQueue();
  await world.people.dequeue(pull, "ada");
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(said(issue)).toContain("MANUAL");
  expect(enqueued()).toBe(1);
});

test("an approval taken back takes it out of the queue", async () => {
  world = await openWorld();
  const { issue, pull } = await inQueue();
  await world.people.requestChanges(pull, "bob", "Not so fast.");
  await world.until("out", () => entries().length === 0);
  await world.settled();
  expect(await world.stateOf(issue)).not.toBe("Merging");
  expect(world.people.thread(pull).pull?.merged).toBeUndefined();
});

test("the gate refuses a group with a head of ours that nobody released, and passes one of people alone", async () => {
  world = await openWorld();
  const issue = await released("Say done", [gate]);
  const pull = await world.pullOf(issue);
  await world.people.enqueue(pull, "bob");
  await world.until("taken out", () => entries().length === 0);
  await world.settled();
  expect(world.people.thread(pull).pull?.merged).toBeUndefined();
  expect(await world.stateOf(issue)).toBe("In Review");
  const judged = world.repo.checkRuns.find(({ head, name }) => name === gate && head !== headOf(pull));
  expect(judged).toMatchObject({ conclusion: "failure" });
  expect(judged?.output.title).toContain(`#${pull}`);
  await world.people.push("theirs", "bob", { "b.txt": "b\n" });
  const theirs = await world.people.openPull("theirs", "bob");
  await world.until("their gate is green", () => world.people.checks(headOf(theirs)).length > 0);
  await world.people.enqueue(theirs, "bob");
  await world.until("merged", () => world.people.thread(theirs).pull?.merged !== undefined);
});

test("an answer that is lost, and a queue that took it out meanwhile: nothing is enqueued again", async () => {
  world = await openWorld();
  const issue = await released("Say done");
  const pull = await world.pullOf(issue);
  await world.people.check(headOf(pull), "ci", "success");
  const { shop, store } = world.forgehand;
  const real = shop.forge.enqueue.bind(shop.forge);
  Object.assign(shop.forge, {
    enqueue: async (...args: Parameters<typeof real>) => {
      const answer = await real(...args);
      if (answer.is !== "queued") return answer;
      throw new Error("the answer was lost");
    },
  });
  await world.people.approve(pull, "bob");
  await world.until("enqueued", () => entries().length === 1);
  await world.people.dequeue(pull, "ada");
  await world.until("stopped", async () => {
    for (const sending of await store.sendable(Number.MAX_SAFE_INTEGER, 100))
      await store.snooze(sending, 0, "hurried");
    shop.poke("outbox");
    return (await world.stateOf(issue)) === "Blocked";
  });
  await world.settled();
  expect(enqueued()).toBe(1);
});

test("released anew after the consent was taken back, it is enqueued anew, and the earlier release says nothing more", async () => {
  world = await openWorld();
  const { people } = world;
  const issue = await released("Say done");
  const pull = await world.pullOf(issue);
  await people.check(headOf(pull), "ci", "success");
  for (const time of [1, 2]) {
    people.label(issue, "auto-merge", "bob");
    await world.until("enqueued", () => entries().length === 1);
    await world.settled();
    expect(enqueued()).toBe(time);
    if (time === 2) break;
    people.unlabel(issue, "auto-merge", "bob");
    await world.untilState(issue, "In Review");
    await world.until("out", () => entries().length === 0);
    await world.settled();
  }
  await people.check(entries()[0]?.group ?? "", "ci", "success");
  await world.untilState(issue, "Done");
  expect(world.steps.some(({ event }) => event === "merge.refused")).toBe(false);
});
