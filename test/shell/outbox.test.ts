import { afterEach, expect, test } from "vitest";
import { openOutbox } from "../../src/shell/outbox.ts";
import { diskIsFull, openStand, ticketAt, type Stand } from "./stand.ts";

let stand: Stand;
afterEach(() => stand.close());

test("what was done and cannot be recorded is done again after a rest, not again and again", async () => {
  let writes = 0;
  stand = await openStand({
    store: { sent: diskIsFull, backOff: diskIsFull, snooze: diskIsFull },
    writeCheck: async () => void (writes += 1),
  });
  await stand.store.sendForeign(
    "foreign:x",
    { type: "check.foreign", repo: 1, head: "a".repeat(40) },
    stand.now(),
  );
  const outbox = openOutbox(stand.shop);
  stand.start(outbox);
  await stand.calm(500);
  for (let n = 0; n < 20; n += 1) {
    outbox.poke();
    await stand.calm(20);
  }
  expect(writes).toBe(1);
  expect(stand.errors).toHaveLength(1);
  await stand.pass(2_000);
  expect(writes).toBe(2);
});

test("an effect that waits is no write, however often it looks", async () => {
  stand = await openStand();
  const { store, shop } = stand;
  const head = "a".repeat(40);
  const id = await ticketAt(stand, 7, { head }, [{ type: "pull.ask", head }]);
  stand.start(openOutbox(shop));
  await stand.calm();
  for (let looks = 0; looks < 5; looks += 1) await stand.pass(1_000);
  expect(await store.effectsOf(id)).toMatchObject([
    { type: "pull.ask", state: "new", note: expect.any(String) },
  ]);
  expect((await store.load(id))?.writes).toBe(0);
});
