/** `GET /costs`: what was spent, by day and by whatever else, as a page, as JSON and as a file for spreadsheets. */
import type { Hono } from "hono";
import { costKeys, type CostBy, type CostsAsked } from "../../ports-dashboard-costs.ts";
import { answer, viewerOf, type Asked, type RoomParts } from "../answer.ts";
import { costsCsv } from "../costs-csv.ts";
import type { Inside } from "../door.ts";
import { dayIn, sayDays } from "../since.ts";
import { wrongPage } from "../wrong-page.ts";
import { costsPage } from "./costs-page.ts";

/** As far back as a page looks that was not told. */
const usual = "30d";
/** Rows of a file. */
const mostInFile = 10_000;

export function costsRoom(rooms: Hono<Inside>, parts: RoomParts, now: () => number): void {
  rooms.get("/costs", async (context) => {
    const asked = askedIn(context, now());
    if (typeof asked === "string") return await wrongPage(context, parts, "costs", asked);
    return await answer(context, parts, {
      title: "Costs",
      at: "costs",
      isLive: false,
      assets: ["history.css", "uplot.css", "costs.css", "uplot.js", "costs.js"],
      view: () => parts.dashboard.money.costs(viewerOf(context), asked),
      body: (view) => costsPage(view, context.req.query("since") ?? usual),
    });
  });
  rooms.get("/costs.csv", async (context) => {
    const asked = askedIn(context, now());
    if (typeof asked === "string") return context.text(`${asked}\n`, 400);
    const view = await parts.dashboard.money.costs(viewerOf(context), { ...asked, limit: mostInFile });
    return context.body(costsCsv(view), 200, {
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": `attachment; filename="costs-by-${view.by}-${view.from}-${view.to}.csv"`,
    });
  });
}

const isBy = (text: string): text is CostBy => costKeys.some((key) => key === text);

/** Or what is wrong with it, in words. */
function askedIn(context: Asked, now: number): CostsAsked | string {
  const by = context.req.query("by") ?? "day";
  const stack = context.req.query("stack") ?? "runtime";
  const text = context.req.query("since") ?? usual;
  if (!isBy(by))
    return `Costs are summed by ${costKeys.join(", ")}, not by ${JSON.stringify(by.slice(0, 50))}.`;
  if (stack !== "runtime" && stack !== "model") return "A day is stacked by runtime or by model.";
  const since = dayIn(text, now);
  if (since === undefined) return `${JSON.stringify(text.slice(0, 50))} is no day: ${sayDays}.`;
  return { by, stack, since };
}
