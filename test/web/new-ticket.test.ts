import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { claimTicketNumber, writeTicket } from "../../src/adapters/local/new-ticket.ts";
import { runVerbs } from "../../src/engine/index.ts";
import { openNewTickets, type TicketWriter } from "../../src/shell/pages/new-ticket.ts";
import { openSqlite, type Sql } from "../../src/sql.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { fillDatabase, type Filled } from "../cli/filled.ts";
import { openStand, type Stand } from "./stand.ts";

let filled: Filled;
let sql: Sql;
let store: Store;
let dir: string;
let stand: Stand;
const files = (): readonly string[] =>
  readdirSync(join(dir, "tickets")).filter((name) => name.endsWith(".md"));
const desk = () => ({
  folder: dir,
  folders: { own: join(dir, "tickets"), inRepo: undefined },
  author: "ada",
  now: stand.now(),
});
const writer = (): TicketWriter => ({
  repo: 77,
  claim: () => claimTicketNumber(desk()),
  write: (number, { title, body, labels }) => {
    const written = writeTicket(desk(), { words: title, body, labels, where: "own" }, number);
    return written && `local:77#${number}`;
  },
});
beforeAll(async () => {
  filled = await fillDatabase();
  sql = openSqlite(join(filled.dir, "forgehand.db"));
  store = openStore(sql, runVerbs);
});
afterAll(() => {
  sql.close();
  filled.close();
});
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "new-ticket-"));
  stand = openStand(store, {}, { writer: writer() });
});
afterEach(() => {
  stand.close();
  rmSync(dir, { recursive: true, force: true });
});

const keyOf = async (): Promise<string> =>
  /name="key" value="([^"]+)"/u.exec(await (await stand.get("/tickets/new")).text())?.[1] ?? "";

describe("a ticket written on a page", () => {
  test("is a file as the command line would write it, released where that is wished", async () => {
    const form = {
      key: await keyOf(),
      title: "Fix the date",
      body: "In src/date.ts\r\nfor March",
      labels: "bug, ui",
      starts: "now",
    };
    const answer = await stand.post("/tickets/new", form);
    expect([answer.status, await answer.text()]).toEqual([
      200,
      expect.stringContaining("Ticket #1 is written"),
    ]);
    const [file = ""] = files();
    const text = readFileSync(join(dir, "tickets", file), "utf8");
    expect(file).toBe("0001-fix-the-date.md");
    expect(text).toContain("title: Fix the date");
    expect(text).toMatch(/labels: \[ ?agent-ready, bug, ui ?\]/u);
    expect(text).toContain("In src/date.ts\nfor March");
  });

  test("that is posted twice is one, and a new form is another", async () => {
    const form = { key: await keyOf(), title: "Once" };
    const json = { accept: "application/json" };
    const answers = await Promise.all([1, 2].map(() => stand.post("/tickets/new", form, json)));
    const told = await Promise.all(answers.map(async (one) => (await one.json()) as { number: number }));
    expect(told[0]).toEqual(told[1]);
    await stand.post("/tickets/new", form);
    expect(files()).toHaveLength(1);
    await stand.post("/tickets/new", { ...form, key: await keyOf() });
    expect(files()).toHaveLength(2);
  });

  test.each([
    ["without a title", { title: " " }, "needs a title"],
    ["with a title of two lines", { title: "a\nb" }, "one line"],
    ["with too long a title", { title: "x".repeat(251) }, "at most 250"],
    ["with too long a text", { title: "a", body: "x".repeat(60_001) }, "at most 60000"],
    ["with too many labels", { title: "a", labels: "x,".repeat(21) }, "at most 20 labels"],
    ["with too long a label", { title: "a", labels: "x".repeat(51) }, "at most 50 letters"],
    ["from a form that is none of ours", { title: "a", key: "<" }, "not one of ours"],
  ])("%s is not written, and what was typed stands there still", async (_name, form, why) => {
    const answer = await stand.post("/tickets/new", { key: await keyOf(), body: "kept <i>", ...form });
    const text = await answer.text();
    expect([answer.status, text]).toEqual([400, expect.stringContaining(why)]);
    if (!("body" in form)) expect(text).toContain("kept &lt;i&gt;</textarea>");
    expect(readdirSync(dir)).toEqual([]);
  });

  test("is written by whoever may act there", async () => {
    const write = openNewTickets(store, writer(), () => stand.now());
    const ticket = { key: "a-key-of-a-form", title: "a", body: "", labels: [], starts: "later" } as const;
    expect(await write({ who: "eve", rights: new Map([[77, "see"]]) }, ticket)).toEqual({ is: "forbidden" });
    expect(readdirSync(dir)).toEqual([]);
  });

  test("is written down with who wrote it, however often it is posted", async () => {
    const write = openNewTickets(store, writer(), () => stand.now());
    const ticket = { key: "a-key-of-a-program", title: "a", body: "", labels: [], starts: "now" } as const;
    for (const _ of [1, 2]) await write({ who: "token:ci", rights: new Map([[77, "act"]]) }, ticket);
    const deeds = (await store.deeds(1_000, 100)).filter(({ actor }) => actor === "token:ci");
    expect(deeds).toMatchObject([
      { surface: "API", what: "ticket written", about: "local:77#1", note: "agent-ready" },
    ]);
  });

  test.each(["the number is claimed", "the number is remembered", "the file is written", "it is noted"])(
    "is one, written and noted, although the process died once %s",
    async (when) => {
      const key = `dies-once-${when.replaceAll(" ", "-")}`;
      const ticket = { key, title: "Once", body: "", labels: [], starts: "now" } as const;
      const viewer = { who: `token:${key}`, rights: new Map([[77, "act" as const]]) };
      const dies = (now: string): void => {
        if (now === when) throw new Error("killed");
      };
      const real = writer();
      const dying = openNewTickets(
        {
          recall: store.recall,
          remember: async (mark, said) => {
            dies(said.includes("written") ? "it is noted" : "the number is claimed");
            await store.remember(mark, said);
          },
          noteDeed: async (deed) => {
            dies("the file is written");
            await store.noteDeed(deed);
          },
        },
        {
          ...real,
          write: (number, words) => {
            dies("the number is remembered");
            return real.write(number, words);
          },
        },
        () => stand.now(),
      );
      await expect(dying(viewer, ticket)).rejects.toThrow("killed");
      const again = openNewTickets(store, real, () => stand.now());
      const answer = await again(viewer, ticket);
      expect(await again(viewer, ticket)).toEqual(answer);
      expect(files()).toHaveLength(1);
      const deeds = (await store.deeds(1_000, 100)).filter(({ actor }) => actor === viewer.who);
      // Noted once more rather than not at all.
      expect(deeds).toHaveLength(when === "it is noted" ? 2 : 1);
    },
  );

  test("gets another number when somebody's file came to bear its own before it was written", async () => {
    const real = writer();
    const ticket = {
      key: "a-number-that-is-taken",
      title: "Mine",
      body: "",
      labels: [],
      starts: "now",
    } as const;
    const viewer = { who: "ada", rights: new Map([[77, "act" as const]]) };
    const dying = openNewTickets(
      store,
      {
        ...real,
        write: () => {
          throw new Error("killed");
        },
      },
      () => stand.now(),
    );
    await expect(dying(viewer, ticket)).rejects.toThrow("killed");
    mkdirSync(join(dir, "tickets"), { recursive: true });
    writeFileSync(join(dir, "tickets", "0001-theirs.md"), "Theirs\n");
    const again = openNewTickets(store, real, () => stand.now());
    expect(await again(viewer, ticket)).toMatchObject({ is: "written", number: 2 });
    expect(files()).toEqual(["0001-theirs.md", "0002-mine.md"]);
  });

  test("has no page where people write tickets on a forge", async () => {
    const elsewhere = openStand(store);
    expect((await elsewhere.get("/tickets/new")).status).toBe(404);
    expect((await elsewhere.post("/tickets/new", { key: "a-key-of-a-form", title: "a" })).status).toBe(404);
    expect(await (await elsewhere.get("/")).text()).not.toContain("/tickets/new");
    expect(await (await stand.get("/")).text()).toContain("/tickets/new");
    elsewhere.close();
  });
});
