/** What a queued ticket says it waits for is what the scheduler lets it wait for. */
import { expect, test } from "vitest";
import { heldUpBy } from "../../src/shell/held-up.ts";
import { explain } from "../../src/state-machine/explain.ts";
import { newTicket, type State } from "../../src/state-machine/ticket.ts";
import type { Store } from "../../src/store/store.ts";

const id = "github:1#7";
const payer = { id: 1, owner: "acme", dayUsd: undefined };
const money = { now: 1_000, runUsd: 5, dayStopUsd: 100, tenantDayUsd: undefined, payer };
const policy = { maxAttempts: 3, maxCycles: 3, maxUnreviewed: 3, mergeAfterApproval: true };

/** What a ticket in this state says it waits for, with this on record. */
async function waits(
  state: State,
  has: { readonly cleaning?: true; readonly paused?: true; readonly spentUsd?: number },
): Promise<string | undefined> {
  const ticket = { ...newTicket(id), state };
  const store = {
    ticketsToClean: async () => new Set(has.cleaning === undefined ? [] : [id]),
    ticketsWithTimer: async () => new Set(has.paused === undefined ? [] : [id]),
    spendingSince: async () => [{ repo: 1, owner: "acme", spentUsd: has.spentUsd ?? 0, reservedUsd: 3 }],
  } as unknown as Store;
  const heldUp = await heldUpBy(store, { ticket }, money);
  return explain({ ticket, since: 0, policy, heldUp })?.waitsFor;
}

test("a ticket that is held back says by what", async () => {
  expect(await waits("Ready", { cleaning: true })).toContain("old worktree");
  expect(await waits("Rework", { paused: true })).toContain("the reviewers' pause");
  expect(await waits("Ready", { spentUsd: 93 })).toContain("money");
});

test("nothing else holds a ticket back", async () => {
  expect(await waits("Ready", { paused: true })).toBe("a free slot");
  expect(await waits("Rework", { spentUsd: 92 })).toBe("a free slot");
  expect(await waits("In Review", { cleaning: true, paused: true, spentUsd: 100 })).toContain("approval");
});
