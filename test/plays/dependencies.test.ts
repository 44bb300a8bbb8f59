/** A ticket that depends on another waits in the queue, says so, and starts when that is done. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { explain } from "../../src/cli/explain.ts";
import { openWorld, proceed, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const open = (body = "Write src/done.txt."): number =>
  world.people.openIssue({ by: "bob", title: "Say done", body });
const release = (issue: number): void => world.people.label(issue, "agent-ready", "bob");
const idOf = (issue: number): string => `github:${world.repo.id}#${issue}`;
const told = async (issue: number): Promise<string> => {
  await world.settled();
  return (await explain(idOf(issue), { database: join(world.dir, "data", "forgehand.db") })).text;
};
const workpadOf = (issue: number): string =>
  world.people.thread(issue).comments.find(({ body }) => body.includes("## forgehand workpad"))?.body ?? "";
const untilTold = async (issue: number, words: string): Promise<void> =>
  void (await vi.waitUntil(() => workpadOf(issue).includes(words), { timeout: 60_000 }));

test("a line in the released text holds a ticket in the queue until what it names is closed", async () => {
  world = await openWorld();
  const first = open();
  const second = open(`Write src/done.txt.\n\nDepends on #${first}`);
  release(second);
  await untilTold(second, `waits for acme/web#${first} to be done`.replace("waits", "Waits"));
  expect(await world.stateOf(second)).toBe("Ready");
  expect(await told(second)).toContain(`Waits for acme/web#${first} to be done. Next: then the spec gate`);
  world.people.closeIssue(first, "bob");
  await world.untilState(second, "In Review");
});

test("the forge's own relation counts as well, and lets go when it is taken away or closed as done", async () => {
  world = await openWorld();
  const [first, other] = [open(), open()];
  const second = open();
  world.people.blockedBy(second, [first, other]);
  release(second);
  await untilTold(second, `acme/web#${first} and acme/web#${other} to be done`);
  world.people.blockedBy(second, [first]);
  world.people.closeIssue(first, "bob");
  await world.untilState(second, "In Review");
});

test("what blocks it is told once, in whatever order the forge lists it", async () => {
  world = await openWorld();
  const [first, other] = [open(), open()];
  const second = open();
  world.people.blockedBy(second, [other, first]);
  release(second);
  await untilTold(second, `acme/web#${first} and acme/web#${other} to be done`);
  await world.settled();
  world.forgehand.shop.poke("schedule");
  await world.settled();
  expect(world.steps.filter(({ event }) => event === "slot.withheld")).toHaveLength(1);
});

test.each([
  ["as not planned, by the text", "not_planned", "text"],
  ["as a duplicate, by the text", "duplicate", "text"],
  ["as a duplicate, by the tracker", "duplicate", "tracker"],
] as const)("what was closed %s, takes a person, and so does what cannot be seen", async (_, how, by) => {
  world = await openWorld();
  const first = open();
  const refs = by === "text" ? `#${first}, elsewhere/thing#3` : "elsewhere/thing#3";
  const second = open(`Write src/done.txt.\n\nDepends on ${refs}`);
  if (by === "tracker") world.people.blockedBy(second, [first]);
  world.people.closeIssue(first, "bob", how);
  release(second);
  await untilTold(second, `acme/web#${first} was closed without being done`);
  expect(await told(second)).toContain(
    "elsewhere/thing#3, which cannot be seen: is the App installed there?",
  );
  expect(await told(second)).toContain("You can: let it start without");
  world.people.editIssue(second, "bob", { body: "Write src/done.txt." });
  if (by === "tracker") world.people.blockedBy(second, []);
  await world.untilState(second, "Backlog");
  await world.settled();
  release(second);
  await world.untilState(second, "In Review");
});

test("two tickets that wait for each other say so", async () => {
  world = await openWorld();
  const first = open();
  const second = open(`Write src/done.txt.\n\nBlocked by #${first}`);
  world.people.blockedBy(first, [second]);
  release(second);
  await untilTold(second, `acme/web#${first} to be done`);
  release(first);
  await untilTold(first, `acme/web#${second}, which waits for this ticket in turn`);
  world.people.blockedBy(first, []);
  world.people.closeIssue(open(), "bob");
  await world.settled();
  expect(await world.stateOf(second)).toBe("Ready");
});

test("who is in another's way is not held up by it: a ticket that waits keeps no slot", async () => {
  world = await openWorld({ environment: { concurrency: 1 } });
  const never = open();
  const waiting = open(`Write src/done.txt.\n\nDepends on #${never}`);
  const free = open();
  release(waiting);
  await untilTold(waiting, `acme/web#${never} to be done`);
  release(free);
  await world.untilState(free, "In Review");
  expect(await world.stateOf(waiting)).toBe("Ready");
});

test("the more urgent ticket starts first", async () => {
  world = await openWorld({ environment: { concurrency: 1 } });
  const { people, dir } = world;
  const { store } = world.forgehand;
  const go = join(dir, "go");
  const waits = { run: `until test -e ${go}; do sleep 0.05; done` };
  world.scenes([{ role: "gate", prompt: "Hold the slot", steps: [waits, { answer: proceed }] }]);
  const busy = open("Hold the slot and write src/done.txt.");
  release(busy);
  await world.untilState(busy, "Gate");
  const [calm, urgent] = [open(), open()];
  release(calm);
  people.label(calm, "priority/3", "bob");
  release(urgent);
  people.label(urgent, "Priority/1", "bob");
  const priorities = async () =>
    await Promise.all([calm, urgent].map(async (issue) => (await store.load(idOf(issue)))?.priority));
  await world.until("both are heard", async () => (await priorities()).join() === "3,1");
  for (const issue of [calm, urgent]) await world.untilState(issue, "Ready");
  writeFileSync(go, "");
  await world.untilState(calm, "In Review");
  const began = async (issue: number): Promise<number> =>
    (await store.linesOf(idOf(issue))).find(({ event }) => event.type === "slot.granted")?.at ?? 0;
  expect(await began(urgent)).toBeLessThan(await began(calm));
});
