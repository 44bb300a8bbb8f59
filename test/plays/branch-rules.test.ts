/** What the base branch asks is told before it is met, and waited for where a person can give it. */
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { explain } from "../../src/cli/explain.ts";
import type { Key } from "../../src/ports.ts";
import { tryMerge } from "../../src/shell/perform-merge.ts";
import { openWorld, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const gate = "forgehand / gate";
async function reviewed(): Promise<{ readonly issue: number; readonly pull: number }> {
  const { people } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  return { issue, pull: await world.pullOf(issue) };
}
const headOf = (pull: number): string => world.people.thread(pull).pull?.head ?? "";
const gateOf = (pull: number) =>
  world.repo.checkRuns.findLast(({ head, name }) => head === headOf(pull) && name === gate)?.output;

test("two approvals are asked, one is there: the gate says so, the merge waits, and the second brings it", async () => {
  world = await openWorld();
  world.repo.allowsAutoMerge = false;
  world.people.protect("main", { checks: [], approvals: 2 });
  const { issue, pull } = await reviewed();
  expect(gateOf(pull)?.summary).toContain("needs 2 approvals, has 0");
  await world.people.approve(pull, "bob");
  await world.untilState(issue, "Merging");
  await world.until("told", () => gateOf(pull)?.title?.includes("needs 2 approvals, has 1") === true);
  await world.settled();
  expect(await world.stateOf(issue)).toBe("Merging");
  await world.people.approve(pull, "ada");
  await world.untilState(issue, "Done");
  expect(world.steps.some(({ event }) => event === "merge.refused")).toBe(false);
});

test("a required check that nothing reports is named, with what to do about it, until it is there", async () => {
  world = await openWorld();
  world.repo.allowsAutoMerge = false;
  const { people } = world;
  people.protect("main", { checks: ["build", "lint"], approvals: 0 });
  const { issue, pull } = await reviewed();
  await people.job(headOf(pull), "lint", "success");
  await people.approve(pull, "bob");
  await world.untilState(issue, "Merging");
  await world.settled();
  const said = async (): Promise<string> => {
    const { text } = await explain(`acme/web#${issue}`, {
      database: join(world.dir, "data", "forgehand.db"),
    });
    return text;
  };
  expect(await said()).toContain("the checks of this head: `build` (not reported yet)");
  expect(await said()).toContain("or require it no longer");
  // What stays written names none of them: nobody writes it anew when one has reported.
  expect(gateOf(pull)?.title).toContain("waits for the checks of this head");
  expect(gateOf(pull)?.title).not.toContain("build");
  expect(await said()).not.toContain("`lint`");
  await people.job(headOf(pull), "build", "pending");
  await world.settled();
  expect(await said()).toContain("the checks of this head: `build`");
  expect(await said()).not.toContain("not reported yet");
  await people.job(headOf(pull), "build", "success");
  await world.untilState(issue, "Done");
});

test("a check that turned red while the merge waited for people holds it until it is green again", async () => {
  world = await openWorld();
  world.repo.allowsAutoMerge = false;
  const { people } = world;
  people.protect("main", { checks: [], approvals: 2 });
  const { issue, pull } = await reviewed();
  await people.job(headOf(pull), "ci", "success");
  await people.approve(pull, "bob");
  await world.untilState(issue, "Merging");
  await world.until("told", () => gateOf(pull)?.title?.includes("needs 2 approvals, has 1") === true);
  await people.job(headOf(pull), "ci", "timed_out", "no answer\n");
  await world.until("run again", () =>
    world.repo.checkRuns.some(({ name, conclusion }) => name === "ci" && conclusion === null),
  );
  await people.approve(pull, "ada");
  await world.settled();
  expect(await world.stateOf(issue)).toBe("Merging");
  await people.job(headOf(pull), "ci", "success");
  await world.untilState(issue, "Done");
});

test("how long the forge says not yet is counted from when it began to, not from the release", async () => {
  world = await openWorld();
  const why = 'Required status check "x" is expected.';
  world.hub.fail({ method: "PUT", path: /\/merge$/, status: 405, message: why, times: 10_000 });
  const { issue, pull } = await reviewed();
  await world.people.approve(pull, "bob");
  await world.untilState(issue, "Merging");
  await world.settled();
  const { store, shop } = world.forgehand;
  const stored = await store.load(`github:${world.repo.id}#${issue}`);
  const repo = await store.repoById(world.repo.id);
  if (stored === undefined || repo === undefined) throw new Error("it is known");
  const releasedAt = Date.now();
  const after = (minutes: number) =>
    tryMerge({
      shop: { ...shop, clock: { ...shop.clock, now: () => releasedAt + minutes * 60_000 } },
      key: "another try" as Key,
      effect: { type: "merge.try", head: headOf(pull) },
      stored,
      repo,
      createdAt: releasedAt,
    });
  expect(await after(60)).toMatchObject({ is: "snooze" });
  for (const minutes of [65, 70, 74]) expect(await after(minutes)).toMatchObject({ is: "snooze" });
  expect(await after(75)).toMatchObject({
    is: "done",
    news: [{ type: "merge.refused", how: "policy", why: expect.stringContaining("(for 15m") }],
  });
});

test("a rule that only the merge itself meets is told with what ends it, for no retry does", async () => {
  world = await openWorld();
  const why = "Changes must be made through the merge queue";
  world.hub.fail({ method: "PUT", path: /\/merge$/, status: 405, message: why, times: 10_000 });
  const { issue, pull } = await reviewed();
  await world.people.approve(pull, "bob");
  await world.untilState(issue, "Blocked");
  await world.settled();
  const said = world.people.thread(issue).comments.map(({ body }) => body);
  expect(said.join("\n")).toContain(
    `I stopped: ${why}. While a rule forbids this, no retry helps: relax that rule for the App, or merge the pull request yourself`,
  );
});

test("where auto-merge is on, the forge itself is asked to merge when the rules are met", async () => {
  world = await openWorld({
    config:
      'merge: { settle_seconds: 0, title: "{{ ticket.title }} [{{ ticket.number }}]", body: "By {{ work.builder }}." }\nlimits: { feedback_seconds: 0 }\n',
  });
  world.people.protect("main", { checks: ["ci", gate], approvals: 0 });
  const { issue, pull } = await reviewed();
  await world.people.approve(pull, "bob");
  await world.until("armed", () => world.people.thread(pull).pull?.auto !== undefined);
  await world.people.check(headOf(pull), "ci", "success");
  await world.untilState(issue, "Done");
  await world.settled();
  expect((await world.people.mergeLog("main")).at(-1)).toBe(`Say done [${issue}]`);
});

test("a base that must be whole in the head is looked at by us when people have approved, not by the forge", async () => {
  world = await openWorld({
    config: "merge: { settle_seconds: 0, keep_up_to_date: true }\nlimits: { feedback_seconds: 0 }\n",
  });
  world.people.protect("main", { checks: ["ci", gate], approvals: 2 });
  const { issue, pull } = await reviewed();
  await world.people.approve(pull, "bob");
  await world.people.check(headOf(pull), "ci", "success");
  await world.until("told", () => gateOf(pull)?.title?.includes("needs 2 approvals, has 1") === true);
  await world.settled();
  expect(world.people.thread(pull).pull?.auto).toBeUndefined();
  await world.people.approve(pull, "ada");
  await world.untilState(issue, "Done");
});

test("a way of merging that the branch forbids stops the ticket before the forge is asked, and says what to do", async () => {
  world = await openWorld({
    config: "merge: { settle_seconds: 0, method: merge }\nlimits: { feedback_seconds: 0 }\n",
  });
  world.people.protect("main", { checks: [], approvals: 0, linear: true });
  const { issue, pull } = await reviewed();
  expect(gateOf(pull)?.summary).toContain("linear history");
  await world.people.approve(pull, "bob");
  await world.untilState(issue, "Blocked");
  await world.settled();
  const said = world.people
    .thread(issue)
    .comments.map(({ body }) => body)
    .join("\n");
  expect(said).toContain("requires a linear history");
  expect(said).toContain("set `merge.method` to `squash` or `auto`");
  expect(world.hub.state.calls.some(({ path }) => path.endsWith("/merge"))).toBe(false);
});

test("`auto` merges by the way that the rules leave", async () => {
  world = await openWorld();
  world.people.protect("main", { checks: [], approvals: 0, methods: ["merge"] });
  const { issue, pull } = await reviewed();
  await world.people.approve(pull, "bob");
  await world.untilState(issue, "Done");
  const merges = world.hub.state.calls.filter(({ path }) => path.endsWith("/merge"));
  expect(merges.map(({ body }) => (body as { merge_method?: string }).merge_method)).toEqual(["merge"]);
});
