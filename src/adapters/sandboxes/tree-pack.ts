/** Folders of this host as one tar stream for a host or a pod elsewhere. */
import { createHash } from "node:crypto";
import { open, readdir, readlink, lstat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pack, type Pack } from "tar-stream";
import { Trouble } from "../../ports.ts";
import type { TreeEntry, TreeListing } from "./tree-listing.ts";

/** A folder or a single file to be sent, under this name of the stream. */
export interface SentFolder {
  readonly name: string;
  readonly from: string;
  /** Names of the stream that stay here. */
  readonly without: readonly string[];
}
/** A text of ours to be sent beside the folders. */
export interface SentText {
  readonly name: string;
  readonly text: string;
  readonly mode: number;
}
/** Of all that is sent together, unless the caller allows less. */
const mostBytes = 8 * 1024 ** 3;
/** Read at once, and held while it is sent. */
const pieceBytes = 1024 * 1024;

interface Walk {
  readonly stream: Pack;
  readonly listing: Map<string, TreeEntry>;
  left: number;
}

/**
 * Starts to pack; `listings` resolves when everything was read, one listing a folder. Sockets, devices and pipes stay
 * here. What changes while it is read fails the whole. Folders that are there already are not made anew.
 */
export function packTrees(
  folders: readonly SentFolder[],
  texts: readonly SentText[],
  tops: "new" | "there" = "new",
): { readonly stream: Readable; readonly listings: Promise<readonly TreeListing[]> } {
  const stream = pack();
  const budget = { left: mostBytes };
  const packed = async (): Promise<readonly TreeListing[]> => {
    const listings: TreeListing[] = [];
    for (const { name, text, mode } of texts) {
      await new Promise<void>((resolve, reject) =>
        stream.entry({ name, mode, mtime: new Date(0), type: "file" }, text, (error) =>
          error ? reject(error) : resolve(),
        ),
      );
    }
    for (const folder of folders) {
      const walk: Walk = { stream, listing: new Map(), left: budget.left };
      const kind = await kindOf(folder.from);
      const top = kind === "file" ? dirname(folder.name) : folder.name;
      if (tops === "new") stream.entry({ name: top, mode: 0o755, mtime: new Date(0), type: "directory" });
      if (kind === "file") await packEntry(walk, folder, "");
      if (kind === "folder") await packFolder(walk, folder, "");
      budget.left = walk.left;
      listings.push(walk.listing);
    }
    stream.finalize();
    return listings;
  };
  const listings = packed();
  listings.catch((error: unknown) =>
    stream.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return { stream: Readable.from(stream, { objectMode: false }), listings };
}

async function kindOf(path: string): Promise<"file" | "folder" | "nothing"> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  if (found === undefined) return "nothing";
  return found.isDirectory() ? "folder" : "file";
}

async function packFolder(walk: Walk, folder: SentFolder, inside: string): Promise<void> {
  const names = await readdir(join(folder.from, inside), { encoding: "buffer" });
  for (const raw of names.toSorted(Buffer.compare)) {
    const name = raw.toString("utf8");
    const path = inside === "" ? name : `${inside}/${name}`;
    if (folder.without.includes(`${folder.name}/${path}`)) continue;
    if (!Buffer.from(name, "utf8").equals(raw))
      throw unsendable(join(folder.from, inside, name), "its name is not UTF-8: rename it");
    await packEntry(walk, folder, path);
  }
}

async function packEntry(walk: Walk, folder: SentFolder, path: string): Promise<void> {
  const from = join(folder.from, path);
  const found = await lstat(from);
  const name = path === "" ? folder.name : `${folder.name}/${path}`;
  const mode = found.mode & 0o777;
  const mtime = found.mtime;
  if (found.isDirectory()) {
    walk.listing.set(path, { type: "folder", mode: 0, holds: undefined });
    walk.stream.entry({ name, mode: mode | 0o700, mtime, type: "directory" });
    return await packFolder(walk, folder, path);
  }
  if (found.isSymbolicLink()) {
    const linkname = await readlink(from);
    walk.listing.set(path, { type: "link", mode: 0, holds: linkname });
    walk.stream.entry({ name, mode, mtime, type: "symlink", linkname });
    return;
  }
  if (!found.isFile()) return;
  walk.left -= found.size;
  if (walk.left < 0)
    throw unsendable(folder.from, `it holds more than ${mostBytes / 1024 ** 3} GB: clean it up`);
  const holds = await packFile(walk.stream, { name, mode, mtime, size: found.size }, from);
  walk.listing.set(path, { type: "file", mode, holds });
}

async function packFile(
  stream: Pack,
  header: { readonly name: string; readonly mode: number; readonly mtime: Date; readonly size: number },
  from: string,
): Promise<string> {
  const hash = createHash("sha256");
  const file = await open(from, "r");
  try {
    const packed = Promise.withResolvers<void>();
    const entry = stream.entry({ ...header, type: "file" }, (error) =>
      error ? packed.reject(error) : packed.resolve(),
    );
    packed.promise.catch(() => undefined);
    for (let at = 0; at < header.size;) {
      const piece = Buffer.alloc(Math.min(pieceBytes, header.size - at));
      const { bytesRead } = await file.read(piece, 0, piece.length, at);
      if (bytesRead === 0) throw unsendable(from, "it was changed while it was sent");
      const bytes = piece.subarray(0, bytesRead);
      hash.update(bytes);
      at += bytesRead;
      if (!entry.write(bytes)) await Promise.race([drained(entry), packed.promise]);
    }
    entry.end(null);
    await packed.promise;
    return hash.digest("hex");
  } finally {
    await file.close();
  }
}

const drained = (stream: ReturnType<Pack["entry"]>): Promise<void> =>
  new Promise((resolve) => {
    stream.once("drain", () => resolve());
    stream.once("close", () => resolve());
  });

const unsendable = (path: string, why: string): Trouble =>
  new Trouble("sandbox-unsendable", `${path} cannot be sent to where the agent runs: ${why}`);
