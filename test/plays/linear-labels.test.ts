/** Labels and comments in Linear do what they do on the forge. */
import { afterEach, expect, test } from "vitest";
import type { SimComment, SimIssue } from "../../src/simulator/linear/world.ts";
import { holdWebhooks, openLinearWorld, type LinearWorld, type LinearWorldOptions } from "../linear-world.ts";
import { usage } from "../world.ts";

let play: LinearWorld;
afterEach(() => play.close());

const start = async (options?: LinearWorldOptions): Promise<LinearWorld> =>
  (play = await openLinearWorld(options));
const card = (title = "Say done"): SimIssue =>
  play.bob.open(play.eng, title, { description: "Write src/done.txt." });
const ticketOf = async (issue: SimIssue) => (await play.forgehand.store.load(play.idOf(issue)))?.ticket;
const labelsOf = (issue: SimIssue): readonly string[] => issue.labels.map(({ name }) => name);
const halted = async () => await play.forgehand.store.setting("halt-all");
/** What we said in the conversation that this comment began. */
const repliesTo = (root: SimComment): readonly string[] =>
  play.linear.world.tables.Comment.filter((one) => one.parent === root && one.user === play.us).map(
    ({ body }) => body,
  );
const slow = {
  role: "build",
  steps: [usage, { sleep: 3_000 }, { write: { path: "src/done.txt", text: "done\n" } }, { done: "wrote it" }],
};

test("agent-ready releases, a runtime is picked, auto-merge merges, each by whoever may", async () => {
  await start();
  const issue = card();
  play.ann.label(issue, "agent-ready", "auto-merge", "runtime/codex");
  await play.settled();
  expect(await play.stateOfCard(issue)).toBeUndefined();
  for (const name of ["agent-ready", "auto-merge", "runtime/codex"]) play.ann.unlabel(issue, name);
  play.tri.label(issue, "agent-ready", "runtime/codex");
  await play.untilCard(issue, "In Review");
  await play.settled();
  expect(play.column(issue)).toBe("In Review");
  expect((await ticketOf(issue))?.runtime).toBe("codex");
  const builds = (await play.forgehand.store.sessionsOf(play.idOf(issue))).filter(
    ({ role }) => role === "build",
  );
  expect(builds.map(({ runtime }) => runtime)).toEqual(["codex"]);
  play.tri.label(issue, "auto-merge");
  await play.settled();
  expect((await ticketOf(issue))?.autoMerge).toBe(false);
  play.tri.unlabel(issue, "auto-merge");
  play.bob.label(issue, "auto-merge");
  await play.untilCard(issue, "Done");
  await play.settled();
  expect(play.column(issue)).toBe("Done");
  expect(labelsOf(issue)).not.toContain("agent-ready");
});

test("two runtimes contest the choice, and a hold keeps a ticket from starting", async () => {
  await start();
  const issue = card();
  play.bob.label(issue, "runtime/codex", "runtime/claude-code");
  play.bob.drag(issue, "Ready for Dev");
  await play.until("somebody must pick", () =>
    play
      .comments(issue)
      .some((body) => body.includes("runtime/codex") && body.includes("runtime/claude-code")),
  );
  await play.settled();
  expect(await play.stateOfCard(issue)).toBe("Backlog");
  expect(play.column(issue)).toBe("Backlog");
  play.bob.unlabel(issue, "runtime/codex");
  play.bob.label(issue, "forgehand:do-not-dispatch");
  await play.settled();
  play.bob.drag(issue, "Ready for Dev");
  await play.untilCard(issue, "Ready");
  await play.settled();
  expect(play.column(issue)).toBe("Ready for Dev");
  play.bob.unlabel(issue, "forgehand:do-not-dispatch");
  await play.untilCard(issue, "In Review");
});

test("a halt stops the work, its removal and a retry go on; a reset begins anew", async () => {
  await start({ scenes: [slow] });
  const issue = card();
  play.bob.drag(issue, "Ready for Dev");
  await play.untilCard(issue, "In Progress");
  play.tri.label(issue, "forgehand:halt");
  await play.untilCard(issue, "Blocked");
  await play.settled();
  expect(play.forgehand.engine.atWork()).toEqual([]);
  expect(play.column(issue)).toBe("In Progress");
  play.tri.unlabel(issue, "forgehand:halt");
  await play.settled();
  play.bob.comment(issue, "/forgehand retry");
  await play.untilCard(issue, "In Review");
  await play.settled();
  play.bob.label(issue, "forgehand:hard-reset");
  await play.untilCard(issue, "Backlog");
  await play.settled();
  expect(play.column(issue)).toBe("Backlog");
});

test("halt-all on a card that is no ticket stops all of them until it is lifted, or the card is deleted", async () => {
  await start();
  const switchboard = card("The switch");
  play.tri.label(switchboard, "forgehand:halt-all");
  await play.until("halted", async () => (await halted()) !== undefined);
  const issue = card();
  play.bob.drag(issue, "Ready for Dev");
  await play.untilCard(issue, "Ready");
  expect(play.column(switchboard)).toBe("Backlog");
  play.bob.unlabel(switchboard, "forgehand:halt-all");
  await play.untilCard(issue, "In Review");
  expect(await halted()).toBeUndefined();
  play.tri.label(switchboard, "forgehand:halt-all");
  await play.until("halted again", async () => (await halted()) !== undefined);
  play.bob.delete(switchboard);
  await play.until("lifted", async () => (await halted()) === undefined);
});

test("a workflow is picked by its label, and one that is not there is not", async () => {
  await start();
  const issue = card();
  play.bob.label(issue, "workflow/nothing", "agent-ready");
  await play.untilCard(issue, "In Review");
  expect((await ticketOf(issue))?.workflow).toBeUndefined();
});

test("commands and questions are answered once, in the thread they stand in", async () => {
  const answer = { answer: "Because the ticket says so.", wantsChange: false };
  await start({ scenes: [{ role: "advise", steps: [usage, { answer }] }] });
  const issue = card();
  const run = play.tri.comment(issue, "/forgehand run");
  await play.untilCard(issue, "In Review");
  await play.settled();
  expect(run.body).toBe("/forgehand run");
  const root = play.ann.comment(issue, "Some talk of ours");
  play.tri.comment(issue, "/forgehand status", root);
  const asked = play.tri.comment(issue, "/forgehand ask why a text file?");
  await play.until("answered", () => repliesTo(root).length > 0 && repliesTo(asked).length > 0);
  await play.settled();
  expect(repliesTo(root)).toHaveLength(1);
  expect(repliesTo(root)[0]).toContain("In Review");
  expect(repliesTo(asked)).toHaveLength(1);
  expect(repliesTo(asked)[0]).toContain("Because the ticket says so.");
  const stranger = play.ann.comment(issue, "/forgehand approve");
  await play.settled();
  expect(repliesTo(stranger)[0]).toContain("connect one in Linear's settings");
  expect(await play.stateOfCard(issue)).toBe("In Review");
  // Told twice, and looked at again after a restart, it is answered no second time.
  for (const delivery of play.linear.courier.deliveries.filter(({ event }) => event === "Comment"))
    play.linear.courier.redeliver(delivery);
  await play.settled();
  await play.forgehand.stop(0);
  await play.start();
  await play.settled();
  expect([repliesTo(root).length, repliesTo(asked).length, repliesTo(stranger).length]).toEqual([1, 1, 1]);
  play.bob.comment(issue, "/forgehand approve");
  await play.untilCard(issue, "Done");
});

test("a command to run releases no text that was changed after it was written", async () => {
  await start();
  const issue = card();
  const { held, release } = holdWebhooks(play);
  play.bob.comment(issue, "/forgehand run");
  play.ann.edit(issue, { description: "Something else." });
  await play.until("the command is held", () => held() > 0);
  release();
  await play.until("voided", async () =>
    (await play.forgehand.store.linesOf(play.idOf(issue))).some(({ event }) => event.type === "spec.edited"),
  );
  await play.settled();
  expect(await play.stateOfCard(issue)).toBe("Backlog");
  expect(await play.forgehand.store.sessionsOf(play.idOf(issue))).toEqual([]);
});

test("labels of one exclusive group that cannot stand together are said, and stop nothing", async () => {
  await start();
  const group = play.bob.newLabel("Agents", { isGroup: true });
  for (const name of ["agent-ready", "runtime/codex", "auto-merge"]) play.bob.newLabel(name, { group });
  const issue = card();
  play.bob.label(issue, "runtime/codex");
  await play.settled();
  // Setting the one takes the other away: what stands there in the end is what counts.
  play.bob.label(issue, "agent-ready");
  await play.untilCard(issue, "In Review");
  expect((await ticketOf(issue))?.runtime).toBeUndefined();
  play.bob.label(issue, "auto-merge");
  await play.untilCard(issue, "Backlog");
  await play.settled();
  expect(labelsOf(issue)).toEqual(["auto-merge"]);
  expect(play.column(issue)).toBe("Backlog");
});
