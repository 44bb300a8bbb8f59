/** Two tickets change the same line: the second settles it with what the first left on the default branch. */
import { afterEach, expect, test } from "vitest";
import { openWorld, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const builds = (prompt: string, ...steps: readonly object[]) => ({
  role: "build",
  prompt,
  steps: [usage, ...steps, { done: prompt }],
});
const writes = (text: string) => ({ write: { path: "src/words.txt", text } });

async function released(title: string): Promise<number> {
  const { people } = world;
  const issue = people.openIssue({ by: "bob", title, body: "Write src/words.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  return issue;
}
const approved = async (issue: number): Promise<void> =>
  world.people.approve(await world.pullOf(issue), "bob");

/** One ticket merged, the other in conflict with it. */
async function inConflict(): Promise<number> {
  const first = await released("Say one");
  const second = await released("Say two");
  await approved(first);
  await world.untilState(first, "Done");
  await world.settled();
  await approved(second);
  await world.until("refused", () => world.steps.some(({ event }) => event === "merge.refused"));
  return second;
}

test("a branch that conflicts with its base is merged with it, settled by the builder, reviewed and merged", async () => {
  world = await openWorld({
    scenes: [
      // Only what git leaves of a conflict is there to be settled.
      builds("conflicts with its base", {
        run: "sed -i '/^[<=>]\\{7\\}/d' src/words.txt && test \"$(sort src/words.txt)\" = \"$(printf 'one\\ntwo')\"",
      }),
      builds("Say one", writes("one\n")),
      builds("Say two", writes("two\n")),
    ],
  });
  const second = await inConflict();
  await world.until(
    "reviewed again",
    () => world.steps.filter(({ event }) => event === "review.passed").length === 3,
  );
  await world.untilState(second, "In Review");
  await world.settled();
  await approved(second);
  await world.untilState(second, "Done");
  const words = await world.people.file("main", "src/words.txt");
  expect(words.split("\n").toSorted()).toEqual(["", "one", "two"]);
});

test("a builder that leaves the conflict as it is publishes none of it, and the ticket says so", async () => {
  world = await openWorld({
    scenes: [
      builds("conflicts with its base"),
      builds("Say one", writes("one\n")),
      builds("Say two", writes("two\n")),
    ],
  });
  const second = await inConflict();
  const before = world.people.thread(await world.pullOf(second)).pull?.head;
  await world.untilState(second, "Blocked");
  await world.settled();
  expect(world.people.thread(await world.pullOf(second)).pull?.head).toBe(before);
  const said = world.people
    .thread(second)
    .comments.map(({ body }) => body)
    .join("\n");
  expect(said).toContain("src/words.txt");
});
