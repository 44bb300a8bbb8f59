/** An acknowledged delivery is ours to remember: it is not thrown away, not overtaken and not starved. */
import { afterEach, expect, test } from "vitest";
import { Trouble } from "../../src/ports.ts";
import { openIntake } from "../../src/shell/intake.ts";
import { comment, diskIsFull, openStand, type Stand } from "./stand.ts";

let stand: Stand;
afterEach(() => stand.close());
const ticket = "github:1#7";
const stateOf = async () => (await stand.store.load(ticket))?.ticket.state;

test("a database that refuses writes is tried again after a rest, not in a tight loop", async () => {
  const refused = { markItem: diskIsFull, parkItem: diskIsFull, deferItem: diskIsFull, commit: diskIsFull };
  stand = await openStand({ store: { ...refused, name: diskIsFull } });
  await stand.store.receive(comment(1, 7, "/forgehand run"));
  const intake = openIntake(stand.shop);
  stand.start(intake);
  await stand.calm(500);
  // As other processes' rows are looked for and deliveries come in.
  for (let n = 0; n < 20; n += 1) {
    intake.poke();
    await stand.calm(20);
  }
  expect(stand.errors).toHaveLength(1);
  await stand.pass(2_000);
  expect(stand.errors).toHaveLength(2);
});

test("an acknowledged command survives five minutes in which the forge cannot be reached", async () => {
  let isDown = true;
  stand = await openStand({
    permission: async () => {
      if (isDown) throw new Trouble("forge-down", "no answer from the forge");
      return "write";
    },
  });
  await stand.store.receive(comment(1, 7, "/forgehand run"));
  stand.start(openIntake(stand.shop));
  await stand.calm();
  for (let second = 0; second < 300; second += 5) await stand.pass(5_000);
  expect(await stand.store.troubledItems(ticket)).toMatchObject([
    { name: "issue_comment", state: "new", note: "no answer from the forge" },
  ]);
  expect(await stand.store.inboxCounts()).toEqual({ waiting: 1, troubled: 1, parked: 0 });
  isDown = false;
  await stand.pass(300_000);
  expect(await stateOf()).toBe("Ready");
  expect(await stand.store.troubledItems(ticket)).toEqual([]);
});

test("a time to try again that has passed is no reason to ask without a pause", async () => {
  let asked = 0;
  stand = await openStand({
    permission: async () => {
      asked += 1;
      throw new Trouble("rate-limited", "too many requests", { retryAt: 0 });
    },
  });
  await stand.store.receive(comment(1, 7, "/forgehand run"));
  stand.start(openIntake(stand.shop));
  await stand.calm(500);
  expect(asked).toBe(1);
});

test("what can never be read is set aside at once with its reason, and the next is read", async () => {
  let asked = 0;
  stand = await openStand({
    permission: async () => {
      asked += 1;
      if (asked === 1) throw new Trouble("forbidden", "403", { permanent: true });
      return "write";
    },
  });
  await stand.store.receive(comment(1, 7, "/forgehand run"));
  await stand.store.receive(comment(2, 7, "/forgehand run"));
  stand.start(openIntake(stand.shop));
  await stand.calm();
  expect(await stand.store.troubledItems(ticket)).toMatchObject([{ state: "parked", note: "403" }]);
  expect(await stateOf()).toBe("Ready");
});

test("what came later about a ticket does not overtake what has to wait", async () => {
  let asked = 0;
  stand = await openStand({
    permission: async () => {
      asked += 1;
      if (asked === 1) throw new Trouble("forge-down", "502");
      return "write";
    },
  });
  // First somebody releases the ticket, then takes it back: theirs is the last word.
  await stand.store.receive(comment(1, 7, "/forgehand run"));
  await stand.store.receive(comment(2, 7, "/forgehand stop"));
  stand.start(openIntake(stand.shop));
  await stand.calm();
  expect(await stateOf()).toBeUndefined();
  await stand.pass(10_000);
  await stand.calm();
  expect(await stateOf()).toBe("Blocked");
});

test("a ticket that waits with more items than one look takes does not starve the others", async () => {
  stand = await openStand();
  for (let n = 1; n <= 500; n += 1) await stand.store.receive(comment(n, 8, "/forgehand status"));
  const [first] = await stand.store.unread(0, 1);
  await stand.store.deferItem(first?.seq ?? 0, stand.now() + 3_600_000, "github:1#8", "rate limited");
  await stand.store.receive(comment(900, 7, "/forgehand run"));
  stand.start(openIntake(stand.shop));
  await stand.calm();
  expect(await stateOf()).toBe("Ready");
  expect((await stand.store.inboxCounts()).waiting).toBe(500);
});
