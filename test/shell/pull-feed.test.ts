/** Hearing GitHub by reading its log: what is told, in which order, how often it is asked. */
import { afterEach, expect, test } from "vitest";
import type { DeliveryLog, RecordedDelivery, RecordedNews } from "../../src/ports-hooks.ts";
import { Trouble } from "../../src/ports.ts";
import { openPullFeed, type PulledDelivery } from "../../src/shell/pull-feed.ts";
import { openReconcile } from "../../src/shell/reconcile.ts";
import { openStand, type Stand } from "./stand.ts";

let stand: Stand;
afterEach(() => stand.close());

const everyMs = 5_000;
const start = 1_000;

/** GitHub's log, with what was asked of it. */
function openLog() {
  const told: (RecordedDelivery & { readonly payload: unknown })[] = [];
  const asked: { readonly since: number; readonly tag: string | undefined }[] = [];
  const fetched: string[] = [];
  const state: { trouble?: Trouble; budget?: RecordedNews["budget"]; failsAt?: string } = {};
  const log: DeliveryLog = {
    since: async (since, tag) => {
      asked.push({ since, tag });
      if (state.trouble !== undefined) throw state.trouble;
      const now = `tag-${told.length}`;
      return {
        deliveries: tag === now ? undefined : told.filter(({ at }) => at >= since),
        tag: now,
        budget: state.budget,
      };
    },
    payload: async (id) => {
      const one = told.find((each) => each.id === id);
      if (one?.guid === state.failsAt) throw new Trouble("github-unavailable", "status 502");
      fetched.push(one?.guid ?? "");
      return one?.payload;
    },
  };
  const tell = (guid: string, at: number, name = "issues", payload: unknown = { action: "labeled" }): void =>
    void told.push({ id: told.length + 1, guid, name, at, payload });
  return { log, tell, asked, fetched, state };
}

async function open() {
  stand = await openStand();
  const forge = openLog();
  const lines: { readonly message: string; readonly fields: object }[] = [];
  const note = (fields: object, message: string): void => void lines.push({ message, fields });
  const shop = { ...stand.shop, log: { info: note, warn: note, error: note } };
  const feed = (): void =>
    stand.start(
      openPullFeed({
        shop,
        log: forge.log,
        everyMs,
        reads: (name) => name === "issues" || name === "push",
        keep: async (delivery: PulledDelivery) => await stand.store.receive(delivery),
      }),
    );
  const heard = async (): Promise<readonly string[]> =>
    (await stand.store.unread(0, 1_000)).map(({ id }) => id);
  return { ...forge, feed, heard, lines };
}

test("each delivery is stored under its guid, oldest first, as a webhook would have brought it", async () => {
  const { tell, feed, heard } = await open();
  tell("a", start);
  tell("b", start + 1, "push", { ref: "refs/heads/main" });
  tell("nobody reads it", start + 2, "star");
  feed();
  await stand.calm();
  expect(await heard()).toEqual(["a", "b"]);
  const [first, second] = await stand.store.unread(0, 10);
  expect(first).toMatchObject({
    source: "github",
    name: "issues",
    action: "labeled",
    body: '{"action":"labeled"}',
  });
  expect(second?.action).toBeUndefined();
});

test("nothing changed costs one conditional question, and no payload is fetched twice", async () => {
  const { tell, feed, heard, asked, fetched } = await open();
  tell("a", start);
  feed();
  await stand.calm();
  await stand.pass(everyMs);
  await stand.pass(everyMs);
  expect(asked.map(({ tag }) => tag)).toEqual([undefined, "tag-1", "tag-1"]);
  tell("b", start + 2 * everyMs);
  await stand.pass(everyMs);
  expect(await heard()).toEqual(["a", "b"]);
  expect(fetched).toEqual(["a", "b"]);
});

test("what a webhook brought already is not brought again", async () => {
  const { tell, feed, heard, fetched } = await open();
  await stand.store.receive({ id: "a", source: "github", name: "issues", body: "{}", receivedAt: 1 });
  tell("a", start);
  tell("b", start + 1);
  feed();
  await stand.calm();
  expect(await heard()).toEqual(["a", "b"]);
  expect(fetched).toEqual(["b"]);
});

test("after hours of sleep it is caught up, and told", async () => {
  const { tell, feed, heard, lines } = await open();
  feed();
  await stand.calm();
  const hours = 7 * 3_600_000;
  for (let n = 0; n < 14; n += 1) tell(`e${n}`, start + n * 1_800_000);
  await stand.pass(hours);
  expect(await heard()).toHaveLength(14);
  expect(lines).toContainEqual({ message: "caught up 14 events", fields: { events: 14, silentMs: hours } });
});

test("a restart goes on where the last look was noted, not three days ago", async () => {
  const { feed, asked } = await open();
  await stand.store.set("walked-deliveries", String(900_000_000), "pull", 1);
  feed();
  await stand.calm();
  expect(asked).toEqual([{ since: 900_000_000 - 600_000, tag: undefined }]);
});

test("trouble in the middle loses nothing and repeats nothing, and the questions grow rarer", async () => {
  const { tell, feed, heard, state, fetched, asked, lines } = await open();
  for (const guid of ["a", "b", "c"]) tell(guid, start);
  state.failsAt = "b";
  feed();
  await stand.calm();
  expect(await heard()).toEqual(["a"]);
  await stand.pass(everyMs);
  await stand.pass(everyMs);
  // The second failure doubled the wait.
  expect(asked).toHaveLength(2);
  delete state.failsAt;
  await stand.pass(everyMs);
  expect(await heard()).toEqual(["a", "b", "c"]);
  expect(fetched).toEqual(["a", "b", "c"]);
  expect(asked.every(({ tag }) => tag === undefined)).toBe(true);
  expect(lines.map(({ message }) => message)).toContain("GitHub's deliveries are read again");
});

test("a rate limit is waited for until the instant it names", async () => {
  const { feed, state, asked } = await open();
  state.trouble = new Trouble("github-rate-limited", "later", { retryAt: start + 600_000 });
  feed();
  await stand.calm();
  await stand.pass(599_000);
  expect(asked).toHaveLength(1);
  delete state.trouble;
  await stand.pass(1_000);
  expect(asked).toHaveLength(2);
});

test.each([
  [{ left: 4_000, resetAt: start + 3_600_000 }, everyMs],
  [{ left: 210, resetAt: start + 3_600_000 }, 360_000],
  [{ left: 7, resetAt: start + 1_800_000 }, 1_800_000],
])("with %o left the next look comes after %i ms", async (budget, ms) => {
  const { feed, state, asked } = await open();
  state.budget = budget;
  feed();
  await stand.calm();
  await stand.pass(ms - 1);
  expect(asked).toHaveLength(1);
  await stand.pass(1);
  expect(asked).toHaveLength(2);
});

test("a delivery that GitHub never gives out holds up later ones for a while, and not for ever", async () => {
  const { tell, feed, heard, state, lines } = await open();
  tell("a", start);
  tell("b", start + 1);
  state.failsAt = "a";
  feed();
  await stand.calm();
  expect(await heard()).toEqual([]);
  for (let asked = 0; asked < 12; asked += 1) await stand.pass(300_000);
  expect(await heard()).toEqual(["b"]);
  expect(lines.filter(({ message }) => message.includes("given up"))).toHaveLength(1);
});

test("a payload that GitHub forgot is left alone, once", async () => {
  const { tell, feed, heard, fetched } = await open();
  tell("gone", start, "issues", null);
  feed();
  await stand.calm();
  tell("a", start + 1);
  await stand.pass(everyMs);
  expect(await heard()).toEqual(["a"]);
  expect(fetched).toEqual(["gone", "a"]);
});

test("where the log is read all the time, reconciling does not walk it as well", async () => {
  let walked = 0;
  stand = await openStand({ hooks: { missed: async () => (walked++, []) } });
  stand.start(openReconcile({ ...stand.shop, pullsDeliveries: true }));
  await stand.calm();
  expect(walked).toBe(0);
});
