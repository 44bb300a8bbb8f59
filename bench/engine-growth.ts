import { join } from "node:path";
import { z } from "zod";
import { built } from "./built.ts";
import { bytesIn, openBenchEngine, rawCommits } from "./engine-bench.ts";
import { figure, median, startChild, type Benchmark, type Figure } from "./measure.ts";

const sizes = [100, 500, 1_000, 2_000, 5_000] as const;
/** Read one after the other, every step renders the whole tree again: what that costs is shown, and grows. */
const chains = [100, 1_000] as const;
const rounds = 3;

/** What a step costs in time and bytes as runs get longer: plain tasks, items that read what they gave, and a chain. */
export const engineGrowth: Benchmark = async ({ dir }) => [...(await growth(dir)), ...(await thousand(dir))];

async function growth(dir: string): Promise<readonly Figure[]> {
  const { workflow, ForEach, Sequence, Task, leaf } = await built("engine");
  const nothing = z.object({ ok: z.boolean() });
  const task = (id: string) => Task({ id, output: nothing, perform: () => ({ ok: true }) });
  const upTo = (size: number): readonly number[] => Array.from({ length: size }, (_, index) => index);
  // Names of one length: a longer name is a longer row.
  const named = (index: number): string => `task-${String(index).padStart(4, "0")}`;
  const empty = { input: z.object({}), output: z.object({}), result: () => ({}) };
  const plain = sizes.map((size) =>
    workflow({
      ...empty,
      name: `plain-${size}`,
      render: () => Sequence({ children: upTo(size).map((index) => task(named(index))) }),
    }),
  );
  const each = sizes.map((size) =>
    workflow({
      ...empty,
      name: `each-${size}`,
      render: (context) =>
        ForEach({
          items: upTo(size / 2),
          max: 1,
          children: (item) => [
            task(`one-${item}`),
            context.latest(leaf(`one-${item}`, nothing))?.ok === true && task(`two-${item}`),
          ],
        }),
    }),
  );
  const chain = chains.map((size) =>
    workflow({
      ...empty,
      name: `chain-${size}`,
      render: (context) =>
        Sequence({
          children: upTo(size).map((index) => {
            context.latest(`task-${index - 1}`, nothing);
            return task(`task-${index}`);
          }),
        }),
    }),
  );
  const path = join(dir, "growth.db");
  const engine = await openBenchEngine(path, [...plain, ...each, ...chain]);
  const raw = rawCommits(join(dir, "raw.db"));
  const times = new Map<string, number[]>();
  const cpu = new Map<string, number[]>();
  const bytes = new Map<string, { readonly steps: number; readonly written: number }>();
  const bare: number[] = [];
  // Until the compiler has seen it all, short runs would look dear beside long ones.
  await engine.run("plain-1000");
  await engine.run("each-1000");
  const measure = async (name: string, size: number): Promise<void> => {
    bare.push(Math.min(median(raw.commit(50)), median(raw.commit(50))));
    const before = bytesIn(path);
    const cpuBefore = process.cpuUsage();
    const took = (await engine.run(name)) / size;
    const { user, system } = process.cpuUsage(cpuBefore);
    const { steps, written } = bytes.get(name) ?? { steps: 0, written: 0 };
    bytes.set(name, { steps: steps + size, written: written + bytesIn(path) - before });
    cpu.set(name, [...(cpu.get(name) ?? []), (user + system) / 1_000 / size]);
    times.set(name, [...(times.get(name) ?? []), took]);
  };
  for (let round = 0; round < rounds; round += 1) {
    for (const size of sizes) {
      await measure(`plain-${size}`, size);
      await measure(`each-${size}`, size);
    }
  }
  // A short run fills a few pages; only many of them tell what one costs.
  for (let more = 0; more < 10; more += 1) await measure("plain-100", 100);
  for (const size of chains) await measure(`chain-${size}`, size);
  await engine.close();
  raw.close();
  // The least of some rounds: what else the machine does only ever adds.
  const least = (name: string): number => Math.min(...(times.get(name) ?? []));
  const floor = Math.min(...bare);
  const timed = (kind: string, size: number): Figure =>
    figure(`engine-growth ${kind} ${size}`, least(`${kind}-${size}`), "ms", rounds, floor);
  /** What others write to the same disk meanwhile is not in it: by this runs of different lengths are compared. */
  const worked = (kind: string, size: number): Figure =>
    figure(
      `engine-growth ${kind} ${size} cpu`,
      Math.min(...(cpu.get(`${kind}-${size}`) ?? [])),
      "ms",
      rounds,
    );
  return [
    ...sizes.flatMap((size) => [timed("plain", size), worked("plain", size)]),
    ...sizes.map((size) => {
      const { steps, written } = bytes.get(`plain-${size}`) ?? { steps: 0, written: 0 };
      return figure(`engine-growth bytes ${size}`, written / steps, "B", steps);
    }),
    ...sizes.flatMap((size) => [timed("each", size), worked("each", size)]),
    ...chains.flatMap((size) => [timed("chain", size), worked("chain", size)]),
  ];
}

/** A thousand tasks that do nothing, in a process of their own. */
async function thousand(dir: string): Promise<readonly Figure[]> {
  const told: { readonly ms: number; readonly bytes: number; readonly rss: number }[] = [];
  const bare: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const raw = rawCommits(join(dir, "raw.db"));
    bare.push(raw.commit(1_000).reduce((sum, one) => sum + one, 0));
    raw.close();
    const child = startChild("engine-thousand-child.ts", [join(dir, `thousand-${round}.db`)]);
    told.push((await child.heard()) as (typeof told)[number]);
    await child.kill();
  }
  const mb = 1_048_576;
  return [
    figure("engine-growth thousand", Math.min(...told.map(({ ms }) => ms)), "ms", rounds, Math.min(...bare)),
    figure("engine-growth thousand database", Math.max(...told.map(({ bytes }) => bytes)) / mb, "MB", rounds),
    figure("engine-growth thousand memory", median(told.map(({ rss }) => rss)) / mb, "MB", rounds),
  ];
}
