/** Tells how a ticket gets on, from its ledger: whoever serves it, this process or another. */
import { age, boardName, dollars, short } from "../says.ts";
import { openWaits } from "../shell/waits.ts";
import { dayCapsToday } from "../shell/day-cap.ts";
import { noteOf } from "../shell/view.ts";
import type { TicketId } from "../state-machine/ticket.ts";
import { exitCodes, type ExitCode } from "../problems.ts";
import type { Environment } from "../config-environment.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";
import { rulesFor } from "./database.ts";
import { bold, oneLine } from "./output.ts";

/** Where a ticket stopped: it is over, or nothing goes on without a person. */
export interface Stop {
  readonly stored: Stored;
  /** Why it waits, in a sentence; undefined when it is over. */
  readonly why: string | undefined;
  readonly exit: ExitCode;
}

/** Queued for longer than this behind something that is no slot, it waits for somebody. */
const queuedMs = 30_000;
/** A merge that is put off for longer than this waits for more than a moment. */
const putOffMs = 3_000;

export interface Follower {
  /** Tells what is new, and answers where it stopped, if it has. */
  look(now: number): Promise<Stop | undefined>;
}

/** Follows one ticket from here on; what is in the ledger already is told when `from` is the beginning. */
export function followTicket(
  {
    store,
    environment,
    say,
  }: { readonly store: Store; readonly environment: Environment; readonly say: (line: string) => void },
  ticket: TicketId,
  from: number,
): Follower {
  let told = from;
  let started: number | undefined;
  return {
    look: async (now) => {
      const stored = await store.load(ticket);
      if (stored === undefined) return undefined;
      started ??= now;
      const lines = (await store.linesOf(ticket)).filter(({ seq }) => seq > told);
      if (lines.length > 0) {
        const sessions = await store.sessionsOf(ticket);
        const usd = sessions.reduce((sum, session) => sum + session.usd, 0);
        const cost = dollars(
          usd,
          sessions.some(({ pricedBy }) => pricedBy === "guess"),
        );
        for (const line of lines) {
          told = line.seq;
          if (line.from === line.to && line.event.type !== "pr.opened" && line.event.type !== "agent.prodded")
            continue;
          const round = stored.ticket.counters.cycles;
          say(
            `[+${age(Math.max(0, now - started))}] ${nameOf(stored)} ${bold(boardName(line.to), process.stderr)} · round ${round} · ${cost} · ${oneLine(noteOf(line).text).slice(0, 200)}`,
          );
        }
      }
      return await stopOf(store, environment, stored, now);
    },
  };
}

/** The newest line of a ticket: what came before it is not told again. */
export const lastLine = async (store: Store, ticket: TicketId): Promise<number> =>
  (await store.linesOf(ticket)).at(-1)?.seq ?? 0;

export const nameOf = ({ number }: Pick<Stored, "number">): string => `#${number}`;

/** Where it stopped; undefined while something goes on by itself. */
async function stopOf(
  store: Store,
  environment: Environment,
  stored: Stored,
  now: number,
): Promise<Stop | undefined> {
  const { ticket, since, version } = stored;
  if (version === 0) return undefined;
  switch (ticket.state) {
    case "Done":
      return { stored, why: undefined, exit: exitCodes.ok };
    case "Cancelled":
      return { stored, why: undefined, exit: exitCodes.cancelled };
    case "Blocked":
      return { stored, why: await lastWhy(store, ticket.id), exit: exitCodes.blocked };
    case "Backlog":
      return { stored, why: await lastWhy(store, ticket.id), exit: exitCodes.waiting };
    case "In Review":
      return { stored, why: await waitsFor(store, environment, stored, now), exit: exitCodes.waiting };
    case "Merging": {
      const put = (await store.effectsOf(ticket.id)).find(
        ({ type, state, note, dueAt }) =>
          type === "merge.try" && state === "new" && note !== null && dueAt - now > putOffMs,
      );
      return put === undefined ? undefined : { stored, why: put.note ?? undefined, exit: exitCodes.waiting };
    }
    case "Ready":
    case "Rework": {
      const why = now - since > queuedMs ? await waitsFor(store, environment, stored, now) : undefined;
      return why === undefined || why === "a free slot"
        ? undefined
        : { stored, why, exit: exitCodes.waiting };
    }
    case "Gate":
    case "In Progress":
    case "Adversarial Review":
      return undefined;
  }
}

async function waitsFor(
  store: Store,
  environment: Environment,
  stored: Stored,
  now: number,
): Promise<string | undefined> {
  const place = await rulesFor(store, stored);
  return (await openWaits(store, now, await dayCapsToday(store, environment, now))(stored, place))?.waitsFor;
}

/** Why it came to where it is: with what an agent missed in its text, where that is it. */
async function lastWhy(store: Store, ticket: TicketId): Promise<string> {
  const line = (await store.linesOf(ticket)).findLast(({ from, to }) => from !== to);
  if (line === undefined) return "it was never released";
  const { event } = line;
  if (event.type === "gate.flagged")
    return `its text leaves open: ${event.gaps.map(({ about, missing }) => `${about}: ${oneLine(missing)}`).join("; ") || oneLine(event.comment)}`;
  return oneLine(noteOf(line).text);
}

/** What to type next, a line each. */
export function nextLines({ stored, why }: Stop): readonly string[] {
  const { number, ticket } = stored;
  const head = ticket.head === undefined ? "" : ` ${short(ticket.head)}`;
  switch (ticket.state) {
    case "In Review":
      return [
        `forgehand diff ${number}                 what it changes, and what the reviewer said`,
        `forgehand approve ${number}${head}      merge exactly that`,
        `forgehand reject ${number} "what to change"`,
      ];
    case "Backlog":
      return [
        `forgehand ticket edit ${number}          say more`,
        `forgehand run ${number}                  release it as it reads then`,
      ];
    case "Blocked":
      return [
        `forgehand logs ${number}                 what the agents said`,
        `forgehand retry ${number}                go on with fresh counters`,
        `forgehand run ${number}                  serve it until it waits again`,
      ];
    case "Done":
      return [`forgehand inspect ${number}              its whole story`];
    case "Cancelled":
      return [];
    default:
      return [
        ...(why === undefined ? [] : [`forgehand explain ${number}              what holds it`]),
        `forgehand run ${number}                  go on`,
      ];
  }
}
