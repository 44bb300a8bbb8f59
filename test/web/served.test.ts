/** The pages on the host over a real forgehand on the simulated forge. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDashboard } from "../../src/shell/dashboard.ts";
import { healthOrders } from "../../src/shell/pages/health.ts";
import { repositoryOrders } from "../../src/shell/pages/repositories.ts";
import { webhookOrders } from "../../src/shell/pages/webhooks.ts";
import { openWorld, type World } from "../world.ts";
import { operator } from "./host-stage.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());
const all = { source: "github", name: undefined, state: undefined, ticket: undefined, before: undefined };

test("a delivery is asked for again at the forge, arrives, and is a repeat", async () => {
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  world.people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  const { shop } = world.forgehand;
  const page = await openDashboard(shop).webhooks.list(operator, all);
  const labelled = page?.rows.find(({ action }) => action === "labeled");
  expect(labelled?.about).toBe(`acme/web#${issue}`);
  const before = world.hub.state.deliveries.length;
  expect(await webhookOrders(shop).redeliver(operator, labelled?.id ?? "")).toEqual({ is: "asked" });
  expect(world.hub.state.deliveries.length).toBe(before + 1);
  const missing = "00000000-0000-4000-8000-000000000000";
  expect(await webhookOrders(shop).redeliver(operator, missing)).toEqual({ is: "forgotten" });
});

test("the host tells its loops, lease, runtimes, disk and how much it may spend", async () => {
  const { shop } = world.forgehand;
  await shop.host?.runtimes.again();
  await shop.host?.disk.again();
  const view = await openDashboard(shop).health.view(operator);
  expect(view?.loops.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["intake", "outbox", "schedule", "timers", "reconcile"]),
  );
  expect(view?.loops.filter(({ trouble }) => trouble !== undefined)).toEqual([]);
  expect(view?.lease?.pid).toBe(process.pid);
  expect(view?.runtimes?.map(({ name }) => name).toSorted()).toEqual(["claude-code", "codex"]);
  expect(view?.disk?.databaseBytes).toBeGreaterThan(0);
  expect(await healthOrders(shop).capDay(operator, 7, shop.limits.dayStopUsd)).toBe("done");
  expect(shop.limits.dayStopUsd).toBe(7);
});

test("a repository is looked at through the forge: its labels, and whether anything can be merged", async () => {
  const { shop, store } = world.forgehand;
  const [repo] = await store.knownRepos();
  const id = repo?.id ?? 0;
  expect(await repositoryOrders(shop).resync(operator, id)).toEqual({ is: "done" });
  const page = await openDashboard(shop).repositories.one(operator, id);
  expect(page?.looked?.merging).toBeDefined();
  expect(page?.autoMerge).not.toBe("unknown");
  expect(page?.values.find(({ key }) => key === "version")?.from).toBeDefined();
});

test("an item that was set aside is read again by whoever serves", async () => {
  const { shop, store } = world.forgehand;
  const body = JSON.stringify({ zen: "Keep it simple" });
  await store.receive({ id: "odd", source: "github", name: "ping", body, receivedAt: 1 });
  const seq = await store.newestItem();
  await store.parkItem(seq, "repo:1", "it could not be read", 2);
  expect(await webhookOrders(shop).reread(operator, "odd")).toBe("done");
  await expect
    .poll(async () => {
      const item = await openDashboard(shop).webhooks.item(operator, "odd");
      return typeof item === "object" ? item.state : item;
    })
    .toBe("ignored");
});
