import { isDeepStrictEqual } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Trouble } from "../../src/ports.ts";
import { hearSession, type SessionHint, type SessionTools } from "../../src/shell/hear-session.ts";
import { laneOf } from "../../src/shell/lane.ts";
import type { Item } from "../../src/store/inbox.ts";
import type { SimIssue, SimSession } from "../../src/simulator/linear/world.ts";
import { readLinear } from "../../src/webhooks/read-linear.ts";
import { brief, sessionsStage, type SessionsStage } from "./sessions-stage.ts";

let s: SessionsStage;
beforeEach(async () => (s = await sessionsStage()));
afterEach(() => s.close());

async function delegated(
  title = "Greet",
): Promise<{ readonly issue: SimIssue; readonly session: SimSession }> {
  const issue = s.ada.open(s.eng, title, { assignee: s.bob.user, description: "The greeting is wrong." });
  const session = s.ada.delegate(issue, s.install.user);
  return { issue, session };
}
const briefs = (session: SimSession): readonly string[] => s.said(session).map(brief);
const shutOut = (): Promise<never> =>
  Promise.reject(new Trouble("linear-forbidden", "We are shut out.", { permanent: true }));
/** Linear lets us read nothing. */
const noTools: SessionTools = { told: shutOut, permissionOf: shutOut, text: shutOut, appendToSpec: shutOut };

test("a stopped session speaks again where the halt was lifted elsewhere before it could tell of it", async () => {
  const { issue, session } = await delegated();
  await s.hear();
  s.linear.fail({ is: "ratelimited", of: /agentActivityCreate/ });
  await s.happen(issue, { type: "slot.granted" });
  await s.pass(10_000);
  s.ada.stop(session);
  await s.hear();
  expect((await s.ticket(issue)).ticket.halted).toBe(true);
  await s.happen(issue, { type: "halt.lifted" });
  await s.happen(issue, { type: "operator.retried" });
  await s.pass(120_000);
  expect(briefs(session).at(-1)).toContain("thought: Queued");
  expect((await s.store.linearSession(session.id))?.state).toBe("open");
});

test("a session that somebody began to say stop halts, by whatever name, and begins nothing", async () => {
  s.permissions.set("Bob", "none");
  const { issue } = await delegated();
  await s.hear();
  await s.happen(issue, { type: "slot.granted" });
  const called = s.bob.mention(issue, s.install.user, "stop!");
  await s.hear();
  expect((await s.ticket(issue)).ticket).toMatchObject({ state: "Blocked", halted: true });
  await s.pass(20_000);
  expect(briefs(called).at(-1)).toContain("response: **Stopped.**");
  const other = await delegated("Other");
  await s.hear();
  s.bob.reply(other.session, "@acme-agent stop");
  await s.hear();
  expect((await s.ticket(other.issue)).ticket.halted).toBe(true);
  const fresh = s.ada.open(s.eng, "Fresh");
  const none = s.ada.mention(fresh, s.install.user, "stop");
  await s.hear();
  await s.pass(20_000);
  expect(await s.store.load(`linear:${s.acme.id}/${fresh.id}`)).toBeUndefined();
  expect(briefs(none).at(-1)).toBe("response: Stopped. Nothing had been begun.");
});

test("a stop waits for nothing that was said before it, and what was is void when it is read", async () => {
  const { issue, session } = await delegated();
  await s.hear();
  await s.happen(issue, { type: "slot.granted" });
  s.ada.stop(session);
  await s.hear();
  await s.happen(issue, { type: "halt.lifted" });
  const hints = async (): Promise<readonly SessionHint[]> =>
    (await s.heard())
      .filter(({ event }) => event === "AgentSessionEvent")
      .map(({ payload }) => readLinear(JSON.stringify(payload)) as SessionHint);
  await s.clock.advance(1_000);
  s.ada.reply(session, "retry");
  const retry = (await hints()).at(-1);
  await s.clock.advance(1_000);
  s.ada.stop(session);
  const stop = (await hints()).at(-1);
  if (retry === undefined || stop === undefined) throw new Error("nothing was told");
  expect(await lanes([retry, stop])).toEqual([
    `linear:${s.acme.id}/${issue.id}`,
    `linear:${s.acme.id}/${issue.id} stop`,
  ]);
  const room = { shop: s.shop, sessions: s.port, keeper: s.keeper() };
  const halt = await hearSession(room, stop, noTools);
  expect("said" in halt && halt.said.map(({ event }) => event.type)).toEqual(["halt.raised"]);
  expect(await hearSession(room, retry, noTools)).toEqual({ ignored: "said before somebody pressed stop" });
});

test("a stop that is pressed while a delegation is read leaves nothing begun", async () => {
  const issue = s.ada.open(s.eng, "Greet", { description: "The greeting is wrong." });
  const session = s.ada.delegate(issue, s.install.user);
  const hint = async (): Promise<SessionHint> => {
    const payload = (await s.heard()).findLast(({ event }) => event === "AgentSessionEvent")?.payload;
    return readLinear(JSON.stringify(payload)) as SessionHint;
  };
  const created = await hint();
  const room = { shop: s.shop, sessions: s.port, keeper: s.keeper() };
  const ticket = `linear:${s.acme.id}/${issue.id}`;
  const begun = { said: [{ ticket, event: { type: "ready.granted", spec: "s" }, actor: "ada" }] } as const;
  const told = async () => {
    await s.clock.advance(1_000);
    s.ada.stop(session);
    expect(await hearSession(room, await hint(), noTools)).toHaveProperty("ignored");
    return begun;
  };
  const read = await hearSession(room, created, { ...noTools, told });
  expect(read).toEqual({ ignored: "said before somebody pressed stop" });
});

/** The lane of each of the newest webhooks, told by what they say. */
async function lanes(wanted: readonly SessionHint[]): Promise<readonly string[]> {
  const payloads = (await s.heard()).map(({ payload }) => JSON.stringify(payload));
  return await Promise.all(
    wanted.map(async (hint) => {
      const body = payloads.findLast((text) => isDeepStrictEqual(readLinear(text), hint)) ?? "";
      const item = { seq: 1, id: "i", source: "linear", name: "AgentSessionEvent", body } as Item;
      return await laneOf(s.shop, item);
    }),
  );
}

test("words of a workspace that names a session of another change nothing there", async () => {
  const { issue, session } = await delegated();
  await s.hear();
  await s.happen(issue, { type: "slot.granted" });
  await s.pass(20_000);
  const before = await s.store.linearSession(session.id);
  s.ada.stop(session);
  const payload = (await s.heard()).findLast(({ event }) => event === "AgentSessionEvent")?.payload;
  const hint = { ...(readLinear(JSON.stringify(payload)) as SessionHint), workspace: "another" };
  const read = await hearSession({ shop: s.shop, sessions: s.port, keeper: s.keeper() }, hint, noTools);
  expect(read).toEqual({ ignored: "an agent session of another workspace" });
  expect(await s.store.linearSession(session.id)).toEqual(before);
});

test("words that are refused for good are answered", async () => {
  const { issue, session } = await delegated();
  await s.hear();
  await s.happen(issue, { type: "slot.granted" });
  await s.pass(20_000);
  s.ada.reply(session, "Keep the old name");
  const payload = (await s.heard()).findLast(({ event }) => event === "AgentSessionEvent")?.payload;
  const hint = readLinear(JSON.stringify(payload)) as SessionHint;
  const heard = hearSession({ shop: s.shop, sessions: s.port, keeper: s.keeper() }, hint, noTools);
  await expect(heard).rejects.toThrow("shut out");
  await s.pass(20_000);
  expect(briefs(session).at(-1)).toContain("thought: I could not do that: We are shut out");
});
