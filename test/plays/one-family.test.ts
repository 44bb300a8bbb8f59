/** A configuration that would let one family judge its own work: the review has no verdict, and says why. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openWorld, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const quick = "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0 }\n";
const released = (): number => {
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  for (const label of ["auto-merge", "agent-ready"]) world.people.label(issue, label, "bob");
  return issue;
};
const words = (issue: number): string =>
  world.people
    .thread(issue)
    .comments.map(({ body }) => body)
    .join("\n");

test("both roles given to one runtime", async () => {
  world = await openWorld({ config: `${quick}runtime: { roles: { build: codex, review: codex } }\n` });
  const issue = released();
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(words(issue)).toContain("the reviewer `codex` runs openai models, as the builder did");
});

test("the builder's runtime made the reviewer while it builds", async () => {
  world = await openWorld();
  const { people, dir } = world;
  const go = join(dir, "go");
  world.scenes([
    {
      role: "build",
      steps: [
        usage,
        { run: `until test -e ${go}; do sleep 0.05; done` },
        { write: { path: "src/done.txt", text: "done\n" } },
        { done: "wrote it" },
      ],
    },
  ]);
  const issue = released();
  await world.untilState(issue, "In Progress");
  await people.push("main", "ada", {
    ".github/forgehand.yml": `${quick}runtime: { roles: { review: claude-code } }\n`,
  });
  await world.hub.courier.idle();
  await world.until("it is read", async () => (await world.forgehand.store.unread(0, 1)).length === 0);
  writeFileSync(go, "");
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(words(issue)).toContain("the reviewer `claude-code` runs anthropic models, as the builder did");
  expect(await sessionsOf(issue)).toEqual([]);
});

const sessionsOf = async (issue: number) =>
  (await world.forgehand.store.sessionsOf(`github:${world.repo.id}#${issue}`)).filter(
    ({ role }) => role === "review",
  );
