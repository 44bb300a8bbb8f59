/** Where what agents said is kept. */
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";

const nameOf = (key: string): string => createHash("sha256").update(key).digest("hex").slice(0, 24);

/** The file of one session. */
export const logPath = (folder: string, key: string): string => join(folder, `${nameOf(key)}.jsonl.gz`);

/** Beside the database of workflow runs, what is kept of their sessions: a folder a run. */
export const runLogsBeside = (database: string): string => `${resolve(database)}-logs`;
export const runLogName = nameOf;
export const runLogFolder = (database: string, run: string): string =>
  join(runLogsBeside(database), runLogName(run));
