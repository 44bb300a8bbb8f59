/** The log of an agent's session on the dashboard: read, searched, followed, lost and found again. */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { packMember } from "../../src/adapters/logs/gzip-members.ts";
import { runVerbs } from "../../src/engine/index.ts";
import type { LogPart } from "../../src/ports-dashboard-logs.ts";
import type { Viewer } from "../../src/ports-dashboard.ts";
import type { LogKind } from "../../src/session-logs.ts";
import { logPages } from "../../src/shell/pages/session-log.ts";
import { mostOfOne } from "../../src/web/rooms/session-log.ts";
import type { Workshop } from "../../src/shell/workshop.ts";
import { openSqlite, type Sql } from "../../src/sql.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { fillDatabase, issueIn, type Filled } from "../cli/filled.ts";
import { deskOf, openStand, type Stand } from "./stand.ts";

const ticket = `github:77#${issueIn("In Progress")}`;
const newest = { from: "end", how: "heard", kinds: [], words: "", late: "read" } as const;
const MB = 1024 * 1024;

let filled: Filled;
let sql: Sql;
let store: Store;
let stand: Stand;
/** Of the session that is at work. */
let path: string;
let name: string;
beforeEach(async () => {
  filled = await fillDatabase();
  const database = join(filled.dir, "forgehand.db");
  sql = openSqlite(database);
  store = openStore(sql, runVerbs);
  stand = openStand(store, { runDesk: deskOf(sql, database) });
  path = join(filled.dir, "logs", "live.jsonl.gz");
  mkdirSync(dirname(path), { recursive: true });
  await store.openSession({
    key: "two",
    run: `${ticket}/3`,
    ticket,
    role: "build",
    runtime: "claude",
    logPath: path,
    at: stand.now(),
  });
  name = String((await store.sessionsOf(ticket)).at(-1)?.id);
});
afterEach(() => {
  stand.close();
  sql.close();
  filled.close();
});

const logs = () =>
  logPages({
    store,
    clock: { now: stand.now },
    runDesk: deskOf(sql, join(filled.dir, "forgehand.db")),
  } as unknown as Workshop);
/** Says some lines, on the disk at once. */
const say = (...lines: readonly (readonly [LogKind, string])[]): void =>
  appendFileSync(
    path,
    packMember(lines.map(([type, text]) => `${JSON.stringify({ at: 1, type, text })}\n`).join("")),
  );
const end = (): Promise<void> => store.changeSession("two", { outcome: "done", endedAt: stand.now() });
const json = async (query = ""): Promise<LogPart> =>
  (await (
    await stand.get(`/sessions/${name}/log${query}`, { accept: "application/json" })
  ).json()) as LogPart;
const textOf = ({ lines }: Pick<LogPart, "lines">): readonly string[] => lines.map(({ text }) => text);

interface Told {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}
/** Events of a stream, until there are enough of them; then it is let go. */
async function follow(
  query: string,
  until: (events: readonly Told[]) => boolean,
  headers: Record<string, string> = {},
): Promise<readonly Told[]> {
  const answer = await stand.get(`/sessions/${name}/log${query}`, {
    accept: "text/event-stream",
    ...headers,
  });
  expect(answer.status).toBe(200);
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  const events: Told[] = [];
  let text = "";
  while (reader !== undefined && !until(events)) {
    const { value, done } = await reader.read();
    if (done) break;
    const parts = (text + value).split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) {
      const field = (key: string): string => new RegExp(`^${key}: (.*)$`, "mu").exec(part)?.[1] ?? "";
      if (field("event") !== "") events.push({ id: field("id"), event: field("event"), data: field("data") });
    }
  }
  await reader?.cancel();
  return events;
}
const said = (events: readonly Told[]): readonly string[] =>
  events.flatMap(({ event, data }) => (event === "lines" ? textOf(JSON.parse(data) as LogPart) : []));

describe("reading", () => {
  test("the words of an agent are text, whatever they look like", async () => {
    say(["text", "\u001b[31mred\u001b[2J <script>alert(1)</script> \u202eevil"], ["tool", "Read <b>x</b>"]);
    const page = await (await stand.get(`/sessions/${name}/log`)).text();
    expect(page).toContain("red &lt;script&gt;alert(1)&lt;/script&gt; evil");
    expect(page).toContain("Read &lt;b&gt;x&lt;/b&gt;");
    // eslint-disable-next-line no-control-regex
    expect(page).not.toMatch(/[\u001b\u202e]|<script>alert/u);
    expect(textOf(await json())).toEqual(["red <script>alert(1)</script> evil", "Read <b>x</b>"]);
  });

  test("people read what was heard, and as the runtime said it where they ask for that", async () => {
    say(["text", "I read."], ["stdout", '{"type":"x"}'], ["stderr", "a warning"]);
    expect(textOf(await json())).toEqual(["I read."]);
    expect(textOf(await json("?how=raw"))).toEqual(['{"type":"x"}', "a warning"]);
  });

  test("a search and a choice of kinds find lines anywhere, and say where to go on", async () => {
    for (let at = 0; at < 40; at += 1) say(["text", `line ${at} of many`], ["tool", `Tool ${at}`]);
    expect(textOf(await json("?q=LINE+39&from=0"))).toEqual(["line 39 of many"]);
    expect((await json("?kind=tool&from=0")).lines).toHaveLength(40);
    const page = await (await stand.get(`/sessions/${name}/log?q=nowhere`)).text();
    expect(page).toContain("No line so far has these words");
  });

  test.each(["0", "999999", "x", "-1", "1e3", "a1", "a", "1%2F2", "%00", "9".repeat(40)])(
    "%s is no session: nothing to see, nothing to follow, nothing to load",
    async (bad) => {
      expect((await stand.get(`/sessions/${bad}/log`)).status).toBe(404);
      expect((await stand.get(`/sessions/${bad}/log/download`)).status).toBe(404);
      expect((await stand.get(`/sessions/${bad}/log`, { accept: "text/event-stream" })).status).toBe(204);
    },
  );

  test("who may not see the repository reads nothing of it", async () => {
    say(["text", "a word"]);
    const other: Viewer = { who: "eve", rights: new Map([[78, "administer"]]) };
    const reader: Viewer = { who: "bob", rights: new Map([[77, "see"]]) };
    expect(await logs().read(other, name, newest)).toBeUndefined();
    expect(await logs().whole(other, name)).toBeUndefined();
    expect((await logs().read(reader, name, newest))?.lines).toHaveLength(1);
  });

  test("a log that is no longer kept says so; one that is not yet there is waited for", async () => {
    expect(await (await stand.get(`/sessions/${name}/log`)).text()).toContain("Nothing was said yet");
    await end();
    expect(await (await stand.get(`/sessions/${name}/log`)).text()).toContain("not on this host");
  });

  test("a damaged stretch costs itself alone, however long it is", async () => {
    say(["text", "before"]);
    appendFileSync(path, Buffer.alloc(700 * 1024, 7));
    say(["text", "behind"]);
    expect(textOf(await json("?from=0"))).toContain("before");
    expect(textOf(await json("?from=0"))).toContain("behind");
    expect(textOf(await json())).toEqual(["behind"]);
  });

  test("a download is the whole log, a line of JSON each", async () => {
    say(["text", "one\u001b[1m"], ["stdout", "two"]);
    say(["text", "three"]);
    const answer = await stand.get(`/sessions/${name}/log/download`);
    expect(answer.headers.get("content-disposition")).toBe(`attachment; filename="session-${name}.jsonl"`);
    const lines = (await answer.text()).trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { text: string }).text)).toEqual([
      "one\u001b[1m",
      "two",
      "three",
    ]);
  });
});

describe("following", () => {
  test("what is added arrives, and a stream that was lost goes on where it was: nothing twice, nothing missing", async () => {
    say(["text", "one"]);
    const first = await follow("", (events) => events.length > 0);
    say(["text", "two"]);
    say(["text", "three"]);
    const second = await follow("", (events) => events.length > 0, {
      "last-event-id": first.at(-1)?.id ?? "",
    });
    say(["text", "four"]);
    const third = await follow("", (events) => events.length > 0, {
      "last-event-id": second.at(-1)?.id ?? "",
    });
    expect([said(first), said(second), said(third)]).toEqual([["one"], ["two", "three"], ["four"]]);
  });

  test("it ends with the session, and says so", async () => {
    say(["text", "one"]);
    await end();
    const events = await follow("", () => false);
    expect(events.map(({ event }) => event)).toEqual(["lines", "over"]);
  });

  test.each(["x", "-5", "99999999999999999999", "12345678"])(
    "a place in it that makes no sense, %s, means its end",
    async (place) => {
      say(["text", "one"]);
      const events = await follow("", (some) => some.length > 0, { "last-event-id": place });
      expect(said(events)).toEqual(["one"]);
    },
  );

  test("so many are followed at once by one person, and no more", async () => {
    say(["text", "one"]);
    const open = await Promise.all(
      Array.from({ length: mostOfOne + 1 }, () =>
        stand.get(`/sessions/${name}/log`, { accept: "text/event-stream" }),
      ),
    );
    expect(open.filter(({ status }) => status === 503)).toHaveLength(1);
    await Promise.all(open.map(async ({ body }) => await body?.cancel()));
    // Whoever goes makes room.
    await expect
      .poll(async () => {
        const one = await stand.get(`/sessions/${name}/log`, { accept: "text/event-stream" });
        await one.body?.cancel();
        return one.status;
      })
      .toBe(200);
  });

  test("who asks for the head alone holds nothing", async () => {
    const path = `/sessions/${name}/log`;
    const accept = { accept: "text/event-stream" };
    for (let many = 0; many <= mostOfOne; many += 1)
      expect((await stand.head(path, accept)).status).toBe(200);
    const one = await stand.get(path, accept);
    expect(one.status).toBe(200);
    await one.body?.cancel();
  });

  test("it ends with the session of whoever looks", async () => {
    say(["text", "one"]);
    let isFirst = true;
    const events = await follow("", (some) => {
      if (some.length > 0 && isFirst) {
        isFirst = false;
        void store.endWebSessions();
      }
      return false;
    });
    expect(events.at(-1)?.event).toBe("over");
  });
});

describe("ten megabytes in a minute", () => {
  /** Random enough that packing hardly makes it smaller, as a compiler's output or a dump would be. */
  const flood = (bytes: number): void => {
    const line = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(750))).toString("base64");
    const members: Buffer[] = [];
    for (let left = bytes; left > 0; left -= 64 * 1024) {
      const lines = Array.from({ length: 64 }, () => JSON.stringify({ at: 1, type: "text", text: line() }));
      members.push(packMember(`${lines.join("\n")}\n`));
    }
    writeFileSync(path, Buffer.concat(members), { flag: "a" });
  };

  test("no part holds more than its limit, and what is passed over is told", async () => {
    say(["text", "the first word"]);
    const [first] = await follow("", (events) => events.length > 0);
    flood(10 * MB);
    say(["text", "the last word"]);
    const page = await json();
    expect(page.lines.length).toBeLessThanOrEqual(500);
    expect(page.lines.at(-1)?.text).toBe("the last word");
    expect(page.from).toBeGreaterThan(5 * MB);
    const events = await follow("", (some) => said(some).includes("the last word"), {
      "last-event-id": first?.id ?? "",
    });
    for (const { data } of events) expect(data.length).toBeLessThan(512 * 1024);
    const leftOut = events.reduce(
      (sum, { data }) => sum + ((JSON.parse(data) as LogPart).leftOutBytes ?? 0),
      0,
    );
    expect(leftOut).toBeGreaterThan(5 * MB);
    expect(await (await stand.get(`/sessions/${name}/log`)).text()).toContain("from the beginning");
  });

  test("a search looks through so much at a time, and says where to go on", async () => {
    flood(10 * MB);
    say(["text", "the needle"]);
    let from = 0;
    let parts = 0;
    for (; parts < 20; parts += 1) {
      const part = await json(`?q=the+needle&from=${from}`);
      expect(part.next - from).toBeLessThan(3 * MB);
      from = part.next;
      if (part.lines.length > 0) break;
      expect(await (await stand.get(`/sessions/${name}/log?q=the+needle&from=${from}`)).text()).toMatch(
        /Go on from here|the needle/u,
      );
    }
    expect(parts).toBeGreaterThan(2);
    expect(parts).toBeLessThan(20);
  });

  test("others are answered while somebody downloads it", async () => {
    flood(10 * MB);
    const loading = (await stand.get(`/sessions/${name}/log/download`)).text();
    expect((await stand.get("/board")).status).toBe(200);
    expect((await loading).length).toBeGreaterThan(10 * MB);
  });

  test("one line of a megabyte is cut on the page, and whole in the download", async () => {
    say(["text", "x".repeat(MB)]);
    const [line] = (await json()).lines;
    expect([line?.text.length, line?.more]).toEqual([4_000, MB - 4_000]);
    expect((await (await stand.get(`/sessions/${name}/log/download`)).text()).length).toBeGreaterThan(MB);
  });
});
