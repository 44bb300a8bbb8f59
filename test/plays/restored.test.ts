/** A backup that is put back knows less than the world: it looks first, and does nothing a second time. */
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { backup } from "../../src/cli/backup.ts";
import { haltAll } from "../../src/cli/halt.ts";
import { restore } from "../../src/cli/restore.ts";
import { openWorld, type World } from "../world.ts";

let world: World;
const before = { ...process.env };
afterEach(async () => {
  process.env = { ...before };
  await world.close();
});
const open = (): number => {
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  world.people.label(issue, "agent-ready", "bob");
  return issue;
};
const written = (issue: number, pull: number) => ({
  pulls: [...world.repo.threads.values()].filter((thread) => thread.pull !== undefined).length,
  comments: world.people.thread(issue).comments.length,
  onPull: world.people.thread(pull).comments.length,
  merges: world.hub.state.calls.filter(({ path }) => path.endsWith("/merge")).length,
});

test("backed up in review, merged, restored: no second pull request, comment or merge", async () => {
  world = await openWorld();
  process.env["FORGEHAND_DATA_DIR"] = join(world.dir, "data");
  process.env["XDG_CONFIG_HOME"] = join(world.dir, "config");
  const issue = open();
  await world.untilState(issue, "In Review");
  const early = join(world.dir, "early.tar.gz");
  await backup(early, {});
  const pull = await world.pullOf(issue);
  await world.people.approve(pull, "bob");
  await world.untilState(issue, "Done");
  await world.settled();
  const once = written(issue, pull);
  await world.forgehand.stop(0);
  await restore(early, { yes: true });
  await world.start();
  await world.untilState(issue, "Done");
  await world.until(
    "it goes on",
    async () => (await world.forgehand.store.setting("halt-all")) === undefined,
  );
  await world.settled();
  expect(written(issue, pull)).toEqual(once);
  const slots = () => world.steps.filter(({ event }) => event === "slot.granted").length;
  const before = slots();
  open();
  await world.until("new work starts again", () => slots() > before);
});

test("backed up before its build ended, merged, restored: the build is not made again", async () => {
  const slow = {
    role: "build",
    prompt: "Say slowly",
    steps: [{ sleep: 2_000 }, { write: { path: "src/slow.txt", text: "x\n" } }, { done: "wrote it" }],
  };
  world = await openWorld({ scenes: [slow] });
  process.env["FORGEHAND_DATA_DIR"] = join(world.dir, "data");
  process.env["XDG_CONFIG_HOME"] = join(world.dir, "config");
  const issue = world.people.openIssue({ by: "bob", title: "Say slowly", body: "Write src/slow.txt." });
  world.people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Progress");
  const early = join(world.dir, "early.tar.gz");
  await backup(early, {});
  await world.untilState(issue, "In Review");
  const pull = await world.pullOf(issue);
  await world.people.approve(pull, "bob");
  await world.untilState(issue, "Done");
  await world.settled();
  const once = written(issue, pull);
  await world.forgehand.stop(0);
  await restore(early, { yes: true });
  await world.start();
  await world.until(
    "it goes on",
    async () => (await world.forgehand.store.setting("halt-all")) === undefined,
  );
  await world.settled();
  expect(["Done", "Cancelled"]).toContain(await world.stateOf(issue));
  const again = written(issue, pull);
  expect({ pulls: again.pulls, merges: again.merges }).toEqual({ pulls: once.pulls, merges: once.merges });
  expect(again.comments).toBe(once.comments);
});

test("restored while the forge answers nothing: an operator need not wait for it", async () => {
  world = await openWorld();
  process.env["FORGEHAND_DATA_DIR"] = join(world.dir, "data");
  process.env["XDG_CONFIG_HOME"] = join(world.dir, "config");
  const early = join(world.dir, "early.tar.gz");
  await backup(early, {});
  await world.forgehand.stop(0);
  await restore(early, { yes: true });
  world.hub.fail({ method: "GET", path: /^\/app\/hook\/deliveries/u, status: 500, times: 1_000 });
  await world.start();
  await haltAll("lifted", { database: join(world.dir, "data", "forgehand.db") });
  const issue = open();
  await world.untilState(issue, "In Review");
}, 60_000);
