/** The API: what clients of Symphony expect, lists by key, orders that come twice, and how it says no. */
import Database from "better-sqlite3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Scope } from "../../src/ports-dashboard-access.ts";
import { all } from "../../src/sql.ts";
import type { State } from "../../src/state-machine/ticket.ts";
import type { Web } from "../../src/web/app.ts";
import { hashed } from "../../src/web/door.ts";
import { issueIn, places } from "../cli/filled.ts";
import {
  asking,
  comeIn,
  noon,
  openStage,
  root,
  secretTicket,
  secretTitle,
  web,
  type Stage,
} from "./stage.ts";

let stage: Stage;
let app: Web;
let failures: unknown[];
const ask = asking(() => app);
const idIn = (state: State): string => `github:${web}#${issueIn(state)}`;
const pathIn = (state: State): string => `/api/v1/tickets/${encodeURIComponent(idIn(state))}`;

beforeAll(async () => {
  stage = await openStage({ busyMs: 20 });
  await give("all", "act", undefined);
  await give("read", "read", undefined);
  await give("web", "act", [web]);
  await give("admin", "admin", undefined);
});
afterAll(() => stage.close());
beforeEach(() => {
  stage.clock.now = noon;
  failures = [];
  app = stage.open({ failed: (error) => void failures.push(error) });
});
async function give(name: string, scope: Scope, repos: readonly number[] | undefined): Promise<void> {
  await stage.store.keepApiToken(hashed(`fh_${name}`), {
    name,
    scope,
    repos,
    madeBy: "operator:ada",
    madeAt: noon,
    expiresAt: undefined,
  });
}
const as = (name: string): { readonly authorization: string } => ({ authorization: `Bearer fh_${name}` });
async function get<Body>(path: string, name = "all"): Promise<Body> {
  const answer = await ask(path, { headers: as(name) });
  expect(answer.status, path).toBe(200);
  return (await answer.json()) as Body;
}
const post = async (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  await ask(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { ...as("all"), "content-type": "application/json", ...headers },
  });
const versionIn = async (state: State): Promise<number> =>
  (await stage.store.load(idIn(state)))?.version ?? -1;
const inboxOf = async (state: State): Promise<readonly { readonly body: string }[]> =>
  await stage.sql.read(() =>
    all<{ body: string }>(
      "select body from inbox where ticket = ? and source = 'operator' order by seq",
      idIn(state),
    ),
  );
const refusalOf = async (answer: Response): Promise<readonly [number, string]> => [
  answer.status,
  ((await answer.json()) as { error: { code: string } }).error.code,
];

describe("what clients of Symphony ask", () => {
  interface Summary {
    readonly generated_at: string;
    readonly counts: Readonly<Record<string, number>>;
    readonly running: readonly Readonly<Record<string, unknown>>[];
    readonly retrying: readonly Readonly<Record<string, unknown>>[];
    readonly blocked: readonly Readonly<Record<string, unknown>>[];
    readonly codex_totals: Readonly<Record<string, number>>;
    readonly rate_limits: null;
  }

  test("the state, in the shape that Symphony's specification shows", async () => {
    const state = await get<Summary>("/api/v1/state", "web");
    expect(state.generated_at).toBe(new Date(noon).toISOString());
    expect(state.counts).toEqual({ running: 3, retrying: 1, blocked: 1 });
    expect(state.running.map((one) => String(one["state"])).toSorted()).toEqual([
      "Adversarial Review",
      "Gate",
      "In Progress",
    ]);
    expect(Object.keys(state.running[0] ?? {}).toSorted()).toEqual(
      [
        "issue_id issue_identifier issue_url last_event last_event_at last_message session_id started_at state",
        "tokens turn_count worker_host workspace_path",
      ].flatMap((names) => names.split(" ")),
    );
    expect(state.retrying[0]).toMatchObject({
      issue_identifier: `acme/web#${issueIn("Rework")}`,
      attempt: 4,
      due_at: null,
      error: expect.any(String) as string,
    });
    expect(state.blocked[0]).toMatchObject({
      issue_id: idIn("Blocked"),
      error: expect.stringContaining("both models are of one family") as string,
    });
    expect(state.codex_totals).toEqual({
      input_tokens: 1200,
      output_tokens: 340,
      total_tokens: 1540,
      seconds_running: 90,
    });
    expect(state.rate_limits).toBeNull();
  });

  test.each([
    ["Gate", "running"],
    ["Rework", "retrying"],
    ["Blocked", "blocked"],
    ["In Review", "waiting"],
    ["Done", "done"],
  ] as const)("one issue in %s by its identifier, encoded", async (state, status) => {
    const issue = await get<Record<string, unknown>>(`/api/v1/acme%2Fweb%23${issueIn(state)}`);
    expect(issue).toMatchObject({
      issue_identifier: `acme/web#${issueIn(state)}`,
      issue_id: idIn(state),
      status,
      tracked: { state },
    });
    expect(issue["running"] === null).toBe(status !== "running");
    expect(issue["retry"] === null).toBe(status !== "retrying");
    expect(issue["blocked"] === null).toBe(status !== "blocked");
    expect(issue["recent_events"]).not.toEqual([]);
  });

  test("an issue of Linear by the name its board has", async () => {
    const id = "linear:w/11111111-1111-4111-8111-111111111111";
    await stage.store.name(
      id,
      {
        repo: web,
        number: 42,
        ref: "acme/ENG-42",
        title: "t",
        url: "",
        author: "ada",
        branch: "forgehand/eng-42",
      },
      noon,
    );
    expect(await get("/api/v1/ENG-42")).toMatchObject({
      issue_identifier: "ENG-42",
      issue_id: id,
      status: "waiting",
    });
  });

  test("an unknown issue, another method and another route, each refused as Symphony does", async () => {
    expect(await refusalOf(await ask("/api/v1/MT-1", { headers: as("all") }))).toEqual([
      404,
      "issue_not_found",
    ]);
    expect(await refusalOf(await ask("/api/v1/a/b", { headers: as("all") }))).toEqual([404, "not_found"]);
    expect(await refusalOf(await ask("/api/v1", { headers: as("all") }))).toEqual([404, "not_found"]);
    const get405 = await ask("/api/v1/refresh", { headers: as("all") });
    expect(get405.headers.get("allow")).toBe("POST");
    expect(await refusalOf(get405)).toEqual([405, "method_not_allowed"]);
    for (const path of ["/api/v1/state", "/api/v1/MT-1"]) {
      const post405 = await post(path, {});
      expect(post405.headers.get("allow")).toBe("GET, HEAD");
      expect(await refusalOf(post405)).toEqual([405, "method_not_allowed"]);
    }
  });

  test.each([
    ["nothing", undefined],
    ["{}", "{}"],
  ])("a refresh with %s as its body is accepted", async (_name, body) => {
    const answer = await ask("/api/v1/refresh", {
      method: "POST",
      ...(body === undefined ? {} : { body }),
      headers: { ...as("all"), ...(body === undefined ? {} : { "content-type": "application/json" }) },
    });
    expect([answer.status, await answer.json()]).toEqual([
      202,
      {
        queued: true,
        coalesced: false,
        requested_at: new Date(noon).toISOString(),
        operations: ["poll", "reconcile"],
      },
    ]);
    expect(await refusalOf(await post("/api/v1/refresh", {}, as("read")))).toEqual([403, "forbidden"]);
  });
});

describe("lists", () => {
  interface Tickets {
    readonly tickets: readonly { readonly id: string; readonly state: State; readonly title: string }[];
    readonly next?: string;
  }
  async function pages(query: string, name = "all"): Promise<Tickets["tickets"]> {
    const found: Tickets["tickets"][number][] = [];
    let next = "";
    for (let page = 0; page < 100; page += 1) {
      const one = await get<Tickets>(`/api/v1/tickets?${query}${next}`, name);
      found.push(...one.tickets);
      if (one.next === undefined) return found;
      next = `&after=${encodeURIComponent(one.next)}`;
    }
    throw new Error("more pages than tickets");
  }

  test("every ticket once, whatever the size of a page", async () => {
    const whole = (await get<Tickets>("/api/v1/tickets?limit=200")).tickets.map(({ id }) => id);
    expect(whole).toEqual(expect.arrayContaining([...places.map(idIn), secretTicket]));
    for (const limit of [1, 3, 7]) expect((await pages(`limit=${limit}`)).map(({ id }) => id)).toEqual(whole);
  });

  test("in the states and of the repository that are named", async () => {
    const those = await pages("limit=1&state=Blocked&state=Done&repo=acme%2Fweb");
    expect(those.map(({ state }) => state).toSorted()).toEqual(["Blocked", "Done"]);
    expect((await pages("state=Blocked&state=Rework&limit=1")).map(({ state }) => state).toSorted()).toEqual([
      "Blocked",
      "Rework",
    ]);
    expect(await pages("repo=acme%2Fvault")).toMatchObject([{ id: secretTicket }]);
  });

  test("nothing of what a token does not see, by whichever name it asks", async () => {
    expect((await pages("limit=2", "web")).map(({ title }) => title)).not.toContain(secretTitle);
    for (const path of [
      "tickets?repo=acme%2Fvault",
      "ledger?repo=acme%2Fvault",
      "ledger?ticket=acme%2Fvault%231",
      "tickets/acme%2Fvault%231",
      "tickets/github%3A88%231/lines",
      "acme%2Fvault%231",
    ]) {
      const answer = await ask(`/api/v1/${path}`, { headers: as("web") });
      expect(answer.status, path).toBe(404);
      expect(await answer.text()).not.toContain(secretTitle);
    }
    expect(await get<object>("/api/v1/repositories", "web")).toMatchObject({
      rows: [{ name: "acme/web" }],
    });
  });

  test("a great many tickets, in pages that each look at few", async () => {
    stage.sql.script(
      `insert into ticket (id, repo, number, ref, version, state, body, since, updated_at, active)
       with recursive n (i) as (select 1 union all select i + 1 from n where i < 3000)
       select 'github:99#' || i, 99, i, 'acme/many#' || i, 1, 'Done', '{}', 0, 0, null from n;`,
    );
    await stage.store.knowRepo({
      id: 99,
      owner: "acme",
      name: "many",
      installation: 5,
      defaultBranch: "main",
      private: false,
    });
    expect(await pages("repo=acme%2Fmany&limit=200")).toHaveLength(3000);
    // Looked for among many that are something else: pages without one, and an end.
    expect(await pages("repo=acme%2Fmany&state=Cancelled")).toEqual([]);
    expect((await pages("state=Cancelled")).map(({ id }) => id)).toEqual([idIn("Cancelled")]);
    stage.sql.script("delete from ticket where repo = 99");
    await stage.store.removeRepo(99, noon);
  });

  test("the ledger in pages, and of one ticket as its own list has it", async () => {
    const seqs: number[] = [];
    for (let after: number | undefined = 0; after !== undefined;) {
      const page: { lines: { seq: number }[]; next?: number } = await get(
        `/api/v1/ledger?limit=7&after=${after}`,
      );
      seqs.push(...page.lines.map(({ seq }) => seq));
      after = page.next;
    }
    expect(seqs).toEqual(
      Array.from({ length: (await stage.store.ledgerHead()).seq }, (_, index) => index + 1),
    );
    const own = await get<{ lines: { seq: number }[] }>(
      `/api/v1/ledger?ticket=${encodeURIComponent(idIn("Done"))}`,
    );
    const lines = await get<{ lines: { seq: number }[] }>(`${pathIn("Done")}/lines`);
    expect(own.lines.map(({ seq }) => seq)).toEqual(lines.lines.map(({ seq }) => seq));
  });

  test("a ticket's parts say what its page says", async () => {
    const page = await get<Record<string, unknown>>(pathIn("In Review"));
    for (const part of ["sessions", "effects"])
      expect(await get(`${pathIn("In Review")}/${part}`)).toEqual({ [part]: page[part] });
    const html = await ask(`/tickets/${encodeURIComponent(idIn("In Review"))}`, {
      headers: { ...as("all"), accept: "application/json" },
    });
    expect(await html.json()).toMatchObject({ id: page["id"], version: page["version"] });
  });
});

describe("orders", () => {
  test("given twice under one key: one row in the inbox, and the same answer", async () => {
    const order = { order: "approve", seen: await versionIn("In Review") };
    const path = `${pathIn("In Review")}/orders`;
    const answers = await Promise.all(
      [1, 2, 3].map(async () => await post(path, order, { "idempotency-key": "k-1" })),
    );
    const again = await post(path, order, { "idempotency-key": "k-1" });
    const told = await Promise.all([...answers, again].map(async (one) => [one.status, await one.json()]));
    for (const one of told)
      expect(one).toEqual([202, { is: "taken", ticket: idIn("In Review"), to: "Merging" }]);
    const inbox = await inboxOf("In Review");
    expect(inbox.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { type: "human.approved", head: "a".repeat(40), by: "token:all", actor: "token:all" },
    ]);
  });

  test("the answer is the same when the ticket has gone on meanwhile", async () => {
    const seen = await versionIn("Gate");
    const path = `${pathIn("Gate")}/orders`;
    const first = await post(path, { order: "stop", seen }, { "idempotency-key": "k-2" });
    const was: unknown = await first.json();
    stage.sql.script(`update ticket set version = version + 1 where id = '${idIn("Gate")}'`);
    const later = await post(path, { order: "stop", seen }, { "idempotency-key": "k-2" });
    expect([first.status, later.status, await later.json()]).toEqual([202, 202, was]);
    expect(await inboxOf("Gate")).toHaveLength(1);
    stage.sql.script(`update ticket set version = version - 1 where id = '${idIn("Gate")}'`);
  });

  test("a refusal is repeated too, though it would be possible by now", async () => {
    const seen = await versionIn("Blocked");
    const path = `${pathIn("Blocked")}/orders`;
    const stale = await post(path, { order: "retry", seen: seen - 1 }, { "idempotency-key": "k-3" });
    expect(await refusalOf(stale)).toEqual([409, "stale"]);
    stage.sql.script(`update ticket set version = version - 1 where id = '${idIn("Blocked")}'`);
    const again = await post(path, { order: "retry", seen: seen - 1 }, { "idempotency-key": "k-3" });
    expect(await refusalOf(again)).toEqual([409, "stale"]);
    expect(await inboxOf("Blocked")).toEqual([]);
    stage.sql.script(`update ticket set version = version + 1 where id = '${idIn("Blocked")}'`);
  });

  test("a key that was given with another order is refused; of somebody else it is another key", async () => {
    const seen = await versionIn("Blocked");
    const path = `${pathIn("Blocked")}/orders`;
    expect((await post(path, { order: "halt" }, { "idempotency-key": "k-4" })).status).toBe(202);
    const other = await post(path, { order: "retry", seen }, { "idempotency-key": "k-4" });
    expect(await refusalOf(other)).toEqual([422, "key_reused"]);
    const theirs = await post(path, { order: "unhalt" }, { "idempotency-key": "k-4", ...as("web") });
    expect(theirs.status).toBe(202);
  });

  test("the key of an order that was taken is another order's on no later day, and what it did is not done again", async () => {
    const path = `/api/v1/tickets/${encodeURIComponent(secretTicket)}/orders`;
    const key = { "idempotency-key": "k-8" };
    expect((await post(path, { order: "halt" }, key)).status).toBe(202);
    expect((await post(path, { order: "unhalt" })).status).toBe(202);
    stage.clock.now += 25 * 60 * 60_000;
    await post(`${pathIn("Gate")}/orders`, { order: "halt" }, { "idempotency-key": "k-9" });
    expect((await post(path, { order: "halt" }, key)).status).toBe(202);
    expect(await stage.store.haltersOf(secretTicket)).toEqual([]);
    const other = await post(path, { order: "unhalt" }, key);
    expect(await refusalOf(other)).toEqual([422, "key_reused"]);
  });

  test("nothing is done twice on a later day either", async () => {
    const seen = await versionIn("Merging");
    const path = `${pathIn("Merging")}/orders`;
    const key = { "idempotency-key": "k-5" };
    expect((await post(path, { order: "stop", seen }, key)).status).toBe(202);
    stage.clock.now += 25 * 60 * 60_000;
    expect(
      (await post(`${pathIn("Gate")}/orders`, { order: "halt" }, { "idempotency-key": "k-6" })).status,
    ).toBe(202);
    expect((await post(path, { order: "stop", seen }, key)).status).toBe(202);
    expect(await inboxOf("Merging")).toHaveLength(1);
  });

  test("a halt is raised and lifted, once each, and by operators alone where nobody raised one", async () => {
    const path = `${pathIn("In Progress")}/orders`;
    expect((await post(path, { order: "halt" })).status).toBe(202);
    expect(await stage.store.haltersOf(idIn("In Progress"))).toMatchObject([{ actor: "token:all" }]);
    expect((await post(path, { order: "unhalt" })).status).toBe(202);
    expect(await refusalOf(await post(path, { order: "unhalt" }))).toEqual([409, "nothing_to_lift"]);
  });

  test.each([
    ["what the table has no row for", "Done", "stop", 0, [409, "impossible"]],
    ["what was decided upon an older version", "Rework", "stop", -1, [409, "stale"]],
  ] as const)("%s is refused", async (_name, state, order, off, refusal) => {
    const seen = (await versionIn(state)) + off;
    expect(await refusalOf(await post(`${pathIn(state)}/orders`, { order, seen }))).toEqual(refusal);
    expect(await inboxOf(state)).toEqual([]);
  });

  test("who may only look is refused, and who may not even that learns nothing", async () => {
    const path = `${pathIn("Rework")}/orders`;
    expect(await refusalOf(await post(path, { order: "halt" }, as("read")))).toEqual([403, "forbidden"]);
    const hidden = await post("/api/v1/tickets/github%3A88%231/orders", { order: "halt" }, as("web"));
    expect(await refusalOf(hidden)).toEqual([404, "ticket_not_found"]);
    expect(await refusalOf(await post("/api/v1/halt", { is: "raised" }))).toEqual([403, "forbidden"]);
    const halted = await post("/api/v1/halt", { is: "raised" }, as("admin"));
    expect([halted.status, await halted.json()]).toEqual([200, { is: "raised" }]);
    expect((await post("/api/v1/halt", { is: "lifted" }, as("admin"))).status).toBe(200);
  });
});

describe("a browser's session", () => {
  test("looks, and orders with the secret of its forms in a header", async () => {
    const { cookie, csrf } = await comeIn(stage, ask);
    const me = await ask("/api/v1/me", { headers: { cookie } });
    expect(await me.json()).toEqual({ who: "operator:ada", everything: true, csrf });
    const path = `${pathIn("Ready")}/orders`;
    const headers = { cookie, authorization: "", origin: root };
    for (const [wrong, status] of [
      [{}, 403],
      [{ "x-csrf-token": "other" }, 403],
      [{ "x-csrf-token": csrf, origin: "https://evil.example" }, 403],
      [{ "x-csrf-token": csrf, "sec-fetch-site": "cross-site" }, 403],
    ] as const)
      expect((await refusalOf(await post(path, { order: "halt" }, { ...headers, ...wrong })))[0]).toBe(
        status,
      );
    expect(await inboxOf("Ready")).toEqual([]);
    const good = await post(path, { order: "halt" }, { ...headers, "x-csrf-token": csrf });
    expect(good.status).toBe(202);
    expect(await inboxOf("Ready")).toHaveLength(1);
  });

  test("another page is told nothing: no answer lets another origin read it", async () => {
    const answer = await ask("/api/v1/board", { headers: { ...as("all"), origin: "https://evil.example" } });
    expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect(answer.headers.get("cross-origin-resource-policy")).toBe("same-origin");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const { cookie } = await comeIn(stage, ask);
    const rebound = await ask("/api/v1/board", { headers: { cookie, host: "evil.example" } });
    expect(await refusalOf(rebound)).toEqual([421, "misdirected"]);
  });
});

describe("trouble of ours", () => {
  test("a database that somebody else writes to: orders say when to come again, and looking goes on", async () => {
    const path = `${pathIn("Cancelled")}/orders`;
    const { cookie, csrf } = await comeIn(stage, ask);
    const other = new Database(stage.database);
    other.exec("begin immediate");
    try {
      const busy = await post(path, { order: "halt" }, { "idempotency-key": "k-7" });
      expect(busy.headers.get("retry-after")).toBe("2");
      expect(await refusalOf(busy)).toEqual([503, "busy"]);
      const page = await ask(`/tickets/${encodeURIComponent(idIn("Cancelled"))}/halt`, {
        method: "POST",
        body: new URLSearchParams({ csrf }),
        headers: { cookie, origin: root, "content-type": "application/x-www-form-urlencoded" },
      });
      expect([page.status, page.headers.get("retry-after")]).toEqual([503, "2"]);
      expect(await page.text()).toContain("Busy for a moment");
      expect((await ask("/api/v1/board", { headers: as("all") })).status).toBe(200);
      expect((await ask("/board", { headers: { cookie } })).status).toBe(200);
    } finally {
      other.exec("rollback");
      other.close();
    }
    expect(await inboxOf("Cancelled")).toEqual([]);
    // Nothing was kept either: the same key is given anew.
    expect((await post(path, { order: "halt" }, { "idempotency-key": "k-7" })).status).toBe(202);
    expect(failures).toEqual([]);
  });

  test("whatever else fails is said without its words, and told to the log with them", async () => {
    const secret = "SQLITE_CORRUPT at /home/ada/forgehand.db";
    app = stage.open({
      failed: (error) => void failures.push(error),
      commands: {
        api: {
          refresh: async () => {
            throw new Error(secret);
          },
        },
      } as never,
    });
    const answer = await post("/api/v1/refresh", {});
    const text = await answer.text();
    expect(answer.status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ error: { code: "failed" } });
    expect(text).not.toContain("ada");
    expect(failures).toMatchObject([{ message: secret }]);
  });
});
