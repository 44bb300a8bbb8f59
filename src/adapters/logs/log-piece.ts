/** Reads a session's log piece by piece: no look costs more than so much, however much there is. */
import { open, type FileHandle } from "node:fs/promises";
import type { LogLine, LogPiece, ReadLogPiece } from "../../session-logs.ts";
import { memberBytes, memberHeaderBytes, membersIn, unpackMembers, type Member } from "./gzip-members.ts";
import { linesOf } from "./session-log-reader.ts";

/** Read of the file at one look. */
const pieceBytes = 128 * 1024;
/** Unpacked at one look, unless a single member holds more. */
const pieceText = 128 * 1024;
/** A member longer than that is damage: none of ours comes near. */
const longestMember = 4 * 1024 * 1024;

export const readLogPiece: ReadLogPiece = async (path, from) => {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    return from === "end" || from > size
      ? await newest(file, size)
      : await pieceAt(file, size, Math.max(0, from));
  } finally {
    await file.close();
  }
};

/** The last lines there are. */
async function newest(file: FileHandle, size: number): Promise<LogPiece> {
  const at = Math.max(0, size - pieceBytes);
  const bytes = await bytesAt(file, at, size - at);
  const last = fitting(membersIn(bytes).toReversed()).toReversed();
  const [first] = last;
  const end = last.at(-1)?.to ?? 0;
  if (first === undefined) return { lines: [], from: size, next: size, size };
  return { lines: linesIn(bytes.subarray(first.from, end)), from: at + first.from, next: at + end, size };
}

function linesIn(bytes: Buffer): readonly LogLine[] {
  const { texts, used } = unpackMembers(bytes);
  return linesOf(used < bytes.length ? [...texts, undefined] : texts);
}

/** The lines from here on. */
async function pieceAt(file: FileHandle, size: number, from: number): Promise<LogPiece> {
  const bytes = await wholeAt(file, size, from);
  const members = membersIn(bytes);
  const end = fitting(members).at(-1)?.to;
  if (end !== undefined) {
    return { lines: linesIn(bytes.subarray(0, end)), from, next: from + end, size };
  }
  // Nothing whole in so many bytes: what is not the end of a growing file is damage, and is passed over.
  const length = memberBytes(bytes.subarray(0, memberHeaderBytes)) ?? 0;
  const isGrowing = length <= longestMember && from + length > size;
  const isDamage = !isGrowing && size - from > bytes.length;
  return {
    lines: isDamage ? linesOf([undefined]) : [],
    from,
    next: isDamage ? from + bytes.length : from,
    size,
  };
}

/** So many of these as may be unpacked at one look; the first in any case. */
function fitting(members: readonly Member[]): readonly Member[] {
  let left = pieceText;
  return members.filter(({ textBytes }, index) => {
    const fits = index === 0 || (left > 0 && textBytes <= left);
    left = fits ? left - textBytes : -1;
    return fits;
  });
}

/** A piece of the file, or the whole of the member that begins it. */
async function wholeAt(file: FileHandle, size: number, from: number): Promise<Buffer> {
  const bytes = await bytesAt(file, from, Math.min(pieceBytes, size - from));
  const length = memberBytes(bytes.subarray(0, memberHeaderBytes));
  return length === undefined || length <= bytes.length || length > longestMember || from + length > size
    ? bytes
    : await bytesAt(file, from, length);
}

async function bytesAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, at + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
