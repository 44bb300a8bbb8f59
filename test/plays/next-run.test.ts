/** What an earlier run of the same ticket left behind must not mislead the next one. */
import { afterEach, expect, test } from "vitest";
import { Trouble } from "../../src/ports.ts";
import { openWorld, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());
const open = (labels: readonly string[] = ["agent-ready"]): number => {
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  for (const label of labels) world.people.label(issue, label, "bob");
  return issue;
};
const idOf = (issue: number): string => `github:${world.repo.id}#${issue}`;
const endOf = (issue: number): Promise<void> =>
  world.until("it ends somewhere", async () =>
    ["In Review", "Blocked"].includes((await world.stateOf(issue)) ?? ""),
  );

test("a rework whose push went through while its answer was lost is delivered", async () => {
  const finding = {
    title: "it says dune",
    body: "Write done.",
    grade: "blocker",
    path: "src/done.txt",
    line: 1,
    kind: "correctness",
  };
  const reject = { verdict: "fail", findings: [finding], summary: "the word is wrong" };
  const write = (text: string) => ({ write: { path: "src/done.txt", text } });
  world = await openWorld({
    scenes: [
      {
        role: "build",
        file: { path: "src/done.txt", lacks: "dune" },
        steps: [usage, write("dune\n"), { done: "wrote it" }],
      },
      { role: "build", prompt: "it says dune", steps: [usage, write("done\n"), { done: "corrected it" }] },
      {
        role: "review",
        file: { path: "src/done.txt", contains: "dune" },
        steps: [usage, { answer: reject }],
      },
    ],
  });
  const { shop, store } = world.forgehand;
  const publish = shop.workspace.publish.bind(shop.workspace);
  let pushes = 0;
  Object.assign(shop.workspace, {
    publish: async (...args: Parameters<typeof publish>) => {
      const head = await publish(...args);
      pushes += 1;
      if (pushes !== 2) return head;
      await world.until("the push is heard of", async () => (await store.load(id))?.ticket.head === head);
      throw new Trouble("git-network", "the connection was reset", { retryAt: shop.clock.now() + 50 });
    },
  });
  const issue = open();
  const id = idOf(issue);
  await endOf(issue);
  await world.settled();
  expect(pushes).toBe(3);
  const types = (await store.linesOf(id)).map(({ event }) => event.type);
  expect(types.filter((type) => type === "build.delivered")).toHaveLength(2);
  expect(types).not.toContain("build.gave-up");
  expect(await world.stateOf(issue)).toBe("In Review");
});

test("the reviewer is never of the family that built the head, though another family tried since", async () => {
  world = await openWorld({
    scenes: [
      {
        role: "build",
        prompt: "please redo",
        steps: [usage, { fail: { how: "give-up", code: "x", why: "cannot" } }],
      },
    ],
  });
  const { people } = world;
  const { store } = world.forgehand;
  const issue = open(["runtime/claude-code", "agent-ready"]);
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  const built = people.thread(pull).pull?.head;
  people.unlabel(issue, "runtime/claude-code", "bob");
  people.label(issue, "runtime/codex", "bob");
  await world.settled();
  await people.requestChanges(pull, "ada", "please redo");
  await world.untilState(issue, "Blocked");
  await world.settled();
  people.comment(issue, "bob", "/forgehand retry");
  await world.untilState(issue, "In Review");
  await world.settled();
  expect(people.thread(pull).pull?.head).toBe(built);
  const sessions = await store.sessionsOf(idOf(issue));
  const families = (wanted: string) =>
    sessions.flatMap(({ role, family }) => (role === wanted ? [family] : []));
  expect(families("build")).toEqual(["anthropic", "openai", "openai", "openai"]);
  expect(families("review")).toEqual(["openai", "openai"]);
  const workpad = people.thread(issue).comments.find(({ body }) => body.includes("forgehand workpad"));
  expect(workpad?.body).toContain("built by claude-code (claude-opus-5-5)");
});

test("a ticket released again waits until the worktree of its reset is gone", async () => {
  world = await openWorld();
  const { people } = world;
  const { shop, store } = world.forgehand;
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const close = shop.forge.closePull.bind(shop.forge);
  const drop = shop.workspace.drop.bind(shop.workspace);
  let isDown = true;
  let refused = 0;
  const droppedIn: unknown[] = [];
  Object.assign(shop.forge, {
    closePull: async (...args: Parameters<typeof close>) => {
      refused += 1;
      if (isDown) throw new Trouble("forge-down", "502", { retryAt: shop.clock.now() + 100 });
      await close(...args);
    },
  });
  Object.assign(shop.workspace, {
    drop: async (...args: Parameters<typeof drop>) => {
      droppedIn.push(await world.stateOf(issue));
      return await drop(...args);
    },
  });
  people.label(issue, "forgehand:hard-reset", "bob");
  await world.untilState(issue, "Backlog");
  people.comment(issue, "bob", "/forgehand run");
  await world.untilState(issue, "Ready");
  const before = refused;
  await world.until("the outbox tried again", () => refused > before + 2);
  expect(await world.stateOf(issue)).toBe("Ready");
  isDown = false;
  await endOf(issue);
  await world.settled();
  expect(droppedIn).toEqual(["Ready"]);
  expect(await world.stateOf(issue)).toBe("In Review");
  const types = (await store.linesOf(idOf(issue))).map(({ event }) => event.type);
  expect(types.filter((type) => type === "build.delivered")).toHaveLength(2);
  expect(types).not.toContain("build.gave-up");
});

test("a ticket that was cancelled with a pull request and reopened can be built again", async () => {
  world = await openWorld();
  const { people } = world;
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  people.closeIssue(issue, "bob", "not_planned");
  await world.untilState(issue, "Cancelled");
  await world.settled();
  people.reopenIssue(issue, "bob");
  await world.untilState(issue, "Backlog");
  await world.settled();
  people.label(issue, "agent-ready", "bob");
  await endOf(issue);
  const lines = await world.forgehand.store.linesOf(idOf(issue));
  expect(lines.flatMap(({ event }) => (event.type === "build.gave-up" ? [event.why] : []))).toEqual([]);
  expect(await world.stateOf(issue)).toBe("In Review");
});

test("with merge.delete_branch: false, a hard reset still leads to a build that can be published", async () => {
  world = await openWorld({
    config: "merge: { settle_seconds: 0, delete_branch: false }\nlimits: { feedback_seconds: 0 }\n",
  });
  const { people } = world;
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  people.label(issue, "forgehand:hard-reset", "bob");
  await world.untilState(issue, "Backlog");
  await world.settled();
  people.label(issue, "agent-ready", "bob");
  await endOf(issue);
  const lines = await world.forgehand.store.linesOf(idOf(issue));
  expect(lines.flatMap(({ event }) => (event.type === "build.gave-up" ? [event.why] : []))).toEqual([]);
});
