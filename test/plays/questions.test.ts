/** A question gets an answer by an agent that reads, and neither a build nor a commit. */
import { afterEach, expect, test } from "vitest";
import { openWorld, usage, type World } from "../world.ts";
import { inReview } from "./in-review.ts";

let world: World;
afterEach(() => world.close());

const answers = (answer: string, wantsChange = false, ...steps: readonly object[]) => ({
  role: "advise",
  steps: [usage, ...steps, { answer: { answer, wantsChange } }],
});
const at = { path: "src/done.txt", line: 1 };
const ours = (thread: number): readonly string[] =>
  world.people.thread(thread).comments.flatMap(({ by, body }) => (by.endsWith("[bot]") ? [body] : []));
const replies = (pull: number): readonly string[] =>
  world.people.said(pull).flatMap(({ by, body }) => (by.endsWith("[bot]") ? [body] : []));
const lines = (issue: number) => world.forgehand.store.linesOf(`github:${world.repo.id}#${issue}`);
const builds = (): number => world.steps.filter(({ event }) => event === "build.delivered").length;

test("a question on a line, by command and by mention is answered where it stands, and starts no build", async () => {
  world = await openWorld({ scenes: [answers("Because the ticket says so.")] });
  const { issue, pull } = await inReview(world);
  await world.people.inline(pull, "ada", "Why a text file?", at);
  world.people.comment(pull, "tri", "/forgehand ask is there a test?");
  world.people.comment(issue, "bob", `@${world.hub.state.app.slug} what is left to do?`);
  await world.until("answered", async () => {
    await world.settled();
    return replies(pull).length === 1 && ours(pull).length === 1;
  });
  await world.until("answered on the issue", () =>
    ours(issue).some((body) => body.includes("the ticket says so")),
  );
  await world.settled();
  expect(replies(pull)[0]).toContain("> Because the ticket says so.");
  expect(await world.stateOf(issue)).toBe("In Review");
  expect(builds()).toBe(1);
  const bill = await world.forgehand.store.sessionsOf(`github:${world.repo.id}#${issue}`);
  expect(bill.filter(({ role }) => role === "advise").map(({ usd, outcome }) => [usd, outcome])).toEqual([
    [0.02, "done"],
    [0.02, "done"],
    [0.02, "done"],
  ]);
});

test("a question that asks for a change is an order of who may order, and a mere answer for who may not", async () => {
  world = await openWorld({ scenes: [answers("It says done.", true)] });
  const { issue, pull } = await inReview(world);
  world.people.comment(pull, "tri", "/forgehand ask could it say finished?");
  await world.until("answered", () => ours(pull).some((body) => body.includes("It says done.")));
  await world.settled();
  expect(await world.stateOf(issue)).toBe("In Review");
  world.people.label(issue, "forgehand:do-not-dispatch", "bob");
  await world.settled();
  const id = await world.people.inline(pull, "ada", "Could it say finished?", at);
  await world.untilState(issue, "Rework");
  const threads = [{ thread: id, outcome: "fixed", reply: "It does." }];
  const steps = [
    usage,
    { run: "echo finished > src/done.txt" },
    { answer: { summary: "finished", threads } },
  ];
  world.scenes([{ role: "build", prompt: "opened these conversations", steps }]);
  world.people.unlabel(issue, "forgehand:do-not-dispatch", "bob");
  await world.until("built", () => builds() === 2);
  await world.untilState(issue, "In Review");
  await world.settled();
  expect(replies(pull)).toHaveLength(1);
  expect(replies(pull)[0]).toContain("**Fixed**");
});

test("strangers and bots get no answer, and a ticket has only so many", async () => {
  world = await openWorld({
    config: "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0, questions: 1 }\n",
    scenes: [answers("Yes.")],
  });
  const { issue, pull } = await inReview(world);
  world.people.comment(issue, "eve", "/forgehand ask what is the key?");
  await world.people.inline(pull, "eve", "What is the key?", at);
  await world.settled();
  expect(
    (await lines(issue)).filter(
      ({ event }) => event.type === "human.asked" && event.ask.about === "question",
    ),
  ).toEqual([]);
  world.people.comment(pull, "bob", "/forgehand ask is it good?");
  await world.until("answered", () => ours(pull).length === 1);
  world.people.comment(pull, "bob", "/forgehand ask is it still good?");
  await world.until("refused", () => ours(pull).length === 2);
  expect(ours(pull)[1]).toContain("answers 1 questions");
});

test("while its ticket is halted no agent is asked, and the person is told so", async () => {
  world = await openWorld({ scenes: [answers("Yes.")] });
  const { issue, pull } = await inReview(world);
  world.people.label(issue, "forgehand:halt", "bob");
  await world.untilState(issue, "Blocked");
  await world.settled();
  world.people.comment(pull, "bob", "/forgehand ask is it good?");
  await world.until("told", () => ours(pull).some((body) => body.includes("it is halted")));
  const sessions = await world.forgehand.store.sessionsOf(`github:${world.repo.id}#${issue}`);
  expect(sessions.filter(({ role }) => role === "advise")).toEqual([]);
});

test("a question that a crash cut short is answered once", async () => {
  world = await openWorld({ scenes: [answers("Yes.", false, { sleep: 2_000 })] });
  const { issue, pull } = await inReview(world);
  const id = `github:${world.repo.id}#${issue}`;
  world.people.comment(pull, "bob", "/forgehand ask is it good?");
  await world.until("asked", async () =>
    (await world.forgehand.store.sessionsOf(id)).some(({ role }) => role === "advise"),
  );
  await world.forgehand.stop(0);
  world.scenes([answers("Yes.")]);
  await world.start();
  await world.until("answered", () => ours(pull).length === 1);
  await world.settled();
  expect(ours(pull)).toHaveLength(1);
  expect(await world.forgehand.store.questionsWaiting()).toEqual([]);
});
