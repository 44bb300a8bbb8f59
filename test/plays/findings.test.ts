/** Findings over rounds, from the reviewer's words to the threads of the pull request. */
import { afterEach, expect, test } from "vitest";
import { bubblewrapSandbox } from "../../src/adapters/sandboxes/bubblewrap.ts";
import { usualSandbox } from "../../src/config-sandbox.ts";
import { openWorld, pass, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const quick = "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0 }\n";
const finding = (title: string, more: object = {}) => ({
  title,
  body: "Look again.",
  grade: "blocker",
  path: "src/done.txt",
  line: 1,
  kind: "correctness",
  symbol: null,
  reproduce: null,
  ...more,
});
const fail = (...findings: readonly object[]) => ({ verdict: "fail", findings, earlier: [], summary: "no" });
const reviewed = (answer: object, when: object = {}) => ({
  role: "review",
  ...when,
  steps: [usage, { answer }],
});
/** A builder that writes one text after the other. */
const builds = (...texts: readonly string[]) =>
  texts
    .map((text, index) => ({
      role: "build",
      ...(index === 0
        ? { file: { path: "src/done.txt", lacks: "try" } }
        : { file: { path: "src/done.txt", contains: `try ${index}` } }),
      steps: [
        usage,
        { write: { path: "src/done.txt", text: `${text} try ${index + 1}\n` } },
        { done: `tried ${index + 1}` },
      ],
    }))
    .toReversed();
const at = (attempt: number) => ({ file: { path: "src/done.txt", contains: `try ${attempt}` } });
const open = (): number => {
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  world.people.label(issue, "agent-ready", "bob");
  return issue;
};
const roundsOf = async (issue: number) =>
  (await world.forgehand.store.linesOf(`github:${world.repo.id}#${issue}`)).filter(({ event }) =>
    event.type.startsWith("review."),
  );
const inlineOf = async (issue: number) =>
  world.repo.threads.get(await world.pullOf(issue))?.pull?.inline ?? [];

test("a fixed finding is struck through and its thread resolved; one that is still there is not posted again", async () => {
  world = await openWorld({
    config: `${quick}review: { mediator: continue }\n`,
    scenes: [
      ...builds("first", "second", "third"),
      reviewed(
        fail(finding("The greeting is misspelled"), finding("Nobody is greeted", { line: null })),
        at(1),
      ),
      reviewed(fail(finding("No one is greeted at all", { line: null })), at(2)),
      reviewed(pass, at(3)),
    ],
  });
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const inline = await inlineOf(issue);
  expect(inline.map(({ body, resolved }) => [body.includes("~~"), resolved])).toEqual([[true, true]]);
  const bodies = (world.people.thread(await world.pullOf(issue)).pull?.reviews ?? []).map(({ body }) => body);
  expect(bodies).toHaveLength(3);
  expect(bodies[0]).toContain("**blocker**: Nobody is greeted");
  expect(bodies[1]).not.toContain("**blocker**:");
  expect(bodies[1]).toContain("still open: Nobody is greeted");
  expect(bodies[1]).toContain("~~The greeting is misspelled~~ fixed");
  expect(bodies[2]).toContain("~~No one is greeted at all~~ fixed");
});

test("a reviewer that rewords its complaint is stopped after as many rounds as one that repeats it", async () => {
  world = await openWorld({
    config: `${quick}review: { mediator: escalate }\n`,
    scenes: [
      ...builds("first", "second", "third"),
      reviewed(fail(finding("The parser crashes on empty input")), at(1)),
      reviewed(fail(finding("Empty input makes the parser crash")), at(2)),
    ],
  });
  const issue = open();
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect((await roundsOf(issue)).map(({ event }) => event.type)).toEqual(["review.failed", "review.blocked"]);
  expect(await inlineOf(issue)).toHaveLength(1);
});

test("with `strict` a finding of polish alone brings a change back", async () => {
  world = await openWorld({
    config: `${quick}review: { strict: true }\n`,
    scenes: [
      ...builds("first", "second"),
      reviewed({ ...pass, findings: [finding("The name is odd", { grade: "polish" })] }, at(1)),
      reviewed(pass, at(2)),
    ],
  });
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  expect((await roundsOf(issue)).map(({ event }) => event.type)).toEqual(["review.failed", "review.passed"]);
});

test("a reviewer that drifts over code nobody touched does not keep the ticket, and a person is asked", async () => {
  world = await openWorld({
    config: quick,
    files: { "src/other.txt": "one\ntwo\nthree\n" },
    scenes: [
      ...builds("first", "second"),
      reviewed(fail(finding("The greeting is misspelled")), at(1)),
      reviewed(fail(finding("Rounding is wrong here", { path: "src/other.txt", line: 2 })), at(2)),
    ],
  });
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const last = (await roundsOf(issue)).at(-1)?.event;
  expect(last).toMatchObject({
    type: "review.passed",
    needsPerson: ["a blocker was raised late and not shown: Rounding is wrong here"],
  });
});

test("a reviewer that asks for what it forbade ends with a person at once", async () => {
  world = await openWorld({
    config:
      `${quick}review: { mediator: escalate }\nlimits: { mediator_at: 9, feedback_seconds: 0 }\n`.replace(
        "limits: { feedback_seconds: 0 }\n",
        "",
      ),
    scenes: [
      ...builds("first", "second"),
      reviewed(fail(finding("Add a lock around the counter")), at(1)),
      reviewed(fail(finding("Remove the lock around the counter")), at(2)),
    ],
  });
  const issue = open();
  await world.untilState(issue, "Blocked");
  await world.settled();
  const last = (await roundsOf(issue)).at(-1)?.event;
  expect(last).toMatchObject({ type: "review.blocked", why: expect.stringContaining("contradict") });
});

test("the next builder is told the whole history, and the next reviewer is asked about what is open", async () => {
  world = await openWorld({
    config: `${quick}review: { mediator: continue }\n`,
    scenes: [
      {
        role: "build",
        prompt: ["[open, blocker, rounds 1-2]", "Last said of it: it still says so"],
        steps: [usage, { write: { path: "src/done.txt", text: "told try 9\n" } }, { done: "told" }],
      },
      ...builds("first", "second"),
      reviewed(fail(finding("The greeting is misspelled")), at(1)),
      {
        role: "review",
        prompt: ["Answer each under `earlier`", "The greeting is misspelled"],
        ...at(2),
        steps: [usage, { answer: pass }],
      },
      reviewed(pass, at(9)),
    ],
  });
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  expect((await roundsOf(issue)).map(({ event }) => event.type)).toEqual(["review.failed", "review.passed"]);
});

const { found, why: unusable } = await bubblewrapSandbox({
  binary: "bwrap",
  searchPath: "/usr/local/bin:/usr/bin:/bin",
  secret: [],
  read: [],
}).probe();
const places = [
  ["bubblewrap", "exit 3", "review.failed", true],
  ["bubblewrap", "exit 0", "review.passed", true],
  ["local", "exit 3", "review.passed", false],
] as const;

test.each(places.filter(([usual]) => usual === "local" || (found && unusable === undefined)))(
  "a late blocker in %s, its command doing %s, ends its round as %s",
  async (usual, command, ends, isRun) => {
    world = await openWorld({
      config: `${quick}review: { mediator: continue }\n`,
      files: { "src/other.txt": "one\ntwo\nthree\n" },
      sandbox: usual === "local" ? usualSandbox : { ...usualSandbox, usual, network: "none" },
      scenes: [
        ...builds("first", "second", "third"),
        reviewed(fail(finding("The greeting is misspelled")), at(1)),
        reviewed(
          fail(
            finding("Rounding is wrong here", {
              path: "src/other.txt",
              line: 2,
              reproduce: {
                command: `test "$(sed -n 2p src/other.txt)" = two && touch mine && ${command}`,
                exit: 3,
                output: null,
              },
            }),
          ),
          at(2),
        ),
        reviewed(pass, at(3)),
      ],
    });
    const issue = open();
    await world.until("two rounds", async () => (await roundsOf(issue)).length >= 2);
    await world.settled();
    expect((await roundsOf(issue))[1]?.event.type).toBe(ends);
    const late = (await inlineOf(issue)).concat().map(({ body }) => body);
    const bodies = (world.people.thread(await world.pullOf(issue)).pull?.reviews ?? []).map(
      ({ body }) => body,
    );
    const posted = [...late, ...bodies].find((body) => body.includes("Rounding is wrong here")) ?? "";
    expect(posted).toContain(ends === "review.failed" ? "a command shows it" : "holds nothing back");
    expect(posted.includes("> $ test ")).toBe(isRun);
  },
);
