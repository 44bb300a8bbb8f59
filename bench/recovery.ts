import { performance } from "node:perf_hooks";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { figure, median, startChild, type Benchmark } from "./measure.ts";

const runs = 500;
const rounds = 3;

/** Kills an engine with 500 runs at work, and times the next one from its start until all of them are at work again. */
export const recovery: Benchmark = async ({ dir }) => {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const home = join(dir, String(round));
    mkdirSync(home);
    const first = startChild("recovery-child.ts", [home, "first", String(runs)]);
    await first.heard();
    await first.kill();
    const start = performance.now();
    const second = startChild("recovery-child.ts", [home, "second", String(runs)]);
    await second.heard();
    samples.push(performance.now() - start);
    await second.kill();
  }
  return [figure("recovery", median(samples), "ms", rounds)];
};
