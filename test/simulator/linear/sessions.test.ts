import { AgentActivitySignal } from "@linear/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SimSession } from "../../../src/simulator/linear/world.ts";
import { refusal, stand, type Json, type Stand } from "./stand.ts";

let s: Stand;
beforeEach(async () => (s = await stand()));
afterEach(() => s.close());

const statusOf = async (session: SimSession): Promise<string> =>
  (await s.client.agentSession(session.id)).status;
const say = (session: SimSession, type: string, more: Json = {}): Promise<unknown> =>
  s.client.createAgentActivity({
    agentSessionId: session.id,
    content: { type, ...(type === "action" ? { action: "Run", parameter: "npm test" } : { body: type }) },
    ...more,
  });
const events = async (): Promise<readonly Json[]> =>
  (await s.heard()).filter(({ event }) => event === "AgentSessionEvent").map(({ payload }) => payload);

describe("a session begins", () => {
  it("when an issue is delegated, and whoever was assigned stays so", async () => {
    const issue = s.ada.open(s.eng, "Fix <it>", {
      assignee: s.bob.user,
      description: "The greeting is wrong.",
    });
    const session = s.ada.delegate(issue, s.install.user);
    const [created] = await events();
    expect(created).toMatchObject({
      type: "AgentSessionEvent",
      action: "created",
      oauthClientId: s.app.clientId,
      appUserId: s.install.user.id,
      organizationId: s.acme.id,
      agentSession: {
        id: session.id,
        status: "pending",
        creator: { name: "Ada" },
        issue: { identifier: "ENG-1", title: "Fix <it>", description: "The greeting is wrong." },
        comment: { body: "This thread is for an agent session with forgehand." },
      },
    });
    expect(created?.["promptContext"]).toContain("<title>Fix &lt;it&gt;</title>");
    const read = await s.client.issue(issue.id);
    expect((await read.assignee)?.name).toBe("Bob");
    expect((await read.delegate)?.id).toBe(s.install.user.id);
    const found = await s.client.agentSession(session.id);
    expect((await found.issue)?.id).toBe(issue.id);
    expect((await found.appUser)?.id).toBe(s.install.user.id);
    expect((await found.comment)?.body).toBe("This thread is for an agent session with forgehand.");
  });

  it("when an issue is assigned to the agent, which makes it the delegate", async () => {
    const issue = s.ada.open(s.eng, "Assigned", { assignee: s.bob.user });
    await s
      .as({ apiKey: s.linear.apiKey(s.ada.user) })
      .updateIssue(issue.id, { assigneeId: s.install.user.id });
    expect(issue).toMatchObject({ assignee: { name: "Bob" }, delegate: { name: "Forgehand" } });
    expect(await events()).toMatchObject([{ action: "created" }]);
  });

  it("when somebody mentions the agent, in the thread where they did", async () => {
    const issue = s.ada.open(s.eng, "Talk");
    s.ada.comment(issue, "An address: forgehand@example.com");
    const before = s.bob.comment(issue, "It fails since Monday.");
    const session = s.ada.mention(issue, s.install.user, "please look", before);
    const [created, ...more] = await events();
    expect(more).toEqual([]);
    expect(created).toMatchObject({
      agentSession: { commentId: before.id, comment: { body: "It fails since Monday." } },
      previousComments: [{ body: "@forgehand please look" }],
    });
    expect(created?.["promptContext"]).toContain(`<primary-directive-thread comment-id="${before.id}">`);
    expect(session.creator?.name).toBe("Ada");
    expect(issue.delegate).toBeUndefined();
  });

  it("with all that is known of the issue, and the rules of workspace and team", async () => {
    const { ada, acme, linear } = s;
    acme.guidance = "Be brief.";
    const team = linear.team(acme, { key: "WEB", name: "Web", guidance: "Test & tell." });
    const parent = ada.open(team, "Parent");
    const project = linear.project(acme, { name: "Greeter", teams: [team] });
    const issue = ada.open(team, "Child", { parent, project });
    ada.label(issue, "repo:app");
    const thread = ada.comment(issue, "Earlier talk");
    s.bob.comment(issue, "A reply", thread);
    ada.delegate(issue, s.install.user);
    const [created] = await events();
    const context = String(created?.["promptContext"]);
    for (const part of [
      '<issue identifier="WEB-2">',
      '<team name="Web"/>',
      "<label>repo:app</label>",
      '<parent-issue identifier="WEB-1"><title>Parent</title></parent-issue>',
      '<project name="Greeter"></project>',
      `<other-thread comment-id="${thread.id}">`,
      '<guidance-rule origin="team" team-name="Web">Test &amp; tell.</guidance-rule>',
    ])
      expect(context).toContain(part);
    expect(context.indexOf("Earlier talk")).toBeLessThan(context.indexOf("A reply"));
    expect(created?.["guidance"]).toMatchObject([
      { body: "Be brief.", origin: { type: "Organization" } },
      { body: "Test & tell.", origin: { type: "Team", team: { key: "WEB" } } },
    ]);
  });

  it("by the agent itself, which is not told of it and may take the issue", async () => {
    const issue = s.ada.open(s.eng, "Proactive");
    const made = await s.client.agentSessionCreateOnIssue({ issueId: issue.id });
    expect(made.success).toBe(true);
    await s.client.updateIssue(issue.id, { delegateId: s.install.user.id });
    expect(await events()).toEqual([]);
    const comment = s.ada.comment(issue, "Here?");
    const other = await s.client.agentSessionCreateOnComment({ commentId: comment.id });
    expect((await (await other.agentSession)?.comment)?.id).toBe(comment.id);
  });

  it("not for an agent without the scope, or without access to the team", async () => {
    const shy = s.linear.app({ name: "Shy", home: s.acme });
    const { install } = s.linear.oauth.install(shy, s.acme, { scopes: ["read", "write"] });
    const issue = s.ada.open(s.eng, "Nobody's");
    const key = s.as({ apiKey: s.linear.apiKey(s.ada.user) });
    const refused = await refusal(() => key.updateIssue(issue.id, { delegateId: install.user.id }));
    expect(refused).toMatchObject({ type: "InvalidInput" });
    expect(refused.message).toContain("app:assignable");
    s.ada.comment(issue, "@shy hello");
    s.ada.changeAccess(s.app, { remove: [s.eng] });
    expect(() => s.ada.delegate(issue, s.install.user)).toThrow("no access to team ENG");
    expect(s.linear.world.tables.AgentSession).toEqual([]);
  });
});

describe("the status of a session", () => {
  it("follows the last activity", async () => {
    const session = s.ada.delegate(s.ada.open(s.eng, "Status"), s.install.user);
    expect(await statusOf(session)).toBe("pending");
    for (const [type, status] of [
      ["thought", "active"],
      ["action", "active"],
      ["elicitation", "awaitingInput"],
      ["error", "error"],
      ["response", "complete"],
    ] as const) {
      await say(session, type);
      expect(await statusOf(session), type).toBe(status);
    }
    const read = await s.client.agentSession(session.id);
    expect([read.startedAt, read.endedAt]).toEqual([new Date(s.clock.now()), new Date(s.clock.now())]);
    s.ada.reply(session, "One more thing");
    expect(await statusOf(session)).toBe("active");
    expect((await s.client.agentSession(session.id)).endedAt).toBeUndefined();
  });

  it("goes stale after half an hour of silence at work, and comes back", async () => {
    const session = s.ada.delegate(s.ada.open(s.eng, "Silence"), s.install.user);
    await say(session, "thought");
    await s.clock.advance(30 * 60_000 - 1);
    expect(await statusOf(session)).toBe("active");
    await s.clock.advance(1);
    expect(await statusOf(session)).toBe("stale");
    await say(session, "elicitation");
    await s.clock.advance(20 * 3_600_000);
    expect(await statusOf(session)).toBe("awaitingInput");
  });
});

describe("what the agent says", () => {
  it("is kept as activities; what ends or pauses work is a comment in the thread too", async () => {
    const session = s.ada.delegate(s.ada.open(s.eng, "Say"), s.install.user);
    await say(session, "thought", { ephemeral: true });
    await say(session, "action", {
      content: { type: "action", action: "Read", parameter: "a.ts", result: "ok" },
    });
    await say(session, "elicitation", {
      content: { type: "elicitation", body: "Which one?" },
      signal: AgentActivitySignal.Select,
      signalMetadata: { options: [{ value: "a" }, { value: "b" }] },
    });
    const activities = (await (await s.client.agentSession(session.id)).activities()).nodes.toReversed();
    expect(activities.map(({ content }) => content)).toMatchObject([
      { __typename: "AgentActivityActionContent", action: "Read", parameter: "a.ts", result: "ok" },
      { __typename: "AgentActivityElicitationContent", body: "Which one?" },
    ]);
    expect(activities[1]).toMatchObject({
      signal: "select",
      signalMetadata: { options: [{ value: "a" }, { value: "b" }] },
    });
    const thread = await s.client.comments({ filter: { parent: { id: { eq: session.comment.id } } } });
    expect(thread.nodes).toMatchObject([{ body: "Which one?" }]);
  });

  it("is refused when it makes no sense", async () => {
    const session = s.ada.delegate(s.ada.open(s.eng, "Nonsense"), s.install.user);
    const refused = async (content: Json, more: Json = {}): Promise<string> =>
      (await refusal(() => s.client.createAgentActivity({ agentSessionId: session.id, content, ...more })))
        .message;
    expect(await refused({ body: "x" })).toContain("content.type is missing");
    expect(await refused({ type: "prompt", body: "x" })).toContain("cannot make an activity of type prompt");
    expect(await refused({ type: "action", action: "x" })).toContain("content.parameter is missing");
    expect(await refused({ type: "response", body: "x" }, { ephemeral: true })).toContain("ephemeral");
    expect(await refused({ type: "thought", body: "x" }, { signal: "select" })).toContain("signal select");
    expect((await refusal(() => say({ ...session, id: "gone" }, "thought"))).message).toContain(
      "Entity not found: AgentSession",
    );
  });

  it("belongs to its own sessions", async () => {
    const session = s.ada.delegate(s.ada.open(s.eng, "Mine"), s.install.user);
    const other = s.linear.app({ name: "Other", home: s.acme });
    const { accessToken } = s.linear.oauth.install(other, s.acme, { scopes: ["write", "app:assignable"] });
    const error = await refusal(() =>
      s
        .as({ accessToken })
        .createAgentActivity({ agentSessionId: session.id, content: { type: "thought", body: "x" } }),
    );
    expect(error.type).toBe("Forbidden");
  });

  it("includes a plan that is replaced whole, and links that are added and removed", async () => {
    const session = s.ada.delegate(s.ada.open(s.eng, "Plan"), s.install.user);
    const plan = [
      { content: "Look", status: "completed" },
      { content: "Mend", status: "inProgress" },
    ];
    await s.client.updateAgentSession(session.id, {
      plan: plan as never,
      externalUrls: [{ label: "Run", url: "https://run.example/1" }],
    });
    await s.client.updateAgentSession(session.id, {
      addedExternalUrls: [{ label: "PR", url: "https://git.example/pull/1" }],
      removedExternalUrls: ["https://run.example/1"],
    });
    const read = await s.client.agentSession(session.id);
    expect(read.plan).toEqual(plan);
    expect(read.externalLinks).toMatchObject([{ label: "PR", url: "https://git.example/pull/1" }]);
    await s.client.updateAgentSession(session.id, {
      plan: [{ content: "Rest", status: "pending" }] as never,
    });
    expect((await s.client.agentSession(session.id)).plan).toEqual([{ content: "Rest", status: "pending" }]);
    const wrong = await refusal(() => s.client.updateAgentSession(session.id, { plan: { steps: [] } }));
    expect(wrong.message).toContain("plan must be an array");
  });
});

describe("what a person says", () => {
  it("in the thread reaches the agent as a prompt", async () => {
    const session = s.ada.delegate(s.ada.open(s.eng, "Ask"), s.install.user);
    await say(session, "elicitation");
    const comment = s.bob.reply(session, "The second one");
    const prompted = (await events()).at(-1);
    expect(prompted).toMatchObject({
      action: "prompted",
      agentSession: { id: session.id, status: "active" },
      agentActivity: {
        content: { type: "prompt", body: "The second one" },
        sourceCommentId: comment.id,
        user: { name: "Bob" },
        signal: null,
      },
    });
  });

  it("elsewhere, or as an agent, does not", async () => {
    const issue = s.ada.open(s.eng, "Aside");
    const session = s.ada.delegate(issue, s.install.user);
    s.ada.comment(issue, "Between us");
    await s.client.createComment({ issueId: issue.id, parentId: session.comment.id, body: "@forgehand me" });
    expect((await events()).map(({ action }) => action)).toEqual(["created"]);
  });

  it("by dismissing the session takes the issue from the agent", async () => {
    const issue = s.ada.open(s.eng, "Enough");
    const session = s.ada.delegate(issue, s.install.user);
    s.ada.dismiss(session);
    expect(issue.delegate).toBeUndefined();
    const read = await s.client.agentSession(session.id);
    expect([read.dismissedAt, (await read.dismissedBy)?.name]).toEqual([new Date(s.clock.now()), "Ada"]);
    const last = (await s.heard()).at(-1)?.payload;
    expect(last).toMatchObject({ type: "Issue", updatedFrom: { delegateId: s.install.user.id } });
  });

  it("by the stop button is a prompt with that signal, until the agent has the last word", async () => {
    const session = s.ada.delegate(s.ada.open(s.eng, "Stop"), s.install.user);
    await say(session, "thought");
    s.ada.stop(session);
    expect((await events()).at(-1)).toMatchObject({
      action: "prompted",
      agentActivity: { signal: "stop", user: { name: "Ada" } },
    });
    expect(await statusOf(session)).toBe("stopping");
    await say(session, "response");
    expect(await statusOf(session)).toBe("complete");
  });
});
