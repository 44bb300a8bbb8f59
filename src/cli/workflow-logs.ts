import { systemClock } from "../adapters/clock.ts";
import { logPath, runLogFolder } from "../adapters/logs/log-paths.ts";
import { readSessionLog } from "../adapters/logs/session-log-reader.ts";
import { historyOf, saidIn, type RunRow } from "../engine/index.ts";
import { exitCodes } from "../problems.ts";
import type { Sql } from "../sql.ts";
import { showLines } from "./logs.ts";
import { envelope, Failure, oneLine, plain, terminal } from "./output.ts";
import { databaseOf, type WorkflowOptions } from "./workflow-database.ts";
import { atWorkflows, lineOf, runNamed } from "./workflow-desk.ts";

/** How often a followed run is looked at. */
const lookMs = 300;

/** What happens in a run and what is said in it, as lines in order; with `follow` until it is over. NDJSON with `--json`. */
export async function logs(
  text: string,
  options: WorkflowOptions & { readonly follow?: boolean | undefined; readonly raw?: boolean | undefined },
): Promise<void> {
  await atWorkflows(options, "there", async (sql) => {
    const clock = systemClock();
    const row = await runNamed(sql, text);
    const show =
      options.raw === true ? openRaw(sql, row, options) : openShow(sql, row, options.json === true);
    for (;;) {
      const row = await show();
      if (options.follow !== true || row.settledAt !== undefined) return;
      await clock.until(clock.now() + lookMs);
    }
  });
}

/** Shows what the runtimes said that was not shown yet, attempt by attempt. */
function openRaw(sql: Sql, { id }: RunRow, options: WorkflowOptions): () => Promise<RunRow> {
  const folder = runLogFolder(databaseOf(options), id);
  const shown = new Map<string, number>();
  let found = false;
  return async () => {
    const row = await runNamed(sql, id);
    for (const { leaf, iteration, attempt } of await sql.read(() => historyOf(id))) {
      const path = logPath(folder, `${id}/${leaf}@${iteration}#${attempt}`);
      const read = readSessionLog(path, shown.get(path));
      if (read === undefined) continue;
      found = true;
      shown.set(path, read.next);
      showLines(
        read.lines,
        { run: id, leaf, iteration, attempt },
        { schema: "run-logs/1", raw: true, ...options },
      );
    }
    if (!found && row.settledAt !== undefined)
      throw new Failure(
        exitCodes.notFound,
        `what runtimes said in ${id} is not kept here (any more); see \`forgehand chat ${id}\``,
      );
    return row;
  };
}

interface Line {
  readonly at: number;
  readonly text: string;
  readonly data: object;
}

/** Shows what was not shown yet. */
function openShow(sql: Sql, { id }: RunRow, isJson: boolean): () => Promise<RunRow> {
  const states = new Map<string, string>();
  const told = new Map<string, number>();
  return async () => {
    // Read first: what is written afterwards is shown at the next look.
    const row = await runNamed(sql, id);
    const lines = [...(await changes(sql, id, states)), ...(await words(sql, id, told))];
    for (const { at, text, data } of lines.toSorted((one, other) => one.at - other.at)) {
      if (isJson) terminal.out(envelope("run-logs/1", { run: id, at: new Date(at).toISOString(), ...data }));
      else terminal.out(`${new Date(at).toISOString().slice(11, 19)} ${plain(text)}\n`);
    }
    return row;
  };
}

async function changes(sql: Sql, run: string, known: Map<string, string>): Promise<readonly Line[]> {
  const attempts = await sql.read(() => historyOf(run));
  return attempts.flatMap((one) => {
    const key = `${one.leaf}@${one.iteration}#${one.attempt}`;
    if (known.get(key) === one.status) return [];
    known.set(key, one.status);
    const { leaf, iteration, attempt, status, error } = one;
    return {
      at: one.endedAt ?? one.startedAt,
      text: lineOf({ run, ...one }).trimEnd(),
      data: { kind: "attempt", leaf, iteration, attempt, status, error: error ?? null },
    };
  });
}

async function words(sql: Sql, run: string, known: Map<string, number>): Promise<readonly Line[]> {
  const spoken = await sql.read(() => saidIn(run));
  return spoken.flatMap(({ leaf, iteration, attempt, lines }) => {
    const key = `${leaf}@${iteration}#${attempt}`;
    const fresh = lines.slice(known.get(key) ?? 0);
    known.set(key, lines.length);
    return fresh.map(({ at, kind, text }) => ({
      at,
      text: `  ${leaf} ${kind}: ${oneLine(text).slice(0, 500)}`,
      data: { kind, leaf, iteration, attempt, text },
    }));
  });
}
