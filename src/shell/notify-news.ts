/** Which lines of the ledger people are told of beside the forge, and whether that is still so later. */
import type { NotifyItem } from "../ports-notify.ts";
import {
  blockedSays,
  fillGaps,
  mergedSays,
  nextWords,
  titleWords,
  waitingSays,
  whyWords,
  type WaitsWith,
} from "../says-notify.ts";
import { explain } from "../state-machine/explain.ts";
import type { EventType } from "../state-machine/event.ts";
import type { Ticket } from "../state-machine/ticket.ts";
import type { Line } from "../store/ledger.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import { textOf } from "./view.ts";
import type { Workshop } from "./workshop.ts";

/** What a line may be worth: something to do for a person, a breaker that opened, a merge without an approval. */
export type News = WaitsWith | "blocked" | "merged";

/** Whoever did these knows that the ticket stands still. */
const ownDoing: ReadonlySet<EventType> = new Set([
  "halt.raised",
  "operator.stopped",
  "pr.closed",
  "spec.edited",
]);
/** Rows of the table in which a person is asked to pick one. */
const asksToPick = /\[(?:contested|choiceContests)\]/u;

/** Undefined for a line that nobody need hear of. Pure. */
export function newsIn({
  event,
  from,
  to,
  row,
}: Pick<Line, "event" | "from" | "to" | "row">): News | undefined {
  if (event.type === "gate.flagged" && from !== to) return "spec";
  if (asksToPick.test(row)) return "choice";
  if (event.type === "pr.merged" && from !== to) return "merged";
  if (to === "In Review" && from !== to) return "approval";
  if (to !== "Blocked" || from === to || ownDoing.has(event.type)) return undefined;
  return event.type === "budget.spent" ? "budget" : "blocked";
}

/** Whether it is as the news had it: what a person has answered meanwhile is told to nobody. */
export function isStillSo(news: News, ticket: Ticket): boolean {
  switch (news) {
    case "merged":
      return true;
    case "spec":
      return ticket.state === "Backlog";
    case "choice":
      return ticket.runtime === "contested";
    case "approval":
      return ticket.state === "In Review" && ticket.upon === undefined;
    case "blocked":
    case "budget":
      return ticket.state === "Blocked";
  }
}

/** The same of one ticket, told once in a while. */
export const topicOf = (news: News, ticket: string): string => `${news} ${ticket}`;
export const newsOfTopic = (topic: string): News | undefined =>
  [...Object.keys(waitingSays), "blocked", "merged"].find((news): news is News =>
    topic.startsWith(`${news} `),
  );

/** What is told of it; undefined where it is no longer so, or where auto-merge was not what merged it. */
export async function itemOf(
  shop: Workshop,
  {
    line,
    news,
    stored,
    repo,
  }: { readonly line: Line; readonly news: News; readonly stored: Stored; readonly repo: KnownRepo },
): Promise<NotifyItem | undefined> {
  const { ticket, ref } = stored;
  if (!isStillSo(news, ticket)) return undefined;
  if (news === "merged" && !mergedByItself(await shop.store.linesOf(ticket.id), line)) return undefined;
  const said = {
    quoted: titleWords(stored.title),
    url: linkOf(shop, { stored, repo, on: news === "spec" || news === "choice" ? "issue" : "pull" }),
    ticket: ticket.id,
    at: line.at,
  };
  if (news === "merged") return { kind: "merged", says: mergedSays(ref), ...said };
  const why = reasonOf(line);
  const next = news === "spec" ? fillGaps : nextFor(shop, stored, repo);
  return news === "blocked"
    ? { kind: "blocked", says: blockedSays(ref), why, next, ...said }
    : { kind: "waiting", says: waitingSays[news](ref), why, next, ...said };
}

function reasonOf({ event }: Line): string | undefined {
  if (event.type === "gate.flagged")
    return whyWords(event.gaps.map(({ about, missing }) => `${about}: ${missing}`).join("; "));
  if (event.type === "review.passed")
    return event.needsPerson.length === 0 ? undefined : whyWords(event.needsPerson.join("; "));
  if (event.type === "ready.granted" || event.type === "runtime.chosen") return undefined;
  return whyWords(textOf(event));
}

function nextFor(shop: Workshop, stored: Stored, repo: KnownRepo): string | undefined {
  const { policy } = shop.rulesOf(repo);
  const deed = explain({ ticket: stored.ticket, since: stored.since, policy })?.youCan[0]?.do;
  return deed === undefined ? undefined : nextWords(deed);
}

/** Consent was the label's: no approval of this very head stood. */
function mergedByItself(lines: readonly Line[], merged: Line): boolean {
  if (merged.event.type !== "pr.merged") return false;
  const { head } = merged.event;
  let isOn = false;
  let isApproved = false;
  for (const { event, version } of lines) {
    if (version >= merged.version) break;
    if (event.type === "automerge.set") isOn = event.on;
    if (event.type === "human.approved" && event.head === head) isApproved = true;
    if (event.type === "approval.withdrawn" && event.head === head) isApproved = false;
  }
  return isOn && !isApproved;
}

const isWeb = (url: string): boolean => /^https?:\/\/[^\s@]+$/u.test(url);

/** Where it can be answered: the dashboard's page where people reach it, else the pull request or the issue. */
function linkOf(
  shop: Workshop,
  { stored, repo, on }: { readonly stored: Stored; readonly repo: KnownRepo; readonly on: "issue" | "pull" },
): string | undefined {
  const { ticket, url } = stored;
  const page = shop.detailsUrl(ticket.id);
  const pull =
    on === "issue" || ticket.pull === undefined
      ? undefined
      : `${shop.remoteOf(repo).url.replace(/\.git$/u, "")}/pull/${ticket.pull}`;
  return [page, pull, url].find((one) => one !== undefined && isWeb(one));
}
