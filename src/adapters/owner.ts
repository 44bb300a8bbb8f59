import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** A process, told apart from a later one with the same pid by when it started. */
export interface ProcessOwner {
  readonly pid: number;
  readonly startedAt: string;
  readonly host: string;
}

/** Field 22 of /proc/<pid>/stat: clock ticks between boot and the start of the process; with the boot's id it is unique. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command in parentheses may hold spaces and parentheses itself, so count from its end; field 3 is the state.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}:${fields[19] ?? ""}`;
  } catch {
    return undefined;
  }
}

/** Without /proc the pid alone must do. */
const withoutProc = "unknown";

export function thisProcess(): ProcessOwner {
  return { pid: process.pid, startedAt: startOf(process.pid) ?? withoutProc, host: hostname() };
}

export function isThisProcess(owner: ProcessOwner): boolean {
  const { pid, startedAt, host } = thisProcess();
  return owner.pid === pid && owner.startedAt === startedAt && owner.host === host;
}

/** Certain only about this host: an owner elsewhere counts as alive. */
export function isDead(owner: ProcessOwner): boolean {
  if (owner.host !== hostname()) return false;
  if (owner.startedAt !== withoutProc) return startOf(owner.pid) !== owner.startedAt;
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
