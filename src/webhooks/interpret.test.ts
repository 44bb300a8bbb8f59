import { describe, expect, test } from "vitest";
import { defaultLabelNames } from "../../bootstrap/labels.ts";
import type { Approval, Permission, PullFacts, TicketFacts } from "../ports.ts";
import { newTicket } from "../state-machine/ticket.ts";
import type { Command } from "./command.ts";
import type { Facts } from "./facts.ts";
import type { Heard, Say, Sender, Target } from "./heard.ts";
import { factsNeeded, interpret } from "./interpret.ts";

const head = "a".repeat(40);
const older = "b".repeat(40);
const ticket = { ...newTicket("github:1#42"), head, pull: 43, spec: "old" };
const issue: TicketFacts = {
  id: ticket.id,
  ref: "acme/web#42",
  title: "Fix",
  body: "it",
  open: true,
  declined: false,
  labels: ["agent-ready"],
  author: "sam",
  url: "https://github.com/acme/web/issues/42",
  updatedAt: 0,
};
const pull: PullFacts = {
  number: 43,
  url: "https://github.com/acme/web/pull/43",
  open: true,
  merged: undefined,
  draft: false,
  head,
  headBranch: "forgehand/42",
  base: older,
  baseBranch: "main",
  body: "",
  author: "forgehand[bot]",
  mergeable: "yes",
  armed: false,
  checks: "green",
  checkList: [],
  approvals: [],
};
const facts = (change: Partial<Facts> = {}): Facts => ({
  permission: "write",
  defaultBranch: "main",
  allowBots: [],
  issue,
  spec: "new",
  pull,
  ticket,
  labels: defaultLabelNames,
  runtimes: ["claude-code", "codex"],
  workflows: ["docs", "careful"],
  checksSettled: "no",
  ...change,
});
const person: Sender = { login: "alex", id: 7, kind: "person" };
const bot: Sender = { login: "helper[bot]", id: 8, kind: "bot" };
const own: Sender = { login: "forgehand[bot]", id: 9, kind: "forgehand" };
const heard = (says: Say, sender: Sender = person, target: Target = { issue: 42 }): Heard => ({
  repo: { id: 1, owner: "acme", name: "web", installation: 5, defaultBranch: "main", private: false },
  target,
  sender,
  says,
});
const withLabels = (...labels: string[]): TicketFacts => ({ ...issue, labels });
const labelled = (label: string): Say => ({ type: "labelled", label });
const unlabelled = (label: string): Say => ({ type: "unlabelled", label });

describe("a label counts by the permission of whoever set it, now", () => {
  const asked: Readonly<Record<string, "triage" | "write" | "nobody">> = {
    "agent-ready": "triage",
    "runtime/codex": "triage",
    "forgehand:halt": "triage",
    "forgehand:halt-all": "triage",
    "forgehand:do-not-dispatch": "triage",
    "auto-merge": "write",
    "forgehand:hard-reset": "write",
    "needs-spec": "nobody",
    "harness-blocked": "nobody",
  };
  const permissions: readonly Permission[] = ["none", "read", "triage", "write", "maintain", "admin"];
  const cases = Object.entries(asked).flatMap(([label, needs]) =>
    permissions.flatMap((permission) =>
      [person, bot, own].map((sender) => ({ label, needs, permission, sender, kind: sender.kind })),
    ),
  );
  test.each(cases)("$label by a $kind with $permission", ({ label, needs, permission, sender }) => {
    const outcome = interpret(
      heard(labelled(label), sender),
      facts({ permission, issue: withLabels(label) }),
    );
    const enough =
      sender.kind === "person" &&
      needs !== "nobody" &&
      permissions.indexOf(permission) >= permissions.indexOf(needs);
    if (enough) {
      expect("refused" in outcome || "ignored" in outcome).toBe(false);
    } else {
      expect("events" in outcome ? outcome.events : []).toEqual([]);
      expect(outcome).not.toHaveProperty("halt");
    }
  });

  test("agent-ready releases the text as it reads now", () => {
    expect(interpret(heard(labelled("agent-ready")), facts())).toEqual({
      events: [{ type: "ready.granted", spec: "new" }],
    });
  });
  test("the runtime a label picked is told before the release", () => {
    const two = withLabels("agent-ready", "runtime/codex");
    expect(interpret(heard(labelled("agent-ready")), facts({ issue: two }))).toEqual({
      events: [
        { type: "runtime.chosen", runtime: "codex" },
        { type: "ready.granted", spec: "new" },
      ],
    });
  });
  test("two runtime labels are contested", () => {
    const both = withLabels("runtime/codex", "runtime/claude-code");
    expect(interpret(heard(labelled("runtime/codex")), facts({ issue: both }))).toEqual({
      events: [{ type: "runtime.chosen", runtime: "contested" }],
    });
  });
  test("a workflow label picks what builds, beside the runtime", () => {
    const both = withLabels("runtime/codex", "workflow/docs");
    expect(interpret(heard(labelled("workflow/docs")), facts({ issue: both }))).toEqual({
      events: [{ type: "runtime.chosen", runtime: "codex", workflow: "docs" }],
    });
  });
  test("two workflow labels are contested", () => {
    const two = withLabels("workflow/docs", "workflow/careful");
    expect(interpret(heard(labelled("workflow/docs")), facts({ issue: two }))).toEqual({
      events: [{ type: "runtime.chosen", runtime: "contested" }],
    });
  });
  test("a workflow nobody configured is refused, naming those that exist", () => {
    const odd = withLabels("workflow/magic");
    expect(interpret(heard(labelled("workflow/magic")), facts({ issue: odd }))).toMatchObject({
      refused: "label workflow/magic: there is no such workflow; there is workflow/docs, workflow/careful",
    });
  });

  test("a runtime nobody configured is refused, naming those that exist", () => {
    const odd = withLabels("runtime/gpt");
    expect(interpret(heard(labelled("runtime/gpt")), facts({ issue: odd }))).toMatchObject({
      refused: expect.stringContaining("runtime/claude-code, runtime/codex"),
    });
  });
  test("a label that is gone again when the facts are read counts for nothing", () => {
    expect(interpret(heard(labelled("auto-merge")), facts())).toHaveProperty("ignored");
  });
  test("a label on the pull request counts for nothing", () => {
    const on = heard(labelled("auto-merge"), person, { pull: 43 });
    expect(interpret(on, facts({ issue: withLabels("auto-merge") }))).toHaveProperty("ignored");
  });
  test("a renamed label is known by its new name only", () => {
    const labels = { ...defaultLabelNames, "agent-ready": "queue me" };
    const renamed = withLabels("queue me", "agent-ready");
    expect(interpret(heard(labelled("queue me")), facts({ labels, issue: renamed }))).toHaveProperty(
      "events",
    );
    expect(interpret(heard(labelled("agent-ready")), facts({ labels, issue: renamed }))).toHaveProperty(
      "ignored",
    );
  });
  test("a listed bot may queue but not consent to a merge", () => {
    const change = {
      allowBots: [bot.login],
      permission: "none",
      issue: withLabels("agent-ready", "auto-merge"),
    } as const;
    expect(interpret(heard(labelled("agent-ready"), bot), facts(change))).toHaveProperty(
      "events.0.type",
      "ready.granted",
    );
    expect(interpret(heard(labelled("auto-merge"), bot), facts(change))).toMatchObject({
      events: [],
      refused: expect.any(String),
    });
  });
});

describe("taking a label away", () => {
  const none = withLabels();
  test("consent is withdrawn whoever does it", () => {
    const by = facts({ permission: "none", issue: none });
    expect(interpret(heard(unlabelled("agent-ready"), bot), by)).toEqual({
      events: [{ type: "ready.revoked" }],
    });
    expect(interpret(heard(unlabelled("auto-merge"), bot), by)).toEqual({
      events: [{ type: "automerge.set", on: false }],
    });
  });
  test("a halt is lifted only by somebody who may, and for all only with write", () => {
    const at = (permission: Permission, label: string) =>
      interpret(heard(unlabelled(label)), facts({ permission, issue: none }));
    expect(at("read", "forgehand:halt")).toMatchObject({ events: [], refused: expect.any(String) });
    expect(at("triage", "forgehand:halt")).toEqual({ events: [{ type: "halt.lifted" }] });
    expect(at("triage", "forgehand:halt-all")).toMatchObject({ events: [], refused: expect.any(String) });
    expect(at("write", "forgehand:halt-all")).toEqual({ halt: "lifted" });
  });
  test("taking harness-blocked off is a retry; our own doing so is not", () => {
    expect(interpret(heard(unlabelled("harness-blocked")), facts({ issue: none }))).toEqual({
      events: [{ type: "operator.retried" }],
    });
    expect(interpret(heard(unlabelled("harness-blocked"), own), facts({ issue: none }))).toHaveProperty(
      "ignored",
    );
  });
  test("a label that is back when the facts are read was never gone", () => {
    expect(interpret(heard(unlabelled("agent-ready")), facts())).toHaveProperty("ignored");
  });
});

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

const comment = { kind: "comment", id: 1, thread: 43 } as const;
const said = (command: Command, wroteOn?: string): Say => ({ type: "commented", comment, command, wroteOn });

describe("commands", () => {
  test.each([
    [{ name: "run" }, "ready.granted"],
    [{ name: "retry" }, "operator.retried"],
    [{ name: "stop" }, "operator.stopped"],
    [{ name: "budget", usd: 5 }, "budget.raised"],
    [{ name: "tell", order: "use tabs" }, "human.told"],
    [{ name: "approve", sha: undefined }, "human.approved"],
  ] satisfies readonly [Command, string][])(
    "%j comes to an event and an acknowledgement",
    (command, type) => {
      const waiting = { ...ticket, stoppedIn: "Gate" as const };
      const outcome = interpret(heard(said(command)), facts({ ticket: waiting }));
      expect(outcome).toMatchObject({
        events: [
          { type },
          { type: "human.asked", comment, ask: { about: "accepted", command: command.name } },
        ],
      });
    },
  );
  test.each(["run", "retry", "stop", "approve", "budget"] as const)(
    "%s by a stranger is refused with the reason and does nothing",
    (name) => {
      const command =
        name === "approve" ? { name, sha: undefined } : name === "budget" ? { name, usd: 1 } : { name };
      const outcome = interpret(heard(said(command)), facts({ permission: "read" }));
      expect(outcome).toMatchObject({
        events: [
          { type: "human.asked", ask: { about: "refused", why: expect.stringContaining("has read") } },
        ],
      });
      expect("events" in outcome && outcome.events.length).toBe(1);
    },
  );
  test("what an agent is to be told is for people with write, and not for a ticket that is over", () => {
    const tell = said({ name: "tell", order: "use tabs" });
    expect(interpret(heard(tell), facts({ permission: "triage" }))).toMatchObject({
      refused: expect.stringContaining("/forgehand tell"),
      events: [{ type: "human.asked", ask: { about: "refused" } }],
    });
    expect(interpret(heard(tell), facts())).toMatchObject({
      events: [{ type: "human.told", by: "alex", order: "use tabs" }, { type: "human.asked" }],
    });
    for (const state of ["Done", "Cancelled"] as const)
      expect(interpret(heard(tell), facts({ ticket: { ...ticket, state } }))).toMatchObject({
        refused: expect.stringContaining("the ticket is over"),
      });
  });
  test.each(["explain", "status", "help"] as const)(
    "%s is answered to people with triage and to nobody else",
    (name) => {
      expect(interpret(heard(said({ name })), facts({ permission: "triage" }))).toEqual({
        events: [{ type: "human.asked", comment, ask: { about: name } }],
      });
      expect(interpret(heard(said({ name })), facts({ permission: "read" }))).toHaveProperty("ignored");
    },
  );
  test("bots and we ourselves are never answered", () => {
    for (const sender of [bot, own]) {
      expect(interpret(heard(said({ name: "run" }), sender), facts({ permission: "admin" }))).toHaveProperty(
        "ignored",
      );
      expect(interpret(heard(said({ name: "help" }), sender), facts({ permission: "admin" }))).toHaveProperty(
        "ignored",
      );
    }
  });
  test("without a ticket only run means anything", () => {
    expect(interpret(heard(said({ name: "run" })), facts({ ticket: undefined }))).toHaveProperty(
      "events.0.type",
      "ready.granted",
    );
    expect(interpret(heard(said({ name: "stop" })), facts({ ticket: undefined }))).toMatchObject({
      refused: expect.stringContaining("no ticket"),
    });
  });
  test("a button says the same as the word, by the clicker's permission", () => {
    const press: Say = { type: "button", identifier: "stop", head, externalId: "x" };
    const on = { head, pulls: [43] };
    expect(interpret(heard(press, person, on), facts())).toEqual({ events: [{ type: "operator.stopped" }] });
    expect(interpret(heard(press, person, on), facts({ permission: "read" }))).toMatchObject({
      refused: expect.any(String),
      events: [],
    });
    expect(interpret(heard({ ...press, identifier: "nuke" }, person, on), facts())).toHaveProperty("ignored");
  });
});

describe("approving is for exactly one head", () => {
  const approve = (sha?: string): Command => ({ name: "approve", sha });
  const refusedFor = (says: Say, change: Partial<Facts> = {}) => {
    const outcome = interpret(heard(says, person, { pull: 43 }), facts(change));
    return "refused" in outcome ? outcome.events.map(({ type }) => type) : "accepted";
  };
  test("by prefix, when it is the head's", () => {
    expect(interpret(heard(said(approve("aaaaaaa"))), facts())).toHaveProperty("events.0", {
      type: "human.approved",
      head,
      by: "alex",
    });
    expect(refusedFor(said(approve("bbbbbbb")))).toEqual(["human.asked"]);
  });
  test("a push that came between the words and the reading voids them", () => {
    const moved = { pull: { ...pull, head: older } };
    expect(refusedFor(said(approve()), moved)).toEqual(["human.asked"]);
    expect(refusedFor(said(approve(), head), moved)).toEqual(["human.asked"]);
  });
  test("words in a thread from before we knew the head approve nothing, to the second", () => {
    const early: Say = { type: "commented", comment, command: approve(), wroteOn: undefined, at: 5_000 };
    expect(refusedFor(early, { headSince: 6_000 })).toEqual(["human.asked"]);
    expect(refusedFor(early, { headSince: 5_999 })).toBe("accepted");
    expect(refusedFor({ ...early, command: approve("aaaaaaa") }, { headSince: 6_000 })).toBe("accepted");
  });
  test("an inline comment approves the commit it was written on", () => {
    expect(refusedFor(said(approve(), head))).toBe("accepted");
    expect(refusedFor(said(approve(), older))).toEqual(["human.asked"]);
  });
  test("a button approves the commit it stands on", () => {
    const press = (at: string): Say => ({ type: "button", identifier: "approve", head: at, externalId: "" });
    expect(refusedFor(press(head))).toBe("accepted");
    expect(refusedFor(press(older))).toEqual([]);
  });
  test("without an open pull request there is nothing to approve", () => {
    expect(refusedFor(said(approve()), { pull: undefined })).toEqual(["human.asked"]);
    expect(refusedFor(said(approve()), { pull: { ...pull, open: false } })).toEqual(["human.asked"]);
  });
});

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
    expect(on(review("objected", head, { name: "stop" }))).toMatchObject({
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
    ).toHaveProperty("events.0.why", "failed: test, lint");
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
