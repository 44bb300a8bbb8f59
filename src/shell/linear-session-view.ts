import type { SessionLink } from "../ports-linear-sessions.ts";
import type { EventType } from "../state-machine/event.ts";
import type { State } from "../state-machine/ticket.ts";
import type { Line } from "../store/ledger.ts";
import {
  statePrefix,
  type LinearSession,
  type NewWord,
  type SessionLook,
  type Word,
} from "../store/linear-sessions.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import { replyTo, sessionPlan, stateSays, stoppedSays, type SessionView } from "./linear-session-says.ts";
import { textOf, viewOf } from "./view.ts";
import type { Workshop } from "./workshop.ts";

/** A ticket as its sessions are told of it, as of its first `version` lines. */
export interface TicketTold {
  readonly told: SessionView;
  readonly lines: readonly Line[];
  readonly version: number;
  readonly links: readonly SessionLink[];
}

/** Lines that are worth a word although the ticket stays where it is. */
const news: ReadonlySet<EventType> = new Set([
  "ready.granted",
  "spec.edited",
  "runtime.chosen",
  "halt.raised",
  "halt.lifted",
  "hold.set",
  "slot.withheld",
  "agent.prodded",
  "checks.passed",
  "checks.failed",
  "ci.doubted",
]);
const isNews = ({ from, to, event }: Line): boolean => from !== to || news.has(event.type);

/** Reads what sessions on this ticket are told. `labels` answers what its issue bears, and is asked only where two contest. */
export async function readTold(
  shop: Workshop,
  stored: Stored,
  repo: KnownRepo,
  contestedLabels: () => Promise<readonly string[]>,
): Promise<TicketTold> {
  const { ticket, version, branch } = stored;
  // What came since is told with the next look.
  const lines = (await shop.store.linesOf(ticket.id)).filter((line) => line.version <= version);
  const view = await viewOf(shop, stored, repo);
  const newest = lines.findLast(isNews);
  const url = `${shop.remoteOf(repo).url.replace(/\.git$/u, "")}/pull/${ticket.pull}`;
  const pull = ticket.pull === undefined ? undefined : { number: ticket.pull, url };
  const run = shop.detailsUrl(ticket.id);
  return {
    told: {
      view,
      entered: lines.findLast(({ from, to }) => from !== to)?.event,
      news: newest && textOf(newest.event),
      before: stateBefore(lines, ticket.state),
      branch,
      pull,
      contested: ticket.runtime === "contested" ? await contestedLabels() : [],
    },
    lines,
    version,
    links: [
      ...(pull === undefined || !isWeb(pull.url)
        ? []
        : [{ label: `Pull request #${pull.number}`, url: pull.url }]),
      ...(run === undefined || !isWeb(run) ? [] : [{ label: "Run", url: run }]),
    ],
  };
}

const isWeb = (url: string): boolean => /^https?:\/\/[^\s@]+$/u.test(url);

/** Where work stood: blocked and cancelled tickets stand where they were stopped. */
function stateBefore(lines: readonly Line[], state: State): State {
  if (state !== "Blocked" && state !== "Cancelled") return state;
  const last = lines.findLast(({ to }) => to !== "Blocked" && to !== "Cancelled");
  return last?.to ?? "Backlog";
}

/** What a session needs to be told, as the ticket stands. */
export function lookAt(session: LinearSession, { told, lines, version, links }: TicketTold): SessionLook {
  const replies = lines.flatMap((line): readonly NewWord[] => {
    const { event } = line;
    if (line.version <= session.told || event.type !== "human.asked") return [];
    const { comment, ask } = event;
    if (comment.kind !== "tracker" || comment.session !== session.id) return [];
    const text = replyTo(ask, told.view);
    return text === undefined ? [] : [{ key: `reply:${line.version}`, word: { is: "reply", text } }];
  });
  const isOpen = session.state === "open";
  return {
    as: session.state,
    told: version,
    state:
      session.state === "stopping" ? stopWord(session, told) : isOpen ? stateWord(told, lines) : undefined,
    replies,
    plan: JSON.stringify(sessionPlan(told)),
    links: JSON.stringify(links),
  };
}

function stateWord(told: SessionView, lines: readonly Line[]): NewWord | undefined {
  const { says, asks, isOver } = stateSays(told);
  const since = lines.findLast(isNews)?.version ?? 0;
  const options = says.type === "elicitation" ? (says.options ?? []) : [];
  const word: Word = {
    is: "says",
    says,
    ...(asks === undefined ? {} : { asks: { about: asks, options } }),
    ...(isOver ? { ends: "over" as const } : {}),
  };
  return { key: `${statePrefix}${since}`, word };
}

/** The last word of a session that was stopped. */
export const stopWord = ({ stoppedBy }: LinearSession, told: SessionView | undefined): NewWord => ({
  key: `${statePrefix}stop:${stoppedBy ?? ""}`,
  word: { is: "says", says: stoppedSays(told), ends: "stopped" },
});
