/** On a public repository anybody may comment. That must not stop work, fill the ledger or make us talk without end. */
import { afterEach, expect, test } from "vitest";
import { maxAnswers, maxWrites } from "../../src/shell/outbox.ts";
import { openWorld, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const opened = (): number =>
  world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
const idOf = (issue: number): string => `github:${world.repo.id}#${issue}`;
const inReview = async (): Promise<number> => {
  const issue = opened();
  world.people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  return issue;
};
const refusalsOn = (issue: number): number =>
  world.people.thread(issue).comments.filter(({ body }) => body.includes("this takes")).length;

test("a stranger who talks to us more often than a ticket may be written on is told once and stops nothing", async () => {
  world = await openWorld();
  const issue = await inReview();
  for (let n = 0; n < maxWrites + 10; n += 1) world.people.comment(issue, "eve", "/forgehand stop");
  await world.settled();
  expect(await world.stateOf(issue)).toBe("In Review");
  const lines = await world.forgehand.store.linesOf(idOf(issue));
  expect(lines.filter(({ actor }) => actor === "eve")).toHaveLength(1);
  expect(refusalsOn(issue)).toBe(1);
});

test("a crowd of strangers is answered so often and no more, and the ticket goes on", async () => {
  world = await openWorld();
  const issue = await inReview();
  // As if as many had asked before.
  for (let n = 0; n < maxAnswers; n += 1) await world.forgehand.store.countWrite(idOf(issue), "answers");
  world.people.comment(issue, "eve", "/forgehand stop");
  await world.settled();
  expect(refusalsOn(issue)).toBe(0);
  expect(await world.stateOf(issue)).toBe("In Review");
  world.people.comment(issue, "bob", "/forgehand stop");
  await world.untilState(issue, "Blocked");
  await world.settled();
  world.people.comment(issue, "bob", "/forgehand retry");
  await world.untilState(issue, "In Review");
  await world.settled();
  world.people.comment(issue, "bob", "/forgehand status");
  await world.settled();
  const answers = (await world.forgehand.store.effectsOf(idOf(issue))).filter(
    ({ type }) => type === "answer",
  );
  expect(answers.map(({ state }) => state)).toEqual(["dropped", "dropped", "done", "done"]);
});

test("a stranger's words on an issue that nobody released make no ticket of it", async () => {
  world = await openWorld();
  const issue = opened();
  for (const order of ["run", "stop", "approve", "budget 100", "status"])
    world.people.comment(issue, "eve", `/forgehand ${order}`);
  await world.settled();
  expect(await world.forgehand.store.load(idOf(issue))).toBeUndefined();
  world.people.comment(issue, "bob", "/forgehand run");
  await world.untilState(issue, "In Review");
});

test("a person who may nearly do it is told so each time they ask", async () => {
  world = await openWorld();
  const issue = await inReview();
  world.people.comment(issue, "tri", "/forgehand approve");
  world.people.comment(issue, "tri", "/forgehand budget 10");
  await world.settled();
  expect(refusalsOn(issue)).toBe(2);
});
