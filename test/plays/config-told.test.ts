/** What is wrong with a configuration is told on its line and in one issue, until it is right. */
import { afterEach, expect, test } from "vitest";
import { peopleOn } from "../../src/simulator/hub/people.ts";
import { openWorld, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const file = ".github/forgehand.yml";
const quick = "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0 }\n";
const save = async (files: Readonly<Record<string, string>>): Promise<string> => {
  await world.people.push("main", "ada", files);
  await world.settled();
  return world.repo.branches.get("main") ?? "";
};
const ourIssues = () =>
  [...world.repo.threads.values()].filter(({ pull, by }) => pull === undefined && by === "forgehand[bot]");
const checkOn = (head: string) =>
  world.repo.checkRuns.findLast((run) => run.head === head && run.name === "forgehand / config");
const remarks = (head: string): readonly unknown[] => checkOn(head)?.annotations ?? [];
const known = async () => await world.forgehand.store.repoById(world.repo.id);
const rules = async () => {
  const repo = await known();
  if (repo === undefined) throw new Error("the repository is unknown");
  return world.forgehand.shop.rulesOf(repo);
};

test("a fault opens one issue and a red check on its line, is edited as it changes, and both end when it is right", async () => {
  world = await openWorld({ config: quick });
  await world.settled();
  const first = world.repo.branches.get("main") ?? "";
  expect([ourIssues(), checkOn(first)]).toEqual([[], undefined]);

  const wrong = await save({ [file]: `${quick}review:\n  max_round: 3\n` });
  const [issue] = ourIssues();
  expect(issue).toMatchObject({ title: "Action required: correct forgehand's configuration", state: "open" });
  expect(issue?.body).toContain(`[${file}:4:3](`);
  expect(issue?.body).toContain(`blob/${wrong}/${file}#L4`);
  expect(issue?.body).toContain("`max_files`");
  expect(checkOn(wrong)).toMatchObject({ conclusion: "failure" });
  expect(remarks(wrong)).toMatchObject([{ path: file, start_line: 4, annotation_level: "failure" }]);
  expect((await rules()).soundAt).toBe(first);

  const worse = await save({ [file]: `${quick}merge_: {}\nreview:\n  max_round: 3\n` });
  expect(ourIssues()).toHaveLength(1);
  expect(ourIssues()[0]?.body).toContain("2 things are wrong");
  expect(remarks(worse)).toHaveLength(2);

  const right = await save({ [file]: `${quick}review:\n  max_files: 3\n` });
  expect(checkOn(right)).toMatchObject({ conclusion: "success" });
  expect(ourIssues()).toMatchObject([{ state: "closed" }]);
  const said = world.people.thread(issue?.number ?? 0).comments.map(({ body }) => body);
  expect(said).toHaveLength(1);
  expect(said[0]).toContain("right again");
  expect((await rules()).config.review.max_files).toBe(3);

  // Another fault is another issue; where the App died in between, the telling is only repeated.
  await save({ [file]: "- a list\n" });
  const { store } = world.forgehand;
  const { toldSince } = (await known()) ?? {};
  await store.sendForeign(
    "again",
    { type: "config.tell", repo: world.repo.id, since: toldSince ?? "" },
    Date.now(),
  );
  world.forgehand.shop.poke("outbox");
  await world.settled();
  expect(ourIssues().map(({ state }) => state)).toEqual(["closed", "open"]);
});

test("a pull request is told what it would do to the configuration, and nothing of it counts", async () => {
  world = await openWorld({ config: quick });
  const { people } = world;
  await people.push("tune", "bob", { [file]: `${quick}limits_: {}\n` });
  await people.openPull("tune", "bob");
  await world.settled();
  const tip = world.repo.branches.get("tune") ?? "";
  expect(checkOn(tip)).toMatchObject({ conclusion: "failure" });
  expect(remarks(tip)).toMatchObject([{ path: file, start_line: 3 }]);
  expect((await rules()).problems).toEqual([]);
  expect(ourIssues()).toEqual([]);
  await people.push("tune", "bob", { [file]: `${quick}review: { strict: true }\n` });
  await world.settled();
  expect(checkOn(world.repo.branches.get("tune") ?? "")).toMatchObject({ conclusion: "success" });
  expect((await rules()).config.review.strict).toBe(false);
});

test("a pull request with a configuration too big to read is told so, and so is one that holds itself", async () => {
  world = await openWorld({ config: quick });
  const { people } = world;
  await people.push("tune", "bob", { [file]: `# ${"x".repeat(1_000_000)}\n` });
  await people.openPull("tune", "bob");
  await world.settled();
  const big = world.repo.branches.get("tune") ?? "";
  expect(checkOn(big)).toMatchObject({ conclusion: "failure" });
  expect(remarks(big)).toMatchObject([
    { path: file, start_line: 1, message: expect.stringContaining("bytes") },
  ]);
  await people.push("tune", "bob", { [file]: "limits: &a { attempts: *a }\n" });
  await world.settled();
  expect(checkOn(world.repo.branches.get("tune") ?? "")).toMatchObject({ conclusion: "failure" });
});

test("what an organisation says holds where a repository says nothing, and follows a push there", async () => {
  world = await openWorld({ config: quick });
  const organisation = await world.hub.seed({
    owner: "acme",
    name: ".github",
    files: { "README.md": "# ours\n" },
  });
  const there = peopleOn(world.hub, organisation);
  there.person("ada", "admin");
  await there.push("main", "ada", {
    ".forgehand.yml": "review: { strict: true }\npaths: { protected: [db/**] }\n",
  });
  await world.settled();
  await save({ [file]: `${quick}extends: .github\npaths: { protected: [api/**] }\n` });
  expect((await rules()).config.review.strict).toBe(true);
  expect((await rules()).config.paths.protected).toEqual(
    expect.arrayContaining(["db/**", "api/**", ".github/**"]),
  );

  await there.push("main", "ada", { ".forgehand.yml": "review: { strict: perhaps }\n" });
  await world.settled();
  const held = await rules();
  expect(held.problems).toEqual([expect.stringContaining("acme/.github:.forgehand.yml:1:11: ")]);
  expect(held.config.review.strict).toBe(true);
  expect(ourIssues()).toHaveLength(1);

  await there.push("main", "ada", { ".forgehand.yml": "review: { max_files: 7 }\n" });
  await world.settled();
  expect((await rules()).problems).toEqual([]);
  expect((await rules()).config.review).toMatchObject({ strict: false, max_files: 7 });
  expect(ourIssues()).toMatchObject([{ state: "closed" }]);
});
