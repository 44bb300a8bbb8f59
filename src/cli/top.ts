import { randomUUID } from "node:crypto";
import { systemClock } from "../adapters/clock.ts";
import { readSessionLog } from "../adapters/logs/session-log-reader.ts";
import { isDead } from "../adapters/owner.ts";
import { exitCodes } from "../problems.ts";
import { boardRows } from "../shell/board.ts";
import { dayCapsOf, dayStart } from "../shell/day.ts";
import { openOrders } from "../shell/orders.ts";
import { usedOf } from "../store/reservations.ts";
import { openStates } from "../store/tickets.ts";
import { atDesk, rulesFor, type Desk } from "./database.ts";
import { haltsTold } from "./halts-told.ts";
import { operator } from "./operator.ts";
import { Failure, oneLine } from "./output.ts";
import { downInWords } from "./runtimes-told.ts";
import { toldOf, type TopView } from "./top/model.ts";
import type { TopParts } from "./top/screen.ts";
import { transcriptOf, type Told } from "./transcript.ts";

interface TopOptions {
  readonly database?: string | undefined;
}
/** Changes are looked for this often, and ages told anew that often without any. */
const lookMs = 500;
const ageMs = 5_000;
/** Of a session that speaks for hours no more than this is held. */
const mostLines = 500;

/** The board, live in the terminal, until somebody leaves. */
export async function top(options: TopOptions): Promise<void> {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY)
    throw new Failure(exitCodes.usage, "top wants a terminal; `forgehand ps` prints the same once");
  const { showTop } = await import("./top/screen.ts");
  await atDesk(options, "write", (desk) => showTop({ stdin, stdout, ...topParts(desk) }));
}

/** What the screen asks of a database. */
export function topParts(desk: Desk): Omit<TopParts, "stdin" | "stdout"> {
  const { store } = desk;
  const clock = systemClock();
  const orders = openOrders({
    store,
    policyOf: async (stored) => (await rulesFor(store, stored)).policy,
    now: clock.now,
    newId: () => `top:${randomUUID()}`,
    left: () => undefined,
  });
  return {
    look: () => look(desk, clock.now()),
    follow: (changed) => {
      let known = "";
      let toldAt = clock.now();
      let isAsking = false;
      const timer = setInterval(() => {
        if (isAsking) return;
        isAsking = true;
        void store
          .position()
          .then((position) => {
            if (position === known && clock.now() - toldAt < ageMs) return;
            known = position;
            toldAt = clock.now();
            changed();
          })
          // A database that is busy for a moment is asked again at the next look.
          .catch(() => undefined)
          .finally(() => {
            isAsking = false;
          });
      }, lookMs);
      return () => clearInterval(timer);
    },
    order: async ({ order, row }) => {
      const viewer = { who: `operator:${operator()}`, rights: "operator" } as const;
      const answer = await orders.give(viewer, { ticket: row.id, order, seen: row.version });
      return toldOf(order, row, answer);
    },
    linesOf: followLines(desk),
  };
}

async function look({ store, environment }: Desk, now: number): Promise<TopView> {
  const caps = dayCapsOf(environment);
  const tickets = await store.ticketsIn(openStates);
  const versions = new Map(tickets.map(({ ticket, version }) => [ticket.id, version]));
  const rows = await boardRows({ store, now, caps, placeOf: (stored) => rulesFor(store, stored) }, tickets);
  const owner = await store.instanceOwner();
  const isServed = owner !== undefined && !isDead(owner);
  return {
    rows: rows
      .map((row) => ({ ...row, version: versions.get(row.id) ?? 0 }))
      .toSorted((a, b) => Number(b.needsPerson) - Number(a.needsPerson) || a.since - b.since),
    now,
    alarms: [
      ...(isServed ? [] : ["forgehand is not running: orders are carried out when `forgehand up` starts"]),
      ...(await haltsTold(store)).map(({ what, fix }) => `${what}: ${fix}`),
      ...downInWords(await store.runtimeTroubles(), now),
    ],
    today: { usd: usedOf(...(await store.spendingSince(dayStart(now)))), stopUsd: caps.dayStopUsd },
  };
}

/** Lines of the session that spoke last, read on from where the look before ended. */
function followLines({ store }: Desk): TopParts["linesOf"] {
  let heard: { readonly path: string; readonly next: number; readonly lines: readonly string[] } | undefined;
  return async ({ id }, most) => {
    const path = (await store.sessionsOf(id)).findLast(({ logPath }) => logPath !== null)?.logPath;
    if (path === null || path === undefined) return [];
    const before = heard?.path === path ? heard : { path, next: 0, lines: [] };
    const read = readSessionLog(path, before.next);
    if (read === undefined) return before.lines.slice(-most);
    const lines = [...before.lines, ...transcriptOf(read.lines).map(lineOf)].slice(-mostLines);
    heard = { path, next: read.next, lines };
    return lines.slice(-most);
  };
}

const lineOf = ({ at, kind, text }: Told): string =>
  `${at === 0 ? "        " : new Date(at).toISOString().slice(11, 19)} ${kind.padEnd(8)} ${oneLine(text)}`;
