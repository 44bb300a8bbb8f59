import { join } from "node:path";
import { figure, median, startChild, type Benchmark } from "./measure.ts";

const runs = 10_000;
const rounds = 3;

/** The CPU time that 10,000 waiting runs take of a process in a minute, beside a process with none. */
export const waiting: Benchmark = async ({ dir }) => {
  const weigh = async (count: number): Promise<{ readonly cpuMs: number; readonly sleepers: number }> => {
    const path = join(dir, `waiting-${count}.db`);
    const child = startChild("waiting-child.ts", [path, String(count)]);
    const told = (await child.heard()) as { readonly cpuMs: number; readonly sleepers: number };
    await child.kill();
    if (told.sleepers > 1) throw new Error(`${count} waiting runs hold ${told.sleepers} timers`);
    return told;
  };
  const many: number[] = [];
  const none: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    none.push((await weigh(0)).cpuMs);
    many.push((await weigh(runs)).cpuMs);
  }
  return [figure("waiting", median(many), "ms", rounds, median(none))];
};
