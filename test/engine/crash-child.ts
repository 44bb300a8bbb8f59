/** One life of an engine with one run; at the chosen point it kills itself as a power cut would. */
import { appendFileSync, writeSync } from "node:fs";
import { z } from "zod";
import { isDead, thisProcess } from "../../src/adapters/owner.ts";
import { Loop, Parallel, Sequence, Task, workflow, type Step } from "../../src/engine/index.ts";
import { migrateEngine, openEngine, startRun } from "../../src/engine/index.ts";
import { openSqlite, type Sql } from "../../src/sql.ts";

const order = z
  .object({ path: z.string(), log: z.string(), killAt: z.number() })
  .parse(JSON.parse(process.argv[2] ?? ""));

let points = 0;
const point = (): void => {
  points += 1;
  if (points === order.killAt) process.kill(process.pid, "SIGKILL");
};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const Num = z.number();
const body = async (step: Step): Promise<number> => {
  const { leaf, iteration, attempt, memory = null } = step;
  appendFileSync(order.log, `${JSON.stringify({ leaf, iteration, attempt, memory })}\n`);
  point();
  await step.remember({ by: attempt });
  await turn();
  point();
  return Number(iteration || 0) + 1;
};
const task = (id: string) => Task({ id, output: Num, perform: body, retries: 0 });
const walk = workflow({
  name: "walk",
  input: z.object({}),
  output: z.array(z.number()),
  render: (context) =>
    Sequence({
      children: [
        task("prepare"),
        Parallel({
          max: 2,
          children: [task("a"), Sequence({ children: [task("b"), task("c")] }), task("d")],
        }),
        Loop({
          id: "until-green",
          max: 5,
          until: (context.latest("check", Num) ?? 0) >= 2,
          children: [task("code"), task("check")],
        }),
        task("publish"),
      ],
    }),
  result: (context) => [...context.history("check", Num)],
});

const sqlite = openSqlite(order.path);
await migrateEngine(sqlite);
const sql: Sql = {
  ...sqlite,
  commit: async (verb) => {
    point();
    const done = await sqlite.commit(verb);
    point();
    return done;
  },
};
const end = (): never => {
  writeSync(1, String(points));
  process.exit(0);
};
const engine = openEngine({
  sql,
  // Time stands still: a resume that waited for anything would never come.
  clock: { now: () => 1_000, until: () => new Promise(() => undefined) },
  random: () => 0,
  owner: thisProcess(),
  isDead,
  workflows: [walk],
  checkDeterminism: true,
  log: {
    info: () => undefined,
    error: (fields, message) => void writeSync(2, `${message} ${JSON.stringify(fields)}\n`),
  },
  onLeft: () => end(),
});
await sqlite.commit(() => startRun({ run: "r", workflow: "walk", input: {}, at: 1_000 }));
// The life before may have died just after it had ended the run.
if ((await engine.run("r"))?.settledAt !== undefined) end();
engine.poke();
// Nothing else keeps the process alive while time stands still.
setInterval(() => undefined, 60_000);
