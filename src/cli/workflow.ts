import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { systemClock } from "../adapters/clock.ts";
import { loadWorkflow, NoWorkflow, readDefinition } from "../adapters/workflows/file.ts";
import {
  answerRun,
  cancelRun,
  graphOf,
  historyOf,
  type Happened,
  keepDefinition,
  recentRuns,
  runsLike,
  startRun,
  treeOf,
  unpauseRun,
  waitsOf,
  type AnyWorkflow,
  type RunRow,
  summariesOf,
} from "../engine/index.ts";
import { exitCodes } from "../problems.ts";
import { age } from "../says.ts";
import type { Sql } from "../sql.ts";
import { agreed } from "./agreed.ts";
import { operator } from "./operator.ts";
import { Failure, oneLine, plain, table, terminal, type Answer } from "./output.ts";
import { summaryLine } from "./transcript.ts";
import { unblocking } from "./unblocking.ts";
import { databaseOf, type WorkflowOptions } from "./workflow-database.ts";
import { atWorkflows, carryOn, exitOf, runNamed } from "./workflow-desk.ts";

export async function load(file: string): Promise<AnyWorkflow> {
  try {
    return await loadWorkflow(file);
  } catch (error) {
    if (!(error instanceof NoWorkflow)) throw error;
    throw new Failure(error.is === "missing" ? exitCodes.notFound : exitCodes.usage, error.message, {
      cause: error,
    });
  }
}

/** JSON as it was typed, or of a file after `@`. */
export function jsonOf(what: string, text: string): unknown {
  try {
    return JSON.parse(text.startsWith("@") ? readFileSync(text.slice(1), "utf8") : text) as unknown;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(exitCodes.usage, `${what} is no JSON (${why}); give JSON, or @FILE`, { cause: error });
  }
}

/** Starts a run of a workflow file and carries it on until it ends or waits for somebody. */
export async function start(
  file: string,
  options: WorkflowOptions & { readonly input?: string | undefined; readonly run?: string | undefined },
): Promise<Answer> {
  const workflow = await load(file);
  const input = jsonOf("--input", options.input ?? "{}");
  const parsed = workflow.input.safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Failure(
      exitCodes.usage,
      `the input does not fit workflow "${workflow.name}": ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`,
    );
  }
  const run = options.run ?? `${workflow.name}-${randomBytes(3).toString("hex")}`;
  if (!/^\w[\w.-]{0,99}$/u.test(run) || /\.\.|\.(?:lock)?$/u.test(run) || run === "latest")
    throw new Failure(
      exitCodes.usage,
      `"${run}" cannot name a run: letters, digits, dots and dashes, the first a letter or a digit, and not \`latest\`; name it with --run NAME`,
    );
  const { openMachine, refuseMissingAgents } = await import("./workflow-machine.ts");
  await refuseMissingAgents(workflow, input, openMachine(databaseOf(options)));
  return await atWorkflows(options, "made", async (sql) => {
    const definition = readDefinition(file);
    await sql.commit(function* () {
      if ((yield* runsLike(run))[0]?.id === run)
        throw new Failure(
          exitCodes.usage,
          `there is a run ${run} already; carry it on with \`forgehand workflow resume ${run}\``,
        );
      const at = systemClock().now();
      yield* startRun({
        run,
        workflow: workflow.name,
        source: resolve(file),
        folder: process.cwd(),
        input,
        at,
      });
      yield* keepDefinition(run, definition);
    });
    terminal.err(`${run}\n`);
    return await told(sql, await carryOn(sql, databaseOf(options), run));
  });
}
/** Carries a run on that waited, was interrupted or lost its process. */
export async function resume(
  text: string,
  options: WorkflowOptions & { readonly accept?: boolean | undefined },
): Promise<Answer> {
  return await atWorkflows(options, "there", async (sql) => {
    const row = await runNamed(sql, text);
    if (row.settledAt !== undefined) return await told(sql, row);
    if (row.source === undefined)
      throw new Failure(
        exitCodes.usage,
        `${row.id} did not come from a file; it goes on under \`forgehand up\``,
      );
    const workflow = await load(row.source);
    if (workflow.name !== row.workflow) {
      throw new Failure(
        exitCodes.usage,
        `${row.source} now holds workflow "${workflow.name}", and ${row.id} is a run of "${row.workflow}"`,
      );
    }
    await settleEdit(sql, row, workflow, options.accept === true);
    if (row.status === "paused" && !(await sql.commit(() => unpauseRun(row.id))))
      throw new Failure(
        exitCodes.locked,
        `${row.id} was held a moment ago, and its process has not let go of it yet; try again in a while`,
      );
    return await told(sql, await carryOn(sql, databaseOf(options), row.id));
  });
}

/** A run goes on with an edited file only when somebody who saw the difference says so. */
async function settleEdit(sql: Sql, row: RunRow, workflow: AnyWorkflow, isAccepted: boolean): Promise<void> {
  const { accept, editOf, editText, isHarmless } = await import("./workflow-definition.ts");
  const edit = await editOf(sql, row, workflow).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(exitCodes.usage, `${row.source ?? ""} does not render for ${row.id}: ${why}`, {
      cause: error,
    });
  });
  if (edit === undefined) return;
  if (!isHarmless(edit)) {
    terminal.err(`${row.source ?? ""} was edited since ${row.id} last went on:\n${editText(edit)}\n`);
    if (!isAccepted && !(await agreed(`Go on with the edited file?`)))
      throw new Failure(
        exitCodes.usage,
        `${row.id} stays as it is. Go on with the edited file: \`forgehand workflow resume ${row.id} --accept\``,
      );
  }
  await accept(sql, row.id, edit.after);
}

/** How a run stands: its result, or what it waits for and the line to type. */
export async function told(sql: Sql, row: RunRow): Promise<Answer> {
  const waits = row.settledAt === undefined ? await sql.read(() => waitsOf(row.id)) : [];
  const next = unblocking(row.id, waits);
  const outcome = row.outcome === undefined ? "" : `, ${row.outcome}`;
  const asked = waits.flatMap(({ leaf, ask }) =>
    ask === undefined ? [] : [`${oneLine(leaf)}: ${oneLine(ask.text)}`],
  );
  const text =
    row.status === "finished"
      ? harmless(JSON.stringify(row.output, null, 2))
      : [
          `${row.id} is ${row.status}${outcome}${row.error === undefined ? "" : `: ${plain(row.error)}`}`,
          ...asked,
        ].join("\n");
  return {
    schema: "workflow-run/1",
    data: { ...shown(row), waits, next },
    text,
    exit: exitOf(row),
    ...hintOf(row, next),
  };
}

function hintOf({ id, status, settledAt }: RunRow, next: readonly string[]): { readonly hint?: string } {
  if (status === "failed") return { hint: `forgehand why ${id}\nforgehand retry ${id}` };
  return settledAt === undefined ? { hint: [...next, `forgehand workflow resume ${id}`].join("\n") } : {};
}

/** The same JSON, with what a terminal would obey written as escapes. */
const harmless = (json: string): string =>
  json.replaceAll(
    /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

const shown = ({
  id,
  workflow,
  source,
  input,
  status,
  outcome,
  output,
  error,
  createdAt,
  settledAt,
}: RunRow) => ({
  id,
  workflow,
  source: source ?? null,
  input,
  status,
  outcome: outcome ?? null,
  output: output ?? null,
  error: error ?? null,
  createdAt: new Date(createdAt).toISOString(),
  settledAt: settledAt === undefined ? null : new Date(settledAt).toISOString(),
});

/** The newest runs. */
export async function list(options: WorkflowOptions): Promise<Answer> {
  return await atWorkflows(options, "there", async (sql) => {
    const now = systemClock().now();
    const rows = await sql.read(() => recentRuns(50));
    const text = table(
      ["RUN", "WORKFLOW", "STATE", "OUTCOME", "AGE"],
      rows.map((row) => [row.id, row.workflow, row.status, row.outcome ?? "-", age(now - row.createdAt)]),
      terminal.isTty,
    );
    return { schema: "workflow-ps/1", data: rows.map(shown), text };
  });
}

/** Everything that happened in a run, and what it waits for. */
export async function inspect(
  text: string,
  options: WorkflowOptions & { readonly task?: string | undefined },
): Promise<Answer> {
  return await atWorkflows(options, "there", async (sql) => {
    const row = await runNamed(sql, text);
    const { task } = options;
    const all = await sql.read(() => historyOf(row.id));
    const attempts = task === undefined ? all : all.filter(({ leaf }) => leaf === task);
    if (task !== undefined && attempts.length === 0) {
      const leaves = [...new Set(all.map(({ leaf }) => leaf))].join(", ") || "none";
      throw new Failure(exitCodes.notFound, `"${task}" has not begun in ${row.id}; what has: ${leaves}`);
    }
    const waits = await sql.read(() => waitsOf(row.id));
    const [summary] = await sql.read(() => summariesOf([row.id]));
    const next = row.settledAt === undefined ? unblocking(row.id, waits) : [];
    const outcome = row.outcome === undefined ? "" : `, ${row.outcome}`;
    const rows = attempts.map((one) => [
      new Date(one.startedAt).toISOString(),
      one.iteration === "" ? one.leaf : `${one.leaf}@${one.iteration}`,
      String(one.attempt),
      one.status,
      one.endedAt === undefined ? "-" : age(one.endedAt - one.startedAt),
      oneLine(one.error ?? (one.output === undefined ? "" : JSON.stringify(one.output))).slice(0, 80),
    ]);
    return {
      schema: "workflow-inspect/1",
      data: {
        run: shown(row),
        attempts,
        waits,
        next,
        summary: summary === undefined ? null : { ...summary, note: summary.note ?? null },
      },
      text: [
        `${row.id}  ${oneLine(row.workflow)}  ${row.status}${outcome}${row.error === undefined ? "" : `: ${plain(row.error)}`}`,
        table(["BEGAN", "LEAF", "TRY", "STATE", "TOOK", "OUTPUT OR ERROR"], rows, terminal.isTty),
        ...(summary === undefined || task !== undefined ? [] : [summaryLine(summary)]),
        ...(task === undefined ? [] : attempts.map(wholeOf)),
      ].join("\n"),
      ...(next.length === 0 ? {} : { hint: next.join("\n") }),
    };
  });
}

/** What one attempt gave, in full. */
function wholeOf({ leaf, iteration, attempt, output, error }: Happened): string {
  const where = `${leaf}${iteration === "" ? "" : `@${iteration}`} #${attempt}`;
  const gave = output === undefined ? [] : [plain(JSON.stringify(output, null, 2))];
  return [`\n${where}`, ...gave, ...(error === undefined ? [] : [plain(error)])].join("\n");
}

/** Answers what a leaf waits for; the run goes on at its next `resume`, or at once where a process has it. */
export async function answer(
  text: string,
  leaf: string | undefined,
  given: { readonly json: string } | { readonly decision: "approved" | "denied"; readonly note: string },
  options: WorkflowOptions,
): Promise<Answer> {
  return await atWorkflows(options, "there", async (sql) => {
    const row = await runNamed(sql, text);
    const waits = (await sql.read(() => waitsOf(row.id))).filter(({ ask }) => ask !== undefined);
    const [only, ...more] = leaf === undefined ? waits : waits.filter((one) => one.leaf === leaf);
    if (only === undefined || row.settledAt !== undefined) {
      const what = leaf === undefined ? "nothing in it" : `"${leaf}"`;
      throw new Failure(
        exitCodes.notFound,
        `${row.id} is ${row.status}, and ${what} waits for an answer; see \`forgehand workflow inspect ${row.id}\``,
      );
    }
    if (more.length > 0) {
      throw new Failure(
        exitCodes.usage,
        `${row.id} waits for ${waits.map((one) => one.leaf).join(" and ")}: name one`,
      );
    }
    const by = operator();
    const said = "json" in given ? jsonOf("the answer", given.json) : given;
    // Nobody signs with another's name.
    const isSigned = only.ask?.is === "approve" || only.ask?.is === "choose" || only.ask?.is === "rank";
    const whole = isSigned && typeof said === "object" && said !== null ? { note: "", ...said, by } : said;
    const answered = await sql.commit(() => answerRun(row.id, only.leaf, whole, systemClock().now(), by));
    if (typeof answered === "object") {
      const isForbidden = only.ask?.who?.includes(by) === false;
      throw new Failure(isForbidden ? exitCodes.permission : exitCodes.usage, answered.refused);
    }
    if (answered === "nothing waits")
      throw new Failure(
        exitCodes.notFound,
        `"${only.leaf}" of ${row.id} was answered or ended by somebody else just now; see \`forgehand inspect ${row.id}\``,
      );
    return {
      schema: "workflow-answer/1",
      data: { run: row.id, leaf: only.leaf, answer: whole },
      text: `${only.leaf} of ${row.id} is answered`,
      hint: `forgehand workflow resume ${row.id}`,
    };
  });
}

/** Ends a run from outside; what it still does cannot be written any more. */
export async function cancel(text: string, options: WorkflowOptions): Promise<Answer> {
  return await atWorkflows(options, "there", async (sql) => {
    const row = await runNamed(sql, text);
    if (row.settledAt !== undefined) throw new Failure(exitCodes.usage, `${row.id} is ${row.status} already`);
    await sql.commit(() => cancelRun(row.id, systemClock().now()));
    return { schema: "workflow-cancel/1", data: { run: row.id }, text: `${row.id} is cancelled` };
  });
}

/** Loads a workflow file and shows the tree it begins with: as lines, or drawn. */
export async function check(
  file: string,
  options: { readonly input?: string | undefined },
  show: "tree" | "graph" = "tree",
): Promise<Answer> {
  const workflow = await load(file);
  const input = jsonOf("--input", options.input ?? "{}");
  let tree: string;
  try {
    tree = show === "tree" ? treeOf(workflow, input) : graphOf(workflow, input);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(exitCodes.usage, `workflow "${workflow.name}" does not render: ${why}`, {
      cause: error,
    });
  }
  return {
    schema: `workflow-${show === "tree" ? "check" : "graph"}/1`,
    data: { name: workflow.name, tree },
    text: plain(show === "tree" ? `${workflow.name}\n${tree}` : tree),
  };
}
