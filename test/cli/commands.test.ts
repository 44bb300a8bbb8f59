import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fillDatabase, issueIn, places, sessionLogIn, step, type Filled } from "./filled.ts";
import { run, start } from "./run.ts";

let filled: Filled;
beforeAll(async () => {
  filled = await fillDatabase();
});
afterAll(() => filled.close());
const forgehand = (...argv: string[]) => run(argv, { FORGEHAND_DATABASE: filled.database });

interface Envelope {
  readonly schema: string;
  readonly data: unknown;
  readonly error: { readonly code: string; readonly message: string } | null;
}
const read = (out: string): Envelope => JSON.parse(out) as Envelope;

/** Field names and the kinds of their values, which is what a program relies on. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shapeOf(one)]));
}

describe("what a program reads", () => {
  test.each([
    ["ps", ["ps"]],
    ["explain", ["explain", "6"]],
    ["inspect", ["inspect", "6"]],
    ["ledger verify", ["ledger", "verify"]],
    ["approve", ["approve", "6"]],
    ["retry", ["retry", "9"]],
    ["stop", ["stop", "4"]],
  ])("%s keeps its fields", async (_, argv) => {
    const said = read((await forgehand(...argv, "--json")).out);
    expect(said.error).toBeNull();
    expect({ schema: said.schema, data: shapeOf(said.data) }).toMatchSnapshot();
  });

  test("logs are one object a line", async () => {
    const { out } = await forgehand("logs", "6", "--json");
    const [first, second, ...rest] = out.trimEnd().split("\n").map(read);
    expect(shapeOf(first)).toMatchSnapshot();
    expect(second?.data).toMatchObject({ role: "build", said: { type: "tool" } });
    expect(rest).toEqual([]);
  });

  test("with --raw a runtime's stdout comes on stdout and its stderr on stderr", async () => {
    const { out, err } = await forgehand("logs", "6", "--raw");
    expect(out).toBe('{"type":"thread.started","thread_id":"t"}\n');
    expect(err).toBe("a warning of the runtime\n");
    const lines = (await forgehand("logs", "6", "--raw", "--json")).out.trimEnd().split("\n").map(read);
    expect(lines.map(({ data }) => (data as { said: { type: string } }).said.type)).toEqual([
      "stdout",
      "stderr",
    ]);
  });

  test.each([
    [["explain", "99"], 5, "ticket-unknown"],
    [["logs", "2"], 5, "notFound"],
    [["approve", "1"], 4, "usage"],
    [["retry", "10"], 4, "usage"],
    [["ps", "--database", "/nowhere/x.db"], 5, "notFound"],
    [["ledger", "verify", "--anchors", "/nowhere"], 5, "notFound"],
    [["explain"], 4, "usage"],
    [["exlpain", "6"], 4, "usage"],
    [["ps", "--al"], 4, "usage"],
  ])("%j ends with %i and says why in the same envelope", async (argv, exit, code) => {
    const { code: ended, out, err } = await forgehand(...argv, "--json");
    const said = read(out);
    expect(said.data).toBeNull();
    expect(said.error?.code).toBe(code);
    expect(said.error?.message).not.toBe("");
    expect(err).toBe("");
    expect(ended).toBe(exit);
  });
});

describe("what a person reads", () => {
  test.each(places)("explain is never empty: %s", async (state) => {
    const { out, code } = await forgehand("explain", String(issueIn(state)));
    const isOver = state === "Done" || state === "Cancelled";
    expect(out).toContain(isOver ? "It is over" : "Waits for ");
    if (!isOver) expect(out).toMatch(/Next: .+\nYou can: .+\n {4}.+/u);
    expect(code).toBe(state === "Blocked" || state === "In Review" ? 3 : 0);
  });

  test("explain tells that the App is gone from the repository", async () => {
    const repo = await filled.look((store) => store.repoById(77));
    expect((await forgehand("explain", "6")).out).not.toContain("the App is not installed");
    await filled.look((store) => store.removeRepo(77, Date.UTC(2026, 0, 6)));
    const { out } = await forgehand("explain", "6");
    await filled.look((store) => store.knowRepo(repo!));
    expect(out).toContain("the App is not installed in acme/web since 2026-01-06");
  });

  test("explain names what came in and could not be read", async () => {
    const body = "{}";
    await filled.look(async (store) => {
      await store.receive({ id: "odd", source: "github", name: "issues", body, receivedAt: 1 });
      await store.parkItem(await store.newestItem(), "github:77#6", "it has no number", 2);
    });
    const { out } = await forgehand("explain", "6");
    expect(out).toContain("Note: an item of the inbox (`issues`) could not be read: it has no number");
  });

  test("a ticket that is not known tells whose label would have made it known, and where to look", async () => {
    const { err } = await forgehand("explain", "acme/web#99");
    expect(err).toMatch(/triage access or more.*`agent-ready`/u);
    expect(err).toContain("forgehand doctor");
  });

  test("a pipe gets tab-separated columns without colour, whole", async () => {
    const { out } = await run(["ps", "-a"], { FORGEHAND_DATABASE: filled.database, TERM: "xterm-256color" });
    const rows = out
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"));
    expect(rows.length).toBe(12);
    expect(rows.every((row) => row.length === 6)).toBe(true);
    // eslint-disable-next-line no-control-regex
    expect(out).not.toMatch(/\u001b/u);
  });

  test("no title, log or note moves the cursor", async () => {
    const outs = await Promise.all([
      forgehand("explain", "6"),
      forgehand("inspect", "6"),
      forgehand("logs", "6"),
    ]);
    for (const { out } of outs) expect(out.replaceAll("\u001b", "ESC")).not.toContain("ESC");
    expect(outs[2]?.out).toContain("I read [2Jthe issue.");
  });

  test("a ticket may be named as 6, #6, owner/repo#6 or by its id", async () => {
    const names = ["6", "#6", "ACME/web#6", "github:77#6"];
    const outs = await Promise.all(names.map((name) => forgehand("explain", name)));
    for (const { out } of outs) expect(out).toContain("acme/web#6");
  });

  test("hints go to stderr, so that stdout stays data", async () => {
    const { out, err, code } = await forgehand("stop", "5");
    expect(out).toBe("acme/web#5: stop, Adversarial Review → Blocked\n");
    expect(err).toContain("forgehand is not running");
    expect(code).toBe(0);
  });

  test("a command waits in the inbox for whoever serves, with its actor", async () => {
    await forgehand("stop", "8");
    const items = await filled.look((store) => store.recentItems(1));
    expect(items[0]).toMatchObject({ source: "operator", name: "operator.stopped", state: "new" });
  });

  test("a followed log goes on as the agent speaks", async () => {
    const following = start(["logs", "6", "-f"], { FORGEHAND_DATABASE: filled.database });
    await following.said("src/page.ts");
    const log = sessionLogIn(filled.dir);
    log.add("one", "text", "and on");
    log.closeAll();
    await following.said("and on");
    following.process.kill("SIGINT");
    expect((await following.ended).out).toContain("text     and on");
  });

  test("a followed log ends with its ticket, whole", async () => {
    const own = await fillDatabase();
    const following = start(["logs", "6", "-f"], { FORGEHAND_DATABASE: own.database });
    await following.said("src/page.ts");
    const log = sessionLogIn(own.dir);
    log.add("one", "text", "my last word");
    log.closeAll();
    await own.look((store) => step(store, "github:77#6", "ticket.cancelled", Date.UTC(2026, 0, 6)));
    const { code, out } = await following.ended;
    expect(out).toContain("my last word");
    expect(code).toBe(0);
    const after = await run(["logs", "6", "-f"], { FORGEHAND_DATABASE: own.database });
    expect(after).toMatchObject({ code: 0, out });
    const silent = await run(["logs", "11", "-f"], { FORGEHAND_DATABASE: own.database });
    expect(silent).toMatchObject({
      code: 5,
      err: expect.stringContaining("no agent has worked on acme/web#11"),
    });
    own.close();
  });
});

describe("a database that does not fit", () => {
  test("of another program is refused", async () => {
    const path = join(filled.dir, "other.db");
    new Database(path).exec("create table song (title text)").close();
    const { code, err } = await run(["ps", "--database", path]);
    expect(err).toContain("is no intact forgehand database: it has no tables of ours");
    expect(code).toBe(1);
  });
  test("that is no database at all is refused", async () => {
    const path = join(filled.dir, "text.db");
    writeFileSync(path, "a".repeat(5_000));
    const { code, err } = await run(["explain", "6", "--database", path]);
    expect(err).toContain(`${path} is no intact forgehand database`);
    expect(code).toBe(1);
  });
  test("that somebody took the ledger out of is refused", async () => {
    const path = join(filled.dir, "robbed.db");
    new Database(filled.database).exec(`vacuum into '${path}'`).close();
    new Database(path).exec("drop table ledger").close();
    for (const argv of [
      ["ledger", "verify"],
      ["inspect", "6"],
    ]) {
      const { code, err } = await run([...argv, "--database", path]);
      expect(err).toContain(`${path} is no intact forgehand database: no such table: main.ledger`);
      expect(code).toBe(1);
    }
  });
  test("of a newer forgehand is refused", async () => {
    const path = join(filled.dir, "newer.db");
    new Database(path)
      .exec(
        "create table store_migration (number integer, name text); insert into store_migration values (99, 'x')",
      )
      .close();
    const { code, err } = await run(["ps", "--database", path]);
    expect(err).toContain("is at version 99");
    expect(code).toBe(4);
  });
  test("that is only readable can still be looked at", async () => {
    const path = join(filled.dir, "copy.db");
    new Database(filled.database).exec(`vacuum into '${path}'`).close();
    chmodSync(path, 0o400);
    expect((await run(["ps", "--database", path])).code).toBe(0);
  });
});
