/** `GET /history`: what became of tickets, newest first, filtered, a page at a time. */
import type { Hono } from "hono";
import type { HistoryAsked, Outcome } from "../../ports-dashboard-history.ts";
import { outcomes } from "../../store/history.ts";
import { answer, viewerOf, type Asked, type RoomParts } from "../answer.ts";
import type { Inside } from "../door.ts";
import { wrongPage } from "../wrong-page.ts";
import { dayAfter, dayIn, sayDays } from "../since.ts";
import { historyPage, type HistoryForm } from "./history-page.ts";

/** Nobody asks for more; what is longer is cut. */
const longest = 300;

export function historyRoom(rooms: Hono<Inside>, parts: RoomParts, now: () => number): void {
  rooms.get("/history", async (context) => {
    const form = formOf(context);
    const asked = askedIn(form, now());
    if (typeof asked === "string") return await wrongPage(context, parts, "history", asked);
    return await answer(context, parts, {
      title: "History",
      at: "history",
      isLive: false,
      assets: ["history.css"],
      view: () => parts.dashboard.past.history(viewerOf(context), asked),
      body: (view) => historyPage(view, form),
    });
  });
}

function formOf(context: Asked): HistoryForm {
  const field = (name: string): string => (context.req.query(name) ?? "").slice(0, longest).trim();
  return {
    q: field("q"),
    outcome: field("outcome"),
    repo: field("repo"),
    runtime: field("runtime"),
    label: field("label"),
    from: field("from"),
    to: field("to"),
    after: field("after"),
  };
}

const isOutcome = (text: string): text is Outcome => outcomes.some((outcome) => outcome === text);
const given = (text: string): string | undefined => (text === "" ? undefined : text);

/** Or what is wrong with it, in words. */
function askedIn(form: HistoryForm, now: number): HistoryAsked | string {
  const { outcome, from, to } = form;
  if (outcome !== "" && !isOutcome(outcome))
    return `An outcome is ${outcomes.join(", ")}; ${JSON.stringify(outcome)} is none.`;
  const first = from === "" ? undefined : dayIn(from, now);
  const last = to === "" ? undefined : dayIn(to, now);
  if (from !== "" && first === undefined) return `${JSON.stringify(from)} is no day: ${sayDays}.`;
  if (to !== "" && last === undefined) return `${JSON.stringify(to)} is no day: ${sayDays}.`;
  return {
    words: form.q,
    outcome: outcome === "" ? undefined : outcome,
    repository: given(form.repo),
    runtime: given(form.runtime),
    label: given(form.label),
    from: first,
    until: last === undefined ? undefined : dayAfter(last),
    after: given(form.after),
  };
}
