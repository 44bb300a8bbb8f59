/** One short text for all that an agent wrote in a worktree: equal only while no file changes. */
import { createHash, type Hash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { Workspace } from "../../ports.ts";
import { compare } from "./compare.ts";
import { trustMirror } from "./mirror.ts";
import { placeOf, requireSha } from "./paths.ts";
import { resolve } from "./commits.ts";
import { type Yard } from "./yard.ts";

/** A longer file is told by its size and the time of its last change. */
const mostBytes = 1024 * 1024;
/** Of more files than these only the names count. */
const mostFiles = 2_000;

/** What differs from a commit, by content; ignored files do not count. */
export async function fingerprint(
  yard: Yard,
  tree: Parameters<Workspace["fingerprint"]>[0],
): Promise<string> {
  const at = placeOf(yard.root, tree.path);
  await trustMirror(at.mirror);
  const head = tree.head ?? (await resolve(yard, at, ["HEAD"]))[0] ?? "";
  requireSha(head);
  const order = { ...at, admin: at.mirror };
  const { changed, missing, extra } = await compare(yard, order, head, "without ignored");
  const hash = createHash("sha256").update(JSON.stringify([changed, missing, extra]));
  for (const name of [...changed, ...extra].slice(0, mostFiles)) await add(hash, join(at.path, name));
  return hash.digest("hex");
}

async function add(hash: Hash, path: string): Promise<void> {
  // It may go, or become something else, while we look: then the next look tells.
  try {
    const found = await lstat(path);
    if (found.isSymbolicLink()) hash.update(await readlink(path));
    else {
      const isShort = found.isFile() && found.size <= mostBytes;
      // What is closed to us is told like what is too long.
      const content = isShort ? await contentOf(path).catch(() => undefined) : undefined;
      hash.update(content ?? `${found.size} ${found.mtimeMs}`);
    }
  } catch {
    hash.update("gone");
  }
}

/** Neither a link nor a pipe put in its place can lead us away or hold us up. */
async function contentOf(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const bytes = Buffer.alloc(mostBytes);
    const { bytesRead } = await file.read(bytes, 0, mostBytes, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
