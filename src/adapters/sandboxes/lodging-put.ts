/** Puts files into a home that an agent may have lived in before: whatever it left there, nothing lands anywhere else. */
import { lstat, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

/** Folders below a folder of ours, each a real one: a link or a file in its place is taken away first. */
export async function realFolder(base: string, path: string): Promise<string> {
  let at = base;
  for (const name of path.split("/").filter((part) => part !== "" && part !== ".")) {
    at = join(at, name);
    const found = await lstat(at).catch(() => undefined);
    if (found !== undefined && !found.isDirectory()) await rm(at, { force: true });
    await mkdir(at, { recursive: true, mode: 0o700 });
  }
  return at;
}

/** A file in a home that is new with this run. */
export async function put(at: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(at), { recursive: true, mode: 0o700 });
  await writeFile(at, text, { mode });
}

/** A file that goes with the run, in a home that outlives it: there it is a link, which leads nowhere afterwards. */
export async function lend(
  home: string,
  path: string,
  file: { readonly folder: string; readonly text: string; readonly mode: number },
): Promise<void> {
  const real = join(file.folder, "lent", path);
  await put(real, file.text, file.mode);
  const parent = await realFolder(home, dirname(path));
  const at = join(home, path);
  await rm(at, { recursive: true, force: true });
  await symlink(relative(parent, real), at);
}

/** The folder below the home is a link into the session's own, so that nothing has to be saved when a run ends. */
export async function keep(at: string, own: string, path: string): Promise<void> {
  const to = await realFolder(own, join("kept", path));
  await mkdir(dirname(at), { recursive: true, mode: 0o700 });
  await symlink(relative(dirname(at), to), at);
}
