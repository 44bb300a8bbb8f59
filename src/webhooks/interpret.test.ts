import { describe, expect, test } from "vitest";
import { bot, facts, head, heard, issue, labelled, older, own, pull } from "../../test/webhooks/facts.ts";
import type { Say } from "./heard.ts";
import { factsNeeded, interpret } from "./interpret.ts";

describe("the issue itself", () => {
  test("an edit by anybody voids what was released", () => {
    expect(interpret(heard({ type: "issue.edited" }), facts({ permission: "none" }))).toEqual({
      events: [{ type: "spec.edited", spec: "new" }],
    });
    expect(interpret(heard({ type: "issue.edited" }), facts({ spec: "old" }))).toHaveProperty("ignored");
  });
  test("closing cancels, unless GitHub closed it because the pull request was merged", () => {
    const closed = { ...issue, open: false };
    const says: Say = { type: "issue.closed", how: "completed" };
    expect(interpret(heard(says), facts({ issue: closed }))).toHaveProperty(
      "events.0.type",
      "ticket.cancelled",
    );
    expect(
      interpret(heard(says), facts({ issue: closed, pull: { ...pull, open: false, merged: older } })),
    ).toEqual({
      events: [{ type: "pr.merged", head, merge: older }],
    });
    expect(interpret(heard(says, own), facts({ issue: closed }))).toHaveProperty("ignored");
    expect(interpret(heard(says), facts())).toHaveProperty("ignored");
  });
  test("deleted and transferred cancel once the issue is really gone", () => {
    expect(interpret(heard({ type: "issue.deleted" }), facts({ issue: undefined }))).toHaveProperty(
      "events.0.why",
      "the issue was deleted",
    );
    expect(
      interpret(heard({ type: "issue.transferred", to: "acme/api#3" }), facts({ issue: undefined })),
    ).toHaveProperty("events.0.why", "the issue moved to acme/api#3");
    expect(interpret(heard({ type: "issue.deleted" }), facts())).toHaveProperty("ignored");
  });
});

test("only what a hint depends on must be read", () => {
  expect(factsNeeded(heard(labelled("x")))).toEqual({ permission: "read", issue: "read", pull: "skip" });
  expect(factsNeeded(heard(labelled("x"), bot))).toMatchObject({ permission: "skip" });
  expect(factsNeeded(heard({ type: "checks.changed", head }))).toEqual({
    permission: "skip",
    issue: "skip",
    pull: "read",
  });
  expect(factsNeeded(heard({ type: "installed" }))).toEqual({
    permission: "skip",
    issue: "skip",
    pull: "skip",
  });
});
