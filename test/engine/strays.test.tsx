import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { Task, workflow } from "#engine";
import { openEngine } from "../../src/engine/engine.ts";
import { migrateEngine } from "../../src/engine/migrate.ts";
import { startRun } from "../../src/engine/store.ts";
import { openSqlite } from "../../src/sql.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { temporaryFolder } from "../temporary.ts";

const quiet = { info: () => undefined, error: () => undefined };
const me = { pid: 1, startedAt: "now", host: "here" };

test("what a cancelled run may have left at work is ended before anything else begins", async () => {
  const path = join(temporaryFolder("engine-"), "t.db");
  const sql = openSqlite(path);
  await migrateEngine(sql);
  const story: string[] = [];
  const definition = workflow({
    name: "w",
    input: z.object({}),
    output: z.null(),
    render: () => <Task id="t" output={z.number()} perform={() => story.push("work")} />,
    result: () => null,
  });
  // A process that died between the cancelling of its run and the end of that run's agent.
  sql.script(
    `insert into run (id, workflow, input, status, owner, created_at) values ('a/1', 'w', '{}', 'cancelled', '{"pid":7,"startedAt":"x","host":"here"}', 1)`,
  );
  await sql.commit(() => startRun({ run: "a/2", workflow: "w", input: {}, at: 2 }));
  const engine = openEngine({
    sql,
    clock: systemClock(),
    random: () => 0,
    owner: me,
    isDead: () => true,
    workflows: [definition],
    checkDeterminism: true,
    log: quiet,
    sweep: async (runs) => void story.push(`sweep ${runs.join()}`),
    laneOf: (run) => run.slice(0, run.lastIndexOf("/")),
  });
  engine.poke();
  while ((await engine.run("a/2"))?.status !== "finished") await new Promise((wake) => setImmediate(wake));
  await engine.down(0);
  sql.close();
  expect(story).toEqual(["sweep a/1", "work"]);
});
