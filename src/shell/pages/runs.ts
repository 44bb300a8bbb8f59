/** What pages of runs show: each as it is, or as it was at one of its frames. */
import {
  asksOf,
  attemptsIn,
  changesOf,
  framesOf,
  orderCount,
  ordersOf,
  placeOf,
  runById,
  runsFrom,
  summariesOf,
  treeNodes,
  waitsOf,
  type AnyWorkflow,
  type Frame,
  type RunChange,
  type RunRow,
  type TreeNode,
} from "../../engine/index.ts";
import type { Viewer } from "../../ports-dashboard-viewer.ts";
import type { RunDeed, RunLook, RunPage, RunViews } from "../../ports-dashboard-runs.ts";
import { runReasons } from "../../says-runs.ts";
import { shown } from "../../untrusted.ts";
import type { Verb } from "../../sql.ts";
import type { Workshop } from "../workshop.ts";
import { commandsFor } from "./run-commands.ts";
import { compared } from "./run-compare.ts";
import type { RunDesk } from "./run-desk.ts";
import { askView, runList, runWaitCount, runWaits } from "./run-list.ts";
import { mayOrder } from "./run-may.ts";
import { mayWith, rowView, ticketsOf, type TicketNames } from "./run-seen.ts";
import { jsonOf, sessionsIn, taskOf } from "./run-task.ts";
import { barsOf, drawn, listed } from "./run-tree.ts";

/** A run with more attempts is told without them. */
const mostFrames = 5_000;
/** Drawn of the attempts: the newest. */
const mostBars = 300;
const mostForks = 50;
const mostDeeds = 50;

type Parts = Pick<Workshop, "store" | "clock" | "runDesk">;

export function runPages(shop: Parts): RunViews {
  const { store, clock, runDesk: desk } = shop;
  return {
    list: async (viewer, filter) =>
      desk === undefined
        ? { rows: [], next: undefined, looked: 0, now: clock.now() }
        : await runList({ store, desk, now: clock.now() }, viewer, filter),
    run: async (viewer, id, look) =>
      desk === undefined ? undefined : await pageOf({ store, desk, now: clock.now() }, viewer, id, look),
    waiting: async (viewer) =>
      desk === undefined ? [] : await runWaits({ store, desk, now: clock.now() }, viewer),
    waitCount: async (viewer) =>
      desk === undefined ? 0 : await runWaitCount({ store, desk, now: clock.now() }, viewer),
  };
}

interface PageParts {
  readonly store: Workshop["store"];
  readonly desk: RunDesk;
  readonly now: number;
}

/** What an order is decided upon: it is another as soon as anything happened in the run, or was ordered to it. */
export function* versionOf({ id, fence, status }: Pick<RunRow, "id" | "fence" | "status">): Verb<string> {
  const { count, newest, endedAt } = yield* attemptsIn(id);
  // A fork changes nothing here: asked for twice, it is known by the word of who wanted it.
  return [fence, status, count, newest, endedAt, yield* orderCount(id)].join("-");
}

async function pageOf(
  parts: PageParts,
  viewer: Viewer,
  id: string,
  look: RunLook,
): Promise<RunPage | "no frame" | undefined> {
  const { store, desk, now } = parts;
  const { read } = desk.sql;
  // In one read, and before all others: an order upon this page is about no more than the page shows.
  const found = await read(function* () {
    const row = yield* runById(id);
    return row && { row, version: yield* versionOf(row) };
  });
  if (found === undefined) return undefined;
  const { row, version } = found;
  const forks = await read(() => runsFrom(id, mostForks));
  const names = await ticketsOf(parts, [id, ...forks.map((fork) => fork.id)]);
  if (!mayWith(viewer, id, names, "see")) return undefined;
  const counted = await read(() => attemptsIn(id));
  const frames = counted.count > mostFrames ? [] : await read(() => framesOf(id));
  const { frame: at, beside } = look;
  if ([at, beside].some((one) => one !== undefined && one > frames.length)) return "no frame";
  const upTo = at === undefined ? frames : frames.slice(0, at);
  const rendered = await render(desk, row, upTo, counted.count);
  const sessions = await sessionsIn(store, id, upTo);
  const bars = barsOf(upTo, rendered.tree, row.createdAt);
  const asks = await read(() => asksOf(id));
  const changes = await read(() => changesOf(id));
  const mayAct = mayWith(viewer, id, names, "act");
  return {
    ...headOf(row, names),
    version,
    summary: (await read(() => summariesOf([id]))).map(({ text, by }) => ({ text: shown(text), by })).at(0),
    reasons: await reasonsOf(parts, row, frames),
    commands: commandsFor(row, asks),
    asks: row.settledAt === undefined ? asks.map(askView) : [],
    frames: frames.length,
    at,
    tree: rendered.tree === undefined ? listed(upTo) : drawn(rendered.tree, upTo, look.rounds),
    treeNote: rendered.note,
    bars: bars.slice(-mostBars),
    leftOutBars: Math.max(0, (frames.length === 0 ? counted.count : bars.length) - mostBars),
    task: look.task === undefined ? undefined : await taskOf({ store, desk }, look.task, upTo, sessions),
    sessions,
    forks: forks.filter((fork) => mayWith(viewer, fork.id, names, "see")).map((fork) => rowView(fork, names)),
    deeds: deedsOf(await read(() => ordersOf(id, mostDeeds)), changes),
    comparison:
      beside === undefined
        ? undefined
        : await compared(desk, row, frames, {
            workflow: rendered.workflow,
            from: at ?? frames.length,
            to: beside,
          }),
    ...mayOrder(row, { mayAct, asks: asks.length, changes: changes.length, isDead: desk.travel.isDead }),
    usd: sessions.reduce((sum, { usd = 0 }) => sum + usd, 0),
    usdIsGuess: sessions.some(({ usdIsGuess }) => usdIsGuess),
    now,
  };
}

function headOf(
  row: RunRow,
  names: TicketNames,
): Pick<RunPage, "run" | "folder" | "source" | "frame" | "replays" | "input" | "output"> {
  return {
    run: rowView(row, names),
    folder: row.folder,
    source: row.source,
    frame: row.frame,
    replays: row.replays,
    input: jsonOf(row.input) ?? "",
    output: jsonOf(row.output),
  };
}

interface Rendered {
  readonly workflow: AnyWorkflow | undefined;
  readonly tree: TreeNode | undefined;
  readonly note: string | undefined;
}
/** The tree as it was then, or why there is none. */
async function render(
  desk: RunDesk,
  row: RunRow,
  frames: readonly Frame[],
  count: number,
): Promise<Rendered> {
  const none = { workflow: undefined, tree: undefined };
  if (count > mostFrames)
    return { ...none, note: `It has ${count} attempts; pages show runs of up to ${mostFrames}.` };
  let workflow: AnyWorkflow | undefined;
  try {
    workflow = await desk.workflowOf(row);
    return { workflow, tree: treeNodes(workflow, row, frames), note: undefined };
  } catch (error) {
    const why = shown(error instanceof Error ? error.message : String(error));
    return { ...none, note: `Its workflow cannot be rendered here, so this is what has begun: ${why}` };
  }
}

async function reasonsOf(
  { desk, now }: PageParts,
  row: RunRow,
  frames: readonly Frame[],
): Promise<readonly string[]> {
  const waits = row.settledAt === undefined ? await desk.sql.read(() => waitsOf(row.id)) : [];
  const { owner, status } = row;
  return runReasons(
    {
      ...row,
      error: row.error === undefined ? undefined : shown(row.error),
      owner: owner && `process ${owner.pid} on ${owner.host}`,
      isOrphan: status === "running" && (owner === undefined || desk.travel.isDead(owner)),
      atWork: frames
        .filter((frame) => frame.status === "running")
        .map((frame) => ({ task: placeOf(frame), startedAt: frame.startedAt })),
      waits: waits.map(({ leaf, iteration, since, dueAt, ask }) => {
        const newest = frames.findLast((frame) => frame.leaf === leaf && frame.iteration === iteration);
        const task = placeOf({ leaf, iteration });
        return { task, since, dueAt, asks: ask?.text, error: newest?.error };
      }),
    },
    now,
  );
}

/** What people did, the newest first; a rewind from the command line is known by its change. */
function deedsOf(
  orders: readonly {
    readonly what: string;
    readonly leaf: string | undefined;
    readonly note: string;
    readonly by: string;
    readonly at: number;
  }[],
  changes: readonly RunChange[],
): readonly RunDeed[] {
  const known = new Set(orders.map(({ at }) => at));
  const travels = changes
    .filter(({ at }) => !known.has(at))
    .map(({ undoes, frame, by, at }) => ({
      what: undoes === undefined ? `rewind to frame ${frame}` : `take rewind ${undoes} back`,
      about: undefined,
      note: "",
      by,
      at,
    }));
  return [
    ...orders.map(({ what, leaf, note, by, at }) => ({ what, about: leaf, note: shown(note), by, at })),
    ...travels,
  ].toSorted((one, other) => other.at - one.at);
}
