import type { Clock } from "../../ports.ts";
import { runProcess, type ProcessOrder, type ProcessSays } from "../processes/agent-process.ts";
import type { Confinement, Sandbox } from "./sandbox.ts";

/** Runs a process inside a sandbox. However it ends, the sandbox has been left before the end is said. */
export async function* runConfined(
  where: { readonly sandbox: Sandbox; readonly confinement: Confinement },
  order: ProcessOrder,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<ProcessSays> {
  const entered = await where.sandbox.enter(order, where.confinement);
  let left: Promise<void> | undefined;
  const leave = (): Promise<void> => (left ??= entered.leave());
  try {
    for await (const said of runProcess(entered.order, clock, signal)) {
      if (said.type === "end") await leave();
      yield said;
    }
  } finally {
    await leave();
  }
}
