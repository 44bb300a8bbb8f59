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
export function buildersOf({ lines, sessions }: Past, head: Sha | undefined): readonly SessionSummary[] {
  const builds = sessions.filter((one) => one.role === "build" && one.model !== null && didWork(one));
  const at = lines.findLastIndex(({ event }) => event.type === "build.delivered" && event.head === head);
  if (at !== -1) {
    const [delivered] = deliveriesIn(lines.slice(at));
    const last = builds.findLastIndex(({ run }) => run === delivered?.run);
    const emptiedAt = lines.slice(0, at).findLast(({ event }) => emptying.has(event.type))?.at ?? -Infinity;
    return builds.slice(0, last + 1).filter(({ startedAt }) => startedAt > emptiedAt);
  }
  const heard = lines.findIndex(({ event }) => "head" in event && event.head === head);
  const earlier = heard === -1 ? lines : lines.slice(0, heard);
  const before = deliveriesIn(earlier).at(-1);
  const first = builds.findIndex(({ run }) => run === before?.run);
  const heardAt = lines[heard]?.at ?? Infinity;
  return builds.slice(Math.max(0, first)).filter(({ startedAt }) => startedAt <= heardAt);
}

/** After these no work that nobody delivered is left in the worktree. */
const emptying: ReadonlySet<TicketEvent["type"]> = new Set([
  "build.delivered",
  "operator.reset",
  "ticket.cancelled",
  "pr.merged",
]);

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

/** Every family that had a part in a head, as observed; none where nobody saw. No reviewer may be of any of them. */
export const familiesBehind = (past: Past, head: Sha | undefined): readonly Family[] => [
  ...new Set(buildersOf(past, head).map((session) => familyNamed(session.family))),
];
