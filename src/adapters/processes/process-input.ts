import type { Writable } from "node:stream";

/** What may wait unread; a process that asks and never listens is told nothing more. */
const maxUnread = 64 * 1024 * 1024;

/** What is said to a process while it runs. */
export interface ProcessInput {
  /** One line; kept until the process is there, and lost once it is gone. */
  say(line: string): void;
  /** The last word: a process that does not leave soon after it is ended. */
  end(): void;
}
/** The same, as it is joined to a process. */
export interface OpenInput extends ProcessInput {
  join(stdin: Writable, onEnd: () => void): void;
}

/** An input that stays open until it is ended, for a conversation instead of one order. */
export function openInput(): OpenInput {
  let waiting: string[] = [];
  let ended = false;
  let joined: { readonly stdin: Writable; readonly onEnd: () => void } | undefined;

  function write(line: string): void {
    if (joined === undefined || joined.stdin.destroyed) return;
    if (joined.stdin.writableLength > maxUnread) joined.stdin.destroy();
    else joined.stdin.write(`${line}\n`);
  }
  function finish(): void {
    if (joined === undefined) return;
    joined.stdin.end();
    joined.onEnd();
  }
  return {
    say: (line) => {
      if (ended) return;
      if (joined === undefined) waiting.push(line);
      else write(line);
    },
    end: () => {
      if (ended) return;
      ended = true;
      finish();
    },
    join: (stdin, onEnd) => {
      joined = { stdin, onEnd };
      // A process that is gone reads no more; how it ended is told elsewhere.
      stdin.on("error", () => undefined);
      for (const line of waiting) write(line);
      waiting = [];
      if (ended) finish();
    },
  };
}
