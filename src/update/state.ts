/** What becomes of an update, written down before each step of it: whoever dies, the next one reads where it stood. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";

/** One version and nothing near it. */
export const versionPattern = /^\d{1,6}\.\d{1,6}\.\d{1,6}(?:-[0-9A-Za-z][0-9A-Za-z.-]{0,60})?$/u;
/** As npm tells it (`dist.integrity`): the only hash that is taken. */
export const integrityPattern = /^sha512-[A-Za-z0-9+/]{86}==$/u;

/** What others say of a failure goes in there too, however long it is. */
const maxWhy = 2_000;

const updateState = z.object({
  id: z.string().min(1).max(200),
  version: z.string().regex(versionPattern),
  integrity: z.string().regex(integrityPattern),
  by: z.string().max(200),
  /** The issue it was asked on. */
  issue: z.object({ repo: z.int(), number: z.int() }).optional(),
  at: z.number(),
  /** What ran when it was asked for. */
  from: z.string().regex(versionPattern),
  /**
   * `asked`, `drained` (nobody serves; the database is copied), `trial` (the new one is in place and must prove itself),
   * `rolling-back`; and its ends: `healthy`, `rolled-back`, `refused`.
   */
  step: z.enum(["asked", "drained", "trial", "rolling-back", "healthy", "rolled-back", "refused"]),
  why: z.string().max(maxWhy).optional(),
  /** The link to go back to; null where it is the launcher's own program. */
  backTo: z.string().regex(versionPattern).nullable().optional(),
  copy: z.string().optional(),
  /** The tables as they were. */
  shape: z.string().optional(),
  /** The copy took the place of the database again. */
  restored: z.boolean().optional(),
  /** How often the new version was started on trial. */
  tries: z.int().min(0).default(0),
  /** Whoever serves has said on the issue how it ended, and lifted what the trial held back. */
  told: z.boolean().optional(),
});
export type UpdateState = z.output<typeof updateState>;

export const versionsFolder = (dataDir: string): string => join(dataDir, "versions");
const fileIn = (folder: string): string => join(folder, "update.json");

/** The last update there was; a file that cannot be read tells of none. */
export function readUpdate(folder: string): UpdateState | undefined {
  let text: string;
  try {
    text = readFileSync(fileIn(folder), "utf8");
  } catch {
    return undefined;
  }
  try {
    return updateState.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** On disk when it returns, whole or not at all. */
export function writeUpdate(folder: string, told: UpdateState): UpdateState {
  const state = told.why === undefined ? told : { ...told, why: told.why.slice(0, maxWhy) };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = fileIn(folder);
  const draft = `${path}.${process.pid}`;
  rmSync(draft, { force: true });
  const file = openSync(draft, "wx", 0o600);
  try {
    writeSync(file, `${JSON.stringify(state)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
  const parent = openSync(dirname(path), "r");
  try {
    fsyncSync(parent);
  } finally {
    closeSync(parent);
  }
  return state;
}

export const isOver = ({ step }: UpdateState): boolean =>
  step === "healthy" || step === "rolled-back" || step === "refused";
