/** A change cannot hide from those who must see it, nor bring along what they were not shown. */
import { execFileSync } from "node:child_process";
import { afterEach, expect, test } from "vitest";
import { openWorld, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

// Put together here, so that no scanner takes this file for a leak.
const secret = `ghp_${"aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD3fG6"}`;
const released = (): number => {
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  world.people.label(issue, "agent-ready", "bob");
  return issue;
};
const builder = (command: string) => ({
  role: "build",
  steps: [usage, { run: command }, { done: "wrote it" }],
});

test.each([
  ["attributes that call it binary", `echo '* -diff' > .gitattributes; echo "${secret}" > key.txt`],
  ["a NUL byte", `printf 'a\\000b\\n${secret}\\n' > key.txt`],
  ["a megabyte of words", `(yes words | head -c 1500000; echo "${secret}") > key.txt`],
])("a credential behind %s is found, and nothing is published", async (_how, command) => {
  world = await openWorld({ scenes: [builder(command)] });
  const { people, repo } = world;
  const issue = released();
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect([...repo.branches.keys()]).toEqual(["main"]);
  const said = people.thread(issue).comments.find(({ body }) => body.includes("I stopped"))?.body;
  expect(said).toContain("key.txt");
});

test("what an agent committed and took back, and what it said with it, never leaves this host", async () => {
  const git = "git -c user.name=eve -c user.email=eve@example.com";
  const words = "Fixes #1\n\nCo-authored-by: eve <eve@example.com>\n[skip ci]";
  world = await openWorld({
    scenes: [
      builder(
        `mkdir -p src; echo "${secret}" > src/key.txt; git add -A; ${git} commit -q -m '${words}'; ` +
          `git rm -q src/key.txt; mkdir -p src; echo done > src/done.txt; git add -A; ${git} commit -q -m 'Closes #1'`,
      ),
    ],
  });
  await world.untilState(released(), "In Review");
  await world.settled();
  const branch = [...world.repo.branches.keys()].find((name) => name !== "main");
  const argv = ["-C", world.repo.dir, "log", "-p", "--format=fuller", `main..${branch}`];
  const log = execFileSync("git", argv, { encoding: "utf8" });
  expect(log).toContain("Say done");
  for (const word of [secret, "Fixes", "Closes", "eve", "skip ci"]) expect(log).not.toContain(word);
});
