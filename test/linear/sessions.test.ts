import { parse, validate } from "graphql";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { idFor } from "../../src/adapters/linear/voice.ts";
import * as documents from "../../src/adapters/linear/session-documents.ts";
import { linearSchema } from "../../src/simulator/linear/schema.ts";
import type { SimIssue, SimSession } from "../../src/simulator/linear/world.ts";
import type { RunId } from "../../src/state-machine/ticket.ts";
import { readLinear, type LinearSessionHint } from "../../src/webhooks/read-linear.ts";
import { hearSession, type SessionHint } from "../../src/shell/hear-session.ts";
import type { Say } from "../../src/webhooks/heard.ts";
import { specHash } from "../../src/webhooks/spec-hash.ts";
import { brief, head, sessionsStage, type SessionsStage } from "./sessions-stage.ts";

let s: SessionsStage;
beforeEach(async () => (s = await sessionsStage()));
afterEach(() => s.close());

test("every document about sessions is valid against Linear's schema", () => {
  const wrong = Object.values(documents).flatMap(({ name, text }) =>
    validate(linearSchema(), parse(text)).map(({ message }) => `${name}: ${message}`),
  );
  expect(wrong).toEqual([]);
});

async function delegated(
  title = "Greet",
): Promise<{ readonly issue: SimIssue; readonly session: SimSession }> {
  const issue = s.ada.open(s.eng, title, { assignee: s.bob.user, description: "The greeting is wrong." });
  const session = s.ada.delegate(issue, s.install.user);
  return { issue, session };
}
const hintOf = async (): Promise<LinearSessionHint> => {
  const payload = (await s.heard()).findLast(({ event }) => event === "AgentSessionEvent")?.payload;
  return readLinear(JSON.stringify(payload)) as never;
};
const runOf = async (issue: SimIssue): Promise<RunId> => {
  const { ticket } = await s.ticket(issue);
  if (ticket.run === undefined) throw new Error(`no run in ${ticket.state}`);
  return ticket.run;
};
const briefs = (session: SimSession): readonly string[] => s.said(session).map(brief);
const planOf = (session: SimSession): string =>
  ((session.plan ?? []) as readonly { content: string; status: string }[])
    .map(({ status }) => status.slice(0, 4))
    .join(" ");
const lastOptions = (session: SimSession): readonly string[] => {
  const meta = s.said(session).at(-1)?.signalMetadata as
    | { options: readonly { value: string }[] }
    | undefined;
  return (meta?.options ?? []).map(({ value }) => value);
};

describe("the first thought", () => {
  test("is there at once while everything is halted and nothing of the inbox was read", async () => {
    const { session } = await delegated();
    await s.store.raiseHalt({ id: "linear:x/y", ref: "acme/ENG-9" }, "ada", s.clock.now());
    await s.keeper().greet(await hintOf());
    expect(briefs(session)).toEqual([expect.stringContaining("thought: I have it")]);
    expect(s.status(session)).toBe("active");
    const kept = await s.store.linearSessionIn(s.acme.id, session.comment.id);
    expect(kept).toMatchObject({ id: session.id, creator: s.ada.user.id, state: "open" });
  });

  test("is said once, however often it is greeted, and whether an answer was lost or not", async () => {
    const { session } = await delegated();
    const hint = await hintOf();
    s.linear.fail({ is: "reset", of: /agentActivityCreate/, after: true });
    const first = s.keeper().greet(hint);
    const second = s.keeper().greet(hint);
    while (s.clock.waiting().length === 0) await new Promise((wake) => setImmediate(wake));
    await s.clock.advance(2_500);
    await Promise.all([first, second]);
    await s.keeper().greet(hint);
    await s.pass(30_000);
    expect(s.said(session)).toHaveLength(1);
    expect(s.said(session)[0]?.createdAt).toBeLessThanOrEqual(session.createdAt + 10_000);
  });

  test("comes within ten seconds where the first answer hangs", async () => {
    const { session } = await delegated();
    const hint = await hintOf();
    s.linear.fail({ is: "slow", of: /agentActivityCreate/, delayMs: 1_500 });
    const greeted = s.keeper().greet(hint);
    while (s.clock.waiting().length === 0) await new Promise((wake) => setImmediate(wake));
    await s.clock.advance(2_500);
    await greeted;
    expect(s.said(session)).toHaveLength(1);
    expect(s.clock.now() - session.createdAt).toBeLessThan(10_000);
  });

  test("is made up for by the loop where Linear was away, and the issue is read all the same", async () => {
    const { session } = await delegated();
    s.linear.fail({ is: 500, of: /agentActivityCreate|viewer/, times: 3 });
    const hearing = s.hear();
    for (let n = 0; n < 3; n += 1) {
      while (s.clock.waiting().length === 0) await new Promise((wake) => setImmediate(wake));
      await s.clock.advance(2_500);
    }
    await hearing;
    await s.pass(15_000);
    expect(briefs(session)).toEqual([
      expect.stringContaining("I have it"),
      expect.stringContaining("thought: Queued. Waits for a free slot"),
    ]);
  });

  test("is an error that says what to do where the session hangs on nothing that may begin", async () => {
    s.permissions.set("Ada", "read");
    const { session } = await delegated();
    await s.hear();
    await s.pass(10_000);
    expect(briefs(session).at(-1)).toContain("error: I cannot start: this takes triage access;");
    expect(s.status(session)).toBe("error");
    s.permissions.set("Ada", "triage");
    s.ada.reply(session, "I have it now");
    await s.hear();
    await s.pass(10_000);
    expect(briefs(session).at(-1)).toContain("thought: Queued");
  });
});

describe("a session on its way", () => {
  test("says at most one thing in ten seconds, the newest, and keeps its plan in step to the end", async () => {
    const { issue, session } = await delegated();
    await s.hear();
    expect(issue).toMatchObject({ assignee: { name: "Bob" }, delegate: { name: "Forgehand" } });
    await s.happen(issue, { type: "slot.granted" });
    await s.happen(issue, { type: "gate.passed", run: await runOf(issue) });
    await s.pass(60_000);
    expect(briefs(session).slice(1)).toEqual(["action: Builds"]);
    expect(planOf(session)).toBe("comp inPr pend pend pend");
    await s.happen(issue, { type: "build.delivered", run: await runOf(issue), head, summary: "done" });
    await s.happen(issue, { type: "pr.opened", pull: 12, head });
    await s.pass(30_000);
    expect(planOf(session)).toBe("comp comp inPr pend pend");
    expect(session.externalLinks).toMatchObject([
      { label: "Pull request #12", url: "https://github.com/o/r/pull/12" },
      { label: "Run" },
    ]);
    await s.happen(issue, {
      type: "review.passed",
      run: await runOf(issue),
      head,
      summary: "good",
      needsPerson: [],
    });
    await s.pass(30_000);
    expect(s.status(session)).toBe("awaitingInput");
    expect(String(s.said(session).at(-1)?.content["body"])).toContain("approval of this head by a person");
    expect(planOf(session)).toBe("comp comp comp inPr pend");
    await s.happen(issue, { type: "human.approved", head, by: "ada" });
    await s.happen(issue, { type: "pr.merged", head, merge: "b".repeat(40) });
    await s.pass(30_000);
    expect(briefs(session).at(-1)).toContain("response: Merged at `aaaaaaa`");
    expect(String(s.said(session).at(-1)?.content["body"])).toContain("Total $0.00");
    expect(planOf(session)).toBe("comp comp comp comp comp");
    expect(s.status(session)).toBe("complete");
    const times = s.said(session).map(({ createdAt }) => createdAt);
    for (const [nth, at] of times.entries())
      if (nth > 0) expect(at - (times[nth - 1] ?? 0)).toBeGreaterThanOrEqual(10_000);
    const plans = s.writes.filter((one) => one === "write a plan").length;
    await s.pass(120_000);
    expect(s.writes.filter((one) => one === "write a plan")).toHaveLength(plans);
  });

  test("never goes stale while work goes on in silence", async () => {
    const { issue, session } = await delegated();
    await s.hear();
    await s.happen(issue, { type: "slot.granted" });
    await s.pass(10_000);
    const spoken = s.said(session).length;
    for (let minute = 0; minute < 95; minute += 1) {
      await s.clock.advance(60_000);
      await s.calm();
      expect(s.status(session)).toBe("active");
    }
    // A sign of life goes with the next: only the newest is in view.
    expect(s.said(session)).toHaveLength(spoken + 1);
    expect(briefs(session).at(-1)).toContain("thought: Still **Spec gate**, for 1h");
  });

  test("takes an issue over where it was mentioned, and leaves another agent's alone", async () => {
    const issue = s.ada.open(s.eng, "Mentioned", { assignee: s.bob.user });
    s.ada.mention(issue, s.install.user, "please");
    await s.hear();
    expect(issue).toMatchObject({ assignee: { name: "Bob" }, delegate: { name: "Forgehand" } });
    const other = s.linear.app({ name: "Other", home: s.acme });
    const { install } = s.linear.oauth.install(other, s.acme, { scopes: ["write", "app:assignable"] });
    const theirs = s.ada.open(s.eng, "Theirs");
    s.ada.delegate(theirs, install.user);
    s.ada.mention(theirs, s.install.user, "please look");
    await s.hear();
    expect(theirs.delegate?.name).toBe("Other");
  });
});

describe("a question", () => {
  const flag = async (issue: SimIssue, choices?: readonly string[]): Promise<void> => {
    await s.happen(issue, { type: "slot.granted" });
    await s.happen(issue, {
      type: "gate.flagged",
      run: await runOf(issue),
      gaps: [{ about: "What", missing: "Which <greeting>?", choices }],
      comment: "Say which.",
    });
    await s.pass(20_000);
  };

  test("of the spec gate is answered in the thread, becomes spec, and releases exactly that text", async () => {
    const { issue, session } = await delegated();
    await s.hear();
    await flag(issue);
    expect(s.status(session)).toBe("awaitingInput");
    expect(String(s.said(session).at(-1)?.content["body"])).toContain("1. **What**: Which \\<greeting>?");
    const before = (await s.ticket(issue)).ticket;
    expect(before.state).toBe("Backlog");
    s.bob.reply(session, "Good morning");
    await s.hear();
    await s.pass(10_000);
    expect(issue.description).toContain("Good morning");
    expect((await s.ticket(issue)).ticket.state).toBe("Ready");
    expect(briefs(session).at(-1)).toContain("thought: Queued");
  });

  test("that leaves a few answers offers them, and the one that is picked becomes spec", async () => {
    const { issue, session } = await delegated();
    await s.hear();
    await flag(issue, ["Good morning", "Good evening"]);
    expect(lastOptions(session)).toEqual(["answer 1", "answer 2", "run"]);
    expect(String(s.said(session).at(-1)?.content["body"])).toContain(
      "Which one: Good morning · Good evening?",
    );
    s.bob.reply(session, "answer 2");
    await s.hear();
    expect(issue.description).toContain("Good evening");
    expect(issue.description).not.toContain("answer 2");
    expect((await s.ticket(issue)).ticket.state).toBe("Ready");
  });

  test("releases nothing that was edited after it was answered", async () => {
    const { issue, session } = await delegated();
    await s.hear();
    await flag(issue);
    s.bob.reply(session, "Good morning");
    s.bob.edit(issue, { description: "Write evil.txt." });
    await s.hear();
    await s.pass(10_000);
    expect(issue.description).toBe("Write evil.txt.");
    expect((await s.ticket(issue)).ticket.state).toBe("Backlog");
    expect(briefs(session).at(-1)).toContain("The issue was edited since you answered");
    s.bob.reply(session, "Good morning");
    await s.hear();
    expect((await s.ticket(issue)).ticket.state).toBe("Ready");
  });

  test("is answered by nobody without the permission: the spec stays, and the question is asked again", async () => {
    s.permissions.set("Bob", "read");
    const { issue, session } = await delegated();
    await s.hear();
    await flag(issue);
    s.bob.reply(session, "Good morning");
    await s.hear();
    await s.pass(10_000);
    expect(issue.description).toBe("The greeting is wrong.");
    expect((await s.ticket(issue)).ticket.state).toBe("Backlog");
    const last = s.said(session).at(-1);
    expect(last?.content["body"]).toContain("this takes triage access; @bob has read");
    expect(last?.content["body"]).toContain("Which \\<greeting>?");
    expect(s.status(session)).toBe("awaitingInput");
  });

  test("about money offers amounts, and an amount is the command of that sum", async () => {
    const { issue, session } = await delegated();
    await s.hear();
    await s.happen(issue, { type: "slot.granted" });
    const run = await runOf(issue);
    await s.happen(issue, { type: "budget.spent", run, why: "the run's cap", wantsUsd: 4 });
    await s.pass(20_000);
    expect(lastOptions(session)).toEqual(["budget 4", "budget 8", "stop"]);
    s.ada.reply(session, "budget 8");
    await s.hear();
    const { ticket } = await s.ticket(issue);
    expect(ticket).toMatchObject({ state: "Ready", allowance: 8 });
    await s.pass(30_000);
    expect(s.status(session)).toBe("active");
  });

  test("after a failure is to try again or to leave it", async () => {
    const { issue, session } = await delegated();
    await s.hear();
    await s.happen(issue, { type: "slot.granted" });
    await s.happen(issue, { type: "run.exhausted", run: await runOf(issue), why: "no model answers" });
    await s.pass(20_000);
    expect(lastOptions(session)).toEqual(["retry", "stop"]);
    expect(planOf(session)).toBe("pend pend pend pend pend");
    s.ada.reply(session, "Leave it stopped");
    await s.hear();
    await s.pass(10_000);
    expect(s.status(session)).toBe("error");
    expect(briefs(session).at(-1)).toContain("error: Left as it stands: Blocked");
    s.ada.reply(session, "retry");
    await s.hear();
    expect((await s.ticket(issue)).ticket.state).toBe("Ready");
    await s.pass(30_000);
    expect(s.status(session)).toBe("active");
  });

  test("about two runtimes offers their labels; the other is taken off, and the issue is released", async () => {
    const { issue, session } = await delegated();
    s.ada.label(issue, "runtime/codex", "runtime/claude-code", "bug");
    await s.hear();
    await s.happen(issue, { type: "runtime.chosen", runtime: "contested" });
    await s.pass(20_000);
    expect(lastOptions(session)).toEqual(["runtime/claude-code", "runtime/codex"]);
    s.ada.reply(session, "runtime/codex");
    await s.hear();
    expect(issue.labels.map(({ name }) => name)).toEqual(["runtime/codex", "bug"]);
    expect((await s.ticket(issue)).ticket.state).toBe("Ready");
  });
});

describe("stop", () => {
  test("halts at once for anybody, says what is left, and retry lets it go on", async () => {
    s.permissions.set("Bob", "none");
    const { issue, session } = await delegated();
    await s.hear();
    await s.happen(issue, { type: "slot.granted" });
    await s.happen(issue, { type: "gate.passed", run: await runOf(issue) });
    await s.pass(15_000);
    s.bob.stop(session);
    await s.hear();
    expect((await s.ticket(issue)).ticket).toMatchObject({ state: "Blocked", halted: true, run: undefined });
    await s.pass(10_000);
    expect(s.status(session)).toBe("complete");
    const left = String(s.said(session).at(-1)?.content["body"]);
    for (const part of [
      "Stopped.",
      "Blocked, before that In Progress",
      "`forgehand/eng-1`, kept",
      "No pull request",
      "$0.00 so far",
    ])
      expect(left).toContain(part);
    const spoken = s.said(session).length;
    await s.pass(60_000);
    expect(s.said(session)).toHaveLength(spoken);
    s.bob.reply(session, "retry");
    await s.hear();
    await s.pass(10_000);
    expect(briefs(session).at(-1)).toContain("response: this takes triage access");
    s.ada.reply(session, "retry");
    await s.hear();
    expect((await s.ticket(issue)).ticket).toMatchObject({ state: "Ready", halted: false });
    await s.pass(30_000);
    expect(s.status(session)).toBe("active");
  });
});

describe("a stopped session", () => {
  test("is one in which the word was typed, and one in which nothing had begun", async () => {
    s.permissions.set("Ada", "read");
    const { session } = await delegated();
    await s.hear();
    await s.pass(10_000);
    s.ada.reply(session, "Stop!");
    await s.hear();
    await s.pass(10_000);
    expect(briefs(session).at(-1)).toBe("response: Stopped. Nothing had been begun.");
    s.permissions.set("Ada", "triage");
    s.ada.reply(session, "Go on then");
    await s.hear();
    await s.pass(10_000);
    expect(briefs(session).at(-1)).toContain("thought: Queued");
  });

  test("is told of its ticket again once somebody speaks in it after the halt went elsewhere", async () => {
    const { issue, session } = await delegated();
    await s.hear();
    s.ada.stop(session);
    await s.hear();
    await s.pass(20_000);
    await s.happen(issue, { type: "halt.lifted" });
    await s.happen(issue, { type: "operator.retried" });
    await s.pass(20_000);
    expect(s.status(session)).toBe("complete");
    s.ada.reply(session, "/forgehand status");
    await s.hear();
    await s.pass(20_000);
    expect(s.status(session)).toBe("active");
    expect(briefs(session).at(-1)).toContain("thought: Queued");
  });

  test("stops its ticket for every session on it, each of which asks for itself", async () => {
    const { issue, session } = await delegated();
    const other = s.bob.mention(issue, s.install.user, "you too");
    await s.hear();
    await s.happen(issue, { type: "slot.granted" });
    await s.pass(20_000);
    s.ada.stop(session);
    await s.hear();
    await s.pass(20_000);
    expect(s.status(session)).toBe("complete");
    expect(s.status(other)).toBe("awaitingInput");
    expect(lastOptions(other)).toEqual(["retry", "stop"]);
  });
});

describe("words", () => {
  test("that are commands, questions or neither come to what they would in a comment, and are answered", async () => {
    const { issue, session } = await delegated();
    await s.hear();
    await s.happen(issue, { type: "slot.granted" });
    await s.happen(issue, { type: "gate.passed", run: await runOf(issue) });
    await s.pass(10_000);
    s.ada.reply(session, "@forgehand /forgehand status");
    s.ada.reply(session, "Keep the old name <b>as an alias</b>");
    s.ada.reply(session, "Why is it cached?");
    s.ada.reply(session, "/forgehand fly");
    await s.hear();
    await s.pass(60_000);
    const events = (await s.store.linesOf((await s.ticket(issue)).ticket.id)).map(({ event }) => event);
    expect(events).toContainEqual({
      type: "human.told",
      by: "ada",
      order: "Keep the old name <b>as an alias</b>",
    });
    expect(events).toContainEqual(
      expect.objectContaining({
        ask: expect.objectContaining({ about: "question", text: "Why is it cached?" }),
      }),
    );
    const said = briefs(session).join("\n");
    expect(said).toContain("thought: **In Progress** · round");
    expect(said).toContain("thought: Heard. The agent that is at work");
    expect(said).toContain("thought: An agent reads the code");
    expect(said).toContain("there is no command");
    expect(s.status(session)).toBe("active");
  });

  test("of one who may not begin are not all refused", async () => {
    s.permissions.set("Ada", "read");
    const { session } = await delegated();
    for (let n = 0; n < 40; n += 1) s.ada.reply(session, `Please ${n}`);
    await s.hear();
    await s.pass(600_000);
    expect(s.said(session).length).toBeLessThan(30);
  });

  test("of one who talks without end are not all answered", async () => {
    const { issue, session } = await delegated();
    await s.hear();
    await s.happen(issue, { type: "slot.granted" });
    for (let n = 0; n < 40; n += 1) s.ada.reply(session, "/forgehand fly");
    await s.hear();
    await s.pass(500_000);
    expect(s.said(session).length).toBeLessThan(30);
  });
});

describe("trouble", () => {
  test("of one session, a spent budget say, rests that one alone", async () => {
    const one = await delegated("One");
    const two = await delegated("Two");
    await s.hear();
    s.linear.fail({ is: "ratelimited", of: /agentActivityCreate/ });
    await s.happen(one.issue, { type: "slot.granted" });
    await s.pass(10_000);
    await s.happen(two.issue, { type: "slot.granted" });
    await s.pass(20_000);
    const lively = [one.session, two.session].filter(
      (session) => briefs(session).at(-1) === "action: Reads the spec",
    );
    expect(lively).toHaveLength(1);
    await s.pass(70_000);
    expect(briefs(one.session).at(-1)).toBe("action: Reads the spec");
    expect(briefs(two.session).at(-1)).toBe("action: Reads the spec");
  });

  test("with the plan holds up no word", async () => {
    const { issue, session } = await delegated();
    await s.hear();
    s.linear.fail({ is: 500, of: /agentSessionUpdate/, times: 5 });
    await s.happen(issue, { type: "slot.granted" });
    await s.pass(12_500);
    expect(briefs(session).at(-1)).toBe("action: Reads the spec");
    expect(planOf(session)).not.toContain("inPr");
    await s.pass(600_000);
    expect(planOf(session)).toBe("inPr pend pend pend pend");
  });

  test("ends with a session that Linear has no more", async () => {
    const { issue, session } = await delegated();
    await s.hear();
    const { id } = session;
    s.ada.delete(issue, "for good");
    await s.happen(issue, { type: "slot.granted" });
    await s.pass(20_000);
    expect(await s.store.linearSession(id)).toMatchObject({ state: "gone" });
    const { length } = s.writes;
    await s.happen(issue, { type: "ticket.cancelled", why: "the issue was deleted" });
    await s.pass(60_000);
    expect(s.writes).toHaveLength(length);
  });

  test("with an id that a stranger took, knowing how ours are made, is got around", async () => {
    const { issue, session } = await delegated();
    const hint = await hintOf();
    const other = s.linear.app({ name: "Other", home: s.acme });
    const { accessToken, install } = s.linear.oauth.install(other, s.acme, {
      scopes: ["write", "app:assignable", "app:mentionable"],
    });
    const theirs = s.ada.mention(issue, install.user, "and you");
    const id = idFor(s.acme.id, session.id, "greeting", 0);
    await s
      .as({ accessToken })
      .createAgentActivity({ id, agentSessionId: theirs.id, content: { type: "thought", body: "mine" } });
    await s.keeper().greet(hint);
    await s.keeper().greet(hint);
    expect(briefs(session)).toEqual([expect.stringContaining("I have it")]);
  });

  test("keeps secrets out of what is said", async () => {
    const { issue, session } = await delegated();
    await s.hear();
    await s.happen(issue, { type: "ticket.cancelled", why: "hunter2 was in it" });
    await s.pass(20_000);
    expect(s.said(session).at(-1)?.content["body"]).toContain("Cancelled: [removed] was in it.");
    expect(planOf(session)).toBe("canc canc canc canc canc");
  });
});

describe("what counts is what the person had before them", () => {
  test("a delegated issue is released as it read when it was delegated", async () => {
    const { issue } = await delegated();
    const seen = specHash({ title: issue.title, body: issue.description ?? "" });
    s.bob.edit(issue, { description: "Write evil.txt." });
    await s.hear();
    expect((await s.ticket(issue)).ticket.spec).toBe(seen);
  });

  test("a command in a session tells when it was said, and of which text", async () => {
    const { issue, session } = await delegated();
    await s.hear();
    const seen = specHash({ title: issue.title, body: issue.description ?? "" });
    const at = s.clock.now();
    s.bob.reply(session, "/forgehand approve");
    s.bob.edit(issue, { description: "Write evil.txt." });
    await s.pass(60_000);
    const said: Say[] = [];
    const room = { shop: s.shop, sessions: s.port, keeper: s.keeper() };
    await hearSession(room, (await hintOf()) as SessionHint, {
      told: async (_, say) => {
        said.push(say);
        return { ignored: "only listened to" };
      },
      permissionOf: async () => ({ login: "bob", permission: "write" }),
      text: () => Promise.reject(new Error("nothing was answered")),
      appendToSpec: () => Promise.reject(new Error("nothing was answered")),
    });
    expect(said).toMatchObject([{ type: "commented", command: { name: "approve" }, at, spec: seen }]);
  });
});
