/** Boards that are not ours alone: Linear's own automation on them, columns that go, and teams without our names. */
import { afterEach, expect, test } from "vitest";
import { connectGitHub, type GitHubAutomation } from "../../src/simulator/linear/github-automation.ts";
import type { SimIssue, StateCategory } from "../../src/simulator/linear/world.ts";
import { openLinearWorld, type LinearWorld } from "../linear-world.ts";
import { usage } from "../world.ts";

let play: LinearWorld;
afterEach(() => play.close());

const card = (): SimIssue => play.bob.open(play.eng, "Say done", { description: "Write src/done.txt." });
const eventsOf = async (issue: SimIssue): Promise<readonly string[]> =>
  (await play.forgehand.store.linesOf(play.idOf(issue))).map(({ event }) => event.type);
const contests = async (issue: SimIssue): Promise<number> =>
  (await eventsOf(issue)).filter((type) => type === "tracker.contested").length;
const notices = (issue: SimIssue): readonly string[] =>
  play.comments(issue).filter((body) => body.includes("this card") && !body.startsWith("## "));
/** Every column the card was put in, in turn. */
const columns = (issue: SimIssue): readonly string[] =>
  play.linear.world.tables.IssueHistory.filter((one) => one.issue === issue).flatMap(({ toState }) =>
    toState === undefined ? [] : [(toState as { name: string }).name],
  );

/** Connects Linear to the forge, so that it hears of each pull request when we do. */
function listening(rules: Readonly<Record<string, string>>): GitHubAutomation {
  const github = connectGitHub(play.linear, play.acme, play.ada.user);
  for (const moment of ["draft", "start", "review", "mergeable", "merge"] as const)
    github.rule(
      play.eng,
      moment,
      rules[moment] === undefined ? undefined : play.linear.state(play.eng, rules[moment]),
    );
  play.hub.courier.deliver = (delivery) => {
    github.hear(delivery.name, JSON.parse(delivery.body));
    return [delivery];
  };
  return github;
}

test("beside Linear's own GitHub automation cards do not go to and fro: it is named, explained once, and both agree at the merge", async () => {
  play = await openLinearWorld();
  listening({ draft: "In Progress", start: "In Progress", review: "In Progress", merge: "Done" });
  const issue = card();
  play.bob.drag(issue, "Ready for Dev");
  await play.untilCard(issue, "In Review");
  await play.settled();
  expect(play.column(issue)).toBe("In Review");
  expect(await contests(issue)).toBeGreaterThan(0);
  expect(await contests(issue)).toBeLessThanOrEqual(4);
  expect(notices(issue)).toHaveLength(1);
  expect(notices(issue)[0]).toMatch(/^Linear's GitHub automation moved this card to In Progress/u);
  expect(notices(issue)[0]).toContain("Turn that automation off in the team's settings");
  const before = columns(issue).length;
  await play.settled();
  expect(columns(issue)).toHaveLength(before);
  await play.people.approve(await play.pullOfCard(issue), "bob");
  await play.untilCard(issue, "Done");
  await play.settled();
  expect(play.column(issue)).toBe("Done");
  expect(columns(issue).filter((name) => name === "Done")).toHaveLength(1);
  expect(notices(issue)).toHaveLength(1);
});

test("an automation that moves a card back each time is left alone after three returns", async () => {
  play = await openLinearWorld();
  const github = listening({ mergeable: "Backlog" });
  const issue = card();
  play.bob.drag(issue, "Ready for Dev");
  await play.untilCard(issue, "In Review");
  await play.settled();
  const pull = play.people.thread(await play.pullOfCard(issue));
  const linked = {
    url: "https://github.example/1",
    number: pull.number,
    title: pull.title,
    branch: pull.pull?.headRef ?? "",
  };
  for (let time = 0; time < 8; time++) {
    if (play.column(issue) === "In Review") github.mergeable(linked);
    await play.settled();
  }
  expect(play.column(issue)).toBe("Backlog");
  // To Backlog, and yet nothing was taken back by it.
  expect(await play.stateOfCard(issue)).toBe("In Review");
  expect(await contests(issue)).toBe(4);
  expect(notices(issue)).toHaveLength(1);
  expect(notices(issue)[0]).toContain("keeps moving this card to Backlog, so I leave it there");
});

test("an automation releases nothing, even one that the repository lists", async () => {
  const config =
    'merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0 }\nallow_bots: ["linear:github[bot]"]\n';
  play = await openLinearWorld({ config });
  const github = listening({ start: "Ready for Dev" });
  const issue = card();
  github.opened({ url: "https://github.example/7", number: 7, title: "ENG-1 by hand", branch: "bob/eng-1" });
  await play.settled();
  expect(await play.stateOfCard(issue)).toBe("Backlog");
  expect(play.column(issue)).toBe("Backlog");
  expect(await eventsOf(issue)).toEqual(["tracker.contested"]);
});

test("a column that is renamed or removed while its card stands there is no order, and the road goes on", async () => {
  play = await openLinearWorld();
  const issue = card();
  play.bob.drag(issue, "Ready for Dev");
  await play.untilCard(issue, "In Review");
  await play.settled();
  const admin = play.ada;
  admin.renameState(play.linear.state(play.eng, "Merging"), "Landing");
  admin.removeState(
    play.linear.state(play.eng, "In Review"),
    play.linear.state(play.eng, "Adversarial Review"),
  );
  await play.settled();
  expect(await play.stateOfCard(issue)).toBe("In Review");
  await play.people.approve(await play.pullOfCard(issue), "bob");
  await play.untilCard(issue, "Done");
  await play.settled();
  expect(play.column(issue)).toBe("Done");
});

const bare: readonly (readonly [string, StateCategory])[] = [
  ["Icebox", "backlog"],
  ["Todo", "unstarted"],
  ["Doing", "started"],
  ["Shipped", "completed"],
  ["Dropped", "canceled"],
];

test("on a board without our names nothing is released by a drag; a label releases, and cards go by category", async () => {
  play = await openLinearWorld({ states: bare });
  const issue = card();
  play.bob.drag(issue, "Todo");
  play.bob.drag(issue, "Doing");
  await play.settled();
  expect(await play.stateOfCard(issue)).toBeUndefined();
  expect(play.column(issue)).toBe("Doing");
  play.bob.label(issue, "agent-ready");
  await play.untilCard(issue, "In Review");
  await play.settled();
  expect(play.column(issue)).toBe("Doing");
  play.ann.drag(issue, "Todo");
  await play.settled();
  expect(play.column(issue)).toBe("Doing");
  expect(await play.stateOfCard(issue)).toBe("In Review");
  play.bob.drag(issue, "Icebox");
  await play.untilCard(issue, "Backlog");
  await play.settled();
  // Another build that changed nothing would be none.
  play.scenes([
    { role: "build", steps: [usage, { run: "echo again >> src/done.txt" }, { done: "wrote it again" }] },
  ]);
  play.bob.unlabel(issue, "agent-ready");
  play.bob.label(issue, "agent-ready");
  await play.untilCard(issue, "In Review");
  play.bob.drag(issue, "Dropped");
  await play.untilCard(issue, "Cancelled");
  await play.settled();
  expect(play.column(issue)).toBe("Dropped");
});

test("moves that nobody told of are found by the scan: a release counts, that of a changed text does not, old consent is no consent", async () => {
  play = await openLinearWorld();
  const { courier } = play.linear;
  const unheard = async (moves: () => void): Promise<void> => {
    courier.deliver = () => [];
    moves();
    await courier.idle();
    courier.deliver = undefined;
    await play.forgehand.stop(0);
    await play.start();
  };
  const [issue, edited, refused] = [card(), card(), card()];
  await play.settled();
  await unheard(() => {
    for (const one of [issue, edited]) play.bob.drag(one, "Ready for Dev");
    play.ann.edit(edited, { description: "Something else." });
    play.ann.drag(refused, "Ready for Dev");
  });
  await play.untilCard(issue, "In Review");
  await play.settled();
  for (const one of [edited, refused]) {
    expect(play.column(one)).toBe("Backlog");
    expect(await play.forgehand.store.sessionsOf(play.idOf(one))).toEqual([]);
  }
  expect(notices(refused)[0]).toContain("connect one in Linear's settings");
  await unheard(() => play.bob.drag(issue, "Merging"));
  await play.settled();
  expect(await play.stateOfCard(issue)).toBe("In Review");
  expect(play.column(issue)).toBe("In Review");
  expect(notices(issue)[0]).toContain("so move it again if you still want to");
});
