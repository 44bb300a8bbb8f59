/** `/runs` and `/runs/:id`. Ids hold `#` and `/`: both are taken encoded, and a slash as it is too. */
import type { Hono } from "hono";
import {
  runOrderNames,
  runStatuses,
  type RunDo,
  type RunFilter,
  type RunOrderAnswer,
  type RunOrderName,
  type RunPage,
} from "../../ports-dashboard-runs.ts";
import { answer, csrfOf, nothingHere, notYours, viewerOf, wantsJson, type Asked } from "../answer.ts";
import type { Inside } from "../door.ts";
import type { Pulse } from "../pulse.ts";
import { toldOf } from "./run-orders-page.ts";
import { runPage } from "./run-page.ts";
import { lookIn, type RunPlaceOnPage } from "./run-place.ts";
import { placeIn, runPath, runsPage } from "./runs-page.ts";
import { logAssets } from "./session-log-page.ts";
import { logOrderOf, openFollow, wantsStream, type LogRoomParts } from "./session-log.ts";

/** Of any id, and of any word of a form. */
const longestId = 300;
const longestWord = 200;
const longestField = 100_000;
const assets = ["runs.css", "runs.js", ...logAssets];

export function runsRoom(rooms: Hono<Inside>, parts: LogRoomParts, pulse: Pulse): void {
  const follow = openFollow(parts, pulse);
  rooms.get("/runs", (context) => {
    const filter = filterOf(context);
    return answer(context, parts, {
      title: "Runs",
      at: "runs",
      // Further pages show the past.
      isLive: filter.after === undefined,
      assets,
      view: () => parts.dashboard.runs.list(viewerOf(context), filter),
      body: (list) => runsPage(list, filter),
    });
  });
  rooms.get("/runs/*", async (context) => {
    const { id, order } = runIn(context, ["log"]);
    if (id === undefined) return await nothingHere(context, parts);
    if (order === "log" && wantsStream(context)) return await followIn(context, parts, id, follow);
    return await showRun(context, parts, { id, given: undefined, again: undefined });
  });
  rooms.post("/runs/*", async (context) => {
    const { id, order } = runIn(context, runOrderNames);
    if (id === undefined || order === undefined) return await nothingHere(context, parts);
    return await takeOrder(context, parts, id, order);
  });
}

/** The run in the path, and the word behind it where that is one of these. */
function runIn<Word extends string>(
  context: Asked,
  words: readonly Word[],
): { readonly id: string | undefined; readonly order: Word | undefined } {
  const pieces = new URL(context.req.url).pathname.slice("/runs/".length).split("/");
  const order = pieces.length > 1 ? words.find((word) => word === pieces.at(-1)) : undefined;
  const raw = (order === undefined ? pieces : pieces.slice(0, -1)).join("/");
  try {
    const id = decodeURIComponent(raw);
    return { id: id === "" || id.length > longestId ? undefined : id, order };
  } catch {
    return { id: undefined, order };
  }
}

function filterOf(context: Asked): RunFilter {
  const word = (key: string): string => (context.req.query(key) ?? "").trim().slice(0, longestWord);
  return {
    workflow: word("workflow"),
    status: runStatuses.find((status) => status === word("status")),
    ticket: word("ticket"),
    words: word("q"),
    after: placeIn(context.req.query("after")),
  };
}

interface Shown {
  readonly id: string;
  readonly given: RunOrderAnswer | undefined;
  readonly again: { readonly order: RunOrderName; readonly frame: string; readonly note: string } | undefined;
}

async function showRun(context: Asked, parts: LogRoomParts, { id, given, again }: Shown): Promise<Response> {
  const { dashboard } = parts;
  const viewer = viewerOf(context);
  const look = lookIn({
    frame: context.req.query("frame"),
    beside: context.req.query("with"),
    task: context.req.query("task"),
    rounds: context.req.queries("in") ?? [],
  });
  const first = look && (await dashboard.runs.run(viewer, id, look));
  if (look === undefined || first === undefined || first === "no frame")
    return await nothingHere(context, parts);
  const session =
    context.req.query("session") ?? first.sessions.findLast((one) => one.endedAt === undefined)?.name;
  const place: RunPlaceOnPage = { id, look, session: context.req.query("session") };
  const order = logOrderOf(context);
  // A session of another run is none of this page's.
  const isOwn = first.sessions.some(({ name }) => name === session);
  const part =
    session === undefined || !isOwn ? undefined : await dashboard.logs.read(viewer, session, order);
  const status = given === undefined || given.is === "done" ? 200 : 409;
  return await answer<RunPage & { readonly told?: RunOrderAnswer }>(context, parts, {
    title: id,
    at: "runs",
    status,
    isLive: look.frame === undefined && look.beside === undefined,
    assets,
    view: async () => (given === undefined ? first : { ...first, told: given }),
    body: (page) => {
      const csrf = csrfOf(context);
      const forms = { id, csrf, version: page.version, now: page.now };
      const log = part && { part, order };
      return runPage({ page, place, csrf, told: toldOf(given, again, forms), log });
    },
  });
}

/** The same stream as under the session's own name, for a session of this run. */
async function followIn(
  context: Asked,
  parts: LogRoomParts,
  id: string,
  follow: ReturnType<typeof openFollow>,
): Promise<Response> {
  const name = context.req.query("session") ?? "";
  const session = await parts.dashboard.logs.session(viewerOf(context), name);
  return session?.run === id ? await follow(context, name) : context.body(null, 204);
}

async function takeOrder(
  context: Asked,
  parts: LogRoomParts,
  id: string,
  order: RunOrderName,
): Promise<Response> {
  const form = await context.req.parseBody();
  const field = (key: string): string => {
    const value = form[key];
    return typeof value === "string" ? value.slice(0, longestField) : "";
  };
  const what = doOf(order, field);
  const given: RunOrderAnswer =
    typeof what === "string"
      ? { is: "refused", text: what }
      : await parts.commands.runs.give(viewerOf(context), { ...what, run: id, note: field("note") });
  if (given.is === "unknown") return await nothingHere(context, parts);
  if (given.is === "forbidden") return await notYours(context, parts, given.text);
  // What was done is not asked again by a reload.
  if (given.is === "done" && !wantsJson(context)) return context.redirect(runPath(given.run ?? id), 303);
  const again = { order, frame: field("frame"), note: field("note") };
  return await showRun(context, parts, { id, given, again });
}

/** What the form asks for, or what is wrong with it. */
function doOf(order: RunOrderName, field: (key: string) => string): RunDo | string {
  const seen = field("seen");
  const effects = field("effects") === "accept" ? "accept" : "refuse";
  switch (order) {
    case "rewind":
    case "fork":
    case "replay": {
      const frame = /^\d{1,9}$/u.test(field("frame")) ? Number(field("frame")) : undefined;
      if (frame === undefined) return "Not done: a frame is a number, 0 for the beginning.";
      return order === "rewind" ? { do: order, seen, frame, effects } : { do: order, seen, frame, effects };
    }
    case "undo":
      return { do: order, seen, effects };
    case "retry":
      return { do: order, seen };
    case "hold":
    case "resume":
    case "cancel":
      return { do: order, seen };
    case "answer":
      return answerOf(field);
  }
}

function answerOf(field: (key: string) => string): RunDo | string {
  const seq = /^\d{1,15}$/u.test(field("seq")) ? Number(field("seq")) : undefined;
  if (seq === undefined) return "Not taken: the form does not say what it answers.";
  if (field("decision") !== "") return { do: "answer", seq, answer: { decision: field("decision") } };
  if (field("is") === "choose") return { do: "answer", seq, answer: { choice: field("choice") } };
  if (field("is") === "rank") {
    const order = field("order")
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
    return { do: "answer", seq, answer: { order } };
  }
  try {
    return { do: "answer", seq, answer: JSON.parse(field("json")) as unknown };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `Not taken: the answer is no JSON (${why}). A word stands in quotes: "yes".`;
  }
}
