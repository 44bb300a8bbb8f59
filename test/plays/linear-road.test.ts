import { afterEach, expect, test } from "vitest";
import { openLinearWorld, type LinearWorld } from "../linear-world.ts";

let world: LinearWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

test("a card moved to Ready for Dev ends in Done with its pull request merged", async () => {
  const play = (world = await openLinearWorld());
  const { bob, eng, people, repo } = play;
  const issue = bob.open(eng, "Say done", { description: "Write src/done.txt." });
  bob.drag(issue, "Ready for Dev");
  await play.untilCard(issue, "In Review");
  await play.settled();
  expect(play.column(issue)).toBe("In Review");
  const pull = await play.pullOfCard(issue);
  expect(people.thread(pull).title).toBe("Say done (ENG-1)");
  expect(people.thread(pull).body).toContain("Fixes ENG-1");
  expect(people.thread(pull).pull?.headRef).toBe("forgehand/eng-1-say-done");
  await people.approve(pull, "bob");
  await play.untilCard(issue, "Done");
  await play.settled();
  expect(play.column(issue)).toBe("Done");
  expect(await people.file(repo.defaultBranch, "src/done.txt")).toBe("done\n");
  expect(play.steps.map(({ event }) => event)).toContain("merge.certified");
  // The workpad, which stays one comment, and the notice of the merge.
  expect(play.comments(issue)).toHaveLength(2);
});
