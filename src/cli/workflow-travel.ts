/** Time travel from the command line: looking at a run's frames, going back, and beginning others from them. */
import { randomBytes } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { resolve } from "node:path";
import { systemClock } from "../adapters/clock.ts";
import { isDead } from "../adapters/owner.ts";
import { readDefinition } from "../adapters/workflows/file.ts";
import {
  forkRun,
  framesOf,
  givenIn,
  HalfRewound,
  keepDefinition,
  lookToFork,
  placeOf,
  rehearse,
  rewindRun,
  type AnyWorkflow,
  type Forked,
  type ForkOrder,
  type Frame,
  type Rehearsal,
  type Rewound,
  type RunRow,
} from "../engine/index.ts";
import { exitCodes } from "../problems.ts";
import type { Sql } from "../sql.ts";
import { ticketBehind } from "../state-machine/ticket-id.ts";
import { orphansEnder } from "./orphans.ts";
import { Failure, oneLine, table, terminal, type Answer } from "./output.ts";
import { databaseOf, type WorkflowOptions } from "./workflow-database.ts";
import { atWorkflows, carryOn, runNamed } from "./workflow-desk.ts";
import { snapshotsBeside } from "../workflow-snapshots.ts";
import { jsonOf, load, told } from "./workflow.ts";

interface AtFrame {
  readonly frame?: string | undefined;
}
interface Named {
  readonly run?: string | undefined;
  readonly force?: boolean | undefined;
}

/** A frame as a person types it. */
export function frameOf(text: string): number {
  if (/^\d{1,9}$/u.test(text)) return Number(text);
  throw new Failure(exitCodes.usage, `"${text}" is no frame: give its number, 0 for the beginning`);
}
export const unknownFrame = (run: string, last: number): Failure =>
  new Failure(
    exitCodes.notFound,
    `${run} has frames 0 to ${last}; see \`forgehand workflow timeline ${run}\``,
  );

/** Takes a run back to a frame, its files with it; or takes that back. */
export async function rewind(
  text: string,
  options: WorkflowOptions & AtFrame & { readonly undo?: string | true | undefined } & Named,
): Promise<Answer> {
  const to = targetOf(options);
  const database = databaseOf(options);
  return await atWorkflows(options, "there", async (sql) => {
    const row = ownRun(await runNamed(sql, text));
    const rewound = await rewindRun(
      {
        sql,
        now: systemClock().now,
        snapshots: snapshotsBeside(database),
        host: hostname(),
        isDead,
        sweep: orphansEnder(database),
      },
      {
        run: row.id,
        to,
        by: userInfo().username,
        left: options.force === true ? "accept" : "refuse",
      },
    ).catch((error: unknown) => {
      if (!(error instanceof HalfRewound)) throw error;
      throw new Failure(
        exitCodes.failed,
        `${error.message}. ${row.id} is held until that is done: say the same again, or take it back with \`forgehand workflow rewind ${row.id} --undo\``,
        { cause: error },
      );
    });
    return rewoundAnswer(row, rewound);
  });
}

function targetOf({ frame, undo }: AtFrame & { readonly undo?: string | true | undefined }) {
  if ((frame === undefined) === (undo === undefined))
    throw new Failure(exitCodes.usage, "say where to: --frame N, or --undo");
  if (frame !== undefined) return { frame: frameOf(frame) };
  return { undo: undo === true || undo === undefined ? undefined : frameOf(undo) };
}

function rewoundAnswer(row: RunRow, rewound: Rewound): Answer {
  const { id } = row;
  switch (rewound.is) {
    case "unknown run":
      throw new Failure(exitCodes.notFound, `the run ${id} is gone`);
    case "unknown frame":
      throw unknownFrame(id, rewound.last);
    case "unknown change":
      throw new Failure(
        exitCodes.notFound,
        rewound.changes.length === 0
          ? `${id} was never rewound, so there is nothing to take back`
          : `${id} has no such rewind; it has ${rewound.changes.join(", ")}`,
      );
    case "at work":
      throw new Failure(
        exitCodes.locked,
        row.status === "cancelled"
          ? `${id} is still ending in process ${rewound.owner.pid} on ${rewound.owner.host}; try again in a moment`
          : `${id} is at work in process ${rewound.owner.pid} on ${rewound.owner.host}: stop it first, \`forgehand workflow cancel ${id}\``,
      );
    case "moved":
      throw new Failure(exitCodes.locked, `somebody else changed ${id} meanwhile; look at it and try again`);
    case "left":
      throw new Failure(
        exitCodes.usage,
        [
          `the rewind of ${id} would leave behind:`,
          ...rewound.effects.map((frame) => `  ${effectLine(frame)}`),
          ...rewound.files.map(({ folder, why }) => `  the files in ${folder}: ${why}`),
          "Nothing has changed. Go back all the same with --force",
        ].join("\n"),
      );
    case "done": {
      const { number, frame, cut, brought, files, left } = rewound;
      const lines = [
        `${id} is at frame ${frame}`,
        ...(cut.length === 0 ? [] : [`taken out: ${cut.map(placeOf).join(", ")}`]),
        ...(brought === 0 ? [] : [`brought back: ${brought}`]),
        ...files.map(({ folder, saved }) => `files put back in ${folder}; as they were: ${saved}`),
        ...left.map(({ folder, why }) => `files left in ${folder}: ${why}`),
      ];
      return {
        schema: "workflow-rewind/1",
        data: { run: id, number, frame, cut: cut.map(shownFrame), brought, files, left },
        text: lines.map(oneLine).join("\n"),
        hint: `forgehand workflow resume ${id}\nforgehand workflow rewind ${id} --undo`,
      };
    }
  }
}

const effectLine = (frame: Frame): string =>
  `${placeOf(frame)} ${frame.status === "lost" ? "may have done" : "did"}: ${frame.effect ?? ""}`;

export const shownFrame = (frame: Frame) => ({
  frame: frame.number,
  leaf: frame.leaf,
  iteration: frame.iteration,
  attempt: frame.attempt,
  status: frame.status,
  output: frame.output ?? null,
  error: frame.error ?? null,
  effect: frame.effect ?? null,
  folder: frame.folder ?? null,
  snapshot: frame.snapshot ?? null,
  startedAt: new Date(frame.startedAt).toISOString(),
  endedAt: frame.endedAt === undefined ? null : new Date(frame.endedAt).toISOString(),
});

function ownRun(row: RunRow): RunRow {
  if (row.source !== undefined && ticketBehind(row.id) === undefined) return row;
  throw new Failure(
    exitCodes.usage,
    `${row.id} is a run of a ticket, which its own story carries on; only runs of a file travel in time`,
  );
}

/** Begins another run from a frame of one. */
export async function fork(
  text: string,
  options: WorkflowOptions &
    AtFrame &
    Named & {
      readonly input?: string | undefined;
      readonly reset?: string | undefined;
      readonly files?: string | undefined;
    },
): Promise<Answer> {
  return await atWorkflows(options, "there", async (sql) => {
    const row = ownRun(await runNamed(sql, text));
    const workflow = await load(row.source ?? "");
    const input = options.input === undefined ? undefined : { value: jsonOf("--input", options.input) };
    requireFit(workflow, input === undefined ? row.input : input.value);
    const order = { ...orderFor(row, options), input, reset: options.reset, how: "fork" as const };
    const look = begun(row, await sql.read(() => lookToFork(order)));
    const folder = await filesFor(options, row, look);
    const at = systemClock().now();
    const forked = begun(row, await sql.commit(() => forkRun({ ...order, folder, at })));
    const wrote = forked.kept.some((frame) => frame.folder !== undefined);
    return {
      schema: "workflow-fork/1",
      data: {
        run: order.as,
        parent: row.id,
        frame: forked.frame,
        folder: folder ?? row.folder ?? null,
        kept: forked.kept.map(placeOf),
      },
      text: [
        order.as,
        ...(wrote && folder === undefined
          ? [
              `it works in ${row.folder ?? "the same folder"}, on the files as they are now; --files DIR gives it those of frame ${forked.frame}`,
            ]
          : []),
      ].join("\n"),
      hint: `forgehand workflow resume ${order.as}`,
    };
  });
}

type Begun = Extract<Forked, { readonly is: "done" }>;

async function filesFor(
  options: WorkflowOptions & { readonly files?: string | undefined },
  row: RunRow,
  { files, frame }: Begun,
): Promise<string | undefined> {
  if (options.files === undefined) return undefined;
  if (files === undefined || row.folder === undefined)
    throw new Failure(
      exitCodes.notFound,
      `no files of ${row.id} were kept at frame ${frame}: no task that writes had begun in ${row.folder ?? "its folder"} inside a git repository`,
    );
  return await snapshotsBeside(databaseOf(options)).checkOut(row.folder, files, resolve(options.files));
}

/** Does a run over, taking what it gave instead of working; or only says what that would do. */
export async function replay(
  text: string,
  options: WorkflowOptions & AtFrame & Named & { readonly dry?: boolean | undefined },
): Promise<Answer> {
  return await atWorkflows(options, "there", async (sql) => {
    const row = ownRun(await runNamed(sql, text));
    const workflow = await load(row.source ?? "");
    requireFit(workflow, row.input);
    const order = { ...orderFor(row, options), input: undefined, reset: undefined, how: "replay" as const };
    const at = systemClock().now();
    const rehearsal = await rehearsed(sql, workflow, row, order.frame);
    if (options.dry === true) return dryAnswer(row, rehearsal);
    const again = rehearsal.leaves.filter(({ is, effect }) => is === "again" && effect !== undefined);
    if (options.force !== true && again.length > 0)
      throw new Failure(
        exitCodes.usage,
        [
          `what ${row.id} gave does not fit the file any more, so a replay would do again:`,
          ...again.map((leaf) => `  ${placeOf(leaf)}: ${leaf.effect ?? ""}`),
          "Nothing was begun. Do it all the same with --force",
        ].join("\n"),
      );
    begun(
      row,
      await sql.commit(function* () {
        const forked = yield* forkRun({ ...order, folder: undefined, at });
        if (forked.is === "done") yield* keepDefinition(order.as, readDefinition(row.source ?? ""));
        return forked;
      }),
    );
    terminal.err(`${order.as}\n`);
    return await told(sql, await carryOn(sql, databaseOf(options), order.as));
  });
}

async function rehearsed(
  sql: Sql,
  workflow: AnyWorkflow,
  row: RunRow,
  frame: number | undefined,
): Promise<Rehearsal> {
  const frames = await sql.read(() => framesOf(row.id));
  if (frame !== undefined && frame > frames.length) throw unknownFrame(row.id, frames.length);
  try {
    return rehearse(workflow, row, givenIn(frames.slice(0, frame)), systemClock().now());
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(exitCodes.usage, `${row.source ?? ""} does not render for ${row.id}: ${why}`, {
      cause: error,
    });
  }
}

const words: Readonly<Record<Rehearsal["leaves"][number]["is"], string>> = {
  same: "same",
  again: "would be done again",
  new: "would be done",
  later: "same, once it is reached",
  gone: "no longer there",
};
function dryAnswer(row: RunRow, rehearsal: Rehearsal): Answer {
  const { leaves, is, outcome, output, why } = rehearsal;
  const ends =
    is === "open"
      ? "It would go on from there."
      : is === "failed"
        ? `It would fail: ${why ?? ""}`
        : `It would end${outcome === undefined ? "" : `, ${outcome}`}: ${JSON.stringify(output ?? null)}`;
  const rows = leaves.map((leaf) => [placeOf(leaf), words[leaf.is], leaf.effect ?? ""]);
  return {
    schema: "workflow-rehearsal/1",
    data: {
      run: row.id,
      leaves,
      ends: { is, outcome: outcome ?? null, output: output ?? null, why: why ?? null },
    },
    text: `${table(["LEAF", "REPLAYED", "EFFECT"], rows, terminal.isTty)}\n${oneLine(ends)}`,
  };
}

function orderFor(
  row: RunRow,
  options: AtFrame & Named,
): Pick<ForkOrder, "run" | "as" | "frame" | "folder" | "clashes"> {
  const as = options.run ?? `${row.workflow}-${randomBytes(3).toString("hex")}`;
  if (!/^[\w.-]{1,100}$/u.test(as))
    throw new Failure(exitCodes.usage, `"${as}" cannot name a run: letters, digits, dots and dashes`);
  return {
    run: row.id,
    as,
    frame: options.frame === undefined ? undefined : frameOf(options.frame),
    folder: undefined,
    clashes: options.force === true ? "accept" : "refuse",
  };
}

function requireFit(workflow: AnyWorkflow, input: unknown): void {
  const parsed = workflow.input.safeParse(input);
  if (parsed.success) return;
  const [issue] = parsed.error.issues;
  throw new Failure(
    exitCodes.usage,
    `the input does not fit workflow "${workflow.name}": ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`,
  );
}

function begun(row: RunRow, forked: Forked): Begun {
  switch (forked.is) {
    case "done":
      return forked;
    case "unknown run":
      throw new Failure(exitCodes.notFound, `the run ${row.id} is gone`);
    case "unknown frame":
      throw unknownFrame(row.id, forked.last);
    case "unknown leaf":
      throw new Failure(
        exitCodes.notFound,
        `--reset names no task of ${row.id} up to that frame; it has ${forked.leaves.join(", ") || "none"}`,
      );
    case "taken":
      throw new Failure(exitCodes.usage, "there is a run of that name already; choose another with --run");
    case "clash":
      throw new Failure(
        exitCodes.usage,
        [
          `a run from there would`,
          ...forked.effects.map((frame) => `  do again what nothing undid: ${effectLine(frame)}`),
          ...forked.shared.map(({ run, folder }) => `  work in ${folder}, where ${run} is not over`),
          "Nothing was begun. Do it all the same with --force, or take another --frame",
        ].join("\n"),
      );
  }
}
