import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { linearBudget } from "../../src/adapters/linear/budget.ts";
import { pages } from "../../src/adapters/linear/facts.ts";
import { key, linearStage, trouble, type LinearStage } from "./linear-stage.ts";

let s: LinearStage;
beforeEach(async () => (s = await linearStage({ limits: { app: { requests: 60, complexity: 36_000 } } })));
afterEach(() => s.close());

describe("a budget that is spent", () => {
  test("is Trouble until the time Linear names, though the status is 400", async () => {
    const issue = s.ada.open(s.eng, "Late");
    await s.issues.ticket(s.ref(issue));
    s.linear.fail({ is: "ratelimited" });
    expect(await trouble(() => s.issues.ticket(s.ref(issue)))).toMatchObject({
      code: "linear-rate-limited",
      permanent: false,
      retryAt: s.clock.now() + 60_000,
    });
  });

  test("is known from the headers, so that nothing is sent before there is room", async () => {
    const issue = s.ada.open(s.eng, "Spent");
    s.linear.leaveBudget(s.accessToken, { requests: 2 });
    await s.issues.ticket(s.ref(issue));
    s.asked();
    const found = await trouble(() => s.issues.ticket(s.ref(issue)));
    expect(found).toMatchObject({ code: "linear-rate-limited", retryAt: s.clock.now() + 60_000 });
    expect(s.asked()).toEqual([]);
    await s.clock.advance(60_000);
    expect(await s.issues.ticket(s.ref(issue))).toMatchObject({ title: "Spent" });
  });

  test("is left to urgent work by scans, a fifth of it", async () => {
    const issue = s.ada.open(s.eng, "Urgent");
    s.linear.leaveBudget(s.accessToken, { requests: 10 });
    await s.issues.identity(s.acme.id);
    expect((await trouble(() => s.issues.changedSince(s.acme.id, 0))).code).toBe("linear-rate-limited");
    await s.issues.move(key("k"), s.ref(issue), "Done");
    expect(issue.state.name).toBe("Done");
  });

  test("is assumed of nobody before the first answer, and odd headers say nothing", () => {
    const budget = linearBudget();
    expect(budget.waitUntil("scan", 5_000, 0)).toBeUndefined();
    budget.heard({ get: () => "many" }, 0);
    budget.heard({ get: () => "" }, 0);
    expect(budget.waitUntil("scan", 5_000, 0)).toBeUndefined();
    const said: Record<string, string> = {
      "x-ratelimit-complexity-limit": "100",
      "x-ratelimit-complexity-remaining": "0",
      "x-ratelimit-complexity-reset": "1000",
    };
    budget.heard({ get: (name) => said[name] ?? null }, 0);
    expect(budget.waitUntil("work", 50, 0)).toBe(500);
    expect(budget.waitUntil("scan", 50, 0)).toBe(700);
    // What costs more than there ever is waits for all of it, not for ever.
    expect(budget.waitUntil("work", 5_000, 0)).toBe(1_000);
    expect(budget.waitUntil("work", 50, 500)).toBeUndefined();
  });
});

describe("an answer in part", () => {
  test("is Trouble, not half a ticket", async () => {
    const issue = s.ada.open(s.eng, "Half");
    await s.issues.identity(s.acme.id);
    s.linear.fail({
      is: "partial",
      of: /^issue$/,
      path: "issue.description",
      message: "text is out of order",
    });
    const found = await trouble(() => s.issues.ticket(s.ref(issue)));
    expect(found).toMatchObject({ code: "linear-partial", permanent: false });
    expect(found.message).toContain("text is out of order");
  });

  test("is no deletion, though what it lacks is another issue", async () => {
    const issue = s.ada.open(s.eng, "Child of what we may not see");
    await s.issues.identity(s.acme.id);
    const message = "Entity not found: Issue - Could not find referenced Issue.";
    s.linear.fail({ is: "partial", of: /^issue$/, path: "issue.parent", message });
    const found = await trouble(() => s.issues.ticket(s.ref(issue)));
    expect(found).toMatchObject({ code: "linear-partial", permanent: false });
  });

  test.each([
    { what: "without the cursor of the next page", cursors: [undefined] },
    { what: "with cursors that go round", cursors: ["a", "b", "a"] },
  ])("is a list $what: Trouble, not all there is", async ({ cursors }) => {
    const left = cursors.values();
    const read = async () => ({
      nodes: ["one"],
      pageInfo: { hasNextPage: true, endCursor: left.next().value },
    });
    expect(await trouble(() => pages(read))).toMatchObject({ code: "linear-odd", permanent: false });
  });
});

describe("a token that Linear does not take", () => {
  test("is asked for anew once, and what was to be done is done once", async () => {
    const issue = s.ada.open(s.eng, "Refreshed");
    await s.issues.identity(s.acme.id);
    const { accessToken } = s.ada.grant(s.app, { scopes: ["read", "write"] });
    s.linear.tokens.delete(s.accessToken);
    // Only whoever says which token was refused gets the next.
    const old = s.accessToken;
    s.refused.push = (token: string) => {
      s.tokens.set(s.acme.id, accessToken);
      return Array.prototype.push.call(s.refused, token);
    };
    expect(await s.issues.upsertComment(key("k"), s.ref(issue), "m", "Hello")).toBeTypeOf("string");
    expect([...s.refused]).toEqual([old]);
    expect(s.linear.world.tables.Comment).toHaveLength(1);
  });

  test("for good, as after a revocation in the middle of work, is Trouble with the next command", async () => {
    const issue = s.ada.open(s.eng, "Revoked");
    await s.issues.move(key("k"), s.ref(issue), "In Progress");
    s.ada.revoke(s.app);
    const found = await trouble(() => s.issues.move(key("k2"), s.ref(issue), "Done"));
    expect(found).toMatchObject({ code: "linear-auth", permanent: false });
    expect(found.message).toContain("forgehand auth linear --refresh");
    expect(found.message).not.toContain(s.accessToken);
    expect(s.refused).toEqual([s.accessToken]);
    expect(issue.state.name).toBe("In Progress");
  });
});

test("a connection that breaks is Trouble without the secrets of its reason, which is cut only then", async () => {
  const issue = s.ada.open(s.eng, "Broken");
  const before = globalThis.fetch;
  globalThis.fetch = () => Promise.reject(new TypeError(`${"x".repeat(296)} hunter2`));
  try {
    const found = await trouble(() => s.issues.ticket(s.ref(issue)));
    expect(found).toMatchObject({ code: "linear-unavailable", permanent: false });
    expect(found.message).not.toContain("hunt");
  } finally {
    globalThis.fetch = before;
  }
});

test("a workspace we are signed out of is Trouble with why and what resumes", async () => {
  const issue = s.ada.open(s.eng, "Out");
  s.tokens.delete(s.acme.id);
  const found = await trouble(() => s.issues.ticket(s.ref(issue)));
  expect(found).toMatchObject({ code: "linear-auth", permanent: false });
  expect(found.message).toContain("workspace Acme: revoked. To resume: auth linear");
  // Soon: what waits goes on as soon as somebody has signed in.
  expect(found.retryAt).toBe(s.clock.now() + 15_000);
});

test("a team we were shut out of is as gone as its issues, and writing needs its scope", async () => {
  const issue = s.ada.open(s.eng, "Shut");
  s.ada.changeAccess(s.app, { remove: [s.eng] });
  expect(await s.issues.ticket(s.ref(issue))).toBeUndefined();
  s.ada.changeAccess(s.app, { add: [s.eng] });
  const { accessToken } = s.ada.grant(s.app, { scopes: ["read"] });
  s.tokens.set(s.acme.id, accessToken);
  expect(await trouble(() => s.issues.move(key("k"), s.ref(issue), "Done"))).toMatchObject({
    code: "linear-forbidden",
    permanent: true,
  });
});

test.each([[500], [503], ["reset"]] as const)("an outage (%s) is Trouble that passes", async (is) => {
  const issue = s.ada.open(s.eng, "Down");
  s.linear.fail({ is });
  expect(await trouble(() => s.issues.ticket(s.ref(issue)))).toMatchObject({
    code: "linear-unavailable",
    permanent: false,
  });
});
