/** Limits the kernel keeps for each process; `prlimit` is part of util-linux, which every Linux has. */
import type { ProcessOrder } from "../processes/agent-process.ts";
import { programAt } from "../processes/program.ts";
import type { ResourceLimits } from "./resource-limits.ts";

const mib = 1024 * 1024;
const systemPath = "/usr/bin:/bin:/run/current-system/sw/bin";

/**
 * What stands before a program to run it under these limits. Memory is not among them: runtimes reserve far more of it
 * than they use, so what they really use is watched instead.
 */
export function limiter(limits: ResourceLimits, who: "one-user" | "one-namespace"): readonly string[] {
  const flags = [
    ...(limits.diskMb === undefined ? [] : [`--fsize=${limits.diskMb * mib}`]),
    // Counted over all that a user runs: only in a namespace of its own are these the order's.
    ...(limits.processes === undefined || who === "one-user" ? [] : [`--nproc=${limits.processes}`]),
  ];
  const prlimit = flags.length === 0 ? undefined : programAt("prlimit", systemPath);
  return prlimit === undefined ? [] : [prlimit, ...flags, "--"];
}

/** The order with this before its program. One whose program is not there is left alone, to fail as it would by itself. */
export function behind(order: ProcessOrder, before: readonly string[]): ProcessOrder {
  const [file, ...args] = before;
  if (file === undefined || programAt(order.file, order.env["PATH"], order.cwd) === undefined) return order;
  return { ...order, file, args: [...args, order.file, ...order.args] };
}
