/** A process that carries one run of a thousand tasks to its end; tells how long it took, and what it weighs after. */
import { z } from "zod";
import { built } from "./built.ts";
import { bytesIn, openBenchEngine } from "./engine-bench.ts";
import { tellParent } from "./measure.ts";

const [path = ""] = process.argv.slice(2);
const { workflow, Sequence, Task } = await built("engine");
const nothing = z.object({ ok: z.boolean() });
const thousand = workflow({
  name: "thousand",
  input: z.object({}),
  output: z.object({}),
  render: () =>
    Sequence({
      children: Array.from({ length: 1_000 }, (_, index) =>
        Task({ id: `task-${index}`, output: nothing, perform: () => ({ ok: true }) }),
      ),
    }),
  result: () => ({}),
});
const engine = await openBenchEngine(path, [thousand]);
const ms = await engine.run("thousand");
tellParent({ ms, bytes: bytesIn(path), rss: process.memoryUsage.rss() });
