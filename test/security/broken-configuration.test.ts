/** A slip of the pen in the configuration must not loosen what the one before it demanded. */
import { afterEach, expect, test } from "vitest";
import { openWorld, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());
const path = ".github/forgehand.yml";
const plain = "limits: { feedback_seconds: 0 }\n";
const strict = `${plain}merge: { settle_seconds: 0, after_approval: false }\n`;
const loose = `${plain}merge: { settle_seconds: 0 }\n`;

const reviewed = async (): Promise<number> => {
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  world.people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  return issue;
};

test.each([
  ["an unknown key", `${strict}mergee: {}\n`],
  ["broken YAML", `${strict}paths: [\n`],
  ["a wrong value of the very key", strict.replace("false", "flase")],
])("a configuration with %s leaves the one before it in force, and says so", async (_, broken) => {
  world = await openWorld({ config: strict });
  const { people, forgehand } = world;
  const issue = await reviewed();
  const sound = (await forgehand.store.repoById(world.repo.id))?.configAt ?? "";
  await people.push("main", "ada", { [path]: broken });
  await world.settled();
  expect((await forgehand.store.repoById(world.repo.id))?.config).toBe(broken);
  await people.approve(await world.pullOf(issue), "bob");
  await world.settled();
  expect(await world.stateOf(issue)).toBe("In Review");
  const workpad = people.thread(issue).comments.find(({ body }) => body.includes("forgehand workpad"));
  expect(workpad?.body).toContain(`until then the one of ${sound.slice(0, 7)} stays in force`);
});

test("what is under way goes on under the last sound configuration, and nothing new starts", async () => {
  world = await openWorld({ config: loose });
  const { people } = world;
  const issue = await reviewed();
  await people.push("main", "ada", { [path]: `${strict}paths: [\n` });
  await world.settled();
  const next = people.openIssue({ by: "bob", title: "Say more", body: "Write src/more.txt." });
  people.label(next, "agent-ready", "bob");
  await people.approve(await world.pullOf(issue), "bob");
  await world.untilState(issue, "Done");
  await world.settled();
  expect(await world.stateOf(next)).toBe("Ready");
  await people.push("main", "ada", { [path]: loose });
  await world.until("it starts", async () => (await world.stateOf(next)) !== "Ready");
});
