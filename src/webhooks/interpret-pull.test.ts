import { describe, expect, test } from "vitest";
import { bot, facts, head, heard, older, own, person, pull, ticket } from "../../test/webhooks/facts.ts";
import type { Approval, PullFacts } from "../ports.ts";
import type { Command } from "./command.ts";
import type { Facts } from "./facts.ts";
import type { Say } from "./heard.ts";
import { interpret } from "./interpret.ts";

describe("reviews", () => {
  const review = (
    state: "approved" | "objected" | "commented",
    at = head,
    command?: Command,
    body = "",
  ): Say => ({
    type: "reviewed",
    state,
    head: at,
    body,
    comment: { kind: "review", id: 3, thread: 43 },
    command,
  });
  const on = (says: Say, change: Partial<Facts> = {}, sender = person) =>
    interpret(heard(says, sender, { pull: 43 }), facts(change));
  test("an approval by a person with write counts for its head", () => {
    expect(on(review("approved"))).toEqual({ events: [{ type: "human.approved", head, by: "alex" }] });
  });
  test("an approval of an older head is refused, and the person told", () => {
    expect(on(review("approved", older))).toMatchObject({
      refused: expect.any(String),
      events: [{ type: "human.asked", ask: { about: "refused" } }],
    });
  });
  test.each(["none", "read", "triage"] as const)("one by somebody with %s decides nothing", (permission) => {
    expect(on(review("approved"), { permission })).toMatchObject({ refused: expect.any(String), events: [] });
    expect(on(review("objected"), { permission })).toMatchObject({ refused: expect.any(String), events: [] });
  });
  test("a bot's or our own approval never counts, listed or not", () => {
    expect(on(review("approved"), { permission: "admin", allowBots: [bot.login] }, bot)).toMatchObject({
      events: [],
    });
    expect(on(review("approved"), { permission: "admin" }, own)).toHaveProperty("ignored");
  });
  test("an objection carries its order", () => {
    expect(on(review("objected", head, undefined, "rename it"))).toEqual({
      events: [{ type: "human.objected", by: "alex", order: "rename it" }],
    });
    expect(on(review("objected"))).toHaveProperty(
      "events.0.order",
      expect.stringContaining("@alex asked for changes on lines of the diff"),
    );
  });
  test("who has said otherwise since is heard as they stand now", () => {
    const now: Approval = { by: "Alex", is: "objected", head, at: 1, body: "" };
    expect(on(review("approved"), { pull: { ...pull, approvals: [now] } })).toHaveProperty("ignored");
  });
  test("a dismissed review takes its approval back, whoever dismissed it", () => {
    const dismissed: Say = { type: "review.dismissed", head, by: "kim" };
    expect(on(dismissed, { permission: "none", approvedBy: "Kim" })).toEqual({
      events: [{ type: "approval.withdrawn", head, by: "kim" }],
    });
    expect(on(dismissed, { approvedBy: "alex" })).toHaveProperty("ignored");
    expect(on(dismissed)).toHaveProperty("ignored");
  });
  test("a command in the body is obeyed beside the stance, an approval only once", () => {
    expect(on(review("commented", head, { name: "approve", sha: undefined }))).toHaveProperty("events.0", {
      type: "human.approved",
      head,
      by: "alex",
    });
    expect(on(review("approved", head, { name: "approve", sha: undefined }))).toEqual({
      events: [{ type: "human.approved", head, by: "alex" }],
    });
    const inReview = { ticket: { ...ticket, state: "In Review" } } as const;
    expect(on(review("objected", head, { name: "stop" }), inReview)).toMatchObject({
      events: [{ type: "human.objected" }, { type: "operator.stopped" }, { type: "human.asked" }],
    });
  });
});

describe("news of the pull request is taken from the facts, not from the payload", () => {
  const on = (says: Say, change: Partial<PullFacts> = {}, more: Partial<Facts> = {}) =>
    interpret(heard(says, own, { pull: 43 }), facts({ pull: { ...pull, ...change }, ...more }));
  test("a merge is one only when the forge says so", () => {
    expect(on({ type: "pull.closed", merge: older }, { open: false })).toEqual({
      events: [{ type: "pr.closed" }],
    });
    expect(on({ type: "pull.closed", merge: undefined }, { open: false, merged: older })).toEqual({
      events: [{ type: "pr.merged", head, merge: older }],
    });
    expect(on({ type: "pull.closed", merge: older })).toHaveProperty("ignored");
  });
  test("a moved head is the one it has now", () => {
    expect(on({ type: "pull.moved", head: "c".repeat(40) }, { head: older })).toEqual({
      events: [{ type: "head.moved", head: older }],
    });
    expect(on({ type: "pull.moved", head: older })).toHaveProperty("ignored");
  });
  test.each([
    ["green", "no", "checks.passed"],
    ["red", "no", "checks.failed"],
    ["pending", "no", "checks.started"],
    ["none", "yes", "checks.absent"],
    ["none", "no", undefined],
    ["unknown", "yes", undefined],
  ] as const)("checks %s, settled %s", (checks, checksSettled, type) => {
    const outcome = on({ type: "checks.changed", head: older }, { checks }, { checksSettled });
    if (type === undefined) expect(outcome).toHaveProperty("ignored");
    else expect(outcome).toMatchObject({ events: [{ type, head }] });
  });
  test("red checks are named, required ones first", () => {
    const check = (name: string, required: boolean) => ({
      name,
      is: "red" as const,
      required,
      url: undefined,
    });
    expect(
      on(
        { type: "checks.changed", head },
        { checks: "red", checkList: [check("lint", false), check("test", true)] },
      ),
    ).toHaveProperty("events.0.why", "failed: test, lint, which is not required");
  });
  test("a person who switches auto-merge off takes the consent back; our own doing so does not", () => {
    const off: Say = { type: "pull.disarmed" };
    expect(interpret(heard(off, person, { pull: 43 }), facts())).toMatchObject({
      events: [
        { type: "automerge.set", on: false },
        { type: "approval.withdrawn", head },
      ],
    });
    expect(interpret(heard(off, own, { pull: 43 }), facts())).toHaveProperty("ignored");
  });
  test("a pull request of nobody's ticket is none of our business", () => {
    expect(on({ type: "pull.moved", head: older }, { head: older }, { ticket: undefined })).toHaveProperty(
      "ignored",
    );
  });
});
