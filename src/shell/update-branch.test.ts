import { expect, test } from "vitest";
import type { Key } from "../ports.ts";
import type { Drift, UpdateAnswer } from "../ports-ci.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import { newTicket, type State, type Upon } from "../state-machine/ticket.ts";
import type { Act } from "./act.ts";
import { maxUpdates, updateBranch, withUpdate } from "./update-branch.ts";
import type { Workshop } from "./workshop.ts";

const [head, next, base] = ["a", "c", "b"].map((digit) => digit.repeat(40)) as [string, string, string];
const gained = { count: 1, subjects: ["bbbbbbb Move on"] };
const update = { from: head, oldBase: "0".repeat(40), base, how: "merge", unchanged: true, gained } as const;
const updated: UpdateAnswer = { is: "updated", head: next, ...update };

interface World {
  readonly answer?: UpdateAnswer;
  readonly lines?: readonly { readonly event: TicketEvent; readonly to?: State }[];
  readonly state?: State;
  /** Where the branch is on the forge. */
  tip?: string;
  readonly publish?: Drift["publish"];
  readonly upon?: Upon;
}
const kept = new Map<string, string>();
function act(world: World): Parameters<typeof updateBranch>[0] {
  const ticket = {
    ...newTicket("github:1#1"),
    state: world.state ?? "Merging",
    head,
    pull: 2,
    upon: world.upon,
  };
  const shop = {
    store: {
      linesOf: async () => world.lines ?? [],
      load: async () => ({ ticket: { ...newTicket("github:1#7"), state: "Cancelled" } }),
      remember: async (name: string, value: string) => void kept.set(name, value),
      recall: async (name: string) => kept.get(name),
    },
    forge: { pull: async () => ({ open: true, head: world.tip ?? head }) },
    remoteOf: () => ({}),
    rulesOf: () => ({ config: { merge: { update: "merge" } } }),
    drift: {
      update: async () => world.answer ?? updated,
      publish: world.publish ?? (async () => (world.tip = next)),
    },
  } as unknown as Workshop;
  return {
    shop,
    key: "k" as Key,
    effect: { type: "branch.update", head },
    stored: { ticket, branch: "forgehand/1" },
    repo: {},
    createdAt: 0,
  } as unknown as Act<{ readonly type: "branch.update"; readonly head: string }>;
}
const newsOf = async (world: World): Promise<readonly TicketEvent[]> => {
  const answer = await updateBranch(act(world));
  return "news" in answer ? (answer.news ?? []) : [];
};

test("the new head says how it was made, also when the process died right after the push", async () => {
  const world: World = {};
  expect(await newsOf(world)).toEqual([{ type: "head.moved", head: next, update }]);
  // Done again, since nobody recorded that it was done: the branch has moved, and the note tells by whom.
  expect(await newsOf(world)).toEqual([{ type: "head.moved", head: next, update }]);
});

test("the note stands before the push, so that a webhook can be read by it", async () => {
  kept.clear();
  const one = act({});
  const before = act({
    publish: async () => {
      const told = await withUpdate(one.shop, one.stored, { type: "head.moved", head: next });
      expect(told.update).toEqual(update);
      return next;
    },
  });
  await updateBranch(before);
  expect.assertions(1);
});

test("a head that somebody else pushed is not called ours", async () => {
  const faster = "d".repeat(40);
  const publish: Drift["publish"] = async () => ({ is: "moved", to: faster });
  expect(await newsOf({ publish })).toEqual([{ type: "head.moved", head: faster }]);
});

test("a conflict is the builder's once, and a person's when it comes again before anybody decided", async () => {
  const answer: UpdateAnswer = { is: "conflict", files: ["a.txt"] };
  const refused: TicketEvent = { type: "merge.refused", head, how: "conflict", why: "x" };
  const before = [{ event: refused, to: "Rework" as const }];
  const approved = { event: { type: "human.approved", head, by: "ada" } as const };
  expect(await newsOf({ answer })).toMatchObject([{ ...refused, why: "conflicts with its base in a.txt" }]);
  expect(await newsOf({ answer, lines: before })).toMatchObject([{ type: "effect.failed", effect: "merge" }]);
  expect(await newsOf({ answer, lines: [...before, approved] })).toMatchObject([{ type: "merge.refused" }]);
});

test("a base that never rests is a person's after so many updates", async () => {
  const moved = { event: { type: "head.moved", head, update } as const };
  const few = Array.from({ length: maxUpdates - 1 }, () => moved);
  expect(await newsOf({ lines: few })).toMatchObject([{ type: "head.moved" }]);
  expect(await newsOf({ lines: [...few, moved] })).toMatchObject([{ type: "effect.failed" }]);
});

test("where the head holds its base already, what was red with it runs again once; else a person is told", async () => {
  const checks = [{ name: "test", id: 1 }];
  const doubted = (how: "base" | "rerun") => ({
    event: { type: "ci.doubted", head, how, checks, why: "x" } as const,
  });
  const answer: UpdateAnswer = { is: "current" };
  expect(await newsOf({ answer, lines: [doubted("base")] })).toMatchObject([
    { type: "ci.doubted", how: "rerun", checks },
  ]);
  expect(await newsOf({ answer, lines: [doubted("rerun"), doubted("base")] })).toMatchObject([
    { type: "effect.failed" },
  ]);
  expect(await newsOf({ answer })).toMatchObject([{ type: "effect.failed" }]);
});

test("nothing is updated for a ticket that is elsewhere by now", async () => {
  expect(await updateBranch(act({ state: "Rework" }))).toMatchObject({ is: "dropped" });
});

test("what was closed unmerged since the update was asked for is left only after a person was told so", async () => {
  const upon: Upon = { ticket: "github:1#7", ref: "acme/web#7", head: base };
  expect(await newsOf({ upon })).toEqual([]);
  const other: TicketEvent = {
    type: "effect.failed",
    effect: "stack",
    why: "it has no pull request any more",
  };
  expect(await newsOf({ upon, lines: [{ event: other }] })).toEqual([]);
});
