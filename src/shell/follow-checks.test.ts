import { expect, test } from "vitest";
import { Trouble, type Key, type PullFacts } from "../ports.ts";
import type { CheckTry, Ci } from "../ports-ci.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import { newTicket } from "../state-machine/ticket.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import { followRed, redOf, rerunChecks } from "./follow-checks.ts";
import type { Workshop } from "./workshop.ts";

const head = "a".repeat(40);
const tip = "b".repeat(40);
const red = (over: Partial<CheckTry> = {}): CheckTry => ({
  id: 1,
  name: "test",
  is: "red",
  conclusion: "failure",
  endedAt: 1,
  url: undefined,
  ...over,
});
const check = (name: string, is: "red" | "green", required = true) => ({
  name,
  is,
  required,
  url: undefined,
});
const pull = {
  number: 2,
  head,
  baseBranch: "main",
  checkList: [check("test", "red")],
} as unknown as PullFacts;
const stored = { ticket: { ...newTicket("github:1#1"), state: "In Review", head, pull: 2 } } as Stored;
const repo = { id: 1, owner: "o", name: "r" } as KnownRepo;
const minute = 60_000;

/** A workshop that knows nothing but what is said here. */
function shopWith(said: {
  readonly here?: readonly CheckTry[];
  readonly onBase?: readonly CheckTry[];
  readonly lines?: readonly { readonly at: number; readonly event: TicketEvent }[];
  readonly now?: number;
  readonly ci?: Partial<Ci>;
}): Workshop {
  return {
    clock: { now: () => said.now ?? 0 },
    store: { linesOf: async () => said.lines ?? [] },
    forge: { pull: async () => pull },
    rulesOf: () => ({ config: { merge: { base_wait_minutes: 10 } } }),
    ci: {
      tip: async () => tip,
      tries: async (_: unknown, commit: string) =>
        commit === tip ? (said.onBase ?? []) : (said.here ?? [red()]),
      log: async () => "boom\n",
      ...said.ci,
    },
  } as unknown as Workshop;
}
const failed = { type: "checks.failed", head, why: "failed: test" } as const;
const followed = (said: Parameters<typeof shopWith>[0]) =>
  followRed(shopWith(said), stored, repo, pull, failed);

test("what counts carries its reason and its log, without secrets", async () => {
  const token = `ghp_${"a1B2c3D4e5".repeat(4)}`;
  const came = await followed({ ci: { log: async () => `boom ${token}\n` } });
  expect(came?.event).toEqual({
    ...failed,
    why: "failed: test; `test` is red",
    log: "test (failure):\nboom [GitHub token removed]",
  });
});

test("a log that we may not read leaves the failure as it is; one that cannot be read now is read later", async () => {
  const unread = (permanent: boolean) => ({
    ci: { log: () => Promise.reject(new Trouble("github", "no", { permanent })) },
  });
  expect((await followed(unread(true)))?.event).not.toHaveProperty("log");
  await expect(followed(unread(false))).rejects.toThrow("no");
});

test("the same doubt has the same name, whoever finds it", async () => {
  const one = await followed({ here: [red({ conclusion: "timed_out" })] });
  const again = await followed({ here: [red({ conclusion: "timed_out" })], now: 5 });
  expect(one?.event).toMatchObject({ type: "ci.doubted", how: "rerun", checks: [{ name: "test", id: 1 }] });
  expect(again?.id).toBe(one?.id);
});

test("a base that stays red is waited for, then it is a person's", async () => {
  const waits = await followed({ onBase: [red()] });
  expect(waits?.event).toMatchObject({ type: "ci.doubted", how: "base" });
  const lines = [{ at: 0, event: waits?.event as TicketEvent }];
  const late = await followed({ onBase: [red()], lines, now: 10 * minute });
  expect(late?.event).toMatchObject({ type: "effect.failed", effect: "checks" });
  const retried = { at: 9 * minute, event: { type: "operator.retried" } as const };
  const anew = await followed({ onBase: [red()], lines: [...lines, retried], now: 10 * minute });
  expect(anew?.event).toMatchObject({ type: "ci.doubted", how: "base" });
  expect(late?.event).toHaveProperty("why", expect.stringContaining("red on the base at bbbbbbb as well"));
});

test("only required checks count where any is required", () => {
  const checkList = [check("test", "green"), check("lint", "red", false)];
  expect(redOf({ checkList })).toEqual([]);
  expect(redOf({ checkList: checkList.map((one) => ({ ...one, required: false })) })).toEqual(["lint"]);
});

const rerunning = (ci: Partial<Ci>, now: number) =>
  rerunChecks({
    shop: shopWith({ ci, now }),
    key: "k" as Key,
    effect: { type: "checks.rerun", head, runs: [{ name: "test", id: 1 }] },
    stored,
    repo,
    createdAt: 0,
  });
const refusing = (how: "pending" | "unavailable") => ({
  rerun: async () => ({ is: "refused", how, why: "not so" }) as const,
});

test("a rerun that the forge refuses for good counts the failure, with its log", async () => {
  const answers = [
    await rerunning(refusing("unavailable"), 0),
    await rerunning(refusing("pending"), 61 * minute),
    await rerunning({ rerun: () => Promise.reject(new Trouble("github", "not so", { permanent: true })) }, 0),
  ];
  for (const answer of answers) {
    expect(answer).toMatchObject({
      is: "done",
      news: [{ type: "checks.failed", head, log: "test (failure):\nboom" }],
    });
  }
});

test("a rerun waits while the first run is not over", async () => {
  expect(await rerunning(refusing("pending"), minute)).toMatchObject({ is: "snooze" });
});
