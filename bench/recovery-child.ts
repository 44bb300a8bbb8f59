/** One life of an engine: it starts or finds runs, and tells its parent when all of them are at work. */
import { join } from "node:path";
import { z } from "zod";
import { built } from "./built.ts";
import { tellParent } from "./measure.ts";

const [dir = "", life = "first", count = "500"] = process.argv.slice(2);
const runs = Number(count);
const { openSqlite } = await built("sql");
const { migrateEngine, openEngine, startRun, workflow, Sequence, Task } = await built("engine");
const { systemClock } = await built("clock");
const { isDead, thisProcess } = await built("owner");
const { sweep } = await built("agentProcess");

const atWork = new Set<string>();
const clock = systemClock();
const waits = workflow({
  name: "waits",
  input: z.object({}),
  output: z.object({}),
  render: () =>
    Sequence({
      children: [
        Task({ id: "begin", output: z.object({}), perform: () => ({}) }),
        Task({
          id: "wait",
          output: z.object({}),
          perform: async (step) => {
            atWork.add(step.run);
            if (atWork.size === runs) tellParent({ atWork: runs });
            await clock.until(Number.MAX_SAFE_INTEGER, step.signal);
            return {};
          },
        }),
      ],
    }),
  result: () => ({}),
});
const sql = openSqlite(join(dir, "engine.db"));
await migrateEngine(sql);
const engine = openEngine({
  sql,
  clock,
  random: Math.random,
  owner: thisProcess(),
  isDead,
  workflows: [waits],
  checkDeterminism: true,
  log: { info: () => undefined, error: (fields) => void process.stderr.write(`${JSON.stringify(fields)}\n`) },
  // As the house does: whatever the dead owner left running is looked for before anything is done twice.
  sweep: (runs) => sweep(...runs),
});
if (life === "first") {
  await Promise.all(
    Array.from({ length: runs }, (_, index) =>
      sql.commit(() => startRun({ run: `waits/${index}`, workflow: "waits", input: {}, at: clock.now() })),
    ),
  );
}
engine.poke();
