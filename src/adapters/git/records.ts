/** What we remember of our worktrees, in files beside them and outside what an agent works in. */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { contain, textOf } from "./paths.ts";
import type { Place } from "./paths.ts";

const treeRecord = z.object({
  /** `making`: git was told to make it and has not come back, so nobody was ever given its path. */
  is: z.enum(["making", "whole"]),
  branch: z.string(),
  /** Commit it was made from. */
  start: z.string(),
  /** `after_create` has succeeded. */
  hooked: z.boolean(),
  /** Last commit the remote took from us. */
  published: z.string().optional(),
  /** Newest commit, by the remote's own word, that the worktree stood on: everything since is ours to write. */
  ground: z.string().optional(),
  /** The head of another ticket that it stands on, where it is stacked. */
  upon: z.string().optional(),
  /** The newer head of that ticket, where the host merged it. */
  taken: z.string().optional(),
  /** Last commit we wrote in it. */
  made: z.string().optional(),
});
export type TreeRecord = z.infer<typeof treeRecord>;
const coldRecord = z.object({ name: z.string() });
const tipRecord = z.object({ defaultTip: z.string() });

/** Reads and writes the records under one root. */
export interface Records {
  tree(at: Place): TreeRecord | undefined;
  keepTree(at: Place, record: TreeRecord): Promise<void>;
  /** The name a cold checkout was asked for under. */
  coldName(at: Place): string | undefined;
  keepCold(at: Place, name: string): Promise<void>;
  /** Where the remote's default branch was when we last asked. */
  defaultTip(mirror: string): string | undefined;
  keepDefaultTip(mirror: string, tip: string): Promise<void>;
  forget(at: Place): Promise<void>;
}

/** The records under this root. */
export function openRecords(root: string): Records {
  const folder = (mirror: string) => join(root, "records", basename(mirror));
  const fileOf = (at: Place) => join(folder(at.mirror), `${basename(at.path)}.json`);
  // A key never begins with a dot, so no worktree can have this name.
  const tipFile = (mirror: string) => join(folder(mirror), ".default.json");
  const read = <T>(file: string, shape: z.ZodType<T>): T | undefined => {
    contain(root, dirname(file));
    // Power may fail between the rename and the data: an unreadable record proves nothing, like a missing one.
    return shape.safeParse(parsed(textOf(file) ?? "")).data;
  };
  const put = async (file: string, value: object): Promise<void> => {
    contain(root, dirname(file));
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(`${file}.new`, JSON.stringify(value), { mode: 0o600, flush: true });
    await rename(`${file}.new`, file);
  };
  // One after the other: tickets of one repository share records, and each write goes by way of the same new file.
  let last: Promise<unknown> = Promise.resolve();
  const write = (file: string, value: object): Promise<void> => {
    const written = last.catch(() => undefined).then(() => put(file, value));
    last = written;
    return written;
  };
  return {
    tree: (at) => read(fileOf(at), treeRecord),
    keepTree: (at, record) => write(fileOf(at), record),
    coldName: (at) => read(fileOf(at), coldRecord)?.name,
    keepCold: (at, name) => write(fileOf(at), { name }),
    defaultTip: (mirror) => read(tipFile(mirror), tipRecord)?.defaultTip,
    keepDefaultTip: (mirror, defaultTip) => write(tipFile(mirror), { defaultTip }),
    forget: (at) => rm(fileOf(at), { force: true }),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
