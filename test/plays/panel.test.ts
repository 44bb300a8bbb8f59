/** Several reviewers of one head, and who settles what they and the builder do not. */
import { afterEach, expect, test } from "vitest";
import { fingerprint } from "../../src/review/findings.ts";
import { contextAt, shownIn } from "../../src/review/places.ts";
import { openWorld, pass, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const quick = "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0 }\n";
const security = "as an attacker would";
const general = "You are the last reader before this code runs";
const finding = (title: string, more: object = {}) => ({
  title,
  body: "",
  grade: "blocker",
  path: "src/done.txt",
  line: 1,
  kind: "correctness",
  ...more,
});
const fail = (...findings: readonly object[]) => ({ verdict: "fail", findings, summary: "no" });
const reviewed = (answer: object, when: object = {}) => ({
  role: "review",
  ...when,
  steps: [usage, { answer }],
});
const stubborn = {
  role: "build",
  steps: [usage, { run: "mkdir -p src && date +%N >> src/done.txt" }, { done: "tried again" }],
};
const open = (labels: readonly string[] = ["agent-ready"]): number => {
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  for (const label of labels) world.people.label(issue, label, "bob");
  return issue;
};
const lastOf = async (issue: number) =>
  (await world.forgehand.store.linesOf(`github:${world.repo.id}#${issue}`)).findLast(({ event }) =>
    event.type.startsWith("review."),
  )?.event;
const sessionsOf = (issue: number) => world.forgehand.store.sessionsOf(`github:${world.repo.id}#${issue}`);
const bodiesOf = async (issue: number): Promise<readonly string[]> =>
  (world.people.thread(await world.pullOf(issue)).pull?.reviews ?? []).map(({ body }) => body);

test("a panel judges side by side, each alone and of another family; what two name is consensus", async () => {
  world = await openWorld({
    config:
      `${quick}review: { panel: [general, security, architecture], mediator: escalate }\nlimits: { feedback_seconds: 0, mediator_at: 1 }\n`.replace(
        "limits: { feedback_seconds: 0 }\n",
        "",
      ),
  });
  // Each answers only when all three are at it.
  const here = `${world.dir}/here`;
  const run = `mkdir -p ${here} && touch ${here}/$$; until [ $(ls ${here} | wc -l) = 3 ]; do sleep 0.05; done`;
  const together = (answer: object, when: object = {}) => ({
    role: "review",
    ...when,
    steps: [usage, { run }, { answer }],
  });
  world.scenes([
    together(
      fail(finding("The token is written to the log"), finding("The name is odd", { grade: "polish" })),
      { prompt: security },
    ),
    together(fail(finding("Token written into a log")), { prompt: general }),
    together(pass),
  ]);
  const issue = open();
  await world.untilState(issue, "Blocked");
  await world.settled();
  const reviews = (await sessionsOf(issue)).filter(({ role }) => role === "review");
  expect(reviews).toHaveLength(3);
  expect(reviews.every(({ family }) => family === "openai")).toBe(true);
  const [body = ""] = await bodiesOf(issue);
  expect(body).toContain("**Adversarial review, round 1: blocked**");
  const round = await lastOf(issue);
  expect(round).toMatchObject({ type: "review.blocked", why: expect.stringMatching(/token/iu) });
  const notices = world.people.thread(await world.pullOf(issue)).pull?.inline ?? [];
  // One comment for what two said, with both their names; what one said alone has its own.
  expect(notices.map(({ body }) => body.match(/\(([a-z, ]+)\)$/mu)?.[1])).toEqual([
    "general, security",
    "security",
  ]);
});

test("one of a panel that gives no verdict blocks the review, unless fewer are enough", async () => {
  const scenes = [
    { role: "review", prompt: security, steps: [usage, { fail: { how: "give-up", why: "it gave up" } }] },
    reviewed(pass),
  ];
  world = await openWorld({ config: `${quick}review: { panel: [general, security] }\n`, scenes });
  const blocked = open();
  await world.untilState(blocked, "Blocked");
  await world.settled();
  expect(await lastOf(blocked)).toMatchObject({
    type: "review.blocked",
    why: expect.stringMatching(
      /^1 of 2 reviewers gave a verdict that counts, and 2 are needed \(security: /u,
    ),
  });
  await world.close();
  world = await openWorld({ config: `${quick}review: { panel: [general, security], quorum: 1 }\n`, scenes });
  const passed = open();
  await world.untilState(passed, "In Review");
  await world.settled();
  expect(await lastOf(passed)).toMatchObject({
    type: "review.passed",
    summary: expect.stringContaining("security gave no verdict that counts"),
  });
});

const dispute = { ...reviewed(fail(finding("The word is not what was asked"))) };
const mediator = (answer: object | undefined) => ({
  role: "mediate",
  prompt: "You mediate",
  steps: [usage, ...(answer === undefined ? [{ done: "I would rather not" }] : [{ answer }])],
});

test.each([
  ["approve-with-caveat", "In Review", "review.passed"],
  ["escalate", "Blocked", "review.blocked"],
  ["malformed", "Blocked", "review.blocked"],
] as const)("a mediator of a third family answers %s: %s", async (decision, state, event) => {
  world = await openWorld({
    config: quick,
    third: "gemini-3-pro",
    scenes: [
      stubborn,
      dispute,
      mediator(
        decision === "malformed" ? undefined : { decision, drop: [], why: "the word is a matter of taste" },
      ),
    ],
  });
  const issue = open(["agent-ready", "auto-merge"]);
  await world.untilState(issue, state);
  await world.settled();
  const last = await lastOf(issue);
  expect(last?.type).toBe(event);
  const mediated = (await sessionsOf(issue)).filter(({ role }) => role === "mediate");
  expect(mediated.map(({ family }) => family)).toEqual(["google"]);
  if (event === "review.passed")
    expect(last).toMatchObject({
      needsPerson: ["the mediator passed it with a caveat: the word is a matter of taste"],
    });
  expect((await bodiesOf(issue)).at(-1)).toContain("**Mediator**: gemini");
  const workpad = world.people.thread(issue).comments.find(({ body }) => body.includes("forgehand workpad"));
  expect(workpad?.body).toContain("Mediator: gemini");
});

test("a mediator trims the scope: what it names is dropped, its thread resolved, and the rest passes", async () => {
  const [asked, unasked] = [finding("The word is not what was asked"), finding("Support other languages")];
  const shown = shownIn(
    "diff --git a/src/done.txt b/src/done.txt\n--- /dev/null\n+++ b/src/done.txt\n@@ -0,0 +1 @@\n+first word\n",
  );
  const kind = { grade: "blocker", kind: "correctness", body: "", path: "src/done.txt", line: 1 } as const;
  const drop = [fingerprint({ ...kind, title: unasked.title }, contextAt(shown, "src/done.txt", 1))];
  const builds = (text: string, when: object) => ({
    role: "build",
    ...when,
    steps: [usage, { write: { path: "src/done.txt", text: `${text}\n` } }, { done: "wrote it" }],
  });
  world = await openWorld({
    config: quick,
    third: "gemini-3-pro",
    scenes: [
      builds("second word", { file: { path: "src/done.txt", contains: "first" } }),
      builds("first word", { file: { path: "src/done.txt", lacks: "word" } }),
      reviewed(fail(asked, unasked), { file: { path: "src/done.txt", contains: "first" } }),
      reviewed(fail(unasked), { file: { path: "src/done.txt", contains: "second" } }),
      mediator({ decision: "scope-trim", drop, why: "the ticket names one language" }),
    ],
  });
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  expect(await lastOf(issue)).toMatchObject({
    type: "review.passed",
    summary: expect.stringContaining("out of scope are Support other languages"),
    needsPerson: ["the mediator took a blocker out of scope: Support other languages"],
  });
  const inline = world.repo.threads.get(await world.pullOf(issue))?.pull?.inline ?? [];
  expect(inline.map(({ body, resolved }) => [body.split("\n")[1], resolved])).toEqual([
    [expect.stringMatching(/^~~.*The word is not what was asked~~ fixed/u), true],
    [expect.stringMatching(/^~~.*Support other languages~~ taken out of scope by the mediator/u), true],
  ]);
});

test("a change too large for one review is read in parts, and the review says so", async () => {
  world = await openWorld({
    config: quick,
    scenes: [
      {
        role: "build",
        steps: [
          usage,
          { run: "mkdir -p src && for f in a b c; do seq 1 8000 > src/$f.txt; done" },
          { done: "wrote much" },
        ],
      },
      reviewed(fail(finding("The last number is wrong", { path: "src/c.txt", line: 8000 })), {
        prompt: ["part 3 of 3", "b/src/c.txt"],
      }),
      reviewed(pass, { prompt: " of 3. Judge what is in it" }),
    ],
  });
  const issue = open();
  await world.until("a round", async () => (await lastOf(issue)) !== undefined);
  await world.settled();
  const first = (await world.forgehand.store.linesOf(`github:${world.repo.id}#${issue}`)).find(({ event }) =>
    event.type.startsWith("review."),
  )?.event;
  expect(first).toMatchObject({
    type: "review.failed",
    summary: expect.stringContaining("was too large for one review and was read in 3 parts"),
  });
});
