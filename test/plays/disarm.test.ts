/** A merge that the forge was asked for is taken back as soon as it is no longer released, whatever stands in the way. */
import { afterEach, expect, test } from "vitest";
import { maxTries, maxWrites } from "../../src/shell/outbox.ts";
import { openWorld, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const idOf = (issue: number): string => `github:${world.repo.id}#${issue}`;
const isArmed = (pull: number): boolean => world.people.thread(pull).pull?.auto !== undefined;

/** A ticket whose merge the forge will do by itself once the checks are green. */
async function armed(): Promise<{ readonly issue: number; readonly pull: number }> {
  const { people } = world;
  people.protect("main", { checks: ["ci", "forgehand / gate"], approvals: 0 });
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  await people.approve(pull, "bob");
  await world.untilState(issue, "Merging");
  await world.settled();
  expect(isArmed(pull)).toBe(true);
  return { issue, pull };
}

test("a ticket that has used up its writes is disarmed all the same", async () => {
  world = await openWorld();
  const { issue, pull } = await armed();
  const { store } = world.forgehand;
  for (let count = 0; count < maxWrites; count += 1) await store.countWrite(idOf(issue), "writes");
  await world.people.requestChanges(pull, "ada", "Do not merge.");
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(isArmed(pull)).toBe(false);
});

test("disarming is tried for as long as the forge cannot be reached", async () => {
  world = await openWorld();
  const { issue, pull } = await armed();
  const { store, shop } = world.forgehand;
  const real = shop.forge.disarm.bind(shop.forge);
  let left = maxTries + 5;
  Object.assign(shop.forge, {
    disarm: async (...args: Parameters<typeof real>) => {
      left -= 1;
      if (left > 0) throw new Error("502");
      await real(...args);
    },
  });
  world.people.comment(issue, "bob", "/forgehand stop");
  await world.untilState(issue, "Blocked");
  await world.until("disarmed", async () => {
    for (const sending of await store.sendable(Number.MAX_SAFE_INTEGER, 100))
      if (sending.ticket === idOf(issue)) await store.snooze(sending, 0, "hurried");
    shop.poke("outbox");
    const effects = await store.effectsOf(idOf(issue));
    return effects.some(({ type, state }) => type === "merge.disarm" && state !== "new");
  });
  await world.settled();
  expect(isArmed(pull)).toBe(false);
});
