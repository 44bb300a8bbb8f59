import { afterEach, beforeEach, expect, test } from "vitest";
import { openStand, type Stand } from "./forge-stand.ts";

let stand: Stand;
beforeEach(async () => {
  stand = await openStand();
});
afterEach(() => stand.close());

const statusOf = async (credential: string, method: string, path: string, body?: unknown) =>
  (await stand.ask(credential, method, path, body)).status;
const place = "/repos/acme/web";

test("unknown, expired and revoked tokens are nobody's", async () => {
  const token = await stand.token();
  expect(await statusOf("ghs_made_up", "GET", place)).toBe(401);
  expect(await statusOf(token, "GET", place)).toBe(200);
  stand.hub.expireTokens();
  expect(await statusOf(token, "GET", place)).toBe(401);
  const second = await stand.token();
  expect(await statusOf(second, "DELETE", "/installation/token")).toBe(204);
  expect(await statusOf(second, "GET", place)).toBe(401);
  const third = await stand.token();
  stand.hub.revokeTokens();
  expect(await statusOf(third, "GET", place)).toBe(401);
});

test("a token runs out after an hour of the forge's clock", async () => {
  let now = Date.now();
  const slow = await openStand({ now: () => now });
  const token = await slow.token();
  now += 59 * 60_000;
  expect((await slow.ask(token, "GET", place)).status).toBe(200);
  now += 60_000;
  expect((await slow.ask(token, "GET", place)).status).toBe(401);
  await slow.close();
});

test("the App proves itself by its key, and a forged key by nothing", async () => {
  expect((await stand.ask(stand.jwt(), "GET", "/app")).body).toMatchObject({ slug: "forgehand" });
  const other = await openStand();
  expect(await statusOf(other.jwt(), "GET", "/app")).toBe(401);
  await other.close();
  expect(await statusOf(stand.jwt(), "GET", place)).toBe(403);
  expect(await statusOf(await stand.token(), "GET", "/app")).toBe(403);
});

test("a narrowed token does what it may and no more", async () => {
  const token = await stand.token({ issues: "read", metadata: "read" });
  const issue = stand.people.openIssue({ by: "bob", title: "t", body: "" });
  expect(await statusOf(token, "GET", `${place}/issues/${issue}`)).toBe(200);
  expect(await statusOf(token, "POST", `${place}/issues/${issue}/comments`, { body: "hi" })).toBe(403);
  expect(await statusOf(token, "GET", `${place}/pulls`)).toBe(403);
  await stand.hub.seed({ owner: "acme", name: "other", files: { a: "b" } });
  expect(await statusOf(token, "GET", "/repos/acme/other")).toBe(403);
  const { body } = await stand.ask(token, "GET", "/installation/repositories");
  expect(body).toMatchObject({ total_count: 1, repositories: [{ full_name: "acme/web" }] });
});

test("nobody gets a token for more than was granted", async () => {
  const path = `/app/installations/${stand.hub.state.app.installation}/access_tokens`;
  expect(await statusOf(stand.jwt(), "POST", path, { permissions: { administration: "write" } })).toBe(422);
  expect(await statusOf(stand.jwt(), "POST", path, { permissions: { deployments: "read" } })).toBe(422);
  expect(await statusOf(stand.jwt(), "POST", path, { repository_ids: [1] })).toBe(422);
  expect(await statusOf(stand.jwt(), "POST", "/app/installations/1/access_tokens", {})).toBe(404);
});

test("the API is served below /api/v3, too", async () => {
  expect(await statusOf(await stand.token(), "GET", `/api/v3${place}`)).toBe(200);
});

test("deliveries are listed newest first, fetched, and sent again under the same GUID", async () => {
  stand.answer(500);
  const issue = stand.people.openIssue({ by: "bob", title: "t", body: "" });
  await stand.heard();
  stand.answer(202);
  stand.people.comment(issue, "bob", "hello");
  await stand.heard();
  const jwt = stand.jwt();
  const { list } = await stand.ask(jwt, "GET", "/app/hook/deliveries");
  expect(list.map(({ event, status_code }) => [event, status_code])).toEqual([
    ["issue_comment", 202],
    ["issues", 500],
  ]);
  const failed = list[1];
  const at = `/app/hook/deliveries/${String(failed?.["id"])}`;
  expect((await stand.ask(jwt, "GET", at)).body).toMatchObject({
    request: { payload: { action: "opened", issue: { number: issue } } },
  });
  expect(await statusOf(jwt, "POST", `${at}/attempts`)).toBe(202);
  const heard = await stand.heard();
  expect(heard.map(({ guid }) => guid).filter((guid) => guid === failed?.["guid"])).toHaveLength(2);
  const after = (await stand.ask(jwt, "GET", "/app/hook/deliveries")).list;
  expect(
    after.map(({ guid, redelivery, status_code }) => [guid === failed?.["guid"], redelivery, status_code]),
  ).toEqual([
    [true, true, 202],
    [false, false, 202],
    [true, false, 500],
  ]);
  expect((await stand.ask(jwt, "GET", "/app/hook/config")).body["url"]).toMatch(/^http/);
});

test("deliveries arrive in order, and may be lost, doubled or turned round by design", async () => {
  const { people, hub } = stand;
  for (let n = 0; n < 20; n += 1) people.openIssue({ by: "bob", title: `n${n}`, body: "" });
  const titles = async () =>
    (await stand.heard()).map(({ body }) => (body["issue"] as { title: string }).title);
  expect(await titles()).toEqual(Array.from({ length: 20 }, (_, n) => `n${n}`));
  stand.forget();
  let held: Parameters<NonNullable<typeof hub.courier.deliver>>[0] | undefined;
  hub.courier.deliver = (delivery) => {
    if (delivery.body.includes('"lost"')) return [];
    if (delivery.body.includes('"twice"')) return [delivery, delivery];
    if (delivery.body.includes('"late"')) return ((held = delivery), []);
    return held === undefined ? [delivery] : [delivery, held];
  };
  for (const title of ["lost", "twice", "late", "last"]) people.openIssue({ by: "bob", title, body: "" });
  expect(await titles()).toEqual(["twice", "twice", "last", "late"]);
  const [one, two] = await stand.heard();
  expect(one?.guid).toBe(two?.guid);
});

test("a fault refuses, drops the connection, or loses only the reply", async () => {
  const { hub, api, people } = stand;
  const issue = people.openIssue({ by: "bob", title: "t", body: "" });
  const say = (body: string) => api("POST", `/issues/${issue}/comments`, { body });
  const path = /comments$/;
  hub.fail({ path, status: 500 });
  expect((await say("a")).status).toBe(500);
  hub.fail({ path, status: 429, headers: { "retry-after": "7" } });
  expect((await say("b")).headers.get("retry-after")).toBe("7");
  hub.fail({
    path,
    status: 403,
    headers: { "x-ratelimit-remaining": "0" },
    message: "API rate limit exceeded",
  });
  expect((await say("c")).body["message"]).toBe("API rate limit exceeded");
  hub.fail({ path, status: "reset" });
  await expect(say("d")).rejects.toThrow();
  expect(people.thread(issue).comments).toEqual([]);
  hub.fail({ path, status: "reset", after: true });
  await expect(say("e")).rejects.toThrow();
  hub.fail({ path, status: 502, after: true });
  expect((await say("f")).status).toBe(502);
  expect(people.thread(issue).comments.map(({ body }) => body)).toEqual(["e", "f"]);
  hub.fail({ path: /labels/, status: 500, times: 2 });
  expect((await say("g")).status).toBe(201);
});

test("every call that changes something is logged with what its token may do", async () => {
  const issue = stand.people.openIssue({ by: "bob", title: "t", body: "" });
  stand.hub.state.calls.splice(0);
  await stand.api("GET", `/issues/${issue}`);
  await stand.api("POST", `/issues/${issue}/labels`, { labels: ["x"] });
  expect(stand.hub.state.calls).toMatchObject([
    {
      method: "POST",
      path: `${place}/issues/${issue}/labels`,
      body: { labels: ["x"] },
      status: 200,
      permissions: { issues: "write" },
    },
  ]);
});

test("lists come in pages with a link to the next", async () => {
  for (let n = 0; n < 3; n += 1) stand.people.openIssue({ by: "bob", title: `n${n}`, body: "" });
  const first = await stand.api("GET", "/issues?per_page=2");
  expect([first.list.length, first.headers.get("link")]).toEqual([2, expect.stringContaining("page=2")]);
  const second = await stand.api("GET", "/issues?per_page=2&page=2");
  expect([second.list.length, second.headers.get("link")]).toEqual([1, null]);
});
