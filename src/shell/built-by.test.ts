import { describe, expect, test } from "vitest";
import type { TicketEvent } from "../state-machine/event.ts";
import type { SessionSummary } from "../store/sessions.ts";
import type { Line } from "../store/ledger.ts";
import { familiesBehind, familiesLeft } from "./built-by.ts";

const [first, second, foreign] = ["a", "b", "c"].map((digit) => digit.repeat(40)) as [string, string, string];

// Only what the questions are asked about.
const lineAt = (at: number, event: object): Line => ({ at, event: event as TicketEvent }) as Line;
const delivered = (at: number, run: string, head: string): Line =>
  lineAt(at, { type: "build.delivered", run, head, summary: "" });
const moved = (at: number, head: string): Line => lineAt(at, { type: "head.moved", head });
const session = (startedAt: number, run: string, family: string | null): SessionSummary =>
  ({ run, role: "build", family, model: family === null ? null : "m", startedAt }) as SessionSummary;

describe("the family behind a head", () => {
  test.each([
    ["is that of the run that delivered it", first, "anthropic"],
    ["changes with the next delivery", second, "openai"],
    ["is that of the delivery under a person's push, not of a build that came later", foreign, "openai"],
  ])("%s", (_, head, family) => {
    const lines = [delivered(1, "t/1", first), delivered(3, "t/2", second), moved(4, foreign)];
    const sessions = [
      session(0, "t/1", "anthropic"),
      session(2, "t/2", "openai"),
      session(5, "t/3", "anthropic"),
    ];
    expect(familiesBehind({ lines, sessions }, head)).toEqual([family]);
  });
  test("is both when a build that never delivered may have pushed over another family's", () => {
    const lines = [delivered(1, "t/1", first), moved(3, foreign)];
    const sessions = [session(0, "t/1", "anthropic"), session(2, "t/2", "openai")];
    expect(familiesBehind({ lines, sessions }, foreign)).toEqual(["anthropic", "openai"]);
  });
  test("is all that worked in the run, and unknown or none when nobody saw who did", () => {
    const lines = [delivered(1, "t/1", first)];
    const both = [session(0, "t/1", "anthropic"), session(0, "t/1", "openai")];
    expect(familiesBehind({ lines, sessions: both }, first)).toEqual(["anthropic", "openai"]);
    expect(familiesBehind({ lines, sessions: [session(0, "t/1", null)] }, first)).toEqual([]);
    expect(familiesBehind({ lines, sessions: [session(0, "t/9", "openai")] }, first)).toEqual([]);
  });
  test("is also that of a build that gave up before, and left its files to the one that delivered", () => {
    const sessions = [
      session(0, "t/1", "google"),
      session(2, "t/2", "anthropic"),
      session(4, "t/3", "openai"),
    ];
    const lines = [
      delivered(1, "t/1", first),
      lineAt(3, { type: "build.gave-up" }),
      delivered(5, "t/3", second),
    ];
    expect(familiesBehind({ lines, sessions }, second)).toEqual(["anthropic", "openai"]);
  });
  test.each(["operator.reset", "ticket.cancelled", "pr.merged"])(
    "is not that of a build whose files went with %s",
    (type) => {
      const sessions = [session(0, "t/1", "anthropic"), session(3, "t/2", "openai")];
      const lines = [lineAt(2, { type }), delivered(4, "t/2", first)];
      expect(familiesBehind({ lines, sessions }, first)).toEqual(["openai"]);
    },
  );
  test.each([
    ["out of quota before it said a word", { outcome: "quota", outputTokens: 0, acted: 0 }, ["openai"]],
    ["out of quota after a tool", { outcome: "quota", outputTokens: 0, acted: 1 }, ["anthropic", "openai"]],
    ["out of quota after words", { outcome: "quota", outputTokens: 9, acted: 0 }, ["anthropic", "openai"]],
    ["ended by something else", { outcome: "killed", outputTokens: 0, acted: 0 }, ["anthropic", "openai"]],
    ["cut short by a crash", { outcome: null, outputTokens: 0, acted: 0 }, ["anthropic", "openai"]],
  ])("of one that was %s", (_, end, families) => {
    const turned = { ...session(0, "t/1", "anthropic"), ...end };
    const sessions = [turned, session(1, "t/1", "openai")];
    expect(familiesBehind({ lines: [delivered(2, "t/1", first)], sessions }, first)).toEqual(families);
  });
});

test("what may be left in the worktree is of those who worked since the last delivery", () => {
  const sessions = [session(0, "t/1", "anthropic"), session(2, "t/2", "openai"), session(3, "t/3", "google")];
  expect(familiesLeft({ lines: [], sessions })).toEqual(["anthropic", "openai", "google"]);
  expect(familiesLeft({ lines: [delivered(1, "t/1", first)], sessions })).toEqual(["openai", "google"]);
  expect(familiesLeft({ lines: [delivered(4, "t/3", first)], sessions })).toEqual([]);
});
