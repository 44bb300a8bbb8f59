import { join } from "node:path";
import { z } from "zod";
import { built } from "./built.ts";
import { openBenchEngine, rawCommits } from "./engine-bench.ts";
import { figure, median, type Benchmark } from "./measure.ts";

const sizes = [50, 500] as const;
const rounds = 3;

/** An iteration of a loop that reads every iteration before it. */
export const engineLoop: Benchmark = async ({ dir }) => {
  const { workflow, leaf, Loop, Task } = await built("engine");
  const count = leaf("count", z.number());
  const loops = sizes.map((size) =>
    workflow({
      name: `loop-${size}`,
      input: z.object({}),
      output: z.object({}),
      render: (context) =>
        Loop({
          id: "again",
          max: size,
          until: context.history(count).length >= size,
          children: Task({ ...count, perform: (step) => Number(step.iteration) }),
        }),
      result: () => ({}),
    }),
  );
  const engine = await openBenchEngine(join(dir, "loop.db"), loops);
  const raw = rawCommits(join(dir, "raw.db"));
  const times = new Map<number, number[]>(sizes.map((size) => [size, []]));
  const bare: number[] = [];
  await engine.run("loop-50");
  for (let round = 0; round < rounds; round += 1) {
    for (const size of sizes) {
      bare.push(median(raw.commit(100)));
      times.get(size)?.push((await engine.run(`loop-${size}`)) / size);
    }
  }
  await engine.close();
  raw.close();
  return sizes.map((size) =>
    figure(
      `engine-loop ${size}`,
      Math.min(...(times.get(size) ?? [])),
      "ms",
      rounds * size,
      Math.min(...bare),
    ),
  );
};
