import { spawn } from "node:child_process";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { cliPath, openHouseDatabase } from "./built.ts";
import { figure, median, type Benchmark } from "./measure.ts";
import { park } from "./parked.ts";

const rounds = 15;
const tickets = 50;

/** Whole processes, from the start to the exit, beside Node doing nothing. */
export const cliStart: Benchmark = async ({ dir }) => {
  const database = join(dir, "forgehand.db");
  const { sql, store } = await openHouseDatabase(database);
  await park(store, tickets);
  sql.close();
  const words = {
    "cli-start --help": [cliPath, "--help"],
    "cli-start ps": [cliPath, "ps", "--database", database],
    nothing: ["-e", "0"],
  };
  const samples = new Map<string, number[]>(Object.keys(words).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, argv] of Object.entries(words)) {
      const ms = await wholeProcess(argv, dir);
      // The first round fills the disk cache.
      if (round > 0) samples.get(name)?.push(ms);
    }
  }
  const nothing = median(samples.get("nothing") ?? []);
  return ["cli-start --help", "cli-start ps"].map((name) =>
    figure(name, median(samples.get(name) ?? []), "ms", rounds, nothing),
  );
};

function wholeProcess(argv: readonly string[], cwd: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(process.execPath, argv, { cwd, stdio: ["ignore", "pipe", "inherit"] });
    let said = 0;
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.length));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0 && (said > 0 || argv[0] === "-e")) resolve(performance.now() - start);
      else reject(new Error(`${argv.join(" ")} ended with ${code} after ${said} bytes`));
    });
  });
}
