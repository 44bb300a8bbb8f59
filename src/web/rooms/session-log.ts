/** `/sessions/:id/log`: what an agent says, as a page, as JSON, as a stream that goes on where it was lost, and whole. */
import type { Hono } from "hono";
import { html } from "hono/html";
import { stream as streamed, streamSSE, type SSEStreamingApi } from "hono/streaming";
import type { LogOrder, LogPart } from "../../ports-dashboard-logs.ts";
import { answer, nothingHere, viewerOf, type Asked, type RoomParts } from "../answer.ts";
import { viewerNow, type DoorOptions, type Inside } from "../door.ts";
import type { Pulse } from "../pulse.ts";
import { openSeats } from "../seats.ts";
import { logAssets, logSection } from "./session-log-page.ts";

/** How often a log that is followed is looked at; a look hands on so much at most. */
const lookMs = 250;
/** Looks without a word before a stream says that it is alive. */
const breathLooks = 60;
/** Streams of logs at once, of everybody together and of one person. */
const mostStreams = 40;
export const mostOfOne = 12;
/** Of a query. */
const mostWords = 200;
const mostKinds = 12;

export interface LogRoomParts extends RoomParts, DoorOptions {}

export function sessionLogRoom(rooms: Hono<Inside>, parts: LogRoomParts, pulse: Pulse): void {
  const follow = openFollow(parts, pulse);
  rooms.get("/sessions/:id/log", (context) => {
    const name = context.req.param("id");
    return wantsStream(context) ? follow(context, name) : showLog(context, parts, name);
  });
  rooms.get("/sessions/:id/log/download", (context) => download(context, parts, context.req.param("id")));
}

export const wantsStream = (context: Asked): boolean =>
  (context.req.header("accept") ?? "").startsWith("text/event-stream");

/** What the query of a page asks of a log. */
export function logOrderOf(context: Asked): LogOrder {
  return {
    from: placeIn(context.req.query("from")),
    how: context.req.query("how") === "raw" ? "raw" : "heard",
    kinds: (context.req.queries("kind") ?? []).slice(0, mostKinds).map((kind) => kind.slice(0, mostWords)),
    words: (context.req.query("q") ?? "").slice(0, mostWords).trim(),
    late: "read",
  };
}
/** A byte of the file; whatever is none means its end. */
const placeIn = (text: string | undefined): number | "end" =>
  text !== undefined && /^\d{1,12}$/u.test(text) ? Number(text) : "end";

async function showLog(context: Asked, parts: RoomParts, name: string): Promise<Response> {
  const order = logOrderOf(context);
  const part = await parts.dashboard.logs.read(viewerOf(context), name, order);
  if (part === undefined) return await nothingHere(context, parts);
  const { session } = part;
  return await answer(context, parts, {
    title: `Log of ${session.role}`,
    at: "none",
    // It follows by itself.
    isLive: false,
    assets: logAssets,
    view: async () => part,
    body: () =>
      html`<div class="head">
          <h1>Log <span class="title">${session.role} in ${session.run}</span></h1>
        </div>
        <p>
          <a href="/runs/${encodeURIComponent(session.run)}">Its run</a>
          ${
            session.ticket === undefined
              ? html``
              : html`· <a href="/tickets/${encodeURIComponent(session.ticket)}">its ticket</a>`
          }
        </p>
        ${logSection({ part, order, path: `/sessions/${encodeURIComponent(name)}/log` })}`,
  });
}

/** Streams what is added; told by `Last-Event-ID` where it was lost, it goes on there. */
export function openFollow(
  { dashboard, ...door }: LogRoomParts,
  pulse: Pulse,
): (context: Asked, name: string) => Promise<Response> {
  const seats = openSeats({ all: mostStreams, each: mostOfOne });
  return async (context, name) => {
    const viewer = viewerOf(context);
    // Whoever comes back with nothing to go on is not asked to try again for ever.
    if ((await dashboard.logs.session(viewer, name)) === undefined) return context.body(null, 204);
    // Asked for without a body, nothing is held open, nor ever left.
    if (context.req.method === "HEAD") return context.body(null, 200);
    const leave = seats.take(viewer.who);
    if (leave === undefined)
      return context.text("Too many logs are followed at once; close a page that follows one.\n", 503);
    const order = logOrderOf(context);
    const lost = placeIn(context.req.header("last-event-id"));
    return streamSSE(context, async (stream) => {
      stream.onAbort(leave);
      try {
        await told(stream, { ...order, from: lost === "end" ? order.from : lost, late: "skip" });
      } finally {
        leave();
      }
    });

    async function told(stream: SSEStreamingApi, first: LogOrder): Promise<void> {
      let wanted = first;
      for (let looks = 0; !stream.aborted && !stream.closed; looks += 1) {
        // What they may see may have changed since they came.
        const now = await viewerNow(context, door);
        const part = now && (await dashboard.logs.read(now, name, wanted));
        if (part === undefined || part.isGone) break;
        // Each part waits until the one before it was taken: nothing gathers here for a slow reader.
        if (wanted.from !== part.next) await stream.writeSSE(eventOf(part));
        else if (looks % breathLooks === 0) await stream.write(": \n\n");
        if (part.isOver) break;
        wanted = { ...wanted, from: part.next };
        if ((await pulse.rest(lookMs)) === "stopped") return;
      }
      if (!stream.aborted) await stream.writeSSE({ event: "over", data: "" });
    }
  };
}

const eventOf = ({ lines, next, leftOutBytes, leftOutLines }: LogPart) => ({
  event: "lines",
  id: String(next),
  data: JSON.stringify({ lines, leftOutBytes, leftOutLines }),
});

async function download(context: Asked, parts: RoomParts, name: string): Promise<Response> {
  const whole = await parts.dashboard.logs.whole(viewerOf(context), name);
  if (whole === undefined) return await nothingHere(context, parts);
  context.header("content-type", "application/x-ndjson; charset=utf-8");
  context.header("content-disposition", `attachment; filename="session-${name}.jsonl"`);
  return streamed(context, async (stream) => {
    for await (const piece of whole) {
      if (stream.aborted) return;
      await stream.write(piece);
    }
  });
}
