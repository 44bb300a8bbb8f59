/** Carries out what people order a run on a page, by the rules of the command line, and writes down who did. */
import {
  answerRun,
  asksOf,
  attemptNumbered,
  cancelRun,
  keepOrder,
  ordersOf,
  pauseRun,
  placeOf,
  resumeRun,
  retryRun,
  runById,
  type NumberedAttempt,
  type RunRow,
} from "../../engine/index.ts";
import type { Viewer } from "../../ports-dashboard-viewer.ts";
import type { RunCommands, RunDo, RunOrder, RunOrderAnswer } from "../../ports-dashboard-runs.ts";
import { runRefusals as no } from "../../says-runs.ts";
import { ticketBehind } from "../../state-machine/ticket-id.ts";
import { shown } from "../../untrusted.ts";
import type { Workshop } from "../workshop.ts";
import type { Ordered, RunDesk } from "./run-desk.ts";
import { isOwnRun } from "./run-may.ts";
import { mayWith, ticketsOf } from "./run-seen.ts";
import { travel } from "./run-travel.ts";
import { versionOf } from "./runs.ts";

export interface RunOrdersOptions {
  readonly store: Workshop["store"];
  readonly now: () => number;
  readonly desk: RunDesk | undefined;
  /** Called once something was done. */
  readonly left: () => void;
}
/** Kept of a note. */
const longestNote = 2_000;

export function runOrders({ store, now, desk, left }: RunOrdersOptions): RunCommands {
  return {
    give: async (viewer, order) => {
      const row = await desk?.sql.read(() => runById(order.run));
      if (desk === undefined || row === undefined) return { is: "unknown" };
      const names = await ticketsOf({ store }, [row.id]);
      if (!mayWith(viewer, row.id, names, "see")) return { is: "unknown" };
      if (!mayWith(viewer, row.id, names, "act")) return { is: "forbidden", text: no.lookOnly };
      const note = shown(order.note).trim().slice(0, longestNote);
      const given = await carriedOut({ desk, row, viewer, note, at: now() }, order);
      if (given.is !== "done") return given;
      desk.poke();
      left();
      return given;
    },
  };
}

async function carriedOut(ordered: Ordered, order: RunOrder): Promise<RunOrderAnswer> {
  const { row } = ordered;
  switch (order.do) {
    case "answer":
      return await answer(ordered, order);
    case "rewind":
    case "undo":
    case "fork":
    case "replay":
      return isOwnRun(row)
        ? await travel(ordered, order)
        : { is: "refused", text: no.ticketsRun("travel in time") };
    case "retry":
    case "hold":
    case "resume":
    case "cancel":
      return await move(ordered, order);
  }
}

/** The person as the command line names them; a workflow that says who may answer means people, not surfaces. */
const nameOf = ({ who }: Viewer): string => who.replace(/^operator:/u, "");

/** Of two who answer at once one wins, and the other is told who did. */
async function answer(
  { desk, row, viewer, note, at }: Ordered,
  { seq, answer: said }: Extract<RunDo, { readonly do: "answer" }>,
): Promise<RunOrderAnswer> {
  const by = nameOf(viewer);
  return await desk.sql.commit(function* () {
    const asked = yield* attemptNumbered(seq);
    if (asked?.run !== row.id) return told({ is: "unknown" });
    const open = (yield* asksOf(row.id)).find((one) => one.seq === seq);
    if (open === undefined) return late(asked, yield* ordersOf(row.id, mostOrders), at);
    const isSigned = open.ask.is === "approve" || open.ask.is === "choose" || open.ask.is === "rank";
    // Nobody signs with another's name.
    const whole = isSigned && typeof said === "object" && said !== null ? { ...said, note, by } : said;
    const answered = yield* answerRun(row.id, asked.leaf, whole, at, by);
    if (typeof answered === "object") return told({ is: "refused", text: `Not taken: ${answered.refused}` });
    if (answered === "nothing waits") return told({ is: "stale", text: no.gone(placeOf(asked)) });
    const decision = decisionIn(whole);
    const what = decision === "" ? "answer" : decision;
    yield* keepOrder(row.id, { what, leaf: asked.leaf, attempt: seq, note, by: viewer.who, at });
    return told({ is: "done", text: `Taken: ${placeOf(asked)} is answered.` });
  });
}

/** Looked through for who answered. */
const mostOrders = 200;
const told = (given: RunOrderAnswer): RunOrderAnswer => given;

/** It was answered, or it is not asked any more. */
function late(
  asked: NumberedAttempt,
  orders: readonly { readonly attempt: number | undefined; readonly by: string }[],
  now: number,
): RunOrderAnswer {
  const place = placeOf(asked);
  if (asked.status !== "finished" || asked.isCut) return { is: "stale", text: no.gone(place) };
  const signed = asked.output as { readonly by?: unknown } | null | undefined;
  const by =
    orders.find(({ attempt }) => attempt === asked.seq)?.by ??
    (typeof signed?.by === "string" ? shown(signed.by) : undefined);
  return {
    is: "stale",
    text: no.answered(place, by, decisionIn(asked.output), now - (asked.endedAt ?? now)),
  };
}

/** `approved`, `denied`, or which was chosen. */
function decisionIn(answered: unknown): string {
  const { decision, choice } = (answered ?? {}) as { readonly decision?: unknown; readonly choice?: unknown };
  return typeof decision === "string" ? decision : typeof choice === "string" ? shown(choice) : "";
}

/** What moves a run without travelling: one commit with the word of who wanted it. */
async function move(
  { desk, row, viewer, note, at }: Ordered,
  order: Extract<RunDo, { readonly do: "retry" | "hold" | "resume" | "cancel" }>,
): Promise<RunOrderAnswer> {
  return await desk.sql.commit(function* () {
    const now = yield* runById(row.id);
    if (now === undefined) return told({ is: "unknown" });
    if (order.seen !== (yield* versionOf(now))) return told({ is: "stale", text: no.stale(now.status) });
    const refused = refusalOf(now, order.do);
    if (refused !== undefined) return told({ is: "refused", text: refused });
    const text = doneTexts[order.do];
    if (order.do === "retry") {
      const retried = yield* retryRun(row.id, undefined, at);
      if (retried === "at work") return told({ is: "refused", text: no.atWork("a process") });
      if (retried === "nothing failed") return told({ is: "refused", text: no.nothingFailed });
    } else if (order.do === "hold") yield* pauseRun(row.id, at);
    else if (order.do === "resume") yield* resumeRun(row.id);
    else yield* cancelRun(row.id, at);
    const what = order.do;
    yield* keepOrder(row.id, { what, leaf: undefined, attempt: undefined, note, by: viewer.who, at });
    return told({ is: "done", text });
  });
}

const doneTexts = {
  retry: "Done: what failed is tried again.",
  hold: "Done: it is held; what was at work is ended and begins again when it is resumed.",
  resume: "Done: it may go on.",
  cancel: "Done: it is cancelled.",
} as const;

function refusalOf(row: RunRow, what: keyof typeof doneTexts): string | undefined {
  const isOver = row.settledAt !== undefined;
  if (what !== "cancel" && !isOwnRun(row)) {
    if (ticketBehind(row.id) !== undefined && what === "retry") return no.retryTicket;
    return no.ticketsRun("are held and resumed here; halt the ticket instead");
  }
  if (what === "retry")
    return row.status === "finished" || row.status === "cancelled" ? no.finished(row.status) : undefined;
  if (isOver) return no.over(row.status);
  return what === "resume" && row.status !== "paused" ? no.notHeld(row.status) : undefined;
}
