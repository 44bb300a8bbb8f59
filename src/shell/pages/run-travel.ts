/** Takes a run back, or begins another from one of its frames, as a person ordered it on a page. */
import {
  forkRun,
  framesOf,
  givenIn,
  HalfRewound,
  keepDefinition,
  keepOrder,
  placeOf,
  rehearse,
  rewindRun,
  runById,
  type AnyWorkflow,
  type Definition,
  type Forked,
  type Frame,
  type Rewound,
  type RunRow,
} from "../../engine/index.ts";
import type { RunDo, RunOrderAnswer } from "../../ports-dashboard-runs.ts";
import { runRefusals as no } from "../../says-runs.ts";
import type { Verb } from "../../sql.ts";
import { shown } from "../../untrusted.ts";
import type { Ordered } from "./run-desk.ts";
import { versionOf } from "./runs.ts";

type Stale = Extract<RunOrderAnswer, { readonly is: "stale" }>;
type Travel = Extract<RunDo, { readonly do: "rewind" | "undo" | "fork" | "replay" }>;

export async function travel(ordered: Ordered, order: Travel): Promise<RunOrderAnswer> {
  const { desk, row } = ordered;
  const stale = await desk.sql.read(() => staleOf(row.id, order.seen));
  if (stale !== undefined) return stale;
  return order.do === "rewind" || order.do === "undo"
    ? await rewind(ordered, order)
    : await begin(ordered, order);
}

/** Undefined as long as the run stands as whoever orders saw it. */
function* staleOf(run: string, seen: string): Verb<Stale | undefined> {
  const now = yield* runById(run);
  if (now !== undefined && seen === (yield* versionOf(now))) return undefined;
  return { is: "stale", text: no.stale(now?.status ?? "gone") };
}

async function rewind(
  { desk, row, viewer, note, at }: Ordered,
  order: Extract<Travel, { readonly do: "rewind" | "undo" }>,
): Promise<RunOrderAnswer> {
  const { sql } = desk;
  const to = order.do === "undo" ? { undo: undefined } : { frame: order.frame };
  const what = order.do === "undo" ? "take a rewind back" : `rewind to frame ${order.frame}`;
  const line = { what, leaf: undefined, attempt: undefined, note, by: viewer.who, at };
  let rewound: Rewound;
  try {
    rewound = await rewindRun(
      { ...desk.travel, sql, now: () => at },
      { run: row.id, to, by: viewer.who, left: order.effects, also: () => keepOrder(row.id, line) },
    );
  } catch (error) {
    if (!(error instanceof HalfRewound)) throw error;
    return {
      is: "refused",
      text: `${error.message}. The run is held until that is done: order the same again.`,
    };
  }
  return rewoundAnswer(rewound);
}

function rewoundAnswer(rewound: Rewound): RunOrderAnswer {
  switch (rewound.is) {
    case "unknown run":
      return { is: "unknown" };
    case "unknown frame":
      return { is: "refused", text: no.noFrame(rewound.last) };
    case "unknown change":
      return { is: "refused", text: no.noChange };
    case "at work":
      return { is: "refused", text: no.atWork(`process ${rewound.owner.pid} on ${rewound.owner.host}`) };
    case "moved":
      return { is: "stale", text: no.moved };
    case "left":
      return {
        is: "forced",
        text: "Nothing has changed: going back would leave this behind.",
        leaves: [
          ...rewound.effects.map(effectLine),
          ...rewound.files.map(({ folder, why }) => shown(`the files in ${folder}: ${why}`)),
        ],
      };
    case "done": {
      const { frame, cut, files, left } = rewound;
      const parts = [
        `Done: it is at frame ${frame}.`,
        cut.length === 0 ? "" : `Taken out: ${cut.map(placeOf).join(", ")}.`,
        files.length === 0 ? "" : `Files were put back in ${files.map(({ folder }) => folder).join(", ")}.`,
        left.length === 0 ? "" : `Files were left in ${left.map(({ folder }) => folder).join(", ")}.`,
      ];
      return { is: "done", text: shown(parts.filter(Boolean).join(" ")) };
    }
  }
}

const effectLine = (frame: Frame): string =>
  shown(`${placeOf(frame)} ${frame.status === "lost" ? "may have done" : "did"}: ${frame.effect ?? ""}`);

/** Another run, from a frame of this one. */
async function begin(
  { desk, row, viewer, note, at }: Ordered,
  order: Extract<Travel, { readonly do: "fork" | "replay" }>,
): Promise<RunOrderAnswer> {
  let file: { readonly workflow: AnyWorkflow; readonly definition: Definition };
  try {
    file = await desk.loadFile(row.source ?? "");
  } catch (error) {
    return { is: "refused", text: no.broken(whyOf(error)) };
  }
  const fit = file.workflow.input.safeParse(row.input);
  if (!fit.success) return { is: "refused", text: no.broken("the run's input does not fit it any more") };
  if (order.do === "replay" && order.effects === "refuse") {
    const again = await wouldDoAgain(desk, row, file.workflow, order.frame, at);
    if (again !== undefined) return again;
  }
  const as = desk.newName(row.workflow);
  const forked = await desk.sql.commit(function* (): Verb<Forked | Stale> {
    // Its file was read meanwhile; of two who order at once, or one who does twice, the first begins one.
    const stale = yield* staleOf(row.id, order.seen);
    if (stale !== undefined) return stale;
    const begun = yield* forkRun({
      run: row.id,
      as,
      frame: order.frame,
      input: undefined,
      reset: undefined,
      folder: undefined,
      how: order.do,
      clashes: order.effects,
      at,
    });
    if (begun.is !== "done") return begun;
    if (order.do === "replay") yield* keepDefinition(as, file.definition);
    const line = { leaf: undefined, attempt: undefined, note, by: viewer.who, at };
    yield* keepOrder(row.id, { ...line, what: `${order.do} from frame ${begun.frame} as ${as}` });
    yield* keepOrder(as, { ...line, what: `begun as a ${order.do} of ${row.id}` });
    return begun;
  });
  return forked.is === "stale" ? forked : forkedAnswer(forked, as, order.do);
}

const whyOf = (error: unknown): string => shown(error instanceof Error ? error.message : String(error));

/** What a replay would do again, because what was given does not fit any more. */
async function wouldDoAgain(
  desk: Ordered["desk"],
  row: RunRow,
  ...[workflow, frame, at]: readonly [AnyWorkflow, number, number]
): Promise<RunOrderAnswer | undefined> {
  const frames = await desk.sql.read(() => framesOf(row.id));
  if (frame > frames.length) return { is: "refused", text: no.noFrame(frames.length) };
  try {
    const { leaves } = rehearse(workflow, row, givenIn(frames.slice(0, frame)), at);
    const again = leaves.filter(({ is, effect }) => is === "again" && effect !== undefined);
    if (again.length === 0) return undefined;
    return {
      is: "forced",
      text: "Nothing was begun: what the run gave does not fit its file any more, so a replay would do this again.",
      leaves: again.map((leaf) => shown(`${placeOf(leaf)}: ${leaf.effect ?? ""}`)),
    };
  } catch (error) {
    return { is: "refused", text: no.broken(whyOf(error)) };
  }
}

function forkedAnswer(forked: Forked, as: string, how: "fork" | "replay"): RunOrderAnswer {
  switch (forked.is) {
    case "unknown run":
      return { is: "unknown" };
    case "unknown frame":
      return { is: "refused", text: no.noFrame(forked.last) };
    case "unknown leaf":
    case "taken":
      return { is: "refused", text: no.taken };
    case "clash":
      return {
        is: "forced",
        text: "Nothing was begun: a run from there would do this.",
        leaves: [
          ...forked.effects.map((frame) => `do again what nothing undid: ${effectLine(frame)}`),
          ...forked.shared.map(({ run, folder }) => shown(`work in ${folder}, where ${run} is not over`)),
        ],
      };
    case "done":
      return {
        is: "done",
        run: as,
        text: `Done: ${as} is begun as a ${how}. \`forgehand resume ${as}\` carries it on, or a \`forgehand workflow up\` that has its database.`,
      };
  }
}
