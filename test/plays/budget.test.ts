import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { explain } from "../../src/cli/explain.ts";
import { openWorld, pass, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const runsOf = async (role: string, id: string): Promise<readonly string[]> => [
  ...new Set(
    (await world.forgehand.store.sessionsOf(id)).filter((one) => one.role === role).map(({ run }) => run),
  ),
];
const sessionsOf = async (role: string, id: string): Promise<readonly string[]> => [
  ...new Set(
    (await world.forgehand.store.sessionsOf(id)).flatMap((one) =>
      one.role === role && one.session !== null ? [one.session] : [],
    ),
  ),
];
const released = (): { readonly issue: number; readonly id: string } => {
  const { people, repo } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  return { issue, id: `github:${repo.id}#${issue}` };
};
const saidOn = (issue: number): string =>
  world.people
    .thread(issue)
    .comments.map(({ body }) => body)
    .join("\n");

test("a run that spends its money stops with the work kept and asks; the same run, session and worktree go on with more", async () => {
  world = await openWorld({
    scenes: [
      {
        role: "build",
        steps: [
          { write: { path: "src/half.txt", text: "half\n" } },
          { usage: { inputTokens: 1000, outputTokens: 100, usd: 6 } },
          { fail: { how: "unfinished", code: "budget", why: "the run spent its $5" } },
        ],
      },
    ],
  });
  const { people, forgehand } = world;
  const { issue, id } = released();
  await world.untilState(issue, "Blocked");
  await world.settled();
  const { ticket } = (await forgehand.store.load(id)) ?? {};
  expect(ticket).toMatchObject({ stoppedIn: "In Progress", aside: `${id}/2`, run: undefined, wantsUsd: 3 });
  expect(ticket?.counters).toEqual({ attempts: 0, cycles: 0, unreviewed: 0 });
  expect((await forgehand.engine.run(`${id}/2`))?.status).toBe("paused");
  expect(await forgehand.store.reservationOf(`${id}/2`)).toBeUndefined();
  expect(people.thread(issue).labels.has("harness-blocked")).toBe(true);
  expect(saidOn(issue)).toContain("the run has spent the $5.00 it may");
  expect(saidOn(issue)).toContain("`/forgehand budget 3`");
  world.scenes([]);
  people.comment(issue, "bob", "/forgehand budget 8");
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  expect(await people.file(people.thread(pull).pull?.head ?? "", "src/half.txt")).toBe("half\n");
  expect(await runsOf("build", id)).toEqual([`${id}/2`]);
  expect(await sessionsOf("build", id)).toHaveLength(1);
});

test.each(["gate", "review"] as const)(
  "a %s that spends its money goes on in its own session",
  async (role) => {
    world = await openWorld({
      scenes: [
        {
          role,
          steps: [
            { usage: { inputTokens: 1000, outputTokens: 100, usd: 6 } },
            { fail: { how: "unfinished", code: "budget", why: "spent" } },
          ],
        },
      ],
    });
    const { issue, id } = released();
    await world.untilState(issue, "Blocked");
    await world.settled();
    world.scenes([]);
    world.people.comment(issue, "bob", "/forgehand budget 2");
    await world.untilState(issue, "In Review");
    await world.settled();
    expect(await runsOf(role, id)).toHaveLength(1);
    expect(await sessionsOf(role, id)).toHaveLength(1);
  },
);

test("the button on the check allows what was asked for", async () => {
  world = await openWorld({
    scenes: [
      {
        role: "review",
        steps: [
          { usage: { inputTokens: 1000, outputTokens: 100, usd: 6 } },
          { fail: { how: "unfinished", code: "budget", why: "spent" } },
        ],
      },
    ],
  });
  const { issue, id } = released();
  await world.untilState(issue, "Blocked");
  await world.settled();
  world.scenes([]);
  const head = (await world.forgehand.store.load(id))?.ticket.head ?? "";
  const check = world.repo.checkRuns.findLast((one) => one.head === head);
  expect(check?.output?.title).toBe("Budget spent: waits for $3 more to finish");
  world.people.press(head, "budget-3", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  expect(await runsOf("review", id)).toHaveLength(1);
});

test("what a run was about has changed when its money comes, so another begins and the old one is over", async () => {
  const spent = {
    role: "review",
    steps: [
      { usage: { inputTokens: 1000, outputTokens: 100, usd: 6 } },
      { fail: { how: "unfinished", code: "budget", why: "spent" } },
    ],
  };
  world = await openWorld({ scenes: [spent] });
  const { issue, id } = released();
  await world.untilState(issue, "Blocked");
  await world.settled();
  const branch = (await world.forgehand.store.load(id))?.branch ?? "";
  world.scenes([]);
  await world.people.push(branch, "bob", { "src/other.txt": "other\n" });
  await world.settled();
  expect((await world.forgehand.engine.run(`${id}/3`))?.status).toBe("cancelled");
  world.people.comment(issue, "bob", "/forgehand budget 2");
  await world.untilState(issue, "In Review");
  expect(await runsOf("review", id)).toEqual([`${id}/3`, `${id}/4`]);
});

test("a ticket may not spend more than a ticket may, and a person who allows more goes beyond it", async () => {
  const dear = { usage: { inputTokens: 1000, outputTokens: 100, usd: 4 } };
  world = await openWorld({
    config: "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0, run_usd: 5, ticket_usd: 6 }\n",
    scenes: [
      {
        role: "build",
        steps: [dear, { write: { path: "src/done.txt", text: "done\n" } }, { done: "wrote it" }],
      },
      {
        role: "review",
        steps: [dear, { sleep: 300 }, { say: "still at it" }, { sleep: 300 }, { answer: pass }],
      },
    ],
  });
  const { issue } = released();
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(saidOn(issue)).toContain("the ticket has spent the $6.00 it may (`limits.ticket_usd`)");
  world.scenes([]);
  world.people.comment(issue, "bob", "/forgehand budget 2");
  await world.untilState(issue, "In Review");
});

test("a day that is spent stops what runs, and the next day it goes on by itself", async () => {
  const dear = { usage: { inputTokens: 1000, outputTokens: 100, usd: 6 } };
  world = await openWorld({
    environment: { dayStopUsd: 5 },
    scenes: [
      { role: "build", steps: [dear, { write: { path: "src/a.txt", text: "a\n" } }, { done: "wrote it" }] },
      { role: "review", steps: [dear, { answer: pass }] },
    ],
  });
  const { forgehand } = world;
  const { issue, id } = released();
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(saidOn(issue)).toContain("everything here has spent the $5.00 the operator allows a day");
  const timer = (await forgehand.store.timersOf(id)).find(({ name }) => name === "new-day");
  expect((timer?.dueAt ?? 1) % 86_400_000).toBe(0);
  const [spent] = (await forgehand.store.linesOf(id)).flatMap(({ event }) =>
    event.type === "budget.spent" ? [event] : [],
  );
  expect(spent).toMatchObject({ liftsAt: timer?.dueAt });
  expect(spent?.wantsUsd).toBeUndefined();
  const told = (await explain(id, { database: join(world.dir, "data", "forgehand.db") })).text;
  expect(told).toContain("Waits for the budget of a new day, which begins at midnight UTC");
  expect(told).toContain("Next: it goes on where it stopped");
  expect(told).not.toContain("/forgehand budget");
  const { head } = (await forgehand.store.load(id))?.ticket ?? {};
  const check = world.repo.checkRuns.findLast((one) => one.head === head);
  expect(check?.output?.title).toBe(
    "Budget spent: waits for the budget of a new day, which begins at midnight UTC",
  );
});

test("a new day gives no money to a run that waits for a person", async () => {
  world = await openWorld({
    scenes: [
      {
        role: "build",
        steps: [{ fail: { how: "unfinished", code: "budget", why: "the run spent its $5" } }],
      },
    ],
  });
  const { forgehand } = world;
  const { issue, id } = released();
  await world.untilState(issue, "Blocked");
  await world.settled();
  // Left over from a day that stopped it before.
  await forgehand.store.receive({
    id: "timer:new-day",
    source: "timer",
    name: "new-day",
    ticket: id,
    body: "{}",
    receivedAt: 1,
  });
  forgehand.shop.poke("intake");
  await world.settled();
  expect(world.steps.some(({ event }) => event === "budget.raised")).toBe(false);
  expect(await world.stateOf(issue)).toBe("Blocked");
});

test("a run that codes for several rounds spends no more than one run may", async () => {
  const dear = { usage: { inputTokens: 1000, outputTokens: 100, usd: 4 } };
  world = await openWorld({
    config:
      "commands: { test: 'false' }\nmerge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0, run_usd: 5 }\n",
    scenes: [{ role: "build", steps: [dear, { done: "wrote it" }] }],
  });
  const { forgehand } = world;
  const { issue, id } = released();
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect((await forgehand.store.load(id))?.ticket.stoppedIn).toBe("In Progress");
  const builds = (await forgehand.store.sessionsOf(id)).filter(({ role }) => role === "build");
  expect(new Set(builds.map(({ run }) => run)).size).toBe(1);
  // A turn may go over the edge; beyond it none starts.
  expect(builds.map(({ usd }) => usd)).toEqual([4, 4, 0]);
});

test("the dollars that a person allows are beyond what is spent, for that run alone", async () => {
  const dear = { usage: { inputTokens: 1000, outputTokens: 100, usd: 6 } };
  world = await openWorld({
    config:
      "commands: { test: 'false' }\nmerge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0, run_usd: 5, ticket_usd: 100 }\n",
    scenes: [{ role: "build", steps: [dear, { done: "wrote it" }] }],
  });
  const { people, forgehand } = world;
  const { issue, id } = released();
  const spent = (): number => world.steps.filter(({ event }) => event === "budget.spent").length;
  const builds = async (): Promise<readonly number[]> =>
    (await forgehand.store.sessionsOf(id)).filter(({ role }) => role === "build").map(({ usd }) => usd);
  await world.until("spent", () => spent() === 1);
  await world.settled();
  expect(await builds()).toEqual([6, 0]);
  people.comment(issue, "bob", "/forgehand budget 3");
  await world.until("spent again", () => spent() === 2);
  await world.settled();
  // Nine in all: the second round begins with three left, the third finds nothing.
  expect(await builds()).toEqual([6, 0, 6, 0]);
  expect(await runsOf("build", id)).toHaveLength(1);
  expect((await forgehand.store.load(id))?.ticket.allowance).toBeUndefined();
  people.comment(issue, "bob", "/forgehand retry");
  await world.until("retried", () => world.steps.some(({ event }) => event === "operator.retried"));
  await world.until("spent a third time", () => spent() === 3);
  await world.settled();
  expect(await builds()).toEqual([6, 0, 6, 0, 6, 0]);
  expect(await runsOf("build", id)).toHaveLength(2);
});

test("a person who allows more than the operator allows a day allows that much, and money that nobody waits for is refused", async () => {
  world = await openWorld({
    config: "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0, run_usd: 5 }\n",
  });
  const { people, forgehand, repo } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  people.comment(issue, "bob", "/forgehand budget 500");
  await world.settled();
  expect(
    people
      .thread(issue)
      .comments.map(({ body }) => body)
      .join(),
  ).toContain("does not wait for money");
  world.scenes([
    { role: "build", steps: [{ fail: { how: "unfinished", code: "budget", why: "the run spent its $5" } }] },
  ]);
  await people.requestChanges(await world.pullOf(issue), "ada", "Call it differently.");
  await world.untilState(issue, "Blocked");
  await world.settled();
  people.comment(issue, "bob", "/forgehand budget 500");
  await world.until("raised", () => world.steps.some(({ event }) => event === "budget.raised"));
  await world.settled();
  const raised = (await forgehand.store.linesOf(`github:${repo.id}#${issue}`)).flatMap(({ event }) =>
    event.type === "budget.raised" ? [event.usd] : [],
  );
  expect(raised).toEqual([100]);
});
