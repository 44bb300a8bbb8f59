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
  const links = () =>
    play.linear.world.tables.Attachment.map(({ url, title, subtitle }) => [
      url.slice(play.hub.url.length),
      title,
      subtitle,
    ]);
  expect(links()).toEqual([
    ["/acme/web/pull/1", "Pull request #1: in review", "acme/web · 1 of 3 review rounds · $0.06 of $25.00"],
    [
      "/acme/web/pull/1/checks",
      expect.stringContaining("forgehand / gate: Reviewed: waits for"),
      expect.stringMatching(/^\$0\.06 of \$25\.00 · .*agent time$/u),
    ],
  ]);
  // A workpad that says something new does not write a link again that says the same.
  const changes = (): readonly number[] =>
    play.linear.world.tables.Attachment.map(({ updatedAt }) => updatedAt);
  const [pad, before] = [play.comments(issue)[0], changes()];
  bob.label(issue, "forgehand:do-not-dispatch");
  await play.until("the workpad tells of the hold", () => play.comments(issue)[0] !== pad);
  await play.settled();
  expect(changes()).toEqual(before);
  const pull = await play.pullOfCard(issue);
  expect(people.thread(pull).title).toBe("Say done (ENG-1)");
  expect(people.thread(pull).body).toContain("Fixes ENG-1");
  expect(people.thread(pull).pull?.headRef).toBe("forgehand/eng-1-say-done");
  await people.approve(pull, "bob");
  await play.untilCard(issue, "Done");
  await play.settled();
  expect(play.column(issue)).toBe("Done");
  expect(await people.file(repo.defaultBranch, "src/done.txt")).toBe("done\n");
  expect(links().map(([, title]) => title)).toEqual(["Pull request #1: merged", "forgehand / gate: Merged"]);
  expect(play.steps.map(({ event }) => event)).toContain("merge.certified");
  // The workpad, which stays one comment, and the notice of the merge.
  expect(play.comments(issue)).toHaveLength(2);
});
