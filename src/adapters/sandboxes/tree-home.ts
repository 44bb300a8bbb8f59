/**
 * Brings home what an agent changed elsewhere: only what differs from what was sent, so that nothing that happened here
 * in the meantime is undone. May be cut off at any moment and begun again.
 */
import {
  copyFile,
  lstat,
  mkdir,
  readFile,
  readlink,
  rename,
  rm,
  rmdir,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { z } from "zod";
import { Trouble } from "../../ports.ts";
import {
  changeBetween,
  listingText,
  readListing,
  type TreeChange,
  type TreeListing,
} from "./tree-listing.ts";
import { receiveTrees, type ReceiveLimits } from "./tree-receive.ts";

/** A folder of this host and the name it travels under. */
export interface Travelling {
  readonly name: string;
  readonly home: string;
  /** Names at its top that never travel. */
  readonly without: readonly string[];
}

const sentName = "sent.json";
const nothing: TreeListing = new Map();
const changeSchema = z.array(
  z.object({
    name: z.string(),
    put: z.array(
      z.tuple([z.string(), z.object({ type: z.enum(["file", "folder", "link"]), mode: z.number() })]),
    ),
    gone: z.array(z.string()),
  }),
);
type Change = z.infer<typeof changeSchema>;

/** Keeps what was sent, before anybody works on it. */
export async function rememberSent(
  state: string,
  folders: readonly Travelling[],
  listings: readonly TreeListing[],
): Promise<void> {
  await mkdir(state, { recursive: true, mode: 0o700 });
  await writeWhole(
    join(state, sentName),
    JSON.stringify(folders.map((_, at) => listingText(listings[at] ?? nothing))),
  );
}

/** What was sent, folder by folder; undefined when not everything was, so that nobody can have worked on it. */
export async function whatWasSent(state: string): Promise<readonly TreeListing[] | undefined> {
  const text = await textOf(join(state, sentName));
  if (text === "") return undefined;
  return z.array(z.string()).parse(JSON.parse(text)).map(readListing);
}

/**
 * Fetches the folders, unless they were never sent or an earlier try already had them here whole, and makes those at
 * home what came back.
 * `state` is the order's own folder on this host; it may be removed afterwards.
 */
export async function bringHome(
  state: string,
  folders: readonly Travelling[],
  limits: ReceiveLimits,
  fetch: (take: (stream: Readable) => Promise<void>) => Promise<void>,
): Promise<void> {
  const whole = join(state, "change.json");
  const staged = join(state, "back");
  let change = await readChange(whole);
  if (change === undefined) {
    const sent = await whatWasSent(state);
    if (sent === undefined) return;
    const expected = folders.map((folder, at) => ({ ...folder, sent: sent[at] ?? nothing }));
    let back: readonly TreeListing[] = [];
    await fetch(async (stream) => {
      back = await receiveTrees(stream, expected, staged, limits);
    });
    change = folders.map(({ name }, at) =>
      plain(name, changeBetween(sent[at] ?? nothing, back[at] ?? nothing)),
    );
    await writeWhole(whole, JSON.stringify(change));
  }
  const homes = new Map(folders.map(({ name, home }) => [name, home]));
  for (const { name, put, gone } of change) {
    const home = homes.get(name);
    if (home !== undefined && put.length + gone.length > 0) await mkdir(home, { recursive: true });
    if (home !== undefined) await apply(home, join(staged, name), { put, gone });
  }
}

const plain = (name: string, { put, gone }: TreeChange): Change[number] => ({
  name,
  put: put.map(([path, { type, mode }]) => [path, { type, mode }]),
  gone: [...gone],
});

async function apply(
  home: string,
  staged: string,
  { put, gone }: Omit<Change[number], "name">,
): Promise<void> {
  for (const path of gone) if (await isReached(home, path)) await remove(join(home, path));
  for (const [path, { type }] of put) {
    const to = join(home, path);
    if (!(await isReached(home, path)))
      throw new Trouble("sandbox-refused", `${to} is behind a link by now and is not written`, {
        permanent: true,
      });
    const there = await kindOf(to);
    if (type === "folder") {
      if (there === "folder") continue;
      if (there !== "nothing") await unlink(to);
      await mkdir(to);
      continue;
    }
    const from = join(staged, path);
    // Moved already, before an earlier try was cut off.
    if ((await kindOf(from)) === "nothing") continue;
    if (there === "folder") await rm(to, { recursive: true });
    await move(from, to);
  }
}

/** Whether everything above it is a folder in truth: a link there would lead the write elsewhere. */
async function isReached(home: string, path: string): Promise<boolean> {
  const steps = path.split("/").slice(0, -1);
  for (let count = 1; count <= steps.length; count += 1)
    if ((await kindOf(join(home, ...steps.slice(0, count)))) !== "folder") return false;
  return true;
}

async function kindOf(path: string): Promise<"nothing" | "folder" | "other"> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return "nothing";
  return found.isDirectory() ? "folder" : "other";
}

async function remove(path: string): Promise<void> {
  const kind = await kindOf(path);
  if (kind === "other") await unlink(path);
  // What came into it here in the meantime stays.
  if (kind === "folder")
    await rmdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY") throw error;
    });
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    // Another file system: laid beside its place first, so that no half of it is ever found there.
    const beside = `${to}.coming-home`;
    await rm(beside, { force: true });
    const found = await lstat(from);
    if (found.isSymbolicLink()) await symlink(await readlink(from), beside);
    else await copyFile(from, beside);
    await rename(beside, to);
    await unlink(from);
  }
}

async function readChange(path: string): Promise<Change | undefined> {
  const text = await textOf(path);
  if (text === "") return undefined;
  return changeSchema.parse(JSON.parse(text));
}

const textOf = (path: string): Promise<string> =>
  readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
}
