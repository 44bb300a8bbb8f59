import { appendFileSync, closeSync, existsSync, fstatSync, mkdirSync, openSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../../ports.ts";

/** Of one file, before the next is begun. */
const mostBytes = 20 * 1024 * 1024;
/** The one that is written, and those before it: `forgehand.log.1` is the youngest of them. */
const mostFiles = 10;
const dayMs = 24 * 60 * 60_000;

/** Where a process writes its log lines. */
export interface LogFile {
  write(line: string): void;
  /** Opens the path anew, for somebody has moved the file away. */
  reopen(): void;
}
export interface LogFileOptions {
  readonly path: string;
  readonly clock: Pick<Clock, "now">;
  /** Takes the lines that the disk does not. */
  readonly instead: (line: string) => void;
  readonly mostBytes?: number;
}

interface Open {
  readonly file: number;
  bytes: number;
  /** Of the first line, or of the last one before this process. */
  readonly day: number;
}

/**
 * A log file that is turned every day (UTC) and when it is full; the oldest of ten goes. Each line is handed to the system
 * before anything else is done, so that a process that dies leaves none unwritten. Throws where the file cannot be opened;
 * later trouble of the disk ends no process.
 */
export function openLogFile({ path, clock, instead, mostBytes: most = mostBytes }: LogFileOptions): LogFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  let open = openAt(path, clock.now());
  let isTold = false;
  const reopen = (): void => {
    const before = open;
    // Opened first: where that fails the old file is still there to be written.
    open = openAt(path, clock.now());
    isTold = false;
    closeSync(before.file);
  };
  const turn = (): void => {
    // From the oldest, so that a process that dies in between leaves a gap and overwrites nothing. What was moved away
    // already, by us or by somebody else, is not moved on once more.
    for (let number = existsSync(path) ? mostFiles - 2 : -1; number >= 0; number -= 1) {
      const from = number === 0 ? path : `${path}.${number}`;
      rename(from, `${path}.${number + 1}`);
    }
    reopen();
  };
  return {
    reopen: () => attempt(reopen),
    write: (line) => {
      const size = Buffer.byteLength(line);
      const isFull = open.bytes > 0 && open.bytes + size > most;
      if (isFull || (open.bytes > 0 && open.day !== dayOf(clock.now()))) attempt(turn);
      try {
        appendFileSync(open.file, line);
        open.bytes += size;
      } catch (error) {
        tell(error);
        instead(line);
      }
    },
  };

  function attempt(deed: () => void): void {
    try {
      deed();
    } catch (error) {
      tell(error);
    }
  }
  function tell(error: unknown): void {
    if (isTold) return;
    isTold = true;
    instead(
      `the log file ${path} cannot be written: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  }
}

const dayOf = (instant: number): number => Math.floor(instant / dayMs);

function openAt(path: string, now: number): Open {
  const file = openSync(path, "a", 0o600);
  const { size, mtimeMs } = fstatSync(file);
  return { file, bytes: size, day: dayOf(size === 0 ? now : mtimeMs) };
}

function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}
