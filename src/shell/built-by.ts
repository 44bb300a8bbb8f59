import type { Family } from "../ports-agents.ts";
import { familyNamed } from "../review/pairing.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { Sha } from "../state-machine/ticket.ts";
import type { SessionSummary } from "../store/sessions.ts";
import type { Line } from "../store/ledger.ts";

/** What is on record about the making of a ticket's heads. */
interface Past {
  readonly lines: readonly Line[];
  readonly sessions: readonly SessionSummary[];
}

/**
 * The sessions that built a head, oldest first: those of the run that delivered it, those of runs that gave up before and
 * left it their files, and none of a later run. A head that nobody delivered was pushed by a person, or by a build that
 * ended before it could say so: then all that may have gone into it, from the delivery before it until it was heard of.
 */
export function buildersOf({ lines, sessions }: Past, tip: Sha | undefined): readonly SessionSummary[] {
  const head = builtHead(lines, tip);
  const builds = buildsIn(sessions);
  const at = lines.findLastIndex(({ event }) => event.type === "build.delivered" && event.head === head);
  if (at !== -1) {
    const [delivered] = deliveriesIn(lines.slice(at));
    const last = builds.findLastIndex(({ run }) => run === delivered?.run);
    const emptied = emptiedAt(lines.slice(0, at));
    return builds.slice(0, last + 1).filter(({ startedAt }) => startedAt > emptied);
  }
  const heard = lines.findIndex(({ event }) => "head" in event && event.head === head);
  const earlier = heard === -1 ? lines : lines.slice(0, heard);
  const before = deliveriesIn(earlier).at(-1);
  const first = builds.findIndex(({ run }) => run === before?.run);
  const heardAt = lines[heard]?.at ?? Infinity;
  return builds.slice(Math.max(0, first)).filter(({ startedAt }) => startedAt <= heardAt);
}

const buildsIn = (sessions: Past["sessions"]): Past["sessions"] =>
  sessions.filter((one) => one.role === "build" && one.model !== null && didWork(one));

/** The head as it was before the host brought it up to date, however often: that adds nothing of anybody's to the change. */
export function builtHead(lines: readonly Line[], tip: Sha | undefined): Sha | undefined {
  let head = tip;
  for (const { event } of lines.toReversed())
    if (event.type === "head.moved" && event.head === head && event.update !== undefined)
      head = event.update.from;
  return head;
}

/** After these no work that nobody delivered is left in the worktree. */
const emptying: ReadonlySet<TicketEvent["type"]> = new Set([
  "build.delivered",
  "operator.reset",
  "ticket.cancelled",
  "pr.merged",
]);

const emptiedAt = (lines: readonly Line[]): number =>
  lines.findLast(({ event }) => emptying.has(event.type))?.at ?? -Infinity;

/** Ends before the work, if the model had said nothing and no tool had been used by then. */
const turnedAway: ReadonlySet<string> = new Set([
  "quota",
  "logged-out",
  "forbidden",
  "model-unknown",
  "rate-limit",
  "server",
  "runtime-absent",
  "other-version",
  "protocol-version",
  "runtime-misconfigured",
  "tools-unsupported",
  "stalled",
]);
/** Did it have a part in what is there? In doubt yes: then its family may not judge it. */
export const didWork = ({ outcome, outputTokens, acted }: SessionSummary): boolean =>
  outcome === null || !turnedAway.has(outcome) || outputTokens !== 0 || acted !== 0;

const deliveriesIn = (lines: readonly Line[]) =>
  lines.flatMap(({ event }) => (event.type === "build.delivered" ? [event] : []));

/** Every family that may have left something in the worktree which nobody has delivered yet. */
export const familiesLeft = ({ lines, sessions }: Past): readonly Family[] => [
  ...new Set(
    buildsIn(sessions)
      .filter(({ startedAt }) => startedAt > emptiedAt(lines))
      .map(({ family }) => familyNamed(family)),
  ),
];

/** Every family that had a part in a head, as observed; none where nobody saw. No reviewer may be of any of them. */
export const familiesBehind = (past: Past, head: Sha | undefined): readonly Family[] => [
  ...new Set(buildersOf(past, head).map((session) => familyNamed(session.family))),
];
