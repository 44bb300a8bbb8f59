/** `forgehand bootstrap`: which repository is meant, and what is wanted of it. */
import { statSync } from "node:fs";
import { exitCodes } from "../problems.ts";
import type { BootstrapOptions, Mode } from "./bootstrap-options.ts";
import { Failure, oneLine, type Answer } from "./output.ts";

export async function bootstrap(target: string, options: BootstrapOptions): Promise<Answer> {
  if (options.check === true && options.dryRun === true)
    throw new Failure(
      exitCodes.usage,
      "--check and --dry-run are two questions: --check tells whether anything differs, --dry-run prints the patch. Ask one at a time",
    );
  const mode: Mode = options.check === true ? "check" : options.dryRun === true ? "dry-run" : "propose";
  const place = placeNamed(target, isFolder);
  if ("path" in place) {
    const { bootstrapClone } = await import("./bootstrap-clone.ts");
    return await bootstrapClone(place.path, mode, options);
  }
  const { bootstrapForge } = await import("./bootstrap-forge.ts");
  return await bootstrapForge(place, mode, options);
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** A folder that is there is meant as one; `owner/repo` and the address of a repository are GitHub's. */
export function placeNamed(
  target: string,
  isThere: (path: string) => boolean,
): { readonly path: string } | { readonly owner: string; readonly name: string } {
  if (isThere(target)) return { path: target };
  const named = /^(?:https?:\/\/[^/]+\/)?([A-Za-z0-9-]+)\/([\w.-]+?)(?:\.git)?\/?$/u.exec(target);
  const [, owner, name] = named ?? [];
  if (owner !== undefined && name !== undefined && !/^\.{1,2}$/u.test(name)) return { owner, name };
  throw new Failure(
    exitCodes.notFound,
    `"${oneLine(target)}" is neither a folder nor owner/repo. For a repository on GitHub: forgehand bootstrap OWNER/REPO; for a clone: forgehand bootstrap PATH`,
  );
}
