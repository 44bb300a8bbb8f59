/** What stood on an issue before forgehand ever heard of it: no delivery tells of that, only a look. */
import { afterEach, expect, test } from "vitest";
import { openWorld, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

/** An issue with these labels, of which no delivery ever told. */
async function unheard(labels: readonly string[]): Promise<number> {
  const { people, hub } = world;
  hub.courier.deliver = () => [];
  const deliveries = hub.state.deliveries.length;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  for (const label of labels) people.label(issue, label, "bob");
  await hub.courier.idle();
  hub.state.deliveries.splice(deliveries);
  hub.courier.deliver = undefined;
  return issue;
}
const idOf = (issue: number): string => `github:${world.repo.id}#${issue}`;

test.each([
  [["forgehand:halt", "agent-ready"]],
  [["agent-ready", "forgehand:halt"]],
  [["forgehand:do-not-dispatch", "agent-ready"]],
  [["agent-ready", "forgehand:do-not-dispatch"]],
])("a first look that finds %s starts nothing", async (labels) => {
  world = await openWorld();
  const issue = await unheard(labels);
  world.forgehand.reconcile();
  await world.settled();
  expect(await world.forgehand.store.sessionsOf(idOf(issue))).toEqual([]);
  const ticket = (await world.forgehand.store.load(idOf(issue)))?.ticket;
  expect(ticket?.halted === true || ticket?.held === true).toBe(true);
});

test("a first look that finds nothing but agent-ready starts the work", async () => {
  world = await openWorld();
  const issue = await unheard(["agent-ready"]);
  world.forgehand.reconcile();
  await world.untilState(issue, "In Review");
});
