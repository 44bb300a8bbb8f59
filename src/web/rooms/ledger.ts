import type { Hono } from "hono";
import { stream } from "hono/streaming";
import {
  answer,
  csrfOf,
  nothingHere,
  notYours,
  viewerOf,
  wantsJson,
  type Asked,
  type RoomParts,
} from "../answer.ts";
import type { Inside } from "../door.ts";
import { asked, askedNumber } from "./host-words.ts";
import { deedsPage, ledgerPage, linePage } from "./ledger-page.ts";

const forOperators =
  "The ledger as a whole is about all repositories at once; only operators of this host do that.";

/** The ledger: line by line, verified, and as a file. */
export function ledgerRoom(rooms: Hono<Inside>, parts: RoomParts): void {
  const { ledger } = parts.dashboard;
  rooms.get("/ledger", (context) => list(context, parts));
  rooms.get("/ledger/deeds", (context) => deeds(context, parts));
  rooms.get("/ledger/export", (context) => file(context, parts));
  rooms.get("/ledger/verification", async (context) => {
    if (viewerOf(context).rights !== "operator") return await notYours(context, parts, forOperators);
    return context.json((await ledger.verification(viewerOf(context))) ?? { is: "never" });
  });
  rooms.post("/ledger/verify", async (context) => {
    const is = await parts.commands.ledger.verify(viewerOf(context));
    if (is === "forbidden") return await notYours(context, parts, forOperators);
    return wantsJson(context) ? context.json({ is }) : context.redirect("/ledger", 303);
  });
  rooms.get("/ledger/:seq", async (context) => {
    const seq = askedNumber(context.req.param("seq"));
    const line = seq === undefined ? undefined : await ledger.line(viewerOf(context), seq);
    if (line === undefined) return await nothingHere(context, parts);
    return await answer(context, parts, {
      title: `Line ${line.seq}`,
      at: "ledger",
      isLive: false,
      assets: ["host.css"],
      view: async () => line,
      body: linePage,
    });
  });
}

async function list(context: Asked, parts: RoomParts): Promise<Response> {
  const said = (name: string): string | undefined => asked(context.req.query(name));
  const before = askedNumber(context.req.query("before"));
  const view = await parts.dashboard.ledger.list(viewerOf(context), {
    ticket: said("ticket"),
    actor: said("actor"),
    what: said("what"),
    from: said("from"),
    until: said("until"),
    before,
  });
  return await answer(context, parts, {
    title: "Ledger",
    at: "ledger",
    status: view.wrong === undefined ? 200 : 400,
    isLive: before === undefined,
    assets: ["host.css"],
    view: async () => view,
    body: (now) => ledgerPage(now, csrfOf(context)),
  });
}

async function deeds(context: Asked, parts: RoomParts): Promise<Response> {
  const before = askedNumber(context.req.query("before"));
  const view = await parts.dashboard.ledger.deeds(viewerOf(context), before);
  if (view === undefined) return await notYours(context, parts, forOperators);
  return await answer(context, parts, {
    title: "Deeds",
    at: "ledger",
    isLive: before === undefined,
    assets: ["host.css"],
    view: async () => view,
    body: deedsPage,
  });
}

/** As `forgehand ledger export` writes it; whoever reads slowly slows it down, and nobody else. */
async function file(context: Asked, parts: RoomParts): Promise<Response> {
  const lines = parts.dashboard.ledger.file(viewerOf(context));
  if (lines === undefined) return await notYours(context, parts, forOperators);
  context.header("content-type", "application/x-ndjson; charset=utf-8");
  context.header("content-disposition", 'attachment; filename="ledger.ndjson"');
  return stream(context, async (out) => {
    for await (const line of lines) {
      if (out.aborted) return;
      await out.write(`${line}\n`);
    }
  });
}
