import { afterEach, expect, test } from "vitest";
import { openOutbox } from "../../src/shell/outbox.ts";
import { openStand, ticketAt, type Stand } from "./stand.ts";

let stand: Stand;
afterEach(() => stand.close());

test("whoever opens a pull request from a commit of ours gets no verdict on it", async () => {
  const written: string[] = [];
  stand = await openStand({ writeCheck: async () => void written.push("a verdict") });
  const { store } = stand;
  const [ours, over, theirs] = ["a", "b", "c"].map((digit) => digit.repeat(40)) as [string, string, string];
  await ticketAt(stand, 7, { state: "In Review", head: ours });
  await ticketAt(stand, 8, { state: "Cancelled", head: over });
  for (const head of [ours, over, theirs])
    await store.sendForeign(`foreign:${head}`, { type: "check.foreign", repo: 1, head }, stand.now());
  stand.start(openOutbox(stand.shop));
  await stand.calm(500);
  expect(written).toHaveLength(2);
  expect(await store.effectsOf(`foreign:${ours}`)).toMatchObject([{ state: "dropped" }]);
});
