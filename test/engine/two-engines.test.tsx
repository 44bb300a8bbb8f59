/** The engine as a library: nothing of it is shared by a process. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { z } from "zod";
import {
  Approval,
  Sequence,
  Task,
  leaf,
  migrateEngine,
  openEngine,
  openSqlite,
  startRun,
  workflow,
  type Engine,
  type Sql,
} from "#engine";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  vi.restoreAllMocks();
});

interface Opened {
  readonly engine: Engine;
  readonly sql: Sql;
  readonly logged: string[];
  left(): Promise<string>;
}
/** An engine with everything of its own, at an hour of its own; its workflow has the same name in each. */
async function openOwn(word: string, hour: number): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), "own-engine-"));
  const sql = openSqlite(join(folder, "runs.db"));
  await migrateEngine(sql);
  const said = leaf("said", z.string());
  const own = workflow({
    name: "same",
    input: z.object({}),
    output: z.string(),
    render: () => (
      <Sequence>
        <Task {...said} perform={() => word} />
        <Approval id="go" ask="Go on?" />
      </Sequence>
    ),
    result: (ctx) => ctx.output(said),
  });
  const logged: string[] = [];
  let gone = Promise.withResolvers<string>();
  const engine = openEngine({
    sql,
    clock: { now: () => hour, until: () => new Promise(() => undefined) },
    random: () => 0,
    owner: { pid: 1, startedAt: word, host: "here" },
    isDead: () => false,
    workflows: [own],
    checkDeterminism: true,
    log: {
      info: (_, message) => void logged.push(message),
      error: (_, message) => void logged.push(message),
    },
    onLeft: (run) => gone.resolve(run),
  });
  ends.push(async () => {
    await engine.down(0);
    sql.close();
    rmSync(folder, { recursive: true });
  });
  return {
    engine,
    sql,
    logged,
    left: async () => {
      const run = await gone.promise;
      gone = Promise.withResolvers();
      return run;
    },
  };
}

test("two engines in one process do not disturb each other, and print nothing", async () => {
  const out = vi.spyOn(process.stdout, "write");
  const err = vi.spyOn(process.stderr, "write");
  const one = await openOwn("one", 1_000);
  const other = await openOwn("other", 9_000);
  for (const { sql, engine } of [one, other]) {
    await sql.commit(() => startRun({ run: "r1", workflow: "same", input: {}, at: 0 }));
    engine.poke();
  }
  await Promise.all([one.left(), other.left()]);

  await one.engine.answer("r1", "go", { decision: "approved", by: "somebody", note: "" });
  await one.left();

  expect(await one.engine.run("r1")).toMatchObject({ status: "finished", output: "one", settledAt: 1_000 });
  expect(await other.engine.run("r1")).toMatchObject({ status: "waiting" });
  const [begun] = await other.engine.attempts("r1");
  expect(begun).toMatchObject({ leaf: "said", output: "other" });
  await other.engine.answer("r1", "go", { decision: "approved", by: "somebody", note: "" });
  await other.left();
  expect(await other.engine.run("r1")).toMatchObject({ output: "other", settledAt: 9_000 });
  expect([one.logged, other.logged].map(({ length }) => length > 0)).toEqual([true, true]);
  expect([out.mock.calls, err.mock.calls]).toEqual([[], []]);
});

test("one engine goes down while the other works on", async () => {
  const one = await openOwn("one", 1_000);
  const other = await openOwn("other", 9_000);
  await one.engine.down(0);
  await other.sql.commit(() => startRun({ run: "r1", workflow: "same", input: {}, at: 0 }));
  other.engine.poke();
  expect(await other.left()).toBe("r1");
  expect(await other.engine.run("r1")).toMatchObject({ status: "waiting" });
  expect(await one.engine.run("r1")).toBeUndefined();
});
