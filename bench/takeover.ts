import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { figure, median, startChild, type Benchmark } from "./measure.ts";

const rounds = 7;

/** A process that carries a run is killed: how long until the next has its task at work again, beyond merely starting. */
export const takeover: Benchmark = async ({ dir }) => {
  const bare: number[] = [];
  const whole: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const home = join(dir, String(round));
    mkdirSync(home);
    const first = startChild("takeover-child.ts", [home, "start"]);
    await first.heard();
    await first.heard();
    await first.kill();
    const start = performance.now();
    const second = startChild("takeover-child.ts", [home, "take over"]);
    await second.heard();
    bare.push(performance.now() - start);
    await second.heard();
    whole.push(performance.now() - start);
    await second.kill();
  }
  const own = whole.map((one, index) => one - (bare[index] ?? 0));
  return [
    figure("takeover", median(own), "ms", rounds),
    figure("takeover whole process", median(whole), "ms", rounds, median(bare)),
  ];
};
