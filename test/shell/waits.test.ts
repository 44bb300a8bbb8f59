/** What a queued ticket says it waits for is what the scheduler lets it wait for. */
import { expect, test } from "vitest";
import { defaultConfig, policyOf } from "../../src/config.ts";
import { openWaits } from "../../src/shell/waits.ts";
import { newTicket, type State } from "../../src/state-machine/ticket.ts";
import type { Store } from "../../src/store/store.ts";
import type { Stored } from "../../src/store/tickets.ts";

const id = "github:1#7";
const config = defaultConfig();
const place = { id: 1, owner: "acme", config, policy: policyOf(config), problems: [], soundAt: undefined };
const caps = { dayStopUsd: 100, tenantDayUsd: undefined };

/** What a ticket in this state says it waits for, with this on record. */
async function waits(
  state: State,
  has: {
    readonly cleaning?: true;
    readonly paused?: true;
    readonly spentUsd?: number;
    readonly halted?: true;
    readonly repoHalted?: true;
    readonly signedOut?: true;
    readonly id?: string;
  },
): Promise<string | undefined> {
  const ticket = { ...newTicket(has.id ?? id), state };
  const store = {
    setting: async () =>
      has.halted === undefined ? undefined : { value: "acme/web#1", actor: "ada", at: 1 },
    halts: async () => ({ repos: has.repoHalted === undefined ? [] : [{ repo: 1 }] }),
    linearWorkspaces: async () => [
      { id: "w1", signedOut: has.signedOut === undefined ? undefined : { at: 1, why: "revoked" } },
    ],
    blockedTickets: async () => new Map(),
    recall: async () => undefined,
    ticketsToClean: async () => new Set(has.cleaning === undefined ? [] : [id]),
    ticketsWithTimer: async () => new Set(has.paused === undefined ? [] : [id]),
    spendingSince: async () => [{ repo: 1, owner: "acme", spentUsd: has.spentUsd ?? 0, reservedUsd: 3 }],
  } as unknown as Store;
  return (await openWaits(store, 1_000, caps)({ ticket, since: 0 } as Stored, place))?.waitsFor;
}

test("a ticket that is held back says by what", async () => {
  expect(await waits("Ready", { cleaning: true })).toContain("old worktree");
  expect(await waits("Rework", { paused: true })).toContain("the reviewers' pause");
  expect(await waits("Ready", { halted: true, cleaning: true })).toContain("halt of everything");
  expect(await waits("Ready", { repoHalted: true, cleaning: true })).toContain("halt of its repository");
  expect(await waits("Ready", { spentUsd: 93 })).toContain("money");
  const card = { id: "linear:w1/i1", signedOut: true } as const;
  expect(await waits("Ready", card)).toContain("forgehand auth linear");
});

test("nothing else holds a ticket back", async () => {
  expect(await waits("Ready", { paused: true })).toBe("a free slot");
  expect(await waits("Ready", { id: "linear:w2/i1", signedOut: true })).toBe("a free slot");
  expect(await waits("Ready", { signedOut: true })).toBe("a free slot");
  expect(await waits("Rework", { spentUsd: 92 })).toBe("a free slot");
  expect(await waits("In Review", { cleaning: true, paused: true, spentUsd: 100 })).toContain("approval");
});
