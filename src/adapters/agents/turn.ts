import { existsSync } from "node:fs";
import { Trouble } from "../../ports.ts";
import type { Clock, Instant } from "../../ports.ts";
import type { AgentOutcome, AgentSays, SessionId, Usage, WorkOrder } from "../../ports-agents.ts";
import { usdOf } from "../../pricing.ts";
import { failed, failureOf, processFailure, type RuntimeFacts } from "./failure.ts";
import { runProcess, type ProcessEnd, type ProcessOrder } from "../processes/agent-process.ts";
import { runConfined } from "../sandboxes/run-confined.ts";
import type { Confinement, Sandbox } from "../sandboxes/sandbox.ts";
import {
  isNothing,
  larger,
  minus,
  noUsage,
  plus,
  usedSince,
  type SessionTotals,
  type TotalsStore,
} from "./session-totals.ts";

/** What a runtime's stream shows, before its cumulative counts are made into deltas. */
export type Seen =
  | Extract<AgentSays, { type: "session" | "model" | "text" | "tool" | "waiting" }>
  /** Counted by the runtime over the whole session. */
  | { readonly type: "total"; readonly usage: Usage }
  /** Our own count of this run so far, until the runtime gives its own. */
  | { readonly type: "estimate"; readonly usage: Usage };

/** Reads one run of one runtime. Never throws, whatever the lines hold. */
export interface AgentStream {
  read(line: string): readonly Seen[];
  /** The answer is there; only the process has still to end. */
  answered(): boolean;
  outcome(end: ProcessEnd): AgentOutcome;
}

export interface TurnOptions {
  readonly runtime: RuntimeFacts;
  readonly order: WorkOrder;
  readonly process: Pick<ProcessOrder, "file" | "args" | "env" | "input">;
  /** Where it runs; undefined where we run ourselves. Named even then, so that no runtime leaves its sandbox by oversight. */
  readonly place: { readonly sandbox: Sandbox; readonly confinement: Confinement } | undefined;
  readonly stream: AgentStream;
  readonly totals: TotalsStore;
  readonly clock: Clock;
  /** What can be seen beside the stream after this line, or after the end. */
  readonly beside?: ((line: string | undefined) => Promise<readonly Seen[]>) | undefined;
  /** Who counts dollars: a runtime that keeps its own budget is not ended by our guess at a price. */
  readonly priced: "by-runtime" | "by-us";
}

/** One run of an agent: its lines as `AgentSays`, its counts as deltas, its limits kept, exactly one result, last. */
export async function* runTurn(turn: TurnOptions, signal: AbortSignal): AsyncGenerator<AgentSays> {
  const { runtime, order, stream, clock } = turn;
  const fault = orderFault(order, runtime, clock.now());
  if (fault !== undefined) return yield { type: "result", outcome: fault };
  const stop = new AbortController();
  const meter = usageMeter(turn);
  let end: ProcessEnd | undefined;
  let trouble: unknown;
  try {
    const process: ProcessOrder = {
      ...turn.process,
      cwd: order.cwd,
      stdin: turn.process.input === undefined ? order.prompt : undefined,
      runId: order.runId,
      stallMs: order.limits.stallMs,
      turnMs: order.limits.turnMs,
      place: order.place,
      keep: order.keep,
    };
    const ending = AbortSignal.any([signal, stop.signal]);
    const running =
      turn.place === undefined
        ? runProcess(process, clock, ending)
        : runConfined(turn.place, process, clock, ending);
    for await (const said of running) {
      if (said.type === "end") end = said.end;
      const line = said.type === "line" ? said.line : undefined;
      const seen = line === undefined ? [] : stream.read(line);
      for (const one of [...seen, ...((await turn.beside?.(line)) ?? [])]) yield* meter.take(one);
      if (!stream.answered() && meter.over() !== undefined) stop.abort();
    }
  } catch (error) {
    trouble = error;
  }
  // Whatever became of the place it ran in, what it used is charged.
  yield* meter.settle();
  yield { type: "result", outcome: outcomeOf() };

  function outcomeOf(): AgentOutcome {
    if (end === undefined) {
      const reason = trouble instanceof Error ? trouble.message : String(trouble);
      if (signal.aborted)
        return failed("give-up", "aborted", `${runtime.title} was stopped because the run was`);
      if (trouble instanceof Trouble) return failureOfPlace(trouble, runtime);
      return failed("retry", "agent-failed", `${runtime.title} could not be run: ${reason}`);
    }
    const over = stop.signal.aborted && !signal.aborted ? meter.over() : undefined;
    if (over === "output-limit")
      return failed(
        "unfinished",
        over,
        `${runtime.title} wrote more than the ${order.limits.outputTokens} tokens it may; the session can go on`,
      );
    if (over === "budget")
      return failed("unfinished", over, `${runtime.title} spent the $${order.limits.usd} it may`);
    return processFailure(end, runtime) ?? stream.outcome(end);
  }
}

/** The place where the agent was to run, or had run, could not be used. */
function failureOfPlace(
  { code, message, permanent, retryAt }: Trouble,
  { title }: RuntimeFacts,
): AgentOutcome {
  const why = `${title} could not be run: ${message}`;
  const outcome = failed(permanent ? "blocked" : "retry", code, why);
  return retryAt === undefined ? outcome : { ...outcome, retryAt };
}

/** What would make a flag out of a value, or a missing binary out of a missing folder; undefined when nothing would. */
export function orderFault(order: WorkOrder, runtime: RuntimeFacts, now: Instant): AgentOutcome | undefined {
  if (order.resume !== undefined && !/^\w[\w-]{0,127}$/u.test(order.resume))
    return failureOf("session-unknown", runtime, `${order.resume} is no session id`, now);
  if (order.model !== undefined && !/^\w[^\s]{0,127}$/u.test(order.model))
    return failureOf("model-unknown", runtime, `${order.model} is no model name`, now);
  if (!existsSync(order.cwd))
    return failed(
      "give-up",
      "worktree-missing",
      `${order.cwd} does not exist, so ${runtime.title} has nowhere to work`,
    );
  return undefined;
}

/** Turns what a runtime counts into what was used since the last report, and remembers it for the next process. */
function usageMeter(turn: TurnOptions) {
  const { order, totals, clock } = turn;
  const { prices } = order.limits;
  let session: SessionId | undefined = order.resume;
  let before: SessionTotals | undefined;
  let model: string | undefined;
  let said = noUsage;
  let estimate = noUsage;
  let counted = false;

  async function* report(used: Usage): AsyncGenerator<AgentSays> {
    const usage = minus(used, said);
    if (isNothing(usage)) return;
    said = larger(said, used);
    yield { type: "usage", usage: { ...usage, usd: used.usd === undefined ? undefined : usage.usd } };
  }
  async function keep(next: SessionTotals): Promise<void> {
    // Kept after the listener has stored the delta: a crash in between charges twice rather than never. The same
    // holds when the disk refuses.
    if (session !== undefined) await totals.write(session, next).catch(() => undefined);
  }
  async function known(): Promise<SessionTotals> {
    before ??= session === undefined ? { reported: noUsage, estimated: noUsage } : await totals.read(session);
    return before;
  }

  return {
    take: async function* (seen: Seen): AsyncGenerator<AgentSays> {
      switch (seen.type) {
        case "session":
          session = seen.id;
          return yield seen;
        case "model":
          model ??= seen.id;
          return yield seen;
        case "total": {
          const used = usedSince(await known(), seen.usage);
          const changed = !isNothing(minus(used, said));
          counted = true;
          yield* report(used);
          if (changed) await keep({ reported: seen.usage, estimated: noUsage });
          return;
        }
        case "estimate":
          estimate = seen.usage;
          return;
        case "text":
        case "tool":
        case "waiting":
          return yield seen;
      }
    },
    /** A run that was killed before it was counted is charged by our own count. */
    settle: async function* (): AsyncGenerator<AgentSays> {
      if (counted || isNothing(estimate)) return;
      const { reported, estimated } = await known();
      const usd =
        turn.priced === "by-runtime" ? usdOf(estimate, model, clock.now(), prices).usd : estimate.usd;
      const priced = { ...estimate, usd };
      yield* report(priced);
      await keep({ reported, estimated: plus(estimated, priced) });
    },
    over: (): "output-limit" | "budget" | undefined => {
      const used = larger(said, counted ? noUsage : estimate);
      if (used.outputTokens > order.limits.outputTokens) return "output-limit";
      const price = usdOf(used, model, clock.now(), prices);
      const counts = price.source !== "guess" || turn.priced === "by-us";
      return counts && price.usd > order.limits.usd ? "budget" : undefined;
    },
  };
}
