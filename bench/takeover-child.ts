/** One life of an engine with one run: says when it is loaded, and when the run's task is at work. */
import { join } from "node:path";
import { z } from "zod";
import { built } from "./built.ts";
import { tellParent } from "./measure.ts";

const [home = "", life = "start"] = process.argv.slice(2);
const { openSqlite } = await built("sql");
const { migrateEngine, openEngine, startRun, workflow, Sequence, Task } = await built("engine");
const { systemClock } = await built("clock");
const { isDead, thisProcess } = await built("owner");
const { sweep } = await built("agentProcess");
tellParent({ loaded: true });

const clock = systemClock();
const longRun = workflow({
  name: "long",
  input: z.object({}),
  output: z.object({}),
  render: () =>
    Sequence({
      children: [
        ...Array.from({ length: 20 }, (_, index) =>
          Task({ id: `done-${index}`, output: z.object({}), perform: () => ({}) }),
        ),
        Task({
          id: "at-work",
          output: z.object({}),
          perform: async (step) => {
            tellParent({ attempt: step.attempt });
            await clock.until(Number.MAX_SAFE_INTEGER, step.signal);
            return {};
          },
        }),
      ],
    }),
  result: () => ({}),
});
const sql = openSqlite(join(home, "engine.db"));
await migrateEngine(sql);
const engine = openEngine({
  sql,
  clock,
  random: Math.random,
  owner: thisProcess(),
  isDead,
  workflows: [longRun],
  checkDeterminism: true,
  log: { info: () => undefined, error: (fields) => void process.stderr.write(`${JSON.stringify(fields)}\n`) },
  // As every command does: what the dead process left at work is ended before anything is done twice.
  sweep: (runs) => sweep(...runs),
});
if (life === "start")
  await sql.commit(() => startRun({ run: "takeover-r", workflow: "long", input: {}, at: clock.now() }));
engine.poke();
