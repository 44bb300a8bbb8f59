/**
 * Folders as they come back from a host or a pod an agent worked on. Whoever worked there may have written every byte
 * of the stream, so nothing of it is believed: it is laid into an empty folder of ours, entry by entry, by a reader
 * that knows files, folders and links and refuses every path that would lead out.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, link, mkdir, open, readFile, rm, stat, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { extract, type Header } from "tar-stream";
import { Trouble } from "../../ports.ts";
import { same, type TreeEntry, type TreeListing } from "./tree-listing.ts";

/** A folder that was sent under this name. */
export interface ExpectedFolder {
  readonly name: string;
  /** Where it lies on this host. */
  readonly home: string;
  readonly sent: TreeListing;
  /** Names at its top that are not taken. */
  readonly without: readonly string[];
}
export interface ReceiveLimits {
  readonly bytes: number;
  readonly entries: number;
}
/** Unless the order says otherwise. */
export const receiveLimits: ReceiveLimits = { bytes: 8 * 1024 ** 3, entries: 1_000_000 };

/** The last entry of a stream that is whole: a cut one looks like a shorter one otherwise. */
export const lastName = "whole";

interface Folder {
  readonly expected: ExpectedFolder;
  readonly back: Map<string, TreeEntry>;
}
interface Receiving {
  readonly into: string;
  readonly limits: ReceiveLimits;
  readonly folders: ReadonlyMap<string, Folder>;
  bytes: number;
  entries: number;
}
type Entry = AsyncIterable<Uint8Array> & { readonly header: Header; resume(): unknown };

/**
 * Reads the stream to its end and answers what each folder holds now. Files that differ from what was sent lie below
 * `into`, under the folder's name; the others are not kept.
 */
export async function receiveTrees(
  stream: Readable,
  folders: readonly ExpectedFolder[],
  into: string,
  limits: ReceiveLimits = receiveLimits,
): Promise<readonly TreeListing[]> {
  await rm(into, { recursive: true, force: true });
  await mkdir(into, { recursive: true, mode: 0o700 });
  const receiving: Receiving = {
    into,
    limits,
    folders: new Map(folders.map((expected) => [expected.name, { expected, back: new Map() }])),
    bytes: 0,
    entries: 0,
  };
  for (const { name } of folders) await mkdir(join(into, name), { recursive: true, mode: 0o700 });
  const reader = extract();
  stream.on("error", (error) => reader.destroy(error));
  stream.pipe(reader);
  let whole = false;
  try {
    for await (const entry of reader as unknown as AsyncIterable<Entry>) {
      if (entry.header.name === lastName) whole = true;
      else await receiveEntry(receiving, entry);
      entry.resume();
    }
  } catch (error) {
    if (error instanceof Trouble) throw error;
    throw cutOff(error);
  } finally {
    stream.destroy();
  }
  if (!whole) throw cutOff(undefined);
  return folders.map(({ name }) => receiving.folders.get(name)?.back ?? new Map());
}

async function receiveEntry(receiving: Receiving, entry: Entry): Promise<void> {
  const { header } = entry;
  receiving.entries += 1;
  receiving.bytes += header.type === "file" ? header.size : 0;
  checkSize(receiving);
  const found = whoseIs(receiving, header.name);
  if (found === undefined) throw refused(`${quoted(header.name)} was never sent there`);
  const { folder, steps } = found;
  const [top] = steps;
  if (top === undefined || folder.expected.without.includes(top)) return;
  const path = steps.join("/");
  const { back, expected } = folder;
  const parent = steps.slice(0, -1).join("/");
  if (parent !== "" && back.get(parent)?.type !== "folder")
    throw refused(`${quoted(header.name)} lies in what is no folder`);
  if (back.has(path)) throw refused(`${quoted(header.name)} comes twice`);
  const to = join(receiving.into, expected.name, ...steps);
  const taken = await take(receiving, entry, { to, sent: expected.sent.get(path) });
  if (taken !== undefined) back.set(path, taken);
}

function checkSize({ entries, bytes, limits }: Receiving): void {
  if (entries > limits.entries) throw refused(`it holds more than ${limits.entries} files`);
  if (bytes > limits.bytes) throw refused(`it holds more than ${Math.floor(limits.bytes / 1024 ** 2)} MB`);
}

function whoseIs(
  { folders }: Receiving,
  name: string,
): { readonly folder: Folder; readonly steps: readonly string[] } | undefined {
  const all = stepsOf(name);
  for (let count = 1; count <= all.length; count += 1) {
    const folder = folders.get(all.slice(0, count).join("/"));
    if (folder !== undefined) return { folder, steps: all.slice(count) };
  }
  return undefined;
}

/** Lays down one entry; undefined for what is neither file, folder nor link. */
async function take(
  receiving: Receiving,
  entry: Entry,
  { to, sent }: { readonly to: string; readonly sent: TreeEntry | undefined },
): Promise<TreeEntry | undefined> {
  const { header } = entry;
  switch (header.type) {
    case "directory":
      await mkdir(to, { mode: 0o700 });
      return { type: "folder", mode: 0, holds: undefined };
    case "symlink": {
      if (header.linkname === "" || header.linkname.includes("\0"))
        throw refused(`${quoted(header.name)} is a link to nowhere`);
      await symlink(header.linkname, to);
      return { type: "link", mode: 0, holds: header.linkname };
    }
    case "link":
      return await takeTwin(receiving, header, to);
    case "file":
    case "contiguous-file":
      return await takeFile(entry, to, sent);
    default:
      return undefined;
  }
}

async function takeFile(entry: Entry, to: string, sent: TreeEntry | undefined): Promise<TreeEntry> {
  const { header } = entry;
  const hash = createHash("sha256");
  const mode = header.mode & 0o777;
  const file = await open(to, "wx", 0o600);
  try {
    for await (const bytes of entry) {
      hash.update(bytes);
      await file.write(bytes);
    }
    // One that its owner may not read could never be committed.
    await file.chmod(mode | 0o400);
  } finally {
    await file.close();
  }
  const found: TreeEntry = { type: "file", mode, holds: hash.digest("hex") };
  if (same(sent, found)) await rm(to);
  else await utimes(to, header.mtime, header.mtime);
  return found;
}

/** A second name of a file that came before: the same bytes once more. */
async function takeTwin(receiving: Receiving, header: Header, to: string): Promise<TreeEntry> {
  const first = whoseIs(receiving, header.linkname);
  const twin = first?.folder.back.get(first.steps.join("/"));
  if (first === undefined || twin?.type !== "file")
    throw refused(`${quoted(header.name)} is a second name of what did not come`);
  const { name, home } = first.folder.expected;
  try {
    await link(join(receiving.into, name, ...first.steps), to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    // A file that is as it was sent was not kept here: it lies at home. A copy of it takes room like any other file.
    const there = join(home, ...first.steps);
    receiving.bytes += (await stat(there)).size;
    checkSize(receiving);
    await copyFile(there, to, constants.COPYFILE_EXCL);
    const hash = createHash("sha256").update(await readFile(to));
    if (hash.digest("hex") !== twin.holds)
      throw refused(`${quoted(header.linkname)} was changed here since it was sent`);
  }
  return twin;
}

function stepsOf(name: string): readonly string[] {
  if (name.startsWith("/")) throw refused(`${quoted(name)} is an absolute path`);
  const steps = name.replace(/^\.\//u, "").replace(/\/$/u, "").split("/");
  for (const step of steps) {
    if (step === "" || step === "." || step === "..") throw refused(`${quoted(name)} leads elsewhere`);
    // What is not UTF-8 is read as U+FFFD; two such names could be one.
    if (step.includes("\0") || step.includes("\uFFFD")) throw refused(`${quoted(name)} is not UTF-8`);
  }
  return steps;
}

const quoted = (name: string): string => JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);

const refused = (why: string): Trouble =>
  new Trouble("sandbox-refused", `what came back from where the agent ran is refused: ${why}`, {
    permanent: true,
  });

const cutOff = (cause: unknown): Trouble =>
  new Trouble("sandbox-cut-off", "what came back from where the agent ran was cut off; it is fetched again", {
    cause,
  });
