/** An agent that gets nowhere is told so, begun once more, and given up; whoever asks is told why. */
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { explain } from "../../src/cli/explain.ts";
import { openWorld, pass, proceed, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const limits = (more = "") =>
  `merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0, repeated_calls: 3${more} }\n`;
const write = { write: { path: "src/done.txt", text: "done\n" } };
const longer = { sleep: 300_000 };
const again = (command: string, times: number) => Array.from({ length: times }, () => ({ run: command }));
const released = (): number => {
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  world.people.label(issue, "agent-ready", "bob");
  return issue;
};
const idOf = (issue: number): string => `github:${world.repo.id}#${issue}`;
const prods = async (issue: number): Promise<readonly (readonly [string, string])[]> =>
  (await world.forgehand.store.linesOf(idOf(issue))).flatMap(({ event }) =>
    event.type === "agent.prodded" ? [[event.how, event.why] as const] : [],
  );
const reasons = async (issue: number): Promise<readonly string[]> =>
  (await world.forgehand.store.linesOf(idOf(issue))).flatMap(({ event }) =>
    event.type === "build.gave-up" || event.type === "review.blocked" || event.type === "run.exhausted"
      ? [event.why]
      : [],
  );
const sessions = async (issue: number, role: string): Promise<readonly (string | null)[]> =>
  (await world.forgehand.store.sessionsOf(idOf(issue))).flatMap((one) =>
    one.role === role ? [one.session] : [],
  );
const explained = async (issue: number): Promise<string> =>
  (await explain(`acme/web#${issue}`, { database: join(world.dir, "data", "forgehand.db") })).text;

test("a builder that calls one tool over and over is stopped, told so, and goes on in its session", async () => {
  world = await openWorld({
    config: limits(),
    scenes: [
      { role: "build", prompt: "you seemed to get nowhere", steps: [usage, write, { done: "another way" }] },
      { role: "build", steps: [usage, ...again("ls", 3), longer] },
    ],
  });
  const issue = released();
  await world.untilState(issue, "In Review");
  expect(await prods(issue)).toEqual([
    ["nudged", expect.stringMatching(/called `run ls .*` 3 times in a row/)],
  ]);
  expect(await sessions(issue, "build")).toHaveLength(1);
  await world.settled();
  const workpad = world.people.thread(issue).comments.find(({ body }) => body.includes("forgehand workpad"));
  expect(workpad?.body).toContain("the agent was nudged: it called");
});

test("one that goes on so is begun once more with the whole task, then given up, each with its reason", async () => {
  world = await openWorld({
    config: limits(", attempts: 1"),
    scenes: [{ role: "build", steps: [usage, ...again("ls", 3), longer] }],
  });
  const issue = released();
  await world.untilState(issue, "Blocked");
  await world.settled();
  const all = await prods(issue);
  expect(all.map(([how]) => how)).toEqual(["nudged", "stopped", "resumed"]);
  expect(await reasons(issue)).toEqual([
    expect.stringMatching(
      /got nowhere, was told so and begun once more, and got nowhere again: it called .*; then .*; then/,
    ),
  ]);
  expect(
    world.people
      .thread(issue)
      .comments.some(({ body }) => body.includes("I stopped: claude-code got nowhere")),
  ).toBe(true);
  expect(await explained(issue)).toContain("claude-code got nowhere");
});

test("while its agent is at work again, explain tells that it was nudged", async () => {
  world = await openWorld({
    config: limits(),
    scenes: [
      { role: "build", prompt: "you seemed to get nowhere", steps: [usage, longer] },
      { role: "build", steps: [usage, ...again("ls", 3), longer] },
    ],
  });
  const issue = released();
  await world.until("it was nudged", async () => (await prods(issue)).length === 1);
  expect(await explained(issue)).toMatch(/Note: its agent was nudged at .*: it called/);
});

test("calls that change files are work, however alike they are", async () => {
  world = await openWorld({
    config: limits(),
    scenes: [
      {
        role: "build",
        steps: [usage, ...again("mkdir -p src && date +%N >> src/done.txt", 12), { done: "twelve lines" }],
      },
    ],
  });
  const issue = released();
  await world.untilState(issue, "In Review");
  expect(await prods(issue)).toEqual([]);
});

test("a reviewer that reads in circles is nudged, and its verdict counts", async () => {
  world = await openWorld({
    config: limits(),
    scenes: [
      { role: "review", prompt: "you seemed to get nowhere", steps: [usage, { answer: pass }] },
      { role: "review", steps: [usage, ...again("cat README.md", 3), longer] },
    ],
  });
  const issue = released();
  await world.untilState(issue, "In Review");
  expect((await prods(issue)).map(([how]) => how)).toEqual(["nudged"]);
});

test("turns that run out are continued with the task as it stands, and the third one blocks", async () => {
  world = await openWorld({
    config: limits(),
    scenes: [
      {
        role: "build",
        steps: [
          usage,
          { run: "mkdir -p src && date +%N >> src/done.txt" },
          { fail: { how: "unfinished", code: "max-turns", why: "it used all its turns" } },
        ],
      },
    ],
  });
  const issue = released();
  await world.untilState(issue, "Blocked");
  expect(await reasons(issue)).toEqual([
    "3 turns ended before the work was done, the last because it used all its turns",
  ]);
  const stored = await world.forgehand.store.load(idOf(issue));
  expect(stored?.ticket.counters).toMatchObject({ attempts: 0, unreviewed: 3 });
  expect(stored?.ticket.runs).toBe(2);
  expect(await prods(issue)).toEqual([]);
});

test("a turn that ran out is continued in its session, with what is there", async () => {
  world = await openWorld({
    config: limits(),
    scenes: [
      {
        role: "build",
        prompt: ["Your last turn ended before you were done (it used all its turns)", "Build what ticket"],
        file: { path: "src/half.txt", contains: "half" },
        steps: [usage, write, { done: "the other half" }],
      },
      {
        role: "build",
        steps: [
          usage,
          { write: { path: "src/half.txt", text: "half\n" } },
          { fail: { how: "unfinished", code: "max-turns", why: "it used all its turns" } },
        ],
      },
    ],
  });
  const issue = released();
  await world.untilState(issue, "In Review");
  expect((await world.forgehand.store.load(idOf(issue)))?.ticket.counters.unreviewed).toBe(0);
});

test("a turn that ran out with no file changed is no headway", async () => {
  world = await openWorld({
    config: limits(),
    scenes: [
      {
        role: "build",
        prompt: "no file changed in a whole turn",
        steps: [usage, write, { done: "wrote it" }],
      },
      {
        role: "build",
        steps: [
          usage,
          { say: "thinking" },
          { fail: { how: "unfinished", code: "max-turns", why: "it used all its turns" } },
        ],
      },
    ],
  });
  const issue = released();
  await world.untilState(issue, "In Review");
  expect(await prods(issue)).toEqual([
    ["nudged", "no file changed in a whole turn, which ended because it used all its turns"],
  ]);
});

test("an answer that ignores its schema is sent back with what is wrong, and counts when it fits", async () => {
  world = await openWorld({
    config: limits(),
    scenes: [
      { role: "gate", prompt: "does not fit what was asked for", steps: [usage, { answer: proceed }] },
      { role: "gate", steps: [usage, { done: "Looks fine to me!" }] },
      { role: "review", prompt: "does not fit what was asked for", steps: [usage, { answer: pass }] },
      { role: "review", steps: [usage, { answer: { verdict: "great" } }] },
    ],
  });
  const issue = released();
  await world.untilState(issue, "In Review");
  expect(await sessions(issue, "gate")).toHaveLength(1);
  expect(await sessions(issue, "review")).toHaveLength(1);
});
