/** A merge that breaks the base is taken back by a ticket of its own; an innocent one never is. */
import { afterEach, expect, test } from "vitest";
import { openWorld, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const idOf = (issue: number): string => `github:${world.repo.id}#${issue}`;
const tip = (): string => world.repo.branches.get("main") ?? "";
const words = (issue: number): string =>
  world.people
    .thread(issue)
    .comments.map(({ body }) => body)
    .join("\n");
const ourIssues = () =>
  [...world.repo.threads.values()].filter(({ pull, by }) => pull === undefined && by === "forgehand[bot]");

async function merged(
  title: string,
  path: string,
): Promise<{ readonly issue: number; readonly merge: string }> {
  const { people } = world;
  const issue = people.openIssue({ by: "bob", title, body: `Write ${path}.` });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  await people.approve(await world.pullOf(issue), "bob");
  await world.untilState(issue, "Done");
  await world.settled();
  return { issue, merge: tip() };
}
/** The watch looks again now, not in a minute. */
async function lookUntil(what: string, fact: () => boolean | Promise<boolean>): Promise<void> {
  const { store, shop } = world.forgehand;
  await world.until(what, async () => {
    for (const sending of await store.sendable(Number.MAX_SAFE_INTEGER, 100))
      if (sending.effect.type === "base.watch") await store.snooze(sending, 0, "hurried");
    shop.poke("outbox");
    return await fact();
  });
}
const watchOf = async (issue: number) =>
  (await world.forgehand.store.effectsOf(idOf(issue))).find(({ type }) => type === "base.watch");
const builds = (prompt: string, path: string) => ({
  role: "build",
  prompt,
  steps: [{ write: { path, text: `${prompt}\n` } }, { done: prompt }],
});

test("of two merges the one on which a check turns red twice is taken back by git, reviewed, and lands by label", async () => {
  world = await openWorld({ scenes: [builds("Say one", "src/one.txt"), builds("Say two", "src/two.txt")] });
  await world.people.check(tip(), "ci", "success");
  const one = await merged("Say one", "src/one.txt");
  const two = await merged("Say two", "src/two.txt");
  await world.people.check(one.merge, "ci", "failure");
  await world.people.check(two.merge, "ci", "failure");
  const runs = () => world.repo.checkRuns.filter(({ head, name }) => head === one.merge && name === "ci");
  await lookUntil("it is run again", () => runs().length === 2);
  expect(ourIssues()).toEqual([]);
  await world.people.check(one.merge, "ci", "failure");
  await lookUntil("a ticket takes it back", () => ourIssues().length === 1);
  const [issue] = ourIssues();
  const revert = issue?.number ?? 0;
  await world.untilState(one.issue, "Backlog");
  await world.untilState(revert, "In Review");
  await lookUntil("the other is innocent", async () => (await watchOf(two.issue))?.state === "done");
  await world.settled();
  // Evidence for people, and the issue open again.
  expect(words(one.issue)).toContain(`#${revert} takes it back`);
  expect(words(one.issue)).toContain(one.merge);
  expect(world.people.thread(one.issue).state).toBe("open");
  expect(await world.stateOf(two.issue)).toBe("Done");
  expect(await world.forgehand.store.suspensionsOf(world.repo.id)).toMatchObject([
    { merge: one.merge, paths: ["src/one.txt"] },
  ]);
  // Nobody but git wrote it, and it waits for a person.
  const sessions = await world.forgehand.store.sessionsOf(idOf(revert));
  expect(sessions.map(({ role }) => role)).not.toContain("build");
  expect(sessions.map(({ role }) => role)).toContain("review");
  world.people.label(revert, "auto-merge", "bob");
  await world.untilState(revert, "Done");
  await expect(world.people.file("main", "src/one.txt")).rejects.toThrow();
  expect(await world.people.file("main", "src/two.txt")).toContain("Say two");
});

test("a check that passes when run again, or was red before, takes nothing back", async () => {
  world = await openWorld();
  await world.people.check(tip(), "ci", "success");
  await world.people.check(tip(), "old", "failure");
  const { issue, merge } = await merged("Say done", "src/done.txt");
  await world.people.check(merge, "old", "failure");
  await world.people.check(merge, "ci", "failure");
  const runs = () => world.repo.checkRuns.filter(({ head, name }) => head === merge && name === "ci");
  await lookUntil("it is run again", () => runs().length === 2);
  await world.people.check(merge, "ci", "success");
  await lookUntil("the watch is over", async () => (await watchOf(issue))?.state === "done");
  expect(ourIssues()).toEqual([]);
  expect(await world.stateOf(issue)).toBe("Done");
});

test("what broke the base takes a person from then on, until a person lifts that", async () => {
  const again = {
    role: "build",
    steps: [{ write: { path: "src/one.txt", text: "better\n" } }, { done: "Better." }],
  };
  const last = {
    role: "build",
    steps: [{ write: { path: "src/one.txt", text: "best\n" } }, { done: "Best." }],
  };
  world = await openWorld({
    scenes: [
      builds("Say one", "src/one.txt"),
      { ...again, prompt: "Say it better" },
      { ...last, prompt: "Say it best" },
    ],
  });
  await world.people.check(tip(), "ci", "success");
  const { issue, merge } = await merged("Say one", "src/one.txt");
  await world.people.status(merge, "ci", "failure");
  await lookUntil("reopened", async () => (await world.stateOf(issue)) === "Backlog");
  const alone = (title: string): number => {
    const opened = world.people.openIssue({ by: "bob", title, body: "Write src/one.txt." });
    for (const label of ["auto-merge", "agent-ready"]) world.people.label(opened, label, "bob");
    return opened;
  };
  const better = alone("Say it better");
  await world.untilState(better, "In Review");
  await world.settled();
  expect(words(better)).toContain("`src/one.txt` is a protected path");
  await world.forgehand.store.resumeAutoMerge(world.repo.id);
  await world.untilState(alone("Say it best"), "Done");
  expect(await world.stateOf(better)).toBe("In Review");
});

test("where no check tells which commit it was, a person is told, and nothing is taken back", async () => {
  world = await openWorld();
  await world.people.check(tip(), "ci", "success");
  const theirs = await world.people.push("main", "ada", { "x.txt": "x\n" });
  const { issue, merge } = await merged("Say done", "src/done.txt");
  await world.people.check(merge, "ci", "failure");
  await lookUntil("the watch is over", async () => (await watchOf(issue))?.state === "done");
  expect(words(issue)).toContain(theirs);
  expect(ourIssues()).toEqual([]);
});

test("what others built on it since is not torn out: the revert stops for a person", async () => {
  world = await openWorld({ scenes: [builds("Say one", "src/one.txt")] });
  await world.people.check(tip(), "ci", "success");
  const { merge } = await merged("Say one", "src/one.txt");
  await world.people.push("main", "ada", { "src/one.txt": "Say one and more\n" });
  await world.people.status(merge, "ci", "failure");
  await lookUntil("a ticket takes it back", () => ourIssues().length === 1);
  const revert = ourIssues()[0]?.number ?? 0;
  await world.untilState(revert, "Blocked");
  await world.settled();
  expect(words(revert)).toContain("src/one.txt");
  expect(await world.people.file("main", "src/one.txt")).toContain("and more");
});

test("an answer lost in the middle, again and again: one issue, one suspension, one release", async () => {
  world = await openWorld({ scenes: [builds("Say one", "src/one.txt")] });
  await world.people.check(tip(), "ci", "success");
  const { issue, merge } = await merged("Say one", "src/one.txt");
  // Made, and nobody hears of it: the issue, its label, the notice.
  for (const path of [/\/issues$/, /\/issues\/\d+\/labels$/, /\/issues\/\d+\/comments$/])
    world.hub.fail({ method: "POST", path, status: 502, after: true });
  await world.people.status(merge, "ci", "failure");
  await lookUntil("reopened", async () => (await world.stateOf(issue)) === "Backlog");
  const revert = ourIssues()[0]?.number ?? 0;
  await world.untilState(revert, "In Review");
  await world.settled();
  expect(ourIssues()).toHaveLength(1);
  expect(await world.forgehand.store.suspensionsOf(world.repo.id)).toHaveLength(1);
  expect(words(issue).split("The merge broke the base")).toHaveLength(2);
  const lines = await world.forgehand.store.linesOf(idOf(revert));
  expect(lines.filter(({ event }) => event.type === "ready.granted")).toHaveLength(1);
});
