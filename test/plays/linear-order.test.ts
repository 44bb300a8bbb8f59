/** In which order tickets of Linear start: priorities, cycles, what blocks them. */
import { afterEach, expect, test } from "vitest";
import { identifierOf, type SimIssue } from "../../src/simulator/linear/world.ts";
import { openLinearWorld, type LinearWorld } from "../linear-world.ts";

let play: LinearWorld;
afterEach(() => play.close());

const open = (title: string, more: Parameters<LinearWorld["bob"]["open"]>[2] = {}): SimIssue =>
  play.bob.open(play.eng, title, { description: "Write src/done.txt.", ...more });
const startedAt = async (issue: SimIssue): Promise<number | undefined> =>
  (await play.forgehand.store.linesOf(play.idOf(issue))).find(({ event }) => event.type === "slot.granted")
    ?.at;
const orderOf = async (issues: readonly SimIssue[]): Promise<readonly string[]> => {
  const at = await Promise.all(
    issues.map(async (issue) => ({ issue, at: (await startedAt(issue)) ?? Infinity })),
  );
  return at.toSorted((one, other) => one.at - other.at).map(({ issue }) => issue.title);
};
const workpad = (issue: SimIssue): string =>
  play.comments(issue).find((body) => body.includes("Waits for")) ?? "";

test("of those that wait, priority goes first, a label before Linear's own, the current cycle before its like", async () => {
  const config =
    "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0, concurrency: 1 }\npriority: { labels: [P0, P1] }\n";
  play = await openLinearWorld({ environment: { concurrency: 1 }, config });
  const now = Date.now();
  const day = 86_400_000;
  const current = play.linear.cycle(play.eng, { startsAt: now - day, endsAt: now + day });
  const next = play.linear.cycle(play.eng, { startsAt: now + day, endsAt: now + 8 * day });
  play.bob.label(open("The switch"), "forgehand:halt-all");
  await play.until("halted", async () => (await play.forgehand.store.setting("halt-all")) !== undefined);
  const waiting = [
    open("none"),
    open("low", { priority: 4 }),
    open("high in the next cycle", { priority: 2, cycle: next }),
    open("none in this cycle", { cycle: current }),
    open("high in this cycle", { priority: 2, cycle: current }),
    open("urgent", { priority: 1 }),
    open("low by Linear and first by label", { priority: 4 }),
  ];
  play.bob.label(waiting.at(-1) ?? "", "P0");
  play.bob.label("ENG-1", "forgehand:halt-all");
  for (const issue of waiting) play.bob.drag(issue, "Ready for Dev");
  for (const issue of waiting) await play.untilCard(issue, "Ready");
  // Changed while it waits, it counts as it is now.
  const [first] = waiting;
  if (first === undefined) throw new Error("nothing waits");
  play.bob.edit(first, { priority: 3 });
  await play.until(
    "its priority is known",
    async () => (await play.forgehand.store.load(play.idOf(first)))?.priority === 3,
  );
  play.bob.unlabel("ENG-1", "forgehand:halt-all");
  for (const issue of waiting) await play.untilCard(issue, "In Review");
  const order = await orderOf(waiting);
  expect(order.slice(2)).toEqual([
    "high in this cycle",
    "high in the next cycle",
    "none",
    "low",
    "none in this cycle",
  ]);
  expect(order.slice(0, 2).toSorted()).toEqual(["low by Linear and first by label", "urgent"]);
});

test("what blocks a ticket, and its own sub-issues, come first; finished in Linear they free it at once", async () => {
  play = await openLinearWorld();
  const blocker = open("The human's part");
  const waiting = open("Say done");
  play.bob.block(waiting, blocker);
  const child = open("A part of it", { parent: waiting });
  play.bob.drag(waiting, "Ready for Dev");
  await play.untilCard(waiting, "Ready");
  await play.until("it says what it waits for", () => workpad(waiting).includes(identifierOf(blocker)));
  await play.settled();
  expect(workpad(waiting)).toContain(identifierOf(child));
  expect(await startedAt(waiting)).toBeUndefined();
  play.ann.drag(blocker, "Done");
  await play.settled();
  expect(await startedAt(waiting)).toBeUndefined();
  play.ann.drag(child, "Done");
  await play.untilCard(waiting, "In Review");
  // Neither of them is any ticket of ours, and nobody was asked about them.
  for (const issue of [blocker, child]) expect(play.comments(issue)).toEqual([]);
});

test("a ticket of ours frees who waits for it once it is merged", async () => {
  play = await openLinearWorld();
  const first = open("First");
  const second = open("Second");
  play.bob.block(second, first);
  for (const issue of [second, first]) play.bob.drag(issue, "Ready for Dev");
  await play.untilCard(first, "In Review");
  await play.settled();
  expect(await play.stateOfCard(second)).toBe("Ready");
  expect(play.column(second)).toBe("Ready for Dev");
  play.bob.drag(first, "Merging");
  await play.untilCard(first, "Done");
  await play.until("the other starts", async () => (await startedAt(second)) !== undefined);
});
