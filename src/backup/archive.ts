/** One file for all that a backup holds. Written whole or not at all; read by a reader that believes nothing in it. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { link, open, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { extract, pack, type Header } from "tar-stream";
import { Problem } from "../problems.ts";
import { isMemberName, manifestName, manifestSchema, type Manifest, type Member } from "./manifest.ts";

/** A file that goes into a backup under this name. */
export interface Source {
  readonly name: string;
  readonly path: string;
}
const maxManifestBytes = 4 * 1024 * 1024;

/** Writes all of it beside its place, reads it back, and only then gives it its name; a file of that name stays as it is. */
export async function writeArchive(
  to: string,
  about: Omit<Manifest, "format" | "members">,
  sources: readonly Source[],
): Promise<Manifest> {
  const members: Member[] = [];
  for (const { name, path } of sources) {
    if (!isMemberName(name)) throw new Error(`${name} is no name that a backup has`);
    members.push({ name, bytes: (await stat(path)).size, sha256: await hashOf(path) });
  }
  const manifest: Manifest = { format: 1, ...about, members };
  const half = `${to}.making-${process.pid}`;
  try {
    await rm(half, { force: true });
    await pipeline(
      tarOf(manifest, sources),
      createGzip(),
      createWriteStream(half, { flags: "wx", mode: 0o600, flush: true }),
    );
    await readArchive(half);
    // Unlike a rename, a link never takes the place of what is there.
    await link(half, to);
    await syncFolder(dirname(to));
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    throw new Problem("backup-there", { path: to }, { cause: error });
  } finally {
    await rm(half, { force: true });
  }
  return manifest;
}

function tarOf(manifest: Manifest, sources: readonly Source[]): Readable {
  const tar = pack();
  const fill = async (): Promise<void> => {
    tar.entry({ name: manifestName, mode: 0o600 }, JSON.stringify(manifest));
    for (const [index, { name, path }] of sources.entries()) {
      const size = manifest.members[index]?.bytes ?? 0;
      const sink = tar.entry({ name, size, mode: 0o600 });
      for await (const chunk of createReadStream(path))
        if (!sink.write(chunk as Uint8Array))
          await new Promise<void>((resolve) => sink.once("drain", () => resolve()));
      sink.end(undefined);
    }
    tar.finalize();
  };
  fill().catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  return Readable.from(tar);
}

/** What a backup holds. With a folder its members are laid there, by number, never by the names they bear. */
export interface Opened {
  readonly manifest: Manifest;
  readonly files: ReadonlyMap<string, string>;
}
type Entry = AsyncIterable<Uint8Array> & { readonly header: Header };

/** Reads all of it and holds every member against the manifest. Throws a `Problem` that names what is wrong. */
export async function readArchive(path: string, into?: string): Promise<Opened> {
  const wrong = (why: string, cause?: unknown): Problem =>
    new Problem("backup-broken", { path, why }, { cause });
  const tar = extract();
  const reading = pipeline(createReadStream(path), createGunzip(), tar);
  // Whoever looks at the entries hears of it first; this is only so that nobody is surprised.
  reading.catch(() => undefined);
  try {
    const files = new Map<string, string>();
    const entries = (tar as AsyncIterable<Entry>)[Symbol.asyncIterator]();
    const first = await entries.next();
    const manifest = await readManifest(first.done === true ? undefined : first.value, wrong);
    const wanted = new Map(manifest.members.map((member) => [member.name, member]));
    if (wanted.size < manifest.members.length) throw wrong("its manifest names a member twice");
    for (let next = await entries.next(); next.done !== true; next = await entries.next()) {
      const { header } = next.value;
      const member = wanted.get(header.name);
      if (header.type !== "file")
        throw wrong(`${shown(header.name)} in it is a ${header.type ?? "stranger"}, and no file`);
      if (member === undefined) throw wrong(`${shown(header.name)} is in it and not in its manifest`);
      if (files.has(member.name)) throw wrong(`${member.name} is in it twice`);
      const file = into === undefined ? "" : join(into, String(files.size));
      const why = await takeMember(next.value, member, into === undefined ? undefined : file);
      if (why !== undefined) throw wrong(`${member.name} in it ${why}`);
      files.set(member.name, file);
    }
    await reading;
    const missing = manifest.members.find(({ name }) => !files.has(name));
    if (missing !== undefined) throw wrong(`${missing.name} is missing from it`);
    return { manifest, files };
  } catch (error) {
    tar.destroy();
    await reading.catch(() => undefined);
    if (error instanceof Problem || isOfDisk(error)) throw error;
    throw wrong(error instanceof Error ? error.message : String(error), error);
  }
}

async function readManifest(
  entry: Entry | undefined,
  wrong: (why: string, cause?: unknown) => Problem,
): Promise<Manifest> {
  if (entry === undefined || entry.header.name !== manifestName || entry.header.type !== "file")
    throw wrong("it does not begin with a manifest, so it is no backup of forgehand's");
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of entry) {
    bytes += chunk.length;
    if (bytes > maxManifestBytes) throw wrong("its manifest is too large");
    chunks.push(chunk);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (error) {
    throw wrong("its manifest is no JSON", error);
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw wrong(`its manifest is wrong at ${issue?.path.join(".") ?? "?"}: ${issue?.message ?? "malformed"}`);
}

/** Answers what is wrong with it, if anything. */
async function takeMember(
  entry: Entry,
  { bytes, sha256 }: Member,
  to: string | undefined,
): Promise<string | undefined> {
  const hash = createHash("sha256");
  const file = to === undefined ? undefined : await open(to, "wx", 0o600);
  let count = 0;
  try {
    for await (const chunk of entry) {
      count += chunk.length;
      if (count > bytes) return `is longer than its manifest says (${bytes} bytes)`;
      hash.update(chunk);
      await file?.writeFile(chunk);
    }
    await file?.sync();
  } finally {
    await file?.close();
  }
  if (count < bytes) return `has ${count} of its ${bytes} bytes`;
  return hash.digest("hex") === sha256 ? undefined : "is not what it was when it was written (sha256)";
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

/** Makes what was renamed or linked in a folder outlive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const shown = (name: string): string => JSON.stringify(name.slice(0, 200));
const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;
/** The system's word on this disk, not the archive's. */
const isOfDisk = (error: unknown): boolean =>
  /^(?:ENOSPC|EDQUOT|EACCES|EPERM|EROFS|ENOENT|EISDIR|EMFILE)$/u.test(String(codeOf(error)));
