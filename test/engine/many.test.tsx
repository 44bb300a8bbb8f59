/** Many runs in one database, and several processes that open it at once. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runsLike, Sequence } from "#engine";
import { migrateEngine } from "../../src/engine/migrate.ts";
import { startRun } from "../../src/engine/store.ts";
import { openSqlite, run, type Sql } from "../../src/sql.ts";
import { open, simple } from "./world.ts";

const fresh = (): Sql => openSqlite(join(mkdtempSync(join(tmpdir(), "many-")), "t.db"));
const fill = async (sql: Sql, count: number, workflow = "other"): Promise<void> => {
  await sql.commit(function* () {
    for (let n = 0; n < count; n += 1)
      yield* startRun({ run: `old-${String(n).padStart(5, "0")}`, workflow, input: {}, at: n });
  });
};

test("a run is taken however many that others should take are ready before it", async () => {
  const world = await open(
    simple(() => <Sequence />),
    undefined,
    undefined,
    { takes: ({ id }) => id === "r" },
  );
  await fill(world.sql, 2_500, "w");
  expect(await world.start()).toMatchObject({ status: "finished" });
});

test("runs whose workflow is not here are looked at once a look, not again and again", async () => {
  let asked = 0;
  const world = await open(
    simple(() => <Sequence />),
    undefined,
    undefined,
    { workflowOf: () => ((asked += 1), Promise.resolve(undefined)) },
  );
  await fill(world.sql, 1_200);
  await world.sql.commit(() => run("update run set source = 'file'"));
  expect(await world.start()).toMatchObject({ status: "finished" });
  await world.engine.down(0);
  expect(asked).toBeLessThanOrEqual(3 * 1_200);
});

test("the run that is called exactly so is found among any number that begin so", async () => {
  const sql = fresh();
  await migrateEngine(sql);
  await sql.commit(() => startRun({ run: "nightly", workflow: "w", input: {}, at: 1 }));
  await sql.commit(function* () {
    for (let n = 0; n < 50; n += 1)
      yield* startRun({ run: `nightly-${n}`, workflow: "w", input: {}, at: 100 + n });
  });
  const found = (await sql.read(() => runsLike("nightly"))).map(({ id }) => id);
  expect(found[0]).toBe("nightly");
  expect(found[1]).toBe("nightly-49");
  expect((await sql.read(() => runsLike("%"))).length).toBe(0);
  expect((await sql.read(() => runsLike("nightl_"))).length).toBe(0);
  expect((await sql.read(() => runsLike("")))[0]?.id).toBe("nightly-49");
  sql.close();
});

test("two processes that open a new database at once both find its tables", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "many-")), "t.db");
  const [one, other] = [openSqlite(path), openSqlite(path)];
  await Promise.all([migrateEngine(one), migrateEngine(other)]);
  await other.commit(() => startRun({ run: "r", workflow: "w", input: {}, at: 1 }));
  one.close();
  other.close();
});

test("a database of a newer engine is refused", async () => {
  const sql = fresh();
  await migrateEngine(sql);
  await sql.commit(() => run("insert into engine_migration values (99)"));
  await expect(migrateEngine(sql)).rejects.toThrow(/99.*newer/u);
  sql.close();
});
