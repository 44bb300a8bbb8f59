/** GitHub's news without a public URL: read from its log, or through a channel of somebody else's. */
import { afterEach, expect, test } from "vitest";
import { pulledHookUrl } from "../../src/config-feed.ts";
import { openWorld, type World } from "../world.ts";
import { openChannel, type Channel } from "./smee-channel.ts";

let world: World;
let channel: Channel | undefined;
afterEach(async () => {
  await world.close();
  await channel?.close();
  channel = undefined;
});

async function walk(): Promise<number> {
  const { people } = world;
  const issue = people.openIssue({
    by: "bob",
    title: "Say done",
    body: "Write src/done.txt with the word done.",
  });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await people.approve(await world.pullOf(issue), "bob");
  await world.untilState(issue, "Done");
  await world.settled();
  expect(await people.file("main", "src/done.txt")).toBe("done\n");
  return issue;
}

test("a whole ticket is merged with no webhook delivered, and a ticket of the night is caught up", async () => {
  world = await openWorld({ environment: { feed: { is: "pull", everyMs: 50 } } });
  world.hub.courier.target(pulledHookUrl);
  await walk();
  expect(world.hub.state.deliveries.length).toBeGreaterThan(5);
  expect(world.hub.state.deliveries.every(({ status }) => status === 0)).toBe(true);
  // Nobody listens, as while a laptop sleeps.
  await world.forgehand.stop(0);
  const night = world.people.openIssue({ by: "bob", title: "Say more", body: "Write src/done.txt." });
  world.people.label(night, "agent-ready", "bob");
  await world.hub.courier.idle();
  await world.start();
  world.hub.courier.target(pulledHookUrl);
  await world.until("the ticket of the night is released", () => {
    const released = world.steps.filter(({ event }) => event === "ready.granted");
    return released.length === 2;
  });
});

test("beside webhooks that arrive, now and then twice, nothing happens twice", async () => {
  world = await openWorld({ environment: { feed: { is: "pull", everyMs: 50 } } });
  let nth = 0;
  world.hub.courier.deliver = (delivery) => [[delivery], [delivery, delivery], []][(nth += 1) % 3] ?? [];
  const issue = await walk();
  const rows = world.steps.filter(({ event }) => event === "ready.granted");
  expect(rows).toHaveLength(1);
  expect(world.people.thread(issue).reactions).toHaveLength(1);
});

test("through a Smee channel that forgets and is lied to, a ticket is merged all the same", async () => {
  channel = await openChannel();
  world = await openWorld({ environment: { feed: { is: "smee", url: channel.url, everyMs: 2_000 } } });
  await channel.heard();
  world.hub.courier.target(channel.url);
  channel.post({
    "x-github-event": "issues",
    "x-github-delivery": "forged-1",
    "x-hub-signature-256": `sha256=${"0".repeat(64)}`,
    body: { action: "labeled" },
  });
  channel.post({ hello: "anybody" });
  // What is posted while nobody listens the channel forgets, and GitHub counts it as delivered.
  let nth = 0;
  channel.drops = () => (nth += 1) % 4 === 0;
  await walk();
  expect(channel.posted).toBeGreaterThan(4);
  expect((await world.forgehand.store.knownItems(["forged-1"])).size).toBe(0);
});
