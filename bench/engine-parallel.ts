import { join } from "node:path";
import { z } from "zod";
import { built } from "./built.ts";
import { commitsIn, openBenchEngine, rawCommits } from "./engine-bench.ts";
import { figure, type Benchmark } from "./measure.ts";

const width = 200;
const rounds = 5;

/** Tasks side by side: how long they take, and how often the disk is waited for. */
export const engineParallel: Benchmark = async ({ dir }) => {
  const { workflow, Parallel, Task } = await built("engine");
  const nothing = z.object({ ok: z.boolean() });
  const wide = workflow({
    name: "wide",
    input: z.object({}),
    output: z.object({}),
    render: () =>
      Parallel({
        children: Array.from({ length: width }, (_, index) =>
          Task({ id: `task-${index}`, output: nothing, perform: async () => ({ ok: true }) }),
        ),
      }),
    result: () => ({}),
  });
  const path = join(dir, "parallel.db");
  const engine = await openBenchEngine(path, [wide]);
  const raw = rawCommits(join(dir, "raw.db"));
  const times: number[] = [];
  const bare: number[] = [];
  const commits: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    bare.push(raw.commit(width).reduce((sum, one) => sum + one, 0));
    const before = commitsIn(path);
    times.push(await engine.run("wide"));
    commits.push(commitsIn(path) - before);
  }
  await engine.close();
  raw.close();
  return [
    figure("engine-parallel", Math.min(...times), "ms", rounds, Math.min(...bare)),
    figure("engine-parallel commits", Math.max(...commits), "commits", rounds, width),
  ];
};
