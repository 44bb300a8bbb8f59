import { afterEach, expect, test } from "vitest";
import { fine, openWorld, pass, proceed, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const gap = { ok: false, reason: "which one?" };
const flag = {
  decision: "flag",
  where: gap,
  what: gap,
  acceptance: fine,
  ambiguity: fine,
  gapComment: "Name the page.",
};
const blocker = {
  title: "it says dune",
  body: "Write done.",
  grade: "blocker",
  path: "src/done.txt",
  line: 1,
  kind: "correctness",
};
const reject = { verdict: "fail", findings: [blocker], summary: "the word is wrong" };
const open = (by = "bob", labels: readonly string[] = ["agent-ready"]): number => {
  const issue = world.people.openIssue({ by, title: "Say done", body: "Write src/done.txt." });
  for (const label of labels) world.people.label(issue, label, by);
  return issue;
};
const gateOf = (head: string) =>
  world.repo.checkRuns.filter((one) => one.head === head && one.name === "forgehand / gate");
const headOf = (pull: number): string => world.people.thread(pull).pull?.head ?? "";
const sessionsOf = (issue: number) => world.forgehand.store.sessionsOf(`github:${world.repo.id}#${issue}`);

test("a flagged ticket gets one comment naming each gap, and an edit with a fresh label releases it", async () => {
  world = await openWorld({ scenes: [{ role: "gate", prompt: "vague", steps: [usage, { answer: flag }] }] });
  const { people } = world;
  const issue = people.openIssue({ by: "bob", title: "vague", body: "do it" });
  people.label(issue, "agent-ready", "bob");
  await world.until("flagged", () => people.thread(issue).labels.has("needs-spec"));
  await world.settled();
  expect(await world.stateOf(issue)).toBe("Backlog");
  expect(people.thread(issue).labels.has("agent-ready")).toBe(false);
  const notices = people.thread(issue).comments.filter(({ body }) => body.includes("before I start"));
  expect(notices.length).toBe(1);
  expect(notices[0]?.body).toContain("**Where**");
  expect(notices[0]?.body).toContain("**What**");
  expect(notices[0]?.body).not.toContain("**Acceptance**");
  expect((await sessionsOf(issue)).map(({ role }) => role)).toEqual(["gate"]);
  people.editIssue(issue, "bob", { title: "Say done", body: "Write src/done.txt." });
  await world.settled();
  expect(await world.stateOf(issue)).toBe("Backlog");
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  expect(people.thread(issue).labels.has("needs-spec")).toBe(false);
});

test.each([
  ["runtime/codex", "codex", "openai", "claude-code", "anthropic"],
  ["runtime/claude-code", "claude-code", "anthropic", "codex", "openai"],
  [undefined, "claude-code", "anthropic", "codex", "openai"],
])(
  "the label %s picks the builder, and the other family reviews",
  async (label, builder, family, reviewer, other) => {
    world = await openWorld();
    const issue = open("bob", label === undefined ? ["agent-ready"] : [label, "agent-ready"]);
    await world.untilState(issue, "In Review");
    const sessions = await sessionsOf(issue);
    expect(sessions.find(({ role }) => role === "build")).toMatchObject({ runtime: builder, family });
    expect(sessions.find(({ role }) => role === "review")).toMatchObject({
      runtime: reviewer,
      family: other,
    });
  },
);

test("both runtime labels are refused once, politely", async () => {
  world = await openWorld();
  const { people } = world;
  const issue = open("bob", ["runtime/codex", "runtime/claude-code", "agent-ready"]);
  await world.until("refused", () => !people.thread(issue).labels.has("agent-ready"));
  await world.settled();
  expect(await world.stateOf(issue)).toBe("Backlog");
  expect(
    people.thread(issue).comments.filter(({ body }) => body.includes("The labels ask for two things at once"))
      .length,
  ).toBe(1);
  people.unlabel(issue, "runtime/codex", "bob");
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
});

test("a rejected head is reworked in the same session, and the findings stand inline on the pull request", async () => {
  world = await openWorld({
    scenes: [
      {
        role: "build",
        file: { path: "src/done.txt", lacks: "dune" },
        steps: [usage, { write: { path: "src/done.txt", text: "dune\n" } }, { done: "wrote it" }],
      },
      {
        role: "build",
        prompt: "it says dune",
        steps: [usage, { write: { path: "src/done.txt", text: "done\n" } }, { done: "corrected it" }],
      },
      {
        role: "review",
        file: { path: "src/done.txt", contains: "dune" },
        steps: [usage, { answer: reject }],
      },
    ],
  });
  const { people } = world;
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  const { reviews = [], inline = [] } = people.thread(pull).pull ?? {};
  expect(reviews.map(({ state }) => state)).toEqual(["COMMENTED", "COMMENTED"]);
  expect(inline.map(({ path, line }) => [path, line])).toEqual([["src/done.txt", 1]]);
  const sessions = await sessionsOf(issue);
  expect(new Set(sessions.filter(({ role }) => role === "build").map(({ session }) => session)).size).toBe(1);
  expect(new Set(sessions.filter(({ role }) => role === "review").map(({ session }) => session)).size).toBe(
    2,
  );
  expect(gateOf(reviews[0]?.head ?? "").map(({ conclusion }) => conclusion)).toEqual(["failure"]);
  expect(gateOf(headOf(pull)).map(({ conclusion }) => conclusion)).toEqual(["success"]);
  expect((await world.forgehand.store.load(`github:${world.repo.id}#${issue}`))?.ticket.counters.cycles).toBe(
    1,
  );
});

test.each([
  ["escalate", 2],
  ["continue", 3],
])(
  "a reviewer who never agrees ends in harness-blocked, mediator %s, after %i rounds",
  async (mediator, rounds) => {
    world = await openWorld({
      config: `review: { mediator: ${mediator} }\nmerge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0 }\n`,
      scenes: [
        {
          role: "build",
          steps: [
            usage,
            { run: "date +%N >> src/done.txt || (mkdir -p src && date +%N >> src/done.txt)" },
            { done: "tried again" },
          ],
        },
        { role: "review", steps: [usage, { answer: reject }] },
      ],
    });
    const { people, repo } = world;
    const issue = open();
    await world.untilState(issue, "Blocked");
    await world.settled();
    expect(people.thread(issue).labels.has("harness-blocked")).toBe(true);
    const notices = people.thread(issue).comments.filter(({ body }) => body.includes("I stopped"));
    expect(notices.length).toBe(1);
    expect(notices[0]?.body.match(/round \d/g)?.length).toBe(rounds);
    expect([...repo.branches.keys()].some((name) => name.startsWith(`forgehand/${issue}-`))).toBe(true);
    people.comment(issue, "tri", "/forgehand retry");
    await world.until("retried", () => world.steps.some(({ row }) => row.includes("operator.retried")));
  },
);

test("a build that never gets green is blocked after three attempts, and a success before it never counted", async () => {
  world = await openWorld({
    config: "commands: { test: 'false' }\nmerge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0 }\n",
  });
  const { people } = world;
  const issue = open();
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(world.steps.filter(({ event }) => event === "build.gave-up").length).toBe(3);
  expect(people.thread(issue).comments.filter(({ body }) => body.includes("I stopped")).length).toBe(1);
  expect(world.repo.threads.size).toBe(1);
});

test("auto-merge by a writer merges without an approval; by others it is nothing", async () => {
  world = await openWorld();
  const { people } = world;
  const merged = open("bob", ["auto-merge", "agent-ready"]);
  const waiting = people.openIssue({ by: "tri", title: "Say done too", body: "Write src/done.txt." });
  people.label(waiting, "auto-merge", "tri");
  people.label(waiting, "agent-ready", "tri");
  await world.untilState(merged, "Done");
  await world.until("the other waits or conflicts", async () =>
    ["In Review", "Blocked"].includes((await world.stateOf(waiting)) ?? ""),
  );
});

test("a protected path voids auto-merge and takes a person", async () => {
  world = await openWorld({
    scenes: [
      {
        role: "build",
        steps: [
          usage,
          { write: { path: ".github/workflows/ci.yml", text: "on: push\n" } },
          { done: "edited the CI" },
        ],
      },
    ],
  });
  const { people } = world;
  const issue = open("bob", ["auto-merge", "agent-ready"]);
  await world.untilState(issue, "In Review");
  await world.settled();
  expect(people.thread(issue).labels.has("auto-merge")).toBe(false);
  await people.approve(await world.pullOf(issue), "bob");
  await world.untilState(issue, "Done");
});

test("only an approval by a writer, of exactly the head, releases the merge", async () => {
  world = await openWorld();
  const { people } = world;
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  const reviewed = headOf(pull);
  await people.approve(pull, "eve");
  await people.approve(pull, "tri");
  people.comment(pull, "eve", "/forgehand approve");
  await world.settled();
  expect(await world.stateOf(issue)).toBe("In Review");
  const branch = people.thread(pull).pull?.headRef ?? "";
  await people.push(branch, "bob", { "src/more.txt": "more\n" });
  await people.approve(pull, "bob", { head: reviewed });
  await world.until(
    "reviewed again",
    () => world.steps.filter(({ event }) => event === "review.passed").length === 2,
  );
  await world.settled();
  expect(await world.stateOf(issue)).toBe("In Review");
  people.comment(pull, "bob", "/forgehand approve");
  await world.untilState(issue, "Done");
  expect(await people.file("main", "src/more.txt")).toBe("more\n");
});

test("a command in a review's body and inline approves the head it was written on", async () => {
  world = await openWorld();
  const { people } = world;
  const first = open();
  await world.untilState(first, "In Review");
  await world.settled();
  await people.comments(await world.pullOf(first), "bob", "/forgehand approve");
  await world.untilState(first, "Done");
  const second = open();
  world.scenes([
    {
      role: "build",
      steps: [usage, { write: { path: "src/other.txt", text: "x\n" } }, { done: "wrote it" }],
    },
  ]);
  await world.untilState(second, "In Review");
  await world.settled();
  await people.inline(await world.pullOf(second), "bob", "/forgehand approve");
  await world.untilState(second, "Done");
});

test("checks pending at the approval: the merge waits for them, and a red one sends it back", async () => {
  world = await openWorld();
  const { people } = world;
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  await people.check(headOf(pull), "ci", "pending");
  await people.approve(pull, "bob");
  await world.untilState(issue, "Merging");
  await world.settled();
  expect(people.thread(pull).state).toBe("open");
  await people.check(headOf(pull), "ci", "success");
  await world.untilState(issue, "Done");
});

test("a check that turns red while the ticket merges sends it back to rework", async () => {
  world = await openWorld({
    scenes: [
      {
        role: "build",
        prompt: "checks of the pull request fail",
        steps: [usage, { write: { path: "src/fixed.txt", text: "y\n" } }, { done: "fixed" }],
      },
    ],
  });
  const { people } = world;
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  const red = headOf(pull);
  await people.check(red, "ci", "pending");
  await people.approve(pull, "bob");
  await world.untilState(issue, "Merging");
  await people.check(red, "ci", "failure");
  await world.until("built again", () => headOf(pull) !== red);
  await world.untilState(issue, "In Review");
});

test("a strict reading of verdicts: malformed, same family or a written file block, never pass", async () => {
  world = await openWorld({
    scenes: [
      { role: "review", prompt: "malformed one", steps: [usage, { answer: { verdict: "maybe" } }] },
      { role: "review", prompt: "does not fit", steps: [usage, { answer: { verdict: "maybe again" } }] },
      { role: "review", prompt: "same one", model: "claude-opus-5-5", steps: [usage, { answer: pass }] },
      {
        role: "review",
        prompt: "writing one",
        steps: [usage, { run: "chmod -R u+w . && echo x > written.txt" }, { answer: pass }],
      },
      { role: "gate", steps: [usage, { answer: proceed }] },
    ],
  });
  const { people } = world;
  const issues = ["malformed one", "same one", "writing one"].map((title) => {
    const issue = people.openIssue({ by: "bob", title, body: "Write src/done.txt." });
    people.label(issue, "agent-ready", "bob");
    return issue;
  });
  for (const issue of issues) await world.untilState(issue, "Blocked");
  await world.settled();
  const said = issues.map(
    (issue) => people.thread(issue).comments.find(({ body }) => body.includes("I stopped"))?.body ?? "",
  );
  expect(said[0]).toContain("malformed");
  expect(said[1]).toContain("another family");
  expect(said[2]).toContain("written.txt");
});
