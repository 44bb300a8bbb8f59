import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifyLedger } from "../../src/shell/verify-ledger.ts";
import { fillDatabase, type Filled } from "./filled.ts";
import { run } from "./run.ts";

const texts = ["ticket", "event_id", "actor", "event", "row", "from_state", "to_state", "hash"];
let filled: Filled;
let lines: number;
beforeAll(async () => {
  filled = await fillDatabase();
  lines = await filled.look(async (store) => (await store.ledgerHead()).seq);
});
afterAll(() => filled.close());

/** Changes a copy of the database behind everybody's back. */
function tampered(name: string, change: (db: Database.Database) => void): string {
  const path = join(filled.dir, `${name}.db`);
  for (const end of ["", "-wal", "-shm"]) rmSync(`${path}${end}`, { force: true });
  cpSync(filled.database, path);
  const db = new Database(path);
  change(db);
  db.close();
  return path;
}
const verify = (path: string, ...more: string[]) => run(["ledger", "verify", "--database", path, ...more]);

describe("ledger verify", () => {
  test("holds on an untouched ledger and prints its head", async () => {
    const { code, out } = await verify(filled.database);
    expect(out).toMatch(new RegExp(`^The ledger holds: ${lines} lines, 11 tickets`, "u"));
    expect(code).toBe(0);
  });

  test("names the line of any changed byte in any text column", async () => {
    const db = new Database(filled.database);
    const bytesOf = (seq: number, column: string): Buffer =>
      Buffer.from(
        (db.prepare(`select ${column} as text from ledger where seq = ?`).get(seq) as { text: string }).text,
      );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: lines }),
        fc.constantFrom(...texts),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (seq, column, where, flip) => {
          const before = bytesOf(seq, column);
          const after = Buffer.from(before);
          const at = where % after.length;
          after[at] = (after[at] ?? 0) ^ flip;
          const put = db.prepare(`update ledger set ${column} = cast(? as text) where seq = ?`);
          try {
            put.run(after, seq);
          } catch (error) {
            // A byte that makes a line bear another's name is refused by the database itself.
            expect(String(error)).toContain("UNIQUE constraint failed");
            return;
          }
          try {
            const { faults } = await filled.look((store) => verifyLedger(store));
            expect(faults.map((fault) => fault.seq)).toContain(seq);
          } finally {
            put.run(before, seq);
          }
        },
      ),
      { numRuns: 150 },
    );
    db.close();
    expect((await filled.look((store) => verifyLedger(store))).faults).toEqual([]);
  });

  test.each(["version", "at", "policy"])("names the line whose %s was changed", async (column) => {
    const path = tampered("number", (db) => {
      db.exec(`update ledger set ${column} = ${column} + 1000 where seq = 7`);
    });
    const { code, out } = await verify(path);
    expect(out).toContain("line 7: it was changed");
    expect(code).toBe(1);
  });

  test.each([
    ["state", "'Done'"],
    ["head", "'deadbeef'"],
    ["pull", "4711"],
    ["active", "iif(active is null, 1, null)"],
    ["upon", "'github:1#9'"],
    ["body", `json_set(body, '$.upon', json('{"ticket":"github:1#9","ref":"o/r#9","head":"a"}'))`],
  ])("names the ticket whose %s is not what its lines come to", async (column, value) => {
    const path = tampered(`column-${column}`, (db) => {
      db.exec(`update ticket set ${column} = ${value} where id = (select ticket from ledger where seq = 1)`);
    });
    const { code, out } = await verify(path);
    expect(out).toMatch(/line \d+: \S+ as stored is not what its lines come to/u);
    expect(code).toBe(1);
  });

  test("names the first line that was decided by a policy that was changed", async () => {
    const path = tampered("policy", (db) => {
      db.exec("update policy set body = replace(body, '3', '9')");
    });
    const { code, out } = await verify(path);
    expect(out).toContain("line 1: it was changed");
    expect(code).toBe(1);
  });

  test("names a changed line to a program, too", async () => {
    const path = tampered("json", (db) => {
      db.exec("update ledger set actor = 'mallory' where seq = 5");
    });
    const { code, out } = await verify(path, "--json");
    const said = JSON.parse(out) as { data: { holds: boolean; faults: { seq: number }[] }; error: null };
    expect(said.data.holds).toBe(false);
    expect(said.data.faults[0]?.seq).toBe(5);
    expect(code).toBe(1);
  });

  test("names a deleted line", async () => {
    const path = tampered("deleted", (db) => {
      db.exec("delete from ledger where seq = 12");
    });
    const { code, out } = await verify(path);
    expect(out).toContain("line 12: line 12 is missing");
    expect(code).toBe(1);
  });

  test("names the first line of a cut tail by the tickets' versions", async () => {
    const path = tampered("cut", (db) => {
      db.exec(`delete from ledger where seq > ${lines - 2}`);
    });
    const { code, out } = await verify(path);
    expect(out).toContain(`line ${lines - 1}: lines are missing`);
    expect(code).toBe(1);
  });

  test("names the cut when the tickets were cut with it, by an anchor", async () => {
    const last = await filled.look(async (store) => await store.ledgerHead());
    const path = tampered("anchored", (db) => {
      db.exec("delete from ledger where ticket like '%#11'; delete from ticket where id like '%#11'");
    });
    expect((await verify(path)).code).toBe(0);
    const anchor = `${last.seq}:${last.hash}`;
    const { code, out } = await verify(path, "--anchor", anchor);
    expect(out).toContain("lines are missing at the end");
    expect(code).toBe(1);
    const file = join(filled.dir, "anchors");
    writeFileSync(file, `\n${anchor}\n`);
    expect((await verify(path, "--anchors", file)).code).toBe(1);
    expect((await verify(filled.database, "--anchors", file)).code).toBe(0);
    // Of two that cannot both be right, the right one does not hide the other.
    writeFileSync(file, `${last.seq}:${"0".repeat(64)}\n${anchor}\n`);
    expect((await verify(filled.database, "--anchors", file)).code).toBe(1);
  });

  test("names a ledger that was forged as a whole, by an anchor", async () => {
    const { code, out } = await verify(filled.database, "--anchor", `9:${"0".repeat(64)}`);
    expect(out).toContain("line 9: its hash is not the one anchored");
    expect(code).toBe(1);
  });

  test("names a ticket that is not what its lines come to", async () => {
    const path = tampered("ticket", (db) => {
      db.exec(`update ticket set body = json_set(body, '$.autoMerge', json('true')) where id like '%#6'`);
    });
    const { code, out } = await verify(path);
    expect(out).toContain("github:77#6 as stored is not what its lines come to");
    expect(code).toBe(1);
  });

  test("says what an anchor looks like", async () => {
    const { code, err } = await verify(filled.database, "--anchor", "9");
    expect(err).toContain("write LINE:HASH");
    expect(code).toBe(4);
  });
});
