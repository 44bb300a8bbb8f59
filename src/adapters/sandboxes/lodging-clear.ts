/** Takes back what runs left in their lodgings when the process that housed them died. */
import { execFile } from "node:child_process";
import { readFile, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { processAt } from "../processes/process-table.ts";

const run = promisify(execFile);
/** A session nobody went on with for this long is forgotten; the work itself is in git. */
const sessionDays = 90;
const dayMs = 24 * 60 * 60_000;
const chmodMs = 60_000;

/** The name of a run's folder tells whether its process still lives. */
export const runFolder = (name: string): string =>
  `run-${process.pid}-${processAt(process.pid)?.start ?? 0}-${name}`;
export const doorPrefix = (): string =>
  `forgehand-model-${process.pid}-${processAt(process.pid)?.start ?? 0}-`;

/** Below the folder of one runtime: runs whose process is gone, and sessions too old to be resumed. */
export async function clearLodgings(house: string, now: number): Promise<void> {
  for (const id of await namesIn(house)) {
    if (!/^[0-9a-f]{16}$/u.test(id)) continue;
    const own = join(house, id);
    const folders = await namesIn(own);
    for (const name of folders) if (isLeft(name, "run-")) await removeWhole(join(own, name));
    const { mtimeMs } = await stat(own).catch(() => ({ mtimeMs: now }));
    const isInUse = folders.some((name) => name.startsWith("run-") && !isLeft(name, "run-"));
    if (!isInUse && now - mtimeMs > sessionDays * dayMs) await removeWhole(own);
  }
  const pointers = join(house, "by-session");
  const names = await namesIn(pointers);
  // After the pointers: each is written once its session is there.
  const ids = new Set(await namesIn(house));
  for (const name of names) {
    const id = await readFile(join(pointers, name), "utf8").catch(() => undefined);
    if (id !== undefined && !ids.has(id)) await rm(join(pointers, name), { force: true });
  }
}

/** Sockets of processes that are gone. */
export async function clearDoors(folder: string): Promise<void> {
  const left = (await namesIn(folder)).filter((name) => isLeft(name, "forgehand-model-"));
  // Somebody else's of that name are theirs to clear.
  for (const name of left)
    await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined);
}

/** Deletes a folder an agent could close to us. */
export async function removeWhole(folder: string): Promise<void> {
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  await remove().catch(async () => {
    await run("/bin/chmod", ["-R", "u+rwX", "--", folder], { timeout: chmodMs }).catch(() => undefined);
    await remove();
  });
}

function isLeft(name: string, prefix: string): boolean {
  if (!name.startsWith(prefix)) return false;
  const [, pid, start] = /^(\d+)-(\d+)-/u.exec(name.slice(prefix.length)) ?? [];
  return pid !== undefined && processAt(Number(pid))?.start !== Number(start);
}

const namesIn = (folder: string): Promise<readonly string[]> => readdir(folder).catch(() => []);
