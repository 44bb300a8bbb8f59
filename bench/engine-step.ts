import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { z } from "zod";
import { built } from "./built.ts";
import { rawCommits } from "./engine-bench.ts";
import { figure, median, type Benchmark } from "./measure.ts";

const sizes = [100, 500, 2_000] as const;
const rounds = 5;
const silent = { info: () => undefined, error: () => undefined };

/** What a task that does nothing costs in a run of this many, beside one raw SQLite commit. */
export const engineStep: Benchmark = async ({ dir }) => {
  const { openSqlite } = await built("sql");
  const { migrateEngine, openEngine, startRun, workflow, Sequence, Task } = await built("engine");
  const { systemClock } = await built("clock");
  const { isDead, thisProcess } = await built("owner");
  const sql = openSqlite(join(dir, "engine.db"));
  await migrateEngine(sql);
  const nothing = z.object({ ok: z.boolean() });
  const workflows = sizes.map((size) =>
    workflow({
      name: `of-${size}`,
      input: z.object({}),
      output: z.object({}),
      render: () =>
        Sequence({
          children: Array.from({ length: size }, (_, index) =>
            Task({ id: `task-${index}`, output: nothing, perform: () => ({ ok: true }) }),
          ),
        }),
      result: () => ({}),
    }),
  );
  const ended = new Map<string, () => void>();
  const clock = systemClock();
  const engine = openEngine({
    sql,
    clock,
    random: Math.random,
    owner: thisProcess(),
    isDead,
    workflows,
    checkDeterminism: true,
    log: silent,
    onLeft: (run) => ended.get(run)?.(),
  });
  const perTask = async (size: number, round: number): Promise<number> => {
    const run = `of-${size}/${round}`;
    const over = new Promise<void>((resolve) => ended.set(run, resolve));
    const start = performance.now();
    await sql.commit(() => startRun({ run, workflow: `of-${size}`, input: {}, at: clock.now() }));
    engine.poke();
    await over;
    const took = performance.now() - start;
    const row = await engine.run(run);
    if (row?.status !== "finished") throw new Error(`${run} is ${row?.status}: ${row?.error}`);
    return took / size;
  };
  const raw = rawCommits(join(dir, "raw.db"));
  const samples = new Map<number, number[]>(sizes.map((size) => [size, []]));
  const bare: number[] = [];
  await perTask(100, -1);
  for (let round = 0; round < rounds; round += 1) {
    for (const size of sizes) {
      bare.push(...raw.commit(100));
      samples.get(size)?.push(await perTask(size, round));
    }
  }
  await engine.down(0);
  sql.close();
  raw.close();
  return sizes.map((size) =>
    figure(`engine-step ${size}`, median(samples.get(size) ?? []), "ms", rounds * size, median(bare)),
  );
};
