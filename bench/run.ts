import { parseArgs } from "node:util";
import { cliStart } from "./cli-start.ts";
import { dashboard } from "./dashboard.ts";
import { engineGrowth } from "./engine-growth.ts";
import { engineLoop } from "./engine-loop.ts";
import { engineParallel } from "./engine-parallel.ts";
import { engineStep } from "./engine-step.ts";
import { hop } from "./hop.ts";
import { idle } from "./idle.ts";
import { failures } from "./limits.ts";
import { withFolder, type Benchmark, type Figure } from "./measure.ts";
import { recovery } from "./recovery.ts";
import { soak } from "./soak.ts";
import { takeover } from "./takeover.ts";
import { tamper } from "./tamper.ts";
import { transition } from "./transition.ts";
import { waiting } from "./waiting.ts";
import { webhookAck } from "./webhook-ack.ts";
import { workspace } from "./workspace.ts";

const benchmarks: Readonly<Record<string, Benchmark>> = {
  "webhook-ack": webhookAck,
  transition,
  "engine-step": engineStep,
  "engine-growth": engineGrowth,
  "engine-parallel": engineParallel,
  "engine-loop": engineLoop,
  takeover,
  hop,
  workspace,
  "cli-start": cliStart,
  recovery,
  idle,
  waiting,
  tamper,
  dashboard,
};
/** These measure what is right, not how fast: their limits hold without being asked for. */
const alwaysChecked = ["tamper"];
/** Run only when named: it takes ten minutes. */
const onRequest: Readonly<Record<string, Benchmark>> = { soak };

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const usage = `usage: npm run bench [-- NAME...] [-- --check] [-- --json]
  NAME     ${Object.keys(benchmarks).join(" · ")} · ${Object.keys(onRequest).join(" · ")}
  --check  exit 1 unless every limit holds (those of ${alwaysChecked.join(", ")} always must)
  --json   no table on stderr, only the lines on stdout`;

/** What to run, or why the words make no sense. */
function readWords(words: readonly string[]): {
  readonly names: readonly string[];
  readonly check: boolean;
  readonly json: boolean;
} {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: { check: { type: "boolean" }, json: { type: "boolean" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help === true) {
    say(usage);
    process.exit(0);
  }
  const known = { ...benchmarks, ...onRequest };
  const unknown = positionals.filter((name) => !Object.hasOwn(known, name));
  if (unknown.length > 0) throw new TypeError(`there is no benchmark called ${unknown.join(", ")}`);
  return {
    names: positionals.length > 0 ? positionals : Object.keys(benchmarks),
    check: values.check === true,
    json: values.json === true,
  };
}

function table(figures: readonly Figure[]): string {
  const cells = [
    ["FIGURE", "VALUE", "UNIT", "BASELINE", "RATIO", "N"],
    ...figures.map(({ name, value, unit, baseline, ratio, n }) =>
      [name, value, unit, baseline ?? "-", ratio ?? "-", n].map(String),
    ),
  ];
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => (row[column] ?? "").length)),
  );
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 || column === 2
            ? cell.padEnd(widths[column] ?? 0)
            : cell.padStart(widths[column] ?? 0),
        )
        .join("  "),
    )
    .join("\n");
}

async function main(): Promise<number> {
  let order: ReturnType<typeof readWords>;
  try {
    order = readWords(process.argv.slice(2));
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return 4;
  }
  const figures: Figure[] = [];
  const broken: string[] = [];
  for (const name of order.names) {
    const benchmark = benchmarks[name] ?? onRequest[name];
    if (benchmark === undefined) continue;
    if (!order.json) say(`${name} …`);
    try {
      const measured = await withFolder((dir) =>
        benchmark({ dir, say: order.json ? () => undefined : (line) => say(`  ${line}`) }),
      );
      for (const one of measured) process.stdout.write(`${JSON.stringify(one)}\n`);
      figures.push(...measured);
    } catch (error) {
      broken.push(
        `${name} broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
  }
  if (!order.json && figures.length > 0) say(`\n${table(figures)}\n`);
  const checked = order.check ? order.names : order.names.filter((name) => alwaysChecked.includes(name));
  const failed = [...broken, ...failures(figures, checked)];
  for (const line of failed) say(`✗ ${line}`);
  if (order.check && failed.length === 0) say("✓ every limit holds");
  return failed.length === 0 ? 0 : 1;
}

// A benchmark may leave a handle behind; its figures are printed, so nothing is waited for.
process.exit(await main());
