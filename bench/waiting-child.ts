/** Brings so many runs to where they wait, opens a fresh engine on them and lets a minute pass on a clock of its own. */
import { performance } from "node:perf_hooks";
import { z } from "zod";
import { built } from "./built.ts";
import { tellParent } from "./measure.ts";

const [path = "", count = "0"] = process.argv.slice(2);
const runs = Number(count);
const { openSqlite } = await built("sql");
const { Approval, migrateEngine, openEngine, Parallel, startRun, Timer, workflow } = await built("engine");
const { isDead, thisProcess } = await built("owner");

let now = 1_000;
const sleepers = new Set<{ readonly at: number; wake(): void }>();
const clock = {
  now: () => now,
  until: (at: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const sleeper = { at, wake: resolve };
      sleepers.add(sleeper);
      signal?.addEventListener("abort", () => {
        sleepers.delete(sleeper);
        reject(new Error("woken early"));
      });
    }),
};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const hour = 3_600_000;
const waits = workflow({
  name: "waits",
  input: z.object({}),
  output: z.object({}),
  render: () =>
    Parallel({
      children: [Approval({ id: "may-it", ask: "May it?" }), Timer({ id: "later", afterMs: hour })],
    }),
  result: () => ({}),
});
const sql = openSqlite(path);
await migrateEngine(sql);
const open = () =>
  openEngine({
    sql,
    clock,
    random: Math.random,
    owner: thisProcess(),
    isDead,
    workflows: [waits],
    checkDeterminism: false,
    log: {
      info: () => undefined,
      error: (fields) => void process.stderr.write(`${JSON.stringify(fields)}\n`),
    },
  });
const first = open();
await Promise.all(
  Array.from({ length: runs }, (_, index) =>
    sql.commit(() => startRun({ run: `waits/${index}`, workflow: "waits", input: {}, at: now })),
  ),
);
first.poke();
const waitingNow = async (): Promise<number> => {
  const { all } = await built("sql");
  const rows = await sql.read(() =>
    all<{ n: number }>("select count(*) as n from run where status = 'waiting'"),
  );
  return rows[0]?.n ?? 0;
};
while ((await waitingNow()) < runs) await turn();
await first.down(0);
const engine = open();
engine.poke();
for (let turns = 0; turns < 50; turns += 1) await turn();
const before = process.cpuUsage();
const start = performance.now();
for (let second = 0; second < 60; second += 1) {
  now += 1_000;
  for (const sleeper of [...sleepers].filter(({ at }) => at <= now)) {
    sleepers.delete(sleeper);
    sleeper.wake();
  }
  // Something else of the house pokes it every second: it looks, and finds nothing.
  engine.poke();
  for (let turns = 0; turns < 5; turns += 1) await turn();
}
const { user, system } = process.cpuUsage(before);
tellParent({ cpuMs: (user + system) / 1_000, ms: performance.now() - start, sleepers: sleepers.size });
