import { RatelimitedLinearError } from "@linear/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refusal, stand, type Stand } from "./stand.ts";

let s: Stand;
beforeEach(async () => (s = await stand({ limits: { app: { requests: 60, complexity: 36_000 } } })));
afterEach(() => s.close());

const ask = (query: string) =>
  s.client.client.rawRequest<Record<string, unknown>, Record<string, unknown>>(query, {});

describe("rate limits", () => {
  it("are told in the headers of every answer, and fill up steadily", async () => {
    const left = async (): Promise<(string | null | undefined)[]> => {
      const { headers } = await ask("{ viewer { id name } }");
      return ["requests-limit", "requests-remaining", "complexity-remaining"].map((name) =>
        headers?.get(`x-ratelimit-${name}`),
      );
    };
    expect(await left()).toEqual(["60", "59", "35998"]);
    expect(await left()).toEqual(["60", "58", "35996"]);
    await s.clock.advance(60_000);
    expect(await left()).toEqual(["60", "58", "35998"]);
    const { headers } = await ask("{ viewer { id } }");
    expect(Number(headers?.get("x-ratelimit-requests-reset"))).toBe(s.clock.now() + 3 * 60_000);
    expect(headers?.get("x-complexity")).toBe("2");
  });

  it("refuse with HTTP 400 and RATELIMITED when a budget is empty, and say when to come back", async () => {
    s.linear.leaveBudget(s.accessToken, { requests: 1 });
    await s.client.viewer;
    try {
      await s.client.viewer;
      expect.fail("it was let through");
    } catch (error) {
      expect(error).toBeInstanceOf(RatelimitedLinearError);
      expect(error).toMatchObject({
        type: "Ratelimited",
        status: 400,
        retryAfter: 60,
        requestsRemaining: 0,
        requestsLimit: 60,
      });
      expect(error).toMatchObject({
        raw: { response: { errors: [{ extensions: { code: "RATELIMITED" } }] } },
      });
    }
    await s.clock.advance(60_000);
    expect(await s.client.viewer).toMatchObject({ app: true });
  });

  it("count what a query may cost: a page as often as it may have nodes", async () => {
    const cost = async (query: string): Promise<number> =>
      Number((await ask(query)).headers?.get("x-complexity"));
    expect(await cost("{ issues(first: 10) { nodes { id title } } }")).toBe(22);
    expect(await cost("{ issues { nodes { id } } }")).toBe(105);
    const error = await refusal(() =>
      ask("{ issues(first: 250) { nodes { comments(first: 250) { nodes { id } } } } }"),
    );
    expect(error).toMatchObject({ type: "InvalidInput", status: 400 });
    expect(error.message).toContain("Query too complex");
    s.linear.leaveBudget(s.accessToken, { complexity: 20 });
    expect((await refusal(() => ask("{ issues(first: 10) { nodes { id title } } }"))).type).toBe(
      "Ratelimited",
    );
  });

  it("are each their own: a person's keys, an app in each workspace", async () => {
    s.linear.leaveBudget(s.accessToken, { requests: 0 });
    expect((await refusal(() => s.client.viewer)).type).toBe("Ratelimited");
    const key = s.as({ apiKey: s.linear.apiKey(s.bob.user) });
    expect((await key.rateLimitStatus).limits).toMatchObject([
      { type: "requests", allowedAmount: 2_500, remainingAmount: 2_499 },
      { type: "complexity", allowedAmount: 3_000_000 },
    ]);
  });
});

describe("a fault that was ordered", () => {
  it("has the type the SDK gives such trouble", async () => {
    const types: Record<string, string> = {};
    for (const [is, name] of [
      ["ratelimited", "ratelimited"],
      [500, "500"],
      [503, "503"],
      [401, "401"],
      ["reset", "reset"],
    ] as const) {
      s.linear.fail({ is });
      types[name] = (await refusal(() => s.client.viewer)).type;
    }
    expect(types).toEqual({
      ratelimited: "Ratelimited",
      "500": "InternalError",
      "503": "NetworkError",
      "401": "AuthenticationError",
      reset: "Unknown",
    });
    expect(await s.client.viewer).toMatchObject({ app: true });
  });

  it("strikes what it is meant for, as often as was said", async () => {
    const issue = s.ada.open(s.eng, "Unlucky");
    s.linear.fail({ is: 500, of: /^issueUpdate$/, times: 2 });
    await s.client.issue(issue.id);
    const change = () => s.client.updateIssue(issue.id, { title: "Lucky" });
    expect((await refusal(change)).type).toBe("InternalError");
    expect((await refusal(change)).type).toBe("InternalError");
    await change();
    expect(issue.title).toBe("Lucky");
  });

  it("can lose the answer to what was done", async () => {
    const issue = s.ada.open(s.eng, "Done twice?");
    s.linear.fail({ is: "reset", of: /commentCreate/, after: true });
    expect((await refusal(() => s.client.createComment({ issueId: issue.id, body: "Once" }))).type).toBe(
      "Unknown",
    );
    expect((await (await s.client.issue(issue.id)).comments()).nodes).toMatchObject([{ body: "Once" }]);
  });

  it("can answer in part, with errors beside the data", async () => {
    const issue = s.ada.open(s.eng, "Half");
    s.linear.fail({ is: "partial", path: "issue.comments", message: "comments are out of order" });
    const error = await ask(`{ issue(id: "${issue.id}") { title comments { nodes { id } } } }`).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      type: "InternalError",
      status: 200,
      data: { issue: { title: "Half", comments: null } },
      errors: [{ path: ["issue", "comments"] }],
    });
  });

  it("can be nothing but slow", async () => {
    s.linear.fail({ is: "slow", delayMs: 5 });
    expect(await s.client.viewer).toMatchObject({ app: true });
  });

  it("and every request else is on record", async () => {
    const issue = s.ada.open(s.eng, "Counted");
    await s.client.updateIssue(issue.id, { title: "Counted twice" });
    await refusal(() => s.client.updateIssue(issue.id, { title: "" }));
    expect(s.linear.calls.map(({ roots, status, errors }) => [roots[0], status, errors.length])).toEqual([
      ["issueUpdate", 200, 0],
      ["issueUpdate", 200, 1],
    ]);
    expect(s.linear.calls[0]?.by).toBe(s.install.user);
  });
});
