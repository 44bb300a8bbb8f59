import { afterEach, expect, test } from "vitest";
import { openWorld, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

test("a labelled issue becomes a reviewed, approved and merged pull request", async () => {
  world = await openWorld({ loud: process.env["LOUD"] === "1" ? true : (undefined as never) });
  const { people, repo, hub } = world;
  const issue = people.openIssue({
    by: "bob",
    title: "Say done",
    body: "Write src/done.txt with the word done.",
  });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  expect(people.thread(pull).pull?.draft).toBe(false);
  await people.approve(pull, "bob");
  await world.untilState(issue, "Done");
  await world.settled();
  expect(await people.file("main", "src/done.txt")).toBe("done\n");
  expect(people.thread(issue).state).toBe("closed");
  expect(repo.branches.has(`forgehand/${issue}-say-done`)).toBe(false);
  const workpads = people.thread(issue).comments.filter(({ body }) => body.includes("forgehand workpad"));
  expect(workpads.length).toBe(1);
  expect(
    hub.state.calls.filter(({ method, path }) => method === "POST" && path.endsWith("/pulls")).length,
  ).toBe(1);
  expect(people.thread(issue).reactions.map(({ content }) => content)).toEqual(["eyes"]);
});

test("a repository builds before it tests, and what its commands leave in their home never reaches the branch", async () => {
  world = await openWorld({
    config:
      "commands: { build: 'touch $HOME/built', test: 'test -f $HOME/built && touch $HOME/stray && test -f src/done.txt' }\nmerge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0 }\n",
  });
  const { people, repo } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "auto-merge", "bob");
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "Done");
  await world.settled();
  await expect(people.file("main", "stray")).rejects.toThrow("does not exist");
  expect(repo.threads.size).toBe(2);
});
