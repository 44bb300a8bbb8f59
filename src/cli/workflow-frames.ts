/** What a run's frames were: listed, rendered, and compared with each other and with another run's. */
import { systemClock } from "../adapters/clock.ts";
import { loadText } from "../adapters/workflows/file.ts";
import {
  changesOf,
  definitionOf,
  filesThatMayDiffer,
  framesOf,
  frameTree,
  outputsThatDiffer,
  placeOf,
  treesThatDiffer,
  usedIn,
  type AnyWorkflow,
  type Frame,
  type OutputDifference,
  type RunRow,
} from "../engine/index.ts";
import { exitCodes } from "../problems.ts";
import { age } from "../says.ts";
import type { Sql } from "../sql.ts";
import { Failure, oneLine, plain, table, terminal, type Answer } from "./output.ts";
import { databaseOf, type WorkflowOptions } from "./workflow-database.ts";
import { atWorkflows, runNamed } from "./workflow-desk.ts";
import { snapshotsBeside } from "../workflow-snapshots.ts";
import { frameOf, shownFrame, unknownFrame } from "./workflow-travel.ts";
import { load } from "./workflow.ts";

/** Every frame of a run, and how it was taken back and forth. */
export async function timeline(text: string, options: WorkflowOptions): Promise<Answer> {
  return await atWorkflows(options, "there", async (sql) => {
    const row = await runNamed(sql, text);
    const frames = await sql.read(() => framesOf(row.id));
    const changes = await sql.read(() => changesOf(row.id));
    const rows = frames.map((frame) => [
      String(frame.number),
      new Date(frame.startedAt).toISOString(),
      placeOf(frame),
      String(frame.attempt),
      frame.status,
      tookOf(frame),
      frame.snapshot?.slice(0, 10) ?? "-",
      frame.effect ?? "-",
    ]);
    const header = ["FRAME", "BEGAN", "LEAF", "TRY", "STATE", "TOOK", "FILES", "EFFECT"];
    const told = changes.map(({ number, frame, undoes, by, at, doneAt }) =>
      oneLine(
        `${number}. ${undoes === undefined ? "rewound" : `took ${undoes} back,`} to frame ${frame}${doneAt === undefined ? " (cut short)" : ""}, ${by}, ${new Date(at).toISOString()}`,
      ),
    );
    return {
      schema: "workflow-timeline/1",
      data: { run: row.id, frames: frames.map(shownFrame), changes },
      text: [table(header, rows, terminal.isTty), ...told].join("\n"),
    };
  });
}
const tookOf = ({ startedAt, endedAt }: Frame): string =>
  endedAt === undefined ? "-" : age(endedAt - startedAt);

/** The tree as it was at a frame. */
export async function frames(
  text: string,
  options: WorkflowOptions & { readonly frame?: string | undefined },
): Promise<Answer> {
  return await atWorkflows(options, "there", async (sql) => {
    const row = await runNamed(sql, text);
    const all = await sql.read(() => framesOf(row.id));
    const frame = options.frame === undefined ? all.length : frameOf(options.frame);
    const upTo = framesUpTo(row, all, frame);
    const workflow = await workflowOf(sql, row);
    const tree = rendered(row, () => frameTree(workflow, row, upTo));
    return {
      schema: "workflow-frame/1",
      data: { run: row.id, frame, last: all.length, tree },
      text: [`${row.id}, frame ${frame} of ${all.length}`, ...tree.map(plain)].join("\n"),
    };
  });
}

function framesUpTo({ id }: RunRow, all: readonly Frame[], frame: number): readonly Frame[] {
  if (frame > all.length) throw unknownFrame(id, all.length);
  return all.slice(0, frame);
}

/** The workflow as the run last went on with it. */
async function workflowOf(sql: Sql, row: RunRow): Promise<AnyWorkflow> {
  if (row.source === undefined)
    throw new Failure(
      exitCodes.usage,
      `${row.id} did not come from a file, so its tree cannot be rendered here; see \`forgehand workflow timeline ${row.id}\``,
    );
  const kept = await sql.read(() => definitionOf(row.id));
  return kept === undefined ? await load(row.source) : await loadText(row.source, kept.text);
}

function rendered<Result>(row: RunRow, render: () => Result): Result {
  try {
    return render();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(exitCodes.usage, `the workflow of ${row.id} does not render: ${why}`, { cause: error });
  }
}

/** What changed between two frames of a run: outputs, the tree, files. */
export async function diff(
  text: string,
  from: string,
  to: string,
  options: WorkflowOptions,
): Promise<Answer> {
  return await atWorkflows(options, "there", async (sql) => {
    const row = await runNamed(sql, text);
    const all = await sql.read(() => framesOf(row.id));
    const [one, two] = [frameOf(from), frameOf(to)];
    const [first, second] = [framesUpTo(row, all, one), framesUpTo(row, all, two)];
    const outputs = outputsThatDiffer(first, second);
    const workflow = row.source === undefined ? undefined : await workflowOf(sql, row);
    const tree =
      workflow === undefined
        ? { onlyFirst: [], onlySecond: [] }
        : rendered(row, () => treesThatDiffer(workflow, row, first, second));
    const snapshots = snapshotsBeside(databaseOf(options));
    const files: { readonly folder: string; readonly diff: string }[] = [];
    for (const { folder, from: a, to: b } of filesThatMayDiffer(all, { from: one, to: two })) {
      const changed = await snapshots
        .diff(folder, a, b)
        .catch((error: Error) => `cannot be compared: ${error.message}\n`);
      if (changed !== "") files.push({ folder, diff: changed });
    }
    return {
      schema: "workflow-diff/1",
      data: { run: row.id, from: one, to: two, outputs: outputs.map(shownOutput), tree, files },
      text: [
        ...outputLines(outputs),
        ...tree.onlyFirst.map((line) => `- ${plain(line)}`),
        ...tree.onlySecond.map((line) => `+ ${plain(line)}`),
        ...files.flatMap(({ folder, diff: changed }) => [
          `files in ${oneLine(folder)}`,
          plain(changed).trimEnd(),
        ]),
      ].join("\n"),
    };
  });
}

const shownOutput = ({ place, is, first, second }: OutputDifference) => ({
  place,
  is,
  first: first ?? null,
  second: second ?? null,
});
const outputLines = (outputs: readonly OutputDifference[]): readonly string[] =>
  outputs.flatMap(({ place, is, first, second }) => [
    ...(is === "only in the second" ? [] : [oneLine(`- ${place}: ${JSON.stringify(first)}`)]),
    ...(is === "only in the first" ? [] : [oneLine(`+ ${place}: ${JSON.stringify(second)}`)]),
  ]);

/** How two runs ended, and what they gave that differs. */
export async function compare(text: string, other: string, options: WorkflowOptions): Promise<Answer> {
  return await atWorkflows(options, "there", async (sql) => {
    const sides = [];
    for (const name of [text, other]) {
      const row = await runNamed(sql, name);
      const all = await sql.read(() => framesOf(row.id));
      const { usd } = await sql.read(() => usedIn(row.id));
      sides.push({ row, frames: all, usd });
    }
    const outputs = outputsThatDiffer(sides[0]?.frames ?? [], sides[1]?.frames ?? []);
    const now = systemClock().now();
    const shown = sides.map(({ row, frames: all, usd }) => ({
      run: row.id,
      workflow: row.workflow,
      status: row.status,
      outcome: row.outcome ?? null,
      output: row.output ?? null,
      frames: all.length,
      tookMs: (row.settledAt ?? now) - row.createdAt,
      usd: usd ?? null,
    }));
    const rows = shown.map((one) => [
      one.run,
      one.status,
      one.outcome ?? "-",
      String(one.frames),
      age(one.tookMs),
      one.usd === null ? "-" : one.usd.toFixed(2),
      one.output === null ? "" : JSON.stringify(one.output).slice(0, 80),
    ]);
    return {
      schema: "workflow-compare/1",
      data: { runs: shown, outputs: outputs.map(shownOutput) },
      text: [
        table(["RUN", "STATE", "OUTCOME", "FRAMES", "TOOK", "USD", "OUTPUT"], rows, terminal.isTty),
        ...outputLines(outputs),
      ].join("\n"),
    };
  });
}
