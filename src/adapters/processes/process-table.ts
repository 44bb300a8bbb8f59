/** The processes of this host as /proc shows them; where there is no /proc, there are none to be seen. */
import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { setTimeout as pause } from "node:timers/promises";

/** One process: its pid may be another's later, its pid and start never. */
export interface ProcessSeen {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Clock ticks since boot. */
  readonly start: number;
}

/** Every pid there is now. */
export function processIds(): readonly number[] {
  try {
    return readdirSync("/proc")
      .map(Number)
      .filter((pid) => pid > 0);
  } catch {
    return [];
  }
}

/** What is running under this pid; undefined when nothing is, or only a zombie. */
export function processAt(pid: number): ProcessSeen | undefined {
  const stat = textOf(`/proc/${pid}/stat`);
  // The command in parentheses may hold spaces and parentheses itself; after it come the state and what we want.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (stat === "" || fields[0] === "Z" || fields[0] === "X") return undefined;
  const [parent = 0, group = 0, session = 0] = fields.slice(1, 4).map(Number);
  return { pid, parent, group, session, start: Number(fields[19]) };
}

/** The `RUN_ID` it was started with; undefined too when it is not ours to read. */
export function runIdOf(pid: number): string | undefined {
  const mark = textOf(`/proc/${pid}/environ`)
    .split("\0")
    .find((variable) => variable.startsWith("RUN_ID="));
  return mark?.slice("RUN_ID=".length);
}

/** Whether it runs as the same user as we do. */
export function isOfOurUser(pid: number): boolean {
  try {
    return statSync(`/proc/${pid}`).uid === process.geteuid?.();
  } catch {
    return false;
  }
}

/** The folder by its real name; undefined when it is gone, or holds more than a workspace would: us, or a home. */
export function workspaceAt(folder: string): string | undefined {
  try {
    const real = realpathSync(folder);
    return real === "/" || isWithin(process.cwd(), real) || isWithin(homedir(), real) ? undefined : real;
  } catch {
    return undefined;
  }
}

/** Whether it stands in the folder or, looked at closely, runs a program from it or holds a file of it open. */
export function isIn(pid: number, folder: string, how: "standing" | "closely"): boolean {
  const at = `/proc/${pid}`;
  if (isWithin(linkOf(`${at}/cwd`), folder)) return true;
  if (how === "standing") return false;
  if (isWithin(linkOf(`${at}/root`), folder) || isWithin(linkOf(`${at}/exe`), folder)) return true;
  try {
    return readdirSync(`${at}/fd`).some((name) => isWithin(linkOf(`${at}/fd/${name}`), folder));
  } catch {
    return false;
  }
}

/** Us, and those who started us: never to be ended. */
export function ourLine(): ReadonlySet<number> {
  const line = new Set<number>();
  for (let pid = process.pid; pid > 0 && !line.has(pid); pid = processAt(pid)?.parent ?? 0) line.add(pid);
  return line;
}

/** Ends it, unless another process has its pid by now. */
export function endProcess({ pid, start }: Pick<ProcessSeen, "pid" | "start">): "ended" | "gone" {
  if (processAt(pid)?.start !== start) return "gone";
  try {
    process.kill(pid, "SIGKILL");
    return "ended";
  } catch {
    // It ended by itself in between, or belongs to somebody else.
    return "gone";
  }
}

/** A killed process may still be inside a system call: how often, and how long apart, we look whether it is gone. */
const goneLooks = 200;
const goneLookMs = 10;

/** Waits until these are gone. */
export async function gone(ended: readonly Pick<ProcessSeen, "pid" | "start">[]): Promise<void> {
  for (const { pid, start } of ended)
    for (let look = 0; look < goneLooks && processAt(pid)?.start === start; look += 1)
      await pause(goneLookMs);
}

const isWithin = (path: string, folder: string): boolean =>
  path === folder || path === `${folder} (deleted)` || path.startsWith(`${folder}/`);

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
