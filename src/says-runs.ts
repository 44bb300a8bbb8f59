/** What we say of a run: why it stands where it stands, and why an order to it was not carried out. */
import { age } from "./says.ts";

export interface RunStands {
  readonly status: string;
  readonly outcome: string | undefined;
  readonly error: string | undefined;
  readonly settledAt: number | undefined;
  /** The process that has it, in words; undefined when none does. */
  readonly owner: string | undefined;
  readonly isOrphan: boolean;
  readonly atWork: readonly { readonly task: string; readonly startedAt: number }[];
  readonly waits: readonly {
    readonly task: string;
    readonly since: number;
    readonly dueAt: number | undefined;
    /** What somebody is asked; undefined where time is all it waits for. */
    readonly asks: string | undefined;
    /** Why it is tried again. */
    readonly error: string | undefined;
  }[];
}

/** Never empty. */
export function runReasons(run: RunStands, now: number): readonly string[] {
  if (run.settledAt !== undefined)
    return [run.error ?? `It is over since ${new Date(run.settledAt).toISOString()}.`];
  const by = run.owner === undefined ? "" : ` by ${run.owner}`;
  const reasons = [
    ...(run.isOrphan ? [`The process that carried it on${by} is gone; the next that looks takes it.`] : []),
    ...(run.status === "paused" ? ["It is held until somebody resumes it."] : []),
    ...(run.status === "ready" ? ["It may go on, and nobody has taken it yet."] : []),
    ...(run.isOrphan
      ? []
      : run.atWork.map(({ task, startedAt }) => `${task} is at work for ${age(now - startedAt)}${by}.`)),
    ...run.waits.map((wait) => waitReason(wait, now)),
  ];
  return reasons.length > 0 ? reasons : [`It is carried on${by}, between two tasks.`];
}

function waitReason(wait: RunStands["waits"][number], now: number): string {
  const { task, since, dueAt, asks, error } = wait;
  if (asks !== undefined) {
    const auto = dueAt === undefined ? "" : `, and answers itself in ${age(Math.max(0, dueAt - now))}`;
    return `${task} waits for ${age(now - since)} for an answer${auto}.`;
  }
  const until = dueAt === undefined ? "" : ` at ${new Date(dueAt).toISOString()}`;
  return error === undefined ? `${task} goes on${until}.` : `${task} is tried again${until}; it failed.`;
}

/** Why an order was not carried out. */
export const runRefusals = {
  stale: (status: string): string =>
    `Not done: the run went on while you were reading, and is ${status} now. This is how it stands; ask again if you still want it.`,
  answered: (task: string, by: string | undefined, how: string, ago: number): string =>
    `Not taken: ${by ?? "somebody else"} answered "${task}" ${age(Math.max(0, ago))} ago${how === "" ? "" : `: ${how}`}.`,
  gone: (task: string): string =>
    `Not taken: "${task}" waits no longer; the run went on without an answer to it. This is how it stands.`,
  ticketsRun: (verb: string): string =>
    `Not done: it is a run of a ticket, which the ticket's own story carries on. Only runs of a workflow file ${verb}.`,
  retryTicket: "Not done: it is a run of a ticket; retry the ticket instead.",
  over: (status: string): string => `Not done: the run is ${status} already.`,
  notHeld: (status: string): string => `Not done: the run is ${status}; only what is held is resumed.`,
  atWork: (owner: string): string =>
    `Not done: it is at work in ${owner}. Hold it or cancel it first, and try again once that has let go of it.`,
  moved: "Not done: somebody else changed it meanwhile. This is how it stands.",
  noFrame: (last: number): string => `Not done: it has frames 0 to ${last}.`,
  noChange: "Not done: it was never rewound, so there is nothing to take back.",
  nothingFailed: "Not done: no task ended it by failing; rewind it to a frame instead.",
  finished: (status: string): string =>
    `Not done: it is ${status}; do a part of it again by rewinding it to a frame.`,
  taken: "Not done: another run has that name already. Ask again.",
  broken: (why: string): string => `Not done: its workflow file cannot be used: ${why}`,
  noDesk: "Not done: nothing here carries out orders to runs.",
  operatorsOnly: "A run of no ticket is for operators alone.",
  lookOnly: "You may look at this run; to act on it you need to be able to push to its ticket's repository.",
} as const;
