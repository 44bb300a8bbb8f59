import { readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { DiskUse } from "../ports-host.ts";

/** Files looked at in one measurement; of a folder with more, a part is told. */
const mostFiles = 50_000;
/** Folders right in the data folder that are told of. */
const mostFolders = 50;

const sizeOf = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
};

/** What the data folder and the database take; each file is asked by itself, so that others are served meanwhile. */
export async function diskUse(
  { dataDir, database }: { readonly dataDir: string; readonly database: string },
  at: number,
): Promise<DiskUse> {
  let left = mostFiles;
  const below = async (folder: string): Promise<number> => {
    let bytes = 0;
    // Whatever is removed while it is counted counts nothing.
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      if (left <= 0) break;
      left -= 1;
      const path = join(folder, entry.name);
      // Of a link nothing but itself lies here.
      if (entry.isDirectory()) bytes += await below(path);
      else if (entry.isFile()) bytes += await sizeOf(path);
    }
    return bytes;
  };
  const folders: { readonly name: string; readonly bytes: number }[] = [];
  const names = await readdir(dataDir, { withFileTypes: true }).catch(() => []);
  for (const entry of names.filter((one) => one.isDirectory()).slice(0, mostFolders))
    folders.push({ name: entry.name, bytes: await below(join(dataDir, entry.name)) });
  const disk = await statfs(dataDir).catch(() => undefined);
  return {
    databaseBytes: await sizeOf(database),
    walBytes: await sizeOf(`${database}-wal`),
    freeBytes: disk === undefined ? 0 : disk.bavail * disk.bsize,
    folders: folders.toSorted((one, other) => other.bytes - one.bytes),
    isPartial: left <= 0,
    at,
  };
}
