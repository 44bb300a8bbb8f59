/** Whoever renames the default branch has GitHub point every open pull request at its new name. */
import { afterEach, expect, test } from "vitest";
import { openWorld, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

test("a pull request that followed the renamed default branch is merged into it", async () => {
  world = await openWorld();
  const { people, repo } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  await people.push("trunk", "ada", { "NEWS.md": "renamed\n" });
  Object.assign(repo, { defaultBranch: "trunk" });
  await people.retarget(pull, "ada", "trunk");
  await world.settled();
  expect(await world.stateOf(issue)).toBe("In Review");
  expect((await world.forgehand.store.repoById(repo.id))?.defaultBranch).toBe("trunk");
  await people.approve(pull, "bob");
  await world.untilState(issue, "Done");
  expect(await people.file("trunk", "src/done.txt")).toBe("done\n");
});

test("a pull request that was pointed elsewhere and back again before we looked goes on", async () => {
  world = await openWorld();
  const { people, hub } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  await people.push("other", "ada", { "x.txt": "x\n" });
  await world.settled();
  const held: Parameters<typeof hub.courier.redeliver>[0][] = [];
  hub.courier.deliver = (delivery) => {
    held.push(delivery);
    return [];
  };
  await people.retarget(pull, "ada", "other");
  await people.retarget(pull, "ada", "main");
  await hub.courier.idle();
  hub.courier.deliver = undefined;
  for (const delivery of held) hub.courier.redeliver(delivery);
  await world.settled();
  expect(await world.stateOf(issue)).toBe("In Review");
});
