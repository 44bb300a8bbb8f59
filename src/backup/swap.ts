/** Files take the place of others: what was there is kept under another name, and no moment has neither. */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname } from "node:path";

/** Keeps the file under a second name, where there is one. */
export function keepAside(path: string, aside: string): string | undefined {
  if (!existsSync(path)) return undefined;
  linkSync(path, aside);
  return aside;
}

/** Puts a file of ours in this place, whole and durable; `source` stays. */
export function putInPlace(source: string, path: string): void {
  const draft = `${path}.putting-${process.pid}`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(draft, { force: true });
  try {
    copyFileSync(source, draft);
    chmodSync(draft, 0o600);
    sync(draft);
    renameSync(draft, path);
    sync(dirname(path));
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Puts one database in the place of another that nobody has open. A log that lies beside the old one goes aside with it:
 * beside another database it would be taken for that one's.
 */
export function swapDatabase(fresh: string, path: string, suffix: string): string | undefined {
  const aside = keepAside(path, `${path}${suffix}`);
  for (const log of ["-wal", "-shm"])
    if (existsSync(path + log)) renameSync(path + log, `${path}${suffix}${log}`);
  putInPlace(fresh, path);
  return aside;
}

function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
