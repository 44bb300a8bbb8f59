import { constants } from "node:fs";
import { lstat, mkdir, open, readlink, realpath, type FileHandle } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";

/** Why a tool did not do what it was asked; said to the model. */
export class Refusal extends Error {
  constructor(message: string) {
    super(message);
    this.name = "Refusal";
  }
}

/** The folder an agent's file tools may touch, and nothing beside it: links are followed first and judged by where they lead. */
export interface Worktree {
  /** With every link in its own path resolved. */
  readonly root: string;
  /** The real path of what is there; refuses what lies outside or in `.git`. */
  find(path: string): Promise<string>;
  /** A file that is there. */
  openToRead(path: string): Promise<FileHandle>;
  /** A file, made when missing together with the folders it lies in. */
  openToWrite(path: string): Promise<FileHandle>;
}

/** The worktree an order is for. */
export async function openWorktree(cwd: string): Promise<Worktree> {
  const root = await realpath(cwd);
  /** A path below the root as it was said, links not looked at. */
  const below = (path: string): string => {
    if (path.includes("\0")) throw new Refusal("a path holds no zero byte");
    const said = [root, cwd].map((from) => relative(from, resolve(from, path)));
    const inside = said.find((one) => !one.startsWith(`..${sep}`) && one !== ".." && !isAbsolute(one));
    if (inside === undefined) throw outside(path);
    return join(root, inside);
  };
  const judge = (real: string, path: string): string => {
    const inside = relative(root, real);
    if (inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)) throw outside(path);
    if (inside.split(sep).some((step) => step.toLowerCase() === ".git"))
      throw new Refusal(`${path} belongs to git, which is not yours to read or change`);
    return real;
  };
  const checked = async (handle: FileHandle, path: string): Promise<FileHandle> => {
    try {
      if (!(await handle.stat()).isFile()) throw new Refusal(`${path} is no file`);
      // Whoever swapped a folder for a link after we looked is caught here, where the system can tell.
      const real = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => undefined);
      if (real !== undefined) judge(real, path);
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  };
  const find = async (path: string): Promise<string> => {
    const at = judge(below(path), path);
    return judge(
      await realpath(at).catch((error: unknown) => {
        throw notThere(error, path);
      }),
      path,
    );
  };
  /** Makes it when missing, below whatever of it is there. */
  const folderFor = async (folder: string, path: string): Promise<string> => {
    const above = await nearest(folder);
    const real = await realpath(above).catch((error: unknown) => {
      throw notThere(error, path);
    });
    const target = judge(join(judge(real, path), relative(above, folder)), path);
    await mkdir(target, { recursive: true }).catch((error: unknown) => {
      throw notThere(error, path);
    });
    return judge(await realpath(target), path);
  };
  return {
    root,
    find,
    openToRead: async (path) =>
      await checked(
        await open(await find(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK),
        path,
      ),
    openToWrite: async (path) => {
      const at = judge(below(path), path);
      const there = await realpath(at).catch(() => undefined);
      const folder = there === undefined ? await folderFor(dirname(at), path) : dirname(there);
      const target = judge(join(folder, basename(there ?? at)), path);
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
      const handle = await open(target, flags, 0o666).catch((error: unknown) => {
        throw notThere(error, path);
      });
      return await checked(handle, path);
    },
  };
}

const outside = (path: string): Refusal =>
  new Refusal(`${path} is outside the folder you work in; name a path below it`);

function notThere(error: unknown, path: string): Error {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return new Refusal(`${path} does not exist`);
  if (code === "ELOOP") return new Refusal(`${path} is a link that leads nowhere`);
  if (code === "ENOTDIR") return new Refusal(`${path} leads through a file`);
  if (code === "EISDIR") return new Refusal(`${path} is a folder`);
  if (code === "EACCES" || code === "EPERM") return new Refusal(`${path} may not be opened`);
  return error instanceof Error ? error : new Error(String(error));
}

/** The nearest folder above, itself included, that is there; a link that leads nowhere counts as there. */
async function nearest(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at))
    if ((await lstat(at).catch(() => undefined)) !== undefined || at === dirname(at)) return at;
}
