import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { migrateEngine, openEngine } from "../../src/engine/index.ts";
import { all, openSqlite, type Sql, type Statement } from "../../src/sql.ts";
import { simple, until } from "./world.ts";

test("ten thousand waiting runs hold one timer, and a look at them reads none of them", async () => {
  const sql = openSqlite(join(mkdtempSync(join(tmpdir(), "waiting-")), "t.db"));
  await migrateEngine(sql);
  sql.script(
    `with recursive n (i) as (select 1 union all select i + 1 from n where i < 10000)
       insert into run (id, workflow, input, status, wake_at, created_at) select 'r' || i, 'w', '{}', 'waiting', iif(i % 2 = 0, null, 3600000 + i), i from n`,
  );
  const asked: Statement[] = [];
  let rows = 0;
  const watched: Sql = {
    ...sql,
    read: (verb) =>
      sql.read(function* () {
        const steps = verb();
        let step = steps.next([]);
        while (step.done !== true) {
          asked.push(step.value);
          const found = yield step.value;
          rows += found.length;
          step = steps.next(found);
        }
        return step.value;
      }),
    commit: () => expect.unreachable("a waiting run is written"),
  };
  const sleeps: number[] = [];
  let awake = 0;
  const engine = openEngine({
    sql: watched,
    clock: {
      now: () => 1_000,
      until: (at, signal) =>
        new Promise((_resolve, reject) => {
          sleeps.push(at);
          awake += 1;
          signal?.addEventListener("abort", () => {
            awake -= 1;
            reject(new Error("woken"));
          });
        }),
    },
    random: () => 0,
    owner: { pid: 1, startedAt: "now", host: "here" },
    isDead: () => true,
    workflows: [simple(() => expect.unreachable("a waiting run is rendered"))],
    checkDeterminism: true,
    log: { info: () => undefined, error: (fields) => expect.unreachable(JSON.stringify(fields)) },
  });
  for (let looks = 1; looks <= 3; looks += 1) {
    engine.poke();
    await until(() => sleeps.length === looks);
  }
  expect(new Set(sleeps)).toEqual(new Set([3_600_001]));
  expect(awake).toBe(1);
  // One row each time: when the first of them wakes.
  expect(rows).toBe(3);
  for (const { sql: text, args } of new Map(asked.map((one) => [one.sql, one])).values()) {
    const steps = await sql.read(() => all<{ detail: string }>(`explain query plan ${text}`, ...args));
    expect(steps.filter(({ detail }) => /^SCAN (?:run|attempt)\b/u.test(detail))).toEqual([]);
  }
  sql.close();
});
