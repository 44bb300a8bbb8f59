import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../../ports.ts";
import type { LogKind, SessionLog } from "../../session-logs.ts";
import { logPath } from "./log-paths.ts";
import { memberBytes, memberHeaderBytes, packMember } from "./gzip-members.ts";

/** A member is written when so much has gathered, or this long after its first line. */
const gatheredBytes = 64 * 1024;
const gatherMs = 1_000;
/** Kept of one line. */
const longestLine = 256 * 1024;
/** Read beyond that, so that what must not be kept is seen whole before the line is cut. */
const longestSecret = 20_000;

export interface SessionLogOptions {
  readonly folder: string;
  readonly clock: Clock;
  /** Takes out what must not be kept. */
  readonly redact: (text: string) => string;
  readonly warn: (fields: { readonly path: string; readonly why: string }, message: string) => void;
  /** Text of a session that is kept as its runtime said it. */
  readonly rawBytes?: number;
  /** And of what we heard in it. */
  readonly heardBytes?: number;
}

/** One session's lines on their way to its file. */
interface Sheet {
  readonly path: string;
  lines: string[];
  bytes: number;
  isAwaited: boolean;
  /** The file's end is known to be whole. */
  isSound: boolean;
  left: { raw: number; heard: number };
  /** Lines the disk did not take, and why. */
  lost: number;
  why: string;
  /** Of stdout and of stderr: hides what goes over several lines. */
  readonly hide: Readonly<Record<"stdout" | "stderr", (line: string) => string>>;
}

/**
 * Keeps what the agents say below one folder, compressed, a file a session. A file grows by whole members: a crash costs at
 * most the last second, and what is torn off then goes when the file is written again. A full disk costs the log alone.
 */
export function openSessionLog(options: SessionLogOptions): SessionLog {
  const { clock, redact, rawBytes = 64 * 1024 * 1024, heardBytes = 16 * 1024 * 1024 } = options;
  const sheets = new Map<string, Sheet>();
  const pathOf = (key: string): string => logPath(options.folder, key);
  const sheetOf = (key: string): Sheet => {
    const known = sheets.get(key);
    if (known !== undefined) return known;
    const hide = { stdout: keyHider(redact), stderr: keyHider(redact) };
    const left = { raw: rawBytes, heard: heardBytes };
    const [lines, lost, why]: [string[], number, string] = [[], 0, ""];
    const sheet = {
      path: pathOf(key),
      lines,
      bytes: 0,
      isAwaited: false,
      isSound: false,
      left,
      lost,
      why,
      hide,
    };
    sheets.set(key, sheet);
    return sheet;
  };
  const put = (sheet: Sheet, type: LogKind, text: string): void => {
    const line = JSON.stringify({ at: clock.now(), type, text });
    sheet.lines.push(line);
    sheet.bytes += line.length;
  };
  const write = (sheet: Sheet): void => {
    if (sheet.lines.length === 0) return;
    const { lines, lost, why } = sheet;
    sheet.lines = [];
    sheet.bytes = 0;
    const gap = { at: clock.now(), type: "cut", text: `${lost} lines could not be written: ${why}` };
    try {
      append(sheet, packMember(`${[...(lost > 0 ? [JSON.stringify(gap)] : []), ...lines].join("\n")}\n`));
      sheet.lost = 0;
    } catch (error) {
      sheet.why = error instanceof Error ? error.message : String(error);
      sheet.lost += lines.length;
      if (lost === 0)
        options.warn({ path: sheet.path, why: sheet.why }, "a session's log could not be written");
    }
  };
  const writeSoon = (sheet: Sheet): void => {
    if (sheet.isAwaited) return;
    sheet.isAwaited = true;
    clock.until(clock.now() + gatherMs).then(
      () => {
        sheet.isAwaited = false;
        write(sheet);
      },
      () => undefined,
    );
  };
  return {
    pathOf,
    add: (key, type, said) => {
      const sheet = sheetOf(key);
      const kind = type === "stdout" || type === "stderr" ? "raw" : "heard";
      if (sheet.left[kind] <= 0) return;
      const hide = type === "stdout" || type === "stderr" ? sheet.hide[type] : redact;
      const text = cut(hide(said.slice(0, longestLine + longestSecret)), said.length);
      sheet.left[kind] -= text.length;
      put(sheet, type, text);
      if (sheet.left[kind] <= 0) put(sheet, "cut", whatIsCut[kind]);
      if (sheet.bytes >= gatheredBytes) write(sheet);
      else writeSoon(sheet);
    },
    close: (key) => {
      const sheet = sheets.get(key);
      if (sheet !== undefined) write(sheet);
      sheets.delete(key);
    },
    closeAll: () => {
      for (const sheet of sheets.values()) write(sheet);
      sheets.clear();
    },
  };
}

const whatIsCut = {
  raw: "so much of what the runtime says is kept, and no more",
  heard: "so much of what was heard is kept, and no more",
} as const;
const cut = (line: string, length: number): string =>
  length > longestLine
    ? `${line.slice(0, longestLine)}… [${length - longestLine} more characters are not kept]`
    : line;

/** A private key told line by line has no line that looks like one, but what follows its first line does. */
function keyHider(redact: (text: string) => string): (line: string) => string {
  let isInKey = false;
  return (line) => {
    if (isInKey) isInKey = /^\s*(?:[A-Za-z0-9+/=]{1,200}|[A-Za-z-]{1,40}: .{0,200})?\s*$/u.test(line);
    if (isInKey) return "[private key removed]";
    isInKey = /-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----\s*$/u.test(line);
    return redact(line);
  };
}

/** Adds a member to a session's file behind the last whole one. */
function append(sheet: Sheet, member: Buffer): void {
  mkdirSync(dirname(sheet.path), { recursive: true, mode: 0o700 });
  const file = openSync(sheet.path, "a+", 0o600);
  try {
    const size = fstatSync(file).size;
    const end = sheet.isSound ? size : soundBytes(file, size);
    if (end < size) ftruncateSync(file, end);
    // Whatever fails here leaves a torn end for the next time.
    sheet.isSound = false;
    for (let done = 0; done < member.length;) done += writeSync(file, member, done);
    sheet.isSound = true;
  } finally {
    closeSync(file);
  }
}

/** Where the last whole member ends. */
function soundBytes(file: number, size: number): number {
  const header = Buffer.alloc(memberHeaderBytes);
  let end = 0;
  for (;;) {
    const read = readSync(file, header, 0, header.length, end);
    const length = memberBytes(header.subarray(0, read));
    if (length === undefined || end + length > size) return end;
    end += length;
  }
}
