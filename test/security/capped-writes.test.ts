/** Nothing we do to the forge goes on for ever: tries end, and all writes of a ticket are counted and capped. */
import { afterEach, expect, test } from "vitest";
import { maxTries, maxWrites } from "../../src/shell/outbox.ts";
import { openWorld, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const released = (): number => {
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  world.people.label(issue, "agent-ready", "bob");
  return issue;
};
const idOf = (issue: number): string => `github:${world.repo.id}#${issue}`;
/** Waits behind a backoff as if its time had come. */
const hurry = async (issue: number): Promise<void> => {
  for (const sending of await world.forgehand.store.sendable(Number.MAX_SAFE_INTEGER, 100))
    if (sending.ticket === idOf(issue)) await world.forgehand.store.snooze(sending, 0, "hurried");
  world.forgehand.shop.poke("outbox");
};
const said = (issue: number): string =>
  world.people
    .thread(issue)
    .comments.map(({ body }) => body)
    .find((body) => body.includes("I stopped")) ?? "";

test("an effect that fails for ever is tried so often and no more, and the ticket says so", async () => {
  world = await openWorld();
  const { hub } = world;
  hub.fail({ method: "POST", path: /\/pulls$/, status: 422, message: "no", times: 10_000 });
  const issue = released();
  await world.until("given up", async () => {
    await hurry(issue);
    return (await world.stateOf(issue)) === "Blocked";
  });
  await world.settled();
  expect(said(issue)).not.toBe("");
  const tries = hub.state.faults.reduce((sum, { times }) => sum + (10_000 - times), 0);
  expect(tries).toBeLessThanOrEqual(maxTries * 4);
});

test("writes since a person last acted are capped, the ticket stops with words, and a person lets it go on", async () => {
  world = await openWorld({
    scenes: [
      {
        role: "build",
        steps: [usage, { sleep: 1_000 }, { write: { path: "src/done.txt", text: "done\n" } }, { done: "ok" }],
      },
    ],
  });
  const { store } = world.forgehand;
  const issue = released();
  await world.untilState(issue, "In Progress");
  // As if a loop had written until now; one more is one too many.
  for (let count = 0; count < maxWrites; count += 1) await store.countWrite(idOf(issue), "writes");
  await world.untilState(issue, "Blocked");
  await world.settled();
  const lines = await store.linesOf(idOf(issue));
  const why = lines.flatMap(({ event }) => (event.type === "effect.failed" ? [event.why] : [])).join("\n");
  expect(why).toContain(`${maxWrites} external writes`);
  const calls = (): number =>
    world.hub.state.calls.filter(({ path }) => !path.includes("access_tokens")).length;
  const before = calls();
  await hurry(issue);
  await world.settled();
  expect(calls() - before).toBeLessThan(5);
  expect(said(issue)).toContain("external writes");
  expect(world.people.thread(issue).labels.has("harness-blocked")).toBe(true);
  world.people.comment(issue, "bob", "/forgehand retry");
  await world.untilState(issue, "In Review");
});
