import { afterEach, expect, test } from "vitest";
import { peopleOn } from "../../src/simulator/hub/people.ts";
import { openWorld, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

/** A builder slow enough to be interrupted. */
const slow = {
  role: "build",
  steps: [usage, { sleep: 3_000 }, { write: { path: "src/done.txt", text: "done\n" } }, { done: "wrote it" }],
};
const open = (labels: readonly string[] = ["agent-ready"], by = "bob"): number => {
  const issue = world.people.openIssue({ by, title: "Say done", body: "Write src/done.txt." });
  for (const label of labels) world.people.label(issue, label, by);
  return issue;
};

test("a stranger's labels do nothing at all", async () => {
  world = await openWorld();
  const { people } = world;
  const issue = open(["agent-ready", "auto-merge", "runtime/codex"], "eve");
  const working = open();
  for (const label of [
    "forgehand:halt",
    "forgehand:halt-all",
    "forgehand:hard-reset",
    "forgehand:do-not-dispatch",
  ])
    people.label(working, label, "eve");
  await world.untilState(working, "In Review");
  await world.settled();
  expect(await world.stateOf(issue)).toBeUndefined();
  expect(people.thread(issue).comments).toEqual([]);
  expect(await world.forgehand.store.setting("halt-all")).toBeUndefined();
});

test("halt stops the work now, survives a restart, and only its removal and a retry go on", async () => {
  world = await openWorld({ scenes: [slow] });
  const { people } = world;
  const issue = open();
  await world.untilState(issue, "In Progress");
  people.label(issue, "forgehand:halt", "tri");
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(world.forgehand.engine.atWork()).toEqual([]);
  await world.forgehand.stop(0);
  await world.start();
  people.comment(issue, "bob", "/forgehand retry");
  await world.settled();
  expect(await world.stateOf(issue)).toBe("Blocked");
  people.unlabel(issue, "forgehand:halt", "tri");
  await world.settled();
  people.comment(issue, "bob", "/forgehand retry");
  await world.untilState(issue, "In Review");
});

test("halt-all starts, sends and pushes nothing until a writer lifts it", async () => {
  world = await openWorld({ scenes: [slow] });
  const { people, hub, repo } = world;
  const switchboard = people.openIssue({ by: "bob", title: "the switch", body: "" });
  const working = open();
  await world.untilState(working, "In Progress");
  people.label(switchboard, "forgehand:halt-all", "tri");
  await world.until("halted", async () => (await world.forgehand.store.setting("halt-all")) !== undefined);
  const waiting = open();
  await world.until("released", async () => (await world.stateOf(waiting)) === "Ready");
  const calls = hub.state.calls.filter(({ path }) => !path.includes("access_tokens")).length;
  const branches = repo.branches.size;
  await world.until("the builder is done", async () =>
    (await world.forgehand.store.sessionsOf(`github:${repo.id}#${working}`)).some(
      ({ role, outcome }) => role === "build" && outcome === "done",
    ),
  );
  expect(await world.stateOf(waiting)).toBe("Ready");
  expect(repo.branches.size).toBe(branches);
  expect(hub.state.calls.filter(({ path }) => !path.includes("access_tokens")).length).toBe(calls);
  people.unlabel(switchboard, "forgehand:halt-all", "bob");
  await world.untilState(waiting, "In Review");
});

test("halt-all holds until the last issue that says so says so no more", async () => {
  world = await openWorld();
  const { people, hub } = world;
  const halted = async () => await world.forgehand.store.setting("halt-all");
  const first = open(["forgehand:halt-all"]);
  const second = open(["forgehand:halt-all"]);
  await world.settled();
  expect(await halted()).toMatchObject({ value: `acme/web#${first}`, actor: "bob" });
  people.unlabel(second, "forgehand:halt-all", "bob");
  await world.settled();
  expect(await halted()).toMatchObject({ value: `acme/web#${first}` });
  // The same number in another repository is another issue.
  const other = await hub.seed({ owner: "acme", name: "api", files: { "README.md": "# api\n" } });
  const there = peopleOn(hub, other);
  there.person("bob", "write");
  let elsewhere = 0;
  while (elsewhere < first) elsewhere = there.openIssue({ by: "bob", title: "the switch", body: "" });
  there.label(elsewhere, "forgehand:halt-all", "bob");
  await world.settled();
  people.unlabel(first, "forgehand:halt-all", "bob");
  await world.settled();
  expect(await halted()).toMatchObject({ value: `acme/api#${first}` });
  const waiting = open();
  await world.untilState(waiting, "Ready");
  there.unlabel(elsewhere, "forgehand:halt-all", "bob");
  await world.untilState(waiting, "In Review");
  expect(await halted()).toBeUndefined();
});

test("halt-all does not outlive the issue it was set on", async () => {
  world = await openWorld();
  const { people } = world;
  const switchboard = open(["forgehand:halt-all"]);
  await world.until("halted", async () => (await world.forgehand.store.setting("halt-all")) !== undefined);
  people.deleteIssue(switchboard, "ada");
  await world.untilState(open(), "In Review");
});

test("a repository that is gone halts the others until a person lifts it on another issue", async () => {
  world = await openWorld();
  const { people, repo } = world;
  const { store } = world.forgehand;
  await store.knowRepo({ ...repo, id: 7, owner: "acme", name: "gone", installation: 1, private: false });
  await store.raiseHalt({ id: "github:7#1", ref: "acme/gone#1" }, "mallory", 1);
  await store.removeRepo(7, 2);
  const switchboard = open();
  await world.untilState(switchboard, "Ready");
  expect(await store.setting("halt-all")).toMatchObject({ value: "acme/gone#1" });
  people.label(switchboard, "forgehand:halt-all", "bob");
  await world.until(
    "set here too",
    async () => (await store.setting(`halt-all:github:${repo.id}#${switchboard}`)) !== undefined,
  );
  people.unlabel(switchboard, "forgehand:halt-all", "bob");
  await world.untilState(switchboard, "In Review");
});

test("do-not-dispatch keeps a ticket from starting, and its removal lets it", async () => {
  world = await openWorld();
  const { people } = world;
  const issue = open(["forgehand:do-not-dispatch", "agent-ready"]);
  await world.untilState(issue, "Ready");
  await world.settled();
  expect(await world.stateOf(issue)).toBe("Ready");
  people.unlabel(issue, "forgehand:do-not-dispatch", "tri");
  await world.untilState(issue, "In Review");
});

test("hard-reset by a writer closes the pull request and starts from the Backlog; by triage it is nothing", async () => {
  world = await openWorld();
  const { people, repo } = world;
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  people.label(issue, "forgehand:hard-reset", "tri");
  await world.settled();
  expect(await world.stateOf(issue)).toBe("In Review");
  people.unlabel(issue, "forgehand:hard-reset", "bob");
  people.label(issue, "forgehand:hard-reset", "bob");
  await world.untilState(issue, "Backlog");
  await world.settled();
  expect(people.thread(pull).state).toBe("closed");
  expect([...repo.branches.keys()]).toEqual(["main"]);
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  expect(await world.pullOf(issue)).not.toBe(pull);
});
