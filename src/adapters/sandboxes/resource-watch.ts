/**
 * Adds up what the processes of an order use, because the kernel's own limits count each process alone, or everything
 * its user runs. It looks a few times a second: a limit is passed for that long before the order is ended.
 */
import { readFileSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../ports.ts";
import type { Allowance, Exceeded, ResourceLimits } from "./resource-limits.ts";

/** Between two looks at the processes. */
const lookMs = 250;
/** Between two looks at the disk, and at least this many times as long as a look takes. */
const diskLookMs = 1_000;
const diskRest = 20;
const mib = 1024 * 1024;
/** What a block of `st_blocks` and a page of `statm` hold. */
const blockBytes = 512;
const pageBytes = 4096;

/** Watches until the signal aborts, or a limit is passed: then it says which, once. */
export function watchResources(
  { limits, folders }: Allowance,
  members: () => readonly number[],
  clock: Clock,
  signal: AbortSignal,
): Promise<Exceeded | undefined> {
  const looks = [
    ...(limits.memoryMb === undefined && limits.processes === undefined
      ? []
      : [watchProcesses(limits, members, clock, signal)]),
    ...(limits.diskMb === undefined ? [] : [watchDisk(limits.diskMb, folders, clock, signal)]),
  ];
  return looks.length === 0 ? Promise.resolve(undefined) : Promise.race(looks);
}

async function watchProcesses(
  { memoryMb, processes }: ResourceLimits,
  members: () => readonly number[],
  clock: Clock,
  signal: AbortSignal,
): Promise<Exceeded | undefined> {
  while (await rested(lookMs, clock, signal)) {
    const used = members().map(usedBy);
    const sum = (what: "bytes" | "threads"): number => used.reduce((all, one) => all + one[what], 0);
    if (processes !== undefined && sum("threads") > processes) return "processes";
    if (memoryMb !== undefined && sum("bytes") > memoryMb * mib) return "memory";
  }
  return undefined;
}

async function watchDisk(
  diskMb: number,
  folders: readonly string[],
  clock: Clock,
  signal: AbortSignal,
): Promise<Exceeded | undefined> {
  let restMs = 0;
  while (await rested(restMs, clock, signal)) {
    const began = clock.now();
    let bytes = 0;
    for (const folder of folders) bytes += await sizeOf(folder, diskMb * mib - bytes, signal);
    if (bytes > diskMb * mib) return "disk";
    restMs = Math.max(diskLookMs, (clock.now() - began) * diskRest);
  }
  return undefined;
}

const rested = (ms: number, clock: Clock, signal: AbortSignal): Promise<boolean> =>
  clock.until(clock.now() + ms, signal).then(
    () => !signal.aborted,
    () => false,
  );

/** Threads and own memory of a process; nothing of one that is gone. */
function usedBy(pid: number): { readonly threads: number; readonly bytes: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const threads = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[17]);
    const [, resident = 0, shared = 0] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ").map(Number);
    return { threads, bytes: Math.max(0, resident - shared) * pageBytes };
  } catch {
    return { threads: 0, bytes: 0 };
  }
}

/** On the disk, links not followed; counting ends once it is more than enough. */
async function sizeOf(folder: string, enough: number, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  const waiting = [folder];
  for (let at = waiting.pop(); at !== undefined && bytes <= enough; at = waiting.pop()) {
    if (signal.aborted) return 0;
    const found = await readdir(at, { withFileTypes: true }).catch(() => []);
    for (const one of found) {
      const path = join(at, one.name);
      if (one.isDirectory()) waiting.push(path);
      bytes += ((await lstat(path).catch(() => undefined))?.blocks ?? 0) * blockBytes;
    }
  }
  return bytes;
}
