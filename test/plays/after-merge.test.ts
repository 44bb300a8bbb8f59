/** A merge that breaks the base is taken back by a ticket of its own; an innocent one never is. */
import { afterEach, expect, test } from "vitest";
import { openClone } from "../../src/adapters/git/clone-reader.ts";
import { verifyCertificate } from "../../src/certificate/verify.ts";
import { madeByGit } from "../../src/review/pairing.ts";
import { certified, cloneOf, fed, ledgerLines } from "../certificate/merged.ts";
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
    // First of all: what is hurried says so, and no longer what it found.
    if (await fact()) return true;
    for (const sending of await store.sendable(Number.MAX_SAFE_INTEGER, 100))
      if (sending.effect.type === "base.watch") await store.snooze(sending, 0, "hurried");
    shop.poke("outbox");
    return false;
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
  // And the merge of what no model made can be proved like any other.
  await world.settled();
  const merge = await certified(world, revert);
  expect(merge.certificate.builders).toEqual([madeByGit]);
  const clone = await openClone(await cloneOf(world, "clone"), process.env["PATH"] ?? "");
  if (clone === undefined) throw new Error("no clone");
  try {
    const sources = { clone, ledger: fed(await ledgerLines(world)), anchors: [] };
    expect((await verifyCertificate(merge, sources)).faults).toEqual([]);
  } finally {
    await clone.close();
  }
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

test("a job of GitHub Actions is run again as well before it convicts a merge", async () => {
  world = await openWorld();
  await world.people.job(tip(), "ci", "success");
  const { issue, merge } = await merged("Say done", "src/done.txt");
  await world.people.job(merge, "ci", "failure", "no answer from the registry\n");
  const runs = () => world.repo.checkRuns.filter(({ head, name }) => head === merge && name === "ci");
  await lookUntil("it is run again", () => runs().length === 2);
  await world.people.job(merge, "ci", "success");
  const isWatched = "watches the checks of the base";
  await lookUntil("it is well again", async () => (await watchOf(issue))?.note === isWatched);
  expect(ourIssues()).toEqual([]);
  expect(await world.stateOf(issue)).toBe("Done");
});

test("what the label alone has armed is stopped when a merge of the same paths turns out to have broken the base", async () => {
  world = await openWorld({
    scenes: [builds("Say one", "src/one.txt"), builds("Say two", "src/one.txt")],
  });
  const { people } = world;
  await people.check(tip(), "ci", "success");
  const one = await merged("Say one", "src/one.txt");
  people.protect("main", { checks: ["ci", "forgehand / gate"], approvals: 0 });
  const two = people.openIssue({ by: "bob", title: "Say two", body: "Write src/one.txt." });
  people.label(two, "auto-merge", "bob");
  people.label(two, "agent-ready", "bob");
  await world.untilState(two, "Merging");
  const pull = await world.pullOf(two);
  await world.until("armed", () => people.thread(pull).pull?.auto !== undefined);
  await people.status(one.merge, "ci", "failure");
  await lookUntil("a ticket takes it back", () => ourIssues().length === 1);
  await world.untilState(two, "Blocked");
  await world.until("disarmed", () => people.thread(pull).pull?.auto === undefined);
  await world.settled();
  expect(words(two)).toContain("auto-merge is suspended for what acme/web#");
});

test("what a reopened ticket's merge changed is suspended all the same", async () => {
  world = await openWorld({ scenes: [builds("Say one", "src/one.txt")] });
  await world.people.check(tip(), "ci", "success");
  const { issue, merge } = await merged("Say one", "src/one.txt");
  world.people.reopenIssue(issue, "bob");
  await world.untilState(issue, "Backlog");
  await world.settled();
  await world.people.status(merge, "ci", "failure");
  await lookUntil("a ticket takes it back", () => ourIssues().length === 1);
  expect(await world.forgehand.store.suspensionsOf(world.repo.id)).toMatchObject([
    { merge, paths: ["src/one.txt"] },
  ]);
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

test("what was reviewed before its paths were suspended stops, and the way out that is named is one", async () => {
  const path = "src/one.txt";
  world = await openWorld({ scenes: [builds("Say one", path), builds("Say it early", path)] });
  const { people } = world;
  await people.check(tip(), "ci", "success");
  const { issue, merge } = await merged("Say one", path);
  const early = people.openIssue({ by: "bob", title: "Say it early", body: `Write ${path}.` });
  people.label(early, "agent-ready", "bob");
  await world.untilState(early, "In Review");
  await world.settled();
  await people.status(merge, "ci", "failure");
  await lookUntil("reopened", async () => (await world.stateOf(issue)) === "Backlog");
  people.label(early, "auto-merge", "bob");
  await world.untilState(early, "Blocked");
  await world.settled();
  expect(words(early)).toContain(`auto-merge is suspended for what acme/web#${issue} changed`);
  expect(words(early)).toContain(
    "lift that with `forgehand resume-automerge acme/web`; then comment `/forgehand retry`",
  );
  await people.approve(await world.pullOf(early), "bob");
  people.comment(early, "bob", "/forgehand retry");
  await world.untilState(early, "Done");
});
