/** Halts that an operator says on the host, beside those of labels. */
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { explain } from "../../src/cli/explain.ts";
import { halt, haltAll } from "../../src/cli/halt.ts";
import { ps } from "../../src/cli/ps.ts";
import { onTrial } from "../../src/shell/self-update.ts";
import { peopleOn } from "../../src/simulator/hub/people.ts";
import { openWorld, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());
const slow = {
  role: "build",
  steps: [usage, { sleep: 3_000 }, { write: { path: "src/done.txt", text: "done\n" } }, { done: "wrote it" }],
};
const at = () => ({ database: join(world.dir, "data", "forgehand.db") });
const open = (people = world.people): number => {
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  return issue;
};
const isHalted = async (issue: number) =>
  (await world.forgehand.store.load(`github:${world.repo.id}#${issue}`))?.ticket.halted;

test("a ticket that is halted on the host stops, and needs both the operator and the label's people to go on", async () => {
  world = await openWorld({ scenes: [slow] });
  const { people } = world;
  const issue = open();
  const name = `acme/web#${issue}`;
  await world.untilState(issue, "In Progress");
  await halt("raised", name, at());
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(world.forgehand.engine.atWork()).toEqual([]);
  expect((await explain(name, at())).text).toContain(`forgehand unhalt ${name}`);
  people.label(issue, "forgehand:halt", "tri");
  await world.settled();
  people.unlabel(issue, "forgehand:halt", "tri");
  await world.settled();
  expect(await isHalted(issue)).toBe(true);
  people.label(issue, "forgehand:halt", "tri");
  await world.settled();
  expect((await halt("lifted", name, at())).text).toContain("stays halted: tri halted it too");
  await world.until("it is read", async () => (await world.forgehand.store.inboxCounts()).waiting === 0);
  await world.settled();
  expect(await isHalted(issue)).toBe(true);
  await expect(halt("lifted", name, at())).rejects.toMatchObject({ code: "halt-not-ours" });
  people.unlabel(issue, "forgehand:halt", "tri");
  await world.until("it is lifted", async () => (await isHalted(issue)) === false);
  people.comment(issue, "bob", "/forgehand retry");
  await world.untilState(issue, "In Review");
});

test("what is halted while nobody serves is halted before anything starts, and a reconciler lifts nothing", async () => {
  world = await openWorld({ scenes: [slow] });
  const issue = open();
  await world.untilState(issue, "In Progress");
  await world.forgehand.stop(0);
  const before = world.steps.length;
  const told = await halt("raised", `acme/web#${issue}`, at());
  expect(told.hint).toContain("it holds from the next start");
  await world.start();
  expect(await isHalted(issue)).toBe(true);
  expect(world.forgehand.engine.atWork()).toEqual([]);
  world.forgehand.reconcile();
  await world.settled();
  expect(await world.stateOf(issue)).toBe("Blocked");
  expect(world.steps.slice(before).map(({ event }) => event)).not.toContain("halt.lifted");
});

test("a halted repository starts and sends nothing, and others go on", async () => {
  world = await openWorld();
  const { people, hub, repo } = world;
  const other = await hub.seed({
    owner: "acme",
    name: "api",
    files: { "README.md": "# api\n", ".github/forgehand.yml": "limits: { feedback_seconds: 0 }\n" },
  });
  const there = peopleOn(hub, other);
  there.person("bob", "write");
  await halt("raised", "acme/web", at());
  const calls = () => hub.state.calls.filter(({ path }) => path.includes("/acme/web/")).length;
  const issue = open(people);
  await world.untilState(issue, "Ready");
  const sent = calls();
  const elsewhere = open(there);
  await world.until(
    "the other is built",
    async () =>
      (await world.forgehand.store.load(`github:${other.id}#${elsewhere}`))?.ticket.state === "In Review",
  );
  expect(await world.stateOf(issue)).toBe("Ready");
  expect(calls()).toBe(sent);
  expect((await ps(at())).text).toContain("forgehand unhalt acme/web");
  expect((await explain(`github:${repo.id}#${issue}`, at())).text).toContain("the halt of its repository");
  await expect(halt("raised", "acme/wbe", at())).rejects.toThrow("did you mean acme/web");
  await halt("lifted", "acme/web", at());
  await world.untilState(issue, "In Review");
});

test("halt-all of an operator and of a label each hold until each is lifted", async () => {
  world = await openWorld();
  const { people } = world;
  await haltAll("raised", at());
  const issue = open();
  people.label(issue, "forgehand:halt-all", "bob");
  await world.untilState(issue, "Ready");
  await world.until("both", async () => (await world.forgehand.store.halts()).everything.length === 2);
  expect((await haltAll("lifted", at())).text).toContain(`acme/web#${issue}`);
  await world.forgehand.store.raiseHalt(onTrial, "forgehand", 1);
  expect((await haltAll("lifted", at())).text).toContain("forgehand self-update --status");
  await world.forgehand.store.liftHalt(onTrial.id);
  expect(await world.forgehand.store.setting("halt-all")).toMatchObject({ value: `acme/web#${issue}` });
  await haltAll("raised", at());
  people.unlabel(issue, "forgehand:halt-all", "bob");
  await world.until(
    "the label's is lifted",
    async () => (await world.forgehand.store.halts()).everything.length === 1,
  );
  expect((await explain(`acme/web#${issue}`, at())).text).toContain("forgehand unhalt-all");
  expect(await world.stateOf(issue)).toBe("Ready");
  await haltAll("lifted", at());
  await world.untilState(issue, "In Review");
});
