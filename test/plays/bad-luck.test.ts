import { afterEach, expect, test } from "vitest";
import { openWorld, pass, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const slowBuild = {
  role: "build",
  steps: [usage, { sleep: 2_000 }, { write: { path: "src/done.txt", text: "done\n" } }, { done: "wrote it" }],
};
const slowReview = { role: "review", steps: [usage, { sleep: 2_000 }, { answer: pass }] };
const open = (labels: readonly string[] = ["agent-ready"]): number => {
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  for (const label of labels) world.people.label(issue, label, "bob");
  return issue;
};
const pullKnown = async (issue: number): Promise<boolean> =>
  (await world.forgehand.store.load(`github:${world.repo.id}#${issue}`))?.ticket.pull !== undefined;
const pulls = (): number =>
  [...world.repo.threads.values()].filter((thread) => thread.pull !== undefined).length;

test("every delivery doubled: one pull request, one workpad, one merge", async () => {
  world = await openWorld();
  world.hub.courier.deliver = (delivery) => [delivery, delivery];
  const issue = open(["auto-merge", "agent-ready"]);
  await world.untilState(issue, "Done");
  await world.settled();
  expect(pulls()).toBe(1);
  expect(
    world.people.thread(issue).comments.filter(({ body }) => body.includes("forgehand workpad")).length,
  ).toBe(1);
});

test("every delivery lost: the reconciler alone brings the ticket home", async () => {
  world = await openWorld();
  const { people } = world;
  world.hub.courier.deliver = () => [];
  const issue = open();
  world.forgehand.reconcile();
  await world.untilState(issue, "In Review");
  await world.settled();
  await people.approve(await world.pullOf(issue), "bob");
  world.forgehand.reconcile();
  await world.untilState(issue, "Done");
});

test("what happened while the process was down is fetched at the next start", async () => {
  world = await openWorld();
  const { people } = world;
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  await world.forgehand.stop(0);
  await people.approve(pull, "bob");
  await world.hub.courier.idle();
  await world.start();
  await world.untilState(issue, "Done");
});

test("stopped in the middle of a build, the same session goes on at the next start", async () => {
  world = await openWorld({ scenes: [slowBuild] });
  const issue = open();
  await world.untilState(issue, "In Progress");
  const id = `github:${world.repo.id}#${issue}`;
  await world.until("the builder spoke", async () =>
    (await world.forgehand.store.sessionsOf(id)).some(
      ({ role, session }) => role === "build" && session !== null,
    ),
  );
  await world.forgehand.stop(0);
  await world.start();
  await world.untilState(issue, "In Review");
  const builds = (await world.forgehand.store.sessionsOf(id)).filter(({ role }) => role === "build");
  expect(builds.length).toBe(2);
  expect(new Set(builds.map(({ session }) => session)).size).toBe(1);
  expect((await world.forgehand.store.load(id))?.ticket.counters.attempts).toBe(0);
  expect(pulls()).toBe(1);
});

test("an issue edited while it is built stops, and a fresh label builds the new text", async () => {
  world = await openWorld({ scenes: [slowBuild] });
  const { people } = world;
  const issue = open();
  await world.untilState(issue, "In Progress");
  people.editIssue(issue, "eve", { body: "Write something else." });
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(people.thread(issue).labels.has("agent-ready")).toBe(false);
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
});

test("issues that are switched off for a while cancel nothing", async () => {
  world = await openWorld();
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  world.repo.issuesOff = true;
  world.people.comment(issue, "bob", "is it ready?");
  world.forgehand.reconcile();
  const ticket = `github:${world.repo.id}#${issue}`;
  await world.until("the trouble is on record", async () =>
    (await world.forgehand.store.troubledItems(ticket)).some(({ note }) => note?.includes("switched off")),
  );
  expect(await world.stateOf(issue)).toBe("In Review");
  world.repo.issuesOff = false;
  await world.people.approve(await world.pullOf(issue), "bob");
  await world.untilState(issue, "Done");
});

test.each(["closed", "deleted", "transferred"] as const)(
  "an issue %s in the middle cancels the ticket and ends the agent",
  async (how) => {
    world = await openWorld({ scenes: [slowBuild] });
    const { people } = world;
    const issue = open();
    await world.untilState(issue, "In Progress");
    if (how === "closed") people.closeIssue(issue, "bob", "not_planned");
    else if (how === "deleted") people.deleteIssue(issue, "bob");
    else {
      // GitHub leads on to the other repository, which our token does not open.
      const other = await world.hub.seed({ owner: "acme", name: "other", files: { "a.txt": "a\n" } });
      people.transferIssue(issue, "bob", other);
    }
    await world.untilState(issue, "Cancelled");
    await world.until("nobody works", () => world.forgehand.engine.atWork().length === 0);
  },
);

const said = (issue: number): string =>
  world.people
    .thread(issue)
    .comments.map(({ body }) => body)
    .join("\n");

test("a pull request closed by a person during its review blocks the ticket with words, and a retry opens another", async () => {
  world = await openWorld({ scenes: [slowReview] });
  const { people } = world;
  const issue = open();
  await world.untilState(issue, "Adversarial Review");
  await world.until("the pull request is open", async () => pulls() === 1 && (await pullKnown(issue)));
  const first = await world.pullOf(issue);
  await people.closePull(first, "bob");
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(said(issue)).toContain("closed the pull request without a merge; a retry opens another");
  people.comment(issue, "bob", "/forgehand retry");
  await world.untilState(issue, "In Review");
  await world.settled();
  expect(await world.pullOf(issue)).not.toBe(first);
});

test("a pull request retargeted by a person blocks the ticket with words, and goes on once it points back", async () => {
  world = await openWorld();
  const { people, repo } = world;
  await people.push("other", "bob", { "x.txt": "x\n" });
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  await people.retarget(pull, "bob", "other");
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(said(issue)).toContain(
    "the pull request targets `other` now; point it back at the branch it was opened for",
  );
  await people.retarget(pull, "bob", repo.defaultBranch);
  people.comment(issue, "bob", "/forgehand retry");
  await world.untilState(issue, "In Review");
  await world.settled();
  await people.approve(pull, "bob");
  await world.untilState(issue, "Done");
});

test("a head pushed over during the review is reviewed instead, and the old verdict is nothing", async () => {
  world = await openWorld({ scenes: [slowReview] });
  const { people, repo } = world;
  const issue = open();
  await world.untilState(issue, "Adversarial Review");
  await world.until("the pull request is open", async () => pulls() === 1 && (await pullKnown(issue)));
  const pull = await world.pullOf(issue);
  const moved = await people.push(
    people.thread(pull).pull?.headRef ?? "",
    "bob",
    { "src/more.txt": "more\n" },
    { force: true },
  );
  await world.untilState(issue, "In Review");
  expect((await world.forgehand.store.load(`github:${repo.id}#${issue}`))?.ticket.reviewed).toBe(moved);
  expect(world.steps.filter(({ event }) => event === "review.passed").length).toBe(1);
});

test("a rule that nobody can meet blocks the ticket and says which", async () => {
  world = await openWorld();
  const { people } = world;
  people.protect("main", { checks: [], approvals: 0, never: "Changes must be made through the merge queue" });
  const issue = open(["auto-merge", "agent-ready"]);
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(people.thread(issue).comments.some(({ body }) => body.includes("merge queue"))).toBe(true);
});

test("faults of the forge delay, and a lost reply is never done twice", async () => {
  world = await openWorld();
  const { hub, people } = world;
  hub.fail({ method: "POST", path: /\/pulls$/, status: 502, after: true });
  hub.fail({ method: "POST", path: /\/comments$/, status: 502, after: true });
  hub.fail({ method: "POST", path: /\/check-runs$/, status: 502, after: true });
  hub.fail({ method: "PUT", path: /\/merge$/, status: 502, after: true });
  hub.fail({ method: "POST", path: /\/labels$/, status: 500 });
  const issue = open(["auto-merge", "agent-ready"]);
  await world.untilState(issue, "Done");
  await world.settled();
  expect(pulls()).toBe(1);
  expect(people.thread(issue).comments.filter(({ body }) => body.includes("forgehand workpad")).length).toBe(
    1,
  );
  const ours = world.repo.checkRuns.filter(({ name }) => name === "forgehand / gate");
  expect(new Set(ours.map(({ head }) => head)).size).toBe(ours.length);
}, 240_000);

test("somebody else's pull request gets the gate's answer", async () => {
  world = await openWorld();
  const { people, repo, hub } = world;
  const head = await people.push("feature", "bob", { "f.txt": "f\n" });
  const { newThread } = await import("../../src/simulator/hub/threads.ts");
  const pull = {
    headRef: "feature",
    baseRef: "main",
    head,
    draft: false,
    merged: undefined,
    reviews: [],
    inline: [],
    requested: [],
    auto: undefined,
  };
  const thread = newThread(hub, repo, { title: "by hand", body: "", by: "bob", pull });
  const { pullOf } = await import("../../src/simulator/hub/format.ts");
  hub.courier.send(repo, "pull_request", "opened", "bob", {
    number: thread.number,
    pull_request: pullOf(hub.state, repo, thread, hub.url, { mergeable: true, mergeable_state: "clean" }),
  });
  await world.until("the gate answered", () =>
    repo.checkRuns.some((one) => one.head === head && one.conclusion === "success"),
  );
});
