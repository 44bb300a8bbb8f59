import type { FindingView, NoteView, RoundView, TicketView } from "../says.ts";
import { short } from "../says.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import { isLocal, linearIssueOf } from "../state-machine/ticket-id.ts";
import type { RunId } from "../state-machine/ticket.ts";
import { readOutput } from "../workflows/output.ts";
import type { SessionSummary } from "../store/sessions.ts";
import type { Line } from "../store/ledger.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import { buildersOf, didWork } from "./built-by.ts";
import { keptObstacles } from "./obstacles.ts";
import { certificateView } from "./certificate-view.ts";
import { openWaits, type ReadWhen } from "./waits.ts";
import type { RepoRules, Workshop } from "./workshop.ts";

/** Gathers what our texts may say about a ticket: its lines, sessions and rounds, as of now. */
export async function viewOf(
  shop: Workshop,
  stored: Stored,
  repo: KnownRepo,
  read: ReadWhen = "later",
): Promise<TicketView> {
  const { store } = shop;
  const id = stored.ticket.id;
  const [lines, sessions] = await Promise.all([store.linesOf(id), store.sessionsOf(id)]);
  return {
    ...(await viewFrom(shop, stored, repo, { lines, sessions, read })),
    certificate: certificateView(lines),
  };
}

/** What a view is made of: every line, or those of `tellingTypes`. */
export interface Told {
  readonly lines: readonly Line[];
  readonly sessions: readonly SessionSummary[];
  readonly read: ReadWhen;
}
/** Events without which the view would say something else; all others are only noted. */
export const tellingTypes: readonly TicketEvent["type"][] = [
  "ready.granted",
  "build.delivered",
  "build.gave-up",
  "review.passed",
  "review.failed",
  "review.blocked",
  "head.moved",
  "pr.opened",
  "human.approved",
  "operator.reset",
  "ticket.cancelled",
  "pr.merged",
  "merge.asked",
  "merge.certified",
];

/** The same without the certificate, which takes every line. */
export async function viewFrom(
  shop: Workshop,
  stored: Stored,
  repo: KnownRepo,
  { lines, sessions, read }: Told,
): Promise<TicketView> {
  const { store, clock } = shop;
  const rules = shop.rulesOf(repo);
  const now = clock.now();
  const [rounds, ledgerHead] = await Promise.all([roundsOf(shop, lines, sessions), store.ledgerHead()]);
  const builder = (
    stored.ticket.head === undefined
      ? sessions.filter((session) => session.role === "build" && session.model !== null)
      : buildersOf({ lines, sessions }, stored.ticket.head)
  ).at(-1);
  const reviewer = sessions.findLast((session) => session.role === "review" && session.model !== null);
  const release = lines.findLast((line) => line.event.type === "ready.granted");
  return {
    ref: stored.ref,
    ...namesOf(stored),
    title: stored.title,
    asker: stored.author,
    ticket: stored.ticket,
    since: stored.since,
    now,
    usd: sum(sessions, (session) => session.usd),
    usdIsGuess: sessions.some((session) => session.pricedBy === "guess"),
    usdCap: rules.config.limits.ticket_usd,
    spentMs: sum(sessions, (session) => (session.endedAt ?? now) - session.startedAt),
    builder: builder && workerNamed(builder),
    reviewer: reviewer && workerNamed(reviewer),
    plan: planOf(lines),
    validation: await validationOf(shop, lines, rules),
    confusions: lines.flatMap(({ event }) =>
      event.type === "build.gave-up" && event.how === "unfinished" ? [event.why] : [],
    ),
    specHead: stored.ticket.spec,
    rounds,
    notes: lines.map(noteOf),
    wait: await openWaits(store, now, shop.limits, read)(stored, { ...repo, ...rules }),
    needsPerson: needsPersonOf(lines, stored),
    approvedBy: lines
      .flatMap(({ event }) =>
        event.type === "human.approved" && event.head === stored.ticket.approved ? [event.by] : [],
      )
      .at(-1),
    releasedBy: release?.actor,
    ledgerHead,
    maxCycles: rules.policy.maxCycles,
    detailsUrl: shop.detailsUrl(stored.ticket.id),
    obstacles: await keptObstacles(store, stored.ticket),
    certificate: undefined,
  };
}

/** How people name the ticket, and the words by which its tracker links a pull request to it. */
function namesOf({ ticket, ref, number }: Stored): Pick<TicketView, "name" | "closing"> {
  // Nothing that a forge would take for an issue of its own, should the commit be pushed there one day.
  if (isLocal(ticket.id)) return { name: `local-${number}`, closing: "" };
  if (linearIssueOf(ticket.id) === undefined) return { name: `#${number}`, closing: `Closes #${number}` };
  const identifier = ref.slice(ref.lastIndexOf("/") + 1);
  return { name: identifier, closing: `Fixes ${identifier}` };
}

const sum = <Item>(items: readonly Item[], of: (item: Item) => number): number =>
  items.reduce((total, item) => total + of(item), 0);

/** Why the ticket's head takes a person, as its passed review said. */
export function needsPersonOf(lines: readonly Line[], stored: Stored): readonly string[] {
  const passed = lines.findLast(
    ({ event }) => event.type === "review.passed" && event.head === stored.ticket.head,
  )?.event;
  return passed?.type === "review.passed" ? passed.needsPerson : [];
}

/** What the builder said it did, newest first. */
const planOf = (lines: readonly Line[]): readonly string[] =>
  lines
    .flatMap(({ event }) => (event.type === "build.delivered" ? [event.summary] : []))
    .toReversed()
    .slice(0, 3);

/** The repository's own commands, as the host ran them for the newest delivery. */
async function validationOf(
  shop: Workshop,
  lines: readonly Line[],
  { config }: RepoRules,
): Promise<readonly string[]> {
  const delivered = lines.findLast(({ event }) => event.type === "build.delivered")?.event;
  if (delivered?.type !== "build.delivered") return [];
  const flaky = readOutput((await shop.reportOf(delivered.run))?.output)?.flaky === true;
  const green = [config.commands.lint, config.commands.build, config.commands.test].filter(
    (command) => command !== undefined,
  );
  return [
    ...green.map((command) => `\`${command}\` green at ${short(delivered.head)}`),
    ...(flaky ? ["one of them failed first and passed when tried again"] : []),
    ...(green.length === 0 ? ["this repository names no commands to check with"] : []),
  ];
}

/** Every verdict so far, with its findings. */
async function roundsOf(
  shop: Workshop,
  lines: readonly Line[],
  sessions: readonly SessionSummary[],
): Promise<readonly RoundView[]> {
  const verdicts = lines.filter(({ event }) => event.type.startsWith("review."));
  return await Promise.all(verdicts.map((line, index) => roundFrom(shop, line, index + 1, sessions)));
}

async function roundFrom(
  shop: Workshop,
  line: Line,
  number: number,
  sessions: readonly SessionSummary[],
): Promise<RoundView> {
  const { event } = line;
  if (event.type !== "review.passed" && event.type !== "review.failed" && event.type !== "review.blocked") {
    throw new Error(`${event.type} is no verdict`);
  }
  const own = sessions.filter((one) => one.run === event.run && one.role === "review");
  const atWork = own.filter((one) => one.model !== null && didWork(one));
  const workers = (atWork.length === 0 ? own.slice(-1) : atWork).map(workerNamed);
  const details = readOutput((await shop.reportOf(event.run))?.output);
  return {
    number,
    at: line.at,
    head: event.head,
    verdict: event.type === "review.passed" ? "pass" : event.type === "review.failed" ? "fail" : "blocked",
    summary: event.type === "review.blocked" ? event.why : event.summary,
    reviewer: workers.length === 0 ? "nobody" : [...new Set(workers)].join(", "),
    earlier: details?.earlier,
    mediation:
      details?.mediation === undefined
        ? undefined
        : `${details.mediation.by}: ${details.mediation.decision}. ${details.mediation.why}`,
    findings: (details?.findings ?? []).map((finding): FindingView => ({
      ...finding,
      path: finding.path,
      line: finding.line,
    })),
  };
}

/** The round that this run judged, and those before it. */
export async function roundOf(
  shop: Workshop,
  stored: Stored,
  run: RunId,
): Promise<{ readonly round: RoundView; readonly before: readonly RoundView[] } | undefined> {
  const [lines, sessions] = await Promise.all([
    shop.store.linesOf(stored.ticket.id),
    shop.store.sessionsOf(stored.ticket.id),
  ]);
  const rounds = await roundsOf(shop, lines, sessions);
  const index = lines
    .filter(({ event }) => event.type.startsWith("review."))
    .findIndex(({ event }) => "run" in event && event.run === run);
  const round = rounds[index];
  return round === undefined ? undefined : { round, before: rounds.slice(0, index) };
}

/** What the builder said it did, in the newest delivery. */
export async function summaryOf(shop: Workshop, stored: Stored): Promise<string> {
  const lines = await shop.store.linesOf(stored.ticket.id);
  const delivered = lines.findLast(({ event }) => event.type === "build.delivered")?.event;
  return delivered?.type === "build.delivered" ? delivered.summary : "";
}

/** One ledger line in plain words. */
export const noteOf = (line: Line): NoteView => ({
  at: line.at,
  actor: line.actor,
  text: textOf(line.event),
});

/** One event in plain words. */
export function textOf(event: TicketEvent): string {
  const reason = reasonOf(event);
  const phrase =
    event.type === "agent.prodded"
      ? prods[event.how]
      : (phrases[event.type] ?? event.type.replaceAll(".", " ").replaceAll("-", " "));
  return reason === undefined ? phrase : `${phrase}: ${reason}`;
}
const prods: Readonly<Record<Extract<TicketEvent, { type: "agent.prodded" }>["how"], string>> = {
  nudged: "the agent was nudged",
  stopped: "the agent was stopped",
  resumed: "the agent goes on once more",
  replaced: "another agent takes over",
};
const phrases: Partial<Record<TicketEvent["type"], string>> = {
  "ready.granted": "released the ticket",
  "ready.revoked": "took the release back",
  "spec.edited": "the spec was edited",
  "slot.granted": "a slot became free",
  "slot.withheld": "it waits",
  "gate.passed": "the spec gate passed",
  "gate.flagged": "the spec gate flagged it",
  "build.delivered": "build delivered",
  "build.gave-up": "gave up",
  "review.passed": "review passed",
  "review.failed": "review failed",
  "review.blocked": "review blocked",
  "run.exhausted": "run failed",
  "human.approved": "approved",
  "human.objected": "requested changes",
  "human.told": "told the agent",
  "order.withdrawn": "took back the changes asked for",
  "pr.opened": "opened the pull request",
  "merge.asked": "asked the forge to merge",
  "pr.closed": "closed the pull request without a merge; a retry opens another",
  "pr.retargeted": "pointed the pull request at another base",
  "pr.merged": "merged",
  "merge.certified": "certified the merge",
  "head.moved": "another head was pushed",
  "checks.passed": "checks are green",
  "checks.failed": "checks are red",
  "checks.absent": "this repository has no checks",
  "ci.doubted": "what is red may not be this change's fault",
  "base.moved": "the base has to be taken over",
  "operator.retried": "retried, counters reset",
  "operator.stopped": "stopped the work",
  "budget.raised": "allowed more money",
};
function reasonOf(event: TicketEvent): string | undefined {
  if ("why" in event) return event.why;
  if ("summary" in event) return event.summary;
  if (event.type === "slot.granted" && event.upon !== undefined)
    return `stacked on ${event.upon.ref} at ${short(event.upon.head)}`;
  if (event.type === "pr.opened") return `#${event.pull}`;
  if (event.type === "pr.retargeted") return `\`${event.base}\``;
  if (event.type === "budget.raised") return event.usd === undefined ? undefined : `$${event.usd}`;
  if (event.type === "checks.passed" && event.aside !== undefined)
    return `${short(event.head)}; red, but not required: ${event.aside.map((name) => `\`${name}\``).join(", ")}`;
  if (event.type === "head.moved" && event.update !== undefined) {
    const { from, base, how, unchanged, upon } = event.update;
    return `${short(event.head)}, which is ${short(from)} with its base at ${short(base)} taken over by ${how}${upon === undefined ? "" : `, stacked on ${upon.ref}`}; the change itself is ${unchanged ? "unchanged" : "no longer the same"}`;
  }
  if (event.type === "human.objected" || event.type === "human.told") return event.order;
  if ("head" in event) return short(event.head);
  return undefined;
}

/** A runtime with its model; one that nobody saw is said to be so. */
function workerNamed({ runtime, model, modelBy }: SessionSummary): string {
  const how = modelBy === "configured" ? ", as configured" : "";
  return `${runtime} (${model ?? "unknown model"}${how})`;
}
