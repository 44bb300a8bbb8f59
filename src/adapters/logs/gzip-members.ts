/**
 * Text in gzip members that each tell their own length, so that a reader knows a torn or growing end as one. Any tool that
 * reads gzip reads the whole file.
 */
import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";

/** Magic, deflate, a header with an extra field, no time, no name; then our field: its length is 4. */
const opening = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 8, 0, 0x46, 0x48, 4, 0]);
const headerBytes = opening.length + 4;
const trailerBytes = 8;
/** No member of ours comes near; a length beyond it is no length. */
const mostBytes = 64 * 1024 * 1024;

/** One member, whole or not at all. */
export function packMember(text: string): Buffer {
  const plain = Buffer.from(text, "utf8");
  const packed = deflateRawSync(plain);
  const bytes = Buffer.alloc(headerBytes + packed.length + trailerBytes);
  opening.copy(bytes);
  bytes.writeUInt32LE(bytes.length, opening.length);
  packed.copy(bytes, headerBytes);
  bytes.writeUInt32LE(crc32(plain), bytes.length - trailerBytes);
  bytes.writeUInt32LE(plain.length, bytes.length - 4);
  return bytes;
}

/** The length of the member that begins with these bytes; undefined when none does. */
export function memberBytes(header: Buffer): number | undefined {
  if (header.length < headerBytes || !header.subarray(0, opening.length).equals(opening)) return undefined;
  const length = header.readUInt32LE(opening.length);
  return length >= headerBytes + trailerBytes && length <= mostBytes ? length : undefined;
}

/** What there is to read before a member. */
export const memberHeaderBytes = headerBytes;

export interface Unpacked {
  /** One text a member; undefined stands for one that is damaged. */
  readonly texts: readonly (string | undefined)[];
  /** Bytes that were read; what follows is the beginning of a member, or torn. */
  readonly used: number;
}

/** Every whole member. Goes on behind a damaged stretch where a member begins again. */
export function unpackMembers(bytes: Buffer): Unpacked {
  const texts: (string | undefined)[] = [];
  let at = 0;
  while (at + headerBytes <= bytes.length) {
    const length = memberBytes(bytes.subarray(at, at + headerBytes));
    const text = length === undefined ? undefined : textOf(bytes.subarray(at, at + length), length);
    if (text !== undefined && length !== undefined) {
      texts.push(text);
      at += length;
      continue;
    }
    // Torn in the middle, or torn at the end: only a member behind it tells which.
    const next = bytes.indexOf(opening, at + 1);
    if (next === -1) break;
    texts.push(undefined);
    at = next;
  }
  return { texts, used: at };
}

function textOf(member: Buffer, length: number): string | undefined {
  if (member.length < length) return undefined;
  try {
    const plain = inflateRawSync(member.subarray(headerBytes, -trailerBytes), { maxOutputLength: mostBytes });
    return crc32(plain) === member.readUInt32LE(length - trailerBytes) ? plain.toString("utf8") : undefined;
  } catch {
    return undefined;
  }
}

/** Where a member lies, and how much text its end says it holds. */
export interface Member {
  readonly from: number;
  readonly to: number;
  readonly textBytes: number;
}
/** The members that lie whole in these bytes, wherever they begin; nothing is unpacked. */
export function membersIn(bytes: Buffer): readonly Member[] {
  const found: Member[] = [];
  for (let at = 0; at !== -1 && at + headerBytes <= bytes.length;) {
    const length = memberBytes(bytes.subarray(at, at + headerBytes));
    if (length === undefined) at = bytes.indexOf(opening, at + 1);
    else if (at + length > bytes.length) {
      // The beginning of the next, or damaged: only a member behind it tells which.
      at = bytes.indexOf(opening, at + 1);
    } else {
      found.push({ from: at, to: at + length, textBytes: bytes.readUInt32LE(at + length - 4) });
      at += length;
    }
  }
  return found;
}
