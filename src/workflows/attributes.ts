import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Nobody writes more rules than this by hand. */
const mostBytes = 1024 * 1024;

/**
 * What `.gitattributes` of a checkout says. A change of that file is a protected one, so without a person's word it is as
 * on the default branch.
 */
export async function attributesIn(folder: string): Promise<string | undefined> {
  const path = join(folder, ".gitattributes");
  const found = await lstat(path).catch(() => undefined);
  // A link could lead anywhere.
  if (found === undefined || !found.isFile() || found.size > mostBytes) return undefined;
  return await readFile(path, "utf8");
}
