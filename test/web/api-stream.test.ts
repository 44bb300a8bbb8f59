/** The ledger as it grows, over real streams: nothing is missed, nothing comes twice, and nothing piles up. */
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { all } from "../../src/sql.ts";
import type { Web } from "../../src/web/app.ts";
import { atOnce, maxOfOne } from "../../src/web/api/stream.ts";
import { hashed } from "../../src/web/door.ts";
import { lookedAt } from "../../src/store/listing.ts";
import { asking, comeIn, noon, openStage, secretTicket, vault, web, type Stage } from "./stage.ts";

let stage: Stage;
let app: Web;
const ask = asking(() => app);
const authorization = "Bearer fh_all";
beforeAll(async () => {
  stage = await openStage();
  await give("all", undefined);
});
afterAll(() => stage.close());
beforeEach(() => {
  app = stage.open();
});
afterEach(() => {
  app.stop();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const give = async (name: string, repos: readonly number[] | undefined): Promise<string> =>
  await stage.store.keepApiToken(hashed(`fh_${name}`), {
    name,
    scope: "read",
    repos,
    madeBy: "operator:ada",
    madeAt: noon,
    expiresAt: undefined,
  });
/** As many lines as wanted, as the heart writes them, but for the chain of hashes. */
const grow = (many: number, ticket = `github:${web}#1`): void =>
  stage.sql.script(
    `insert into ledger (seq, ticket, version, event_id, at, actor, event, row, from_state, to_state, policy, hash)
     with recursive n (i) as (select 1 union all select i + 1 from n where i < ${many})
     select (select max(seq) from ledger) + i, '${ticket}', 1000 + i, 'grown:' || ((select max(seq) from ledger) + i), ${noon}, 'bob', '{"type":"pr.closed"}', 'grown', 'Backlog', 'Backlog', 1, 'x' from n;`,
  );
const newest = async (): Promise<number> => (await stage.store.ledgerHead()).seq;

interface Told {
  readonly id: number;
  readonly event: string;
  readonly data: { readonly seq: number; readonly ticket?: string };
}
interface Listening {
  /** What has come whole, in order; what is cut off is not there, as for a browser. */
  readonly told: Told[];
  readonly comments: number;
  /** Reads until there are so many, or the end. */
  until(many: number): Promise<readonly Told[]>;
  /** Reads one piece of bytes; false at the end. */
  piece(): Promise<boolean>;
  cut(): Promise<void>;
}
async function listen(path: string, headers: Record<string, string> = {}): Promise<Listening> {
  const answer = await ask(path, { headers: { authorization, ...headers } });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
  const reader = answer.body?.getReader();
  const decoder = new TextDecoder();
  const told: Told[] = [];
  let rest = "";
  let comments = 0;
  const piece = async (): Promise<boolean> => {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) return false;
    const parts = `${rest}${decoder.decode(value, { stream: true })}`.split("\n\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const fields = Object.fromEntries(
        part.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      if (fields["data"] === undefined) comments += 1;
      else
        told.push({
          id: Number(fields["id"]),
          event: fields["event"] ?? "",
          data: JSON.parse(fields["data"]) as Told["data"],
        });
    }
    return true;
  };
  return {
    told,
    get comments() {
      return comments;
    },
    piece,
    until: async (many) => {
      while (told.length < many && (await piece()));
      return told;
    },
    cut: async () => await reader?.cancel(),
  };
}
const upTo = (many: number): readonly number[] => Array.from({ length: many }, (_, index) => index + 1);

describe("what is told", () => {
  test("every line once and in order, however often the stream is cut", async () => {
    const end = await newest();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 8 }), async (cuts) => {
        const all: number[] = [];
        let last = 0;
        for (const cut of [...cuts, end]) {
          const stream = await listen("/api/v1/events?since=0", { "last-event-id": String(last) });
          await stream.until(Math.min(cut, end - last));
          await stream.cut();
          all.push(...stream.told.map(({ id }) => id));
          last = all.at(-1) ?? last;
        }
        expect(all).toEqual(upTo(end));
      }),
      { numRuns: 15 },
    );
  });

  test("each with its number, its type, and the line as the ledger lists it", async () => {
    const [first] = await (await listen("/api/v1/events?since=0")).until(1);
    const listed = await ask("/api/v1/ledger?limit=1", { headers: { authorization } });
    const { lines } = (await listed.json()) as { lines: unknown[] };
    expect(first).toEqual({ id: 1, event: "ready.granted", data: lines[0] });
  });

  test("without a number: what comes from now on, and soon", async () => {
    const stream = await listen("/api/v1/events");
    await stream.piece();
    const before = await newest();
    grow(3);
    const told = await stream.until(3);
    expect(told.map(({ id }) => id)).toEqual([before + 1, before + 2, before + 3]);
  });

  test("of one ticket, of one repository, and never of what the token does not see", async () => {
    await stage.store.keepApiToken(hashed("fh_web"), {
      name: "web",
      scope: "read",
      repos: [web],
      madeBy: "operator:ada",
      madeAt: noon,
      expiresAt: undefined,
    });
    grow(2, secretTicket);
    grow(1, `github:${web}#7`);
    const end = await newest();
    const ticket = await listen("/api/v1/events?since=0&ticket=acme%2Fweb%237");
    const own = (await stage.store.linesOf(`github:${web}#7`)).map(({ seq }) => seq);
    expect((await ticket.until(own.length)).map(({ id }) => id)).toEqual(own);
    const repo = await listen("/api/v1/events?since=0&repo=acme%2Fvault");
    const secret = (
      await stage.sql.read(() =>
        all<{ seq: number }>("select seq from ledger where ticket = ? order by seq", secretTicket),
      )
    ).map(({ seq }) => seq);
    expect((await repo.until(secret.length)).map(({ id }) => id)).toEqual(secret);
    const seen = await listen("/api/v1/events?since=0", { authorization: "Bearer fh_web" });
    const told = await seen.until(end - secret.length);
    expect(told.at(-1)?.id).toBe(end);
    expect(told.some(({ data }) => data.ticket === secretTicket)).toBe(false);
    for (const path of ["ticket=github%3A88%231", "repo=acme%2Fvault", "ticket=nobody"]) {
      const refused = await ask(`/api/v1/events?${path}`, { headers: { authorization: "Bearer fh_web" } });
      expect(refused.status).toBe(404);
    }
    expect(vault).not.toBe(web);
  });

  test("that an older database was put back", async () => {
    const end = await newest();
    const stream = await listen("/api/v1/events", { "last-event-id": String(end + 500) });
    expect(await stream.until(1)).toEqual([{ id: end, event: "restored", data: { seq: end } }]);
    grow(1);
    expect((await stream.until(2)).at(-1)?.id).toBe(end + 1);
  });

  test("every quarter of a minute, that it is alive", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const stream = await listen("/api/v1/events");
    await stream.piece();
    const next = stream.piece();
    await vi.advanceTimersByTimeAsync(15_000);
    await next;
    expect([stream.comments, stream.told]).toEqual([2, []]);
  });
});

describe("how much", () => {
  test("a reader that does not read is waited for: nothing is read ahead of it", async () => {
    grow(20_000);
    const asked = vi.spyOn(stage.store, "listLines");
    const stream = await listen("/api/v1/events?since=0");
    await stream.until(10);
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    // One to see whether there is such a thing, one page that is read, and those that lie in the pipe.
    const ahead = 4;
    expect(asked.mock.calls.length).toBeLessThanOrEqual(ahead);
    await stream.until(atOnce * 5);
    expect(asked.mock.calls.length).toBeLessThanOrEqual(ahead + 5);
    await stream.cut();
  });

  test("however much there is to catch up with, it is read in pages", async () => {
    const asked = vi.spyOn(stage.store, "listLines");
    const end = await newest();
    expect(end).toBeGreaterThan(20_000);
    const told = await (await listen("/api/v1/events?since=0")).until(end);
    expect(told.map(({ id }) => id)).toEqual(upTo(end));
    for (const [wanted] of asked.mock.calls) expect(wanted.limit).toBeLessThanOrEqual(atOnce);
  });

  test.each([
    ["that is told", "fh_all"],
    ["that is none of theirs", "fh_vault"],
  ])("everything else has a turn after each page %s", async (_, token) => {
    await give("vault", [vault]);
    grow(1, secretTicket);
    const end = await newest();
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    const stream = await listen("/api/v1/events?since=0", { authorization: `Bearer ${token}` });
    while (stream.told.at(-1)?.id !== end) await stream.piece();
    isOver = true;
    expect(turns).toBeGreaterThanOrEqual(Math.floor(end / lookedAt));
  });

  test("what is none of theirs is passed over in stretches", async () => {
    await give("vault", [vault]);
    grow(1, secretTicket);
    const asked = vi.spyOn(stage.store, "listLines");
    const stream = await listen("/api/v1/events?since=0", { authorization: "Bearer fh_vault" });
    const end = await newest();
    while (stream.told.at(-1)?.id !== end) await stream.piece();
    expect(asked.mock.calls.length).toBeLessThanOrEqual(end / lookedAt + 5);
  });

  test("everything else goes on while a long stretch is passed over", async () => {
    await give("far", [vault]);
    grow(20 * lookedAt);
    grow(1, secretTicket);
    let inRow = 0;
    let most = 0;
    const { listLines } = stage.store;
    vi.spyOn(stage.store, "listLines").mockImplementation(async (wanted) => {
      inRow += 1;
      most = Math.max(most, inRow);
      setImmediate(() => (inRow = 0));
      return await listLines(wanted);
    });
    const stream = await listen("/api/v1/events?since=0", { authorization: "Bearer fh_far" });
    const end = await newest();
    while (stream.told.at(-1)?.id !== end) await stream.piece();
    expect(most).toBeLessThanOrEqual(3);
  });

  test("too many streams are refused, and one that ends makes room", async () => {
    const open: Listening[] = [];
    for (let many = 0; many < maxOfOne; many += 1) open.push(await listen("/api/v1/events"));
    const refused = await ask("/api/v1/events", { headers: { authorization } });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "60"]);
    expect(await refused.json()).toMatchObject({ error: { code: "too_many_streams" } });
    // Others have theirs.
    await give("other", undefined);
    await (await listen("/api/v1/events", { authorization: "Bearer fh_other" })).cut();
    await open[0]?.cut();
    grow(1);
    await vi.waitFor(async () => {
      const again = await ask("/api/v1/events", { headers: { authorization } });
      await again.body?.cancel();
      expect(again.status).toBe(200);
    });
  });
});

test("who asks for the head alone holds nothing", async () => {
  for (let many = 0; many <= maxOfOne; many += 1)
    expect((await ask("/api/v1/events", { method: "HEAD", headers: { authorization } })).status).toBe(200);
  await (await listen("/api/v1/events")).cut();
});

describe("for how long", () => {
  test("until the token is revoked: not one line more", async () => {
    await give("short", undefined);
    const stream = await listen("/api/v1/events", { authorization: "Bearer fh_short" });
    await stream.piece();
    await stage.store.revokeApiToken("short");
    grow(1);
    while (await stream.piece());
    expect(stream.told).toEqual([]);
  });

  test("until the session is over", async () => {
    const { cookie } = await comeIn(stage, ask);
    const stream = await listen("/api/v1/events", { cookie, authorization: "" });
    await stream.piece();
    await stage.store.endWebSessions();
    grow(1);
    while (await stream.piece());
    expect(stream.told).toEqual([]);
  });

  test("until forgehand stops", async () => {
    const stream = await listen("/api/v1/events");
    await stream.piece();
    app.stop();
    while (await stream.piece());
    expect(stream.told).toEqual([]);
  });
});

test.each(["x", "-1", "1.5", "99999999999999999999", ""])(
  "a number of no line (%j) is refused by name",
  async (last) => {
    const headers = { authorization, "last-event-id": last };
    const refused = await ask("/api/v1/events", { headers });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: { code: "invalid_request", message: expect.stringContaining("Last-Event-ID") as string },
    });
  },
);
