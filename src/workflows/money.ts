import { Trouble } from "../ports.ts";
import type { AgentOutcome } from "../ports-agents.ts";
import type { TicketWork } from "./work.ts";

/** Codes of an outcome that mean: the money set aside for this run is gone. */
const spentCodes: ReadonlySet<string> = new Set(["run-budget", "budget"]);
export const isSpent = (outcome: AgentOutcome): boolean =>
  outcome.is === "failed" && spentCodes.has(outcome.code);

/** The outcome of a turn that was stopped because the run has nothing left. */
export const stoppedForMoney: AgentOutcome = {
  is: "failed",
  how: "unfinished",
  code: "run-budget",
  why: "the run has spent what it may",
};

/**
 * Says that the run has spent what it may, and stays until it is held. Whoever allows more lets the run go on: the task is
 * performed again with what it remembers, so the session goes on in the same worktree. Throws a permanent `Trouble` for a run
 * without money set aside: nobody would ever hold it.
 */
export async function holdForMoney(
  work: TicketWork,
  run: string,
  key: string,
  signal: AbortSignal,
): Promise<never> {
  signal.throwIfAborted();
  const told = await work.money.spent(run, key);
  signal.throwIfAborted();
  if (told === "nothing set aside")
    throw new Trouble("run-without-money", `no money is set aside for ${run}, so no agent may work on it`, {
      permanent: true,
    });
  return await new Promise<never>((_, reject) => {
    const leave = (): void => reject(signal.reason as Error);
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
  });
}
