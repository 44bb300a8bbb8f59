import picomatch from "picomatch";
import type { DiffFile } from "./diff.ts";

const lockfile =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|deno\.lock|pdm\.lock|flake\.lock|gradle\.lockfile|packages\.lock\.json|Cargo\.lock|poetry\.lock|uv\.lock|Pipfile\.lock|Gemfile\.lock|composer\.lock|go\.sum|mix\.lock)$/u;

/** What a package manager writes. */
export const isLockfile = (path: string): boolean => lockfile.test(path);

/** What is binary by nature; anything else that git shows no lines of was made so, and nobody can read it. */
const media =
  /\.(?:png|jpe?g|gif|webp|avif|ico|icns|bmp|tiff?|pdf|woff2?|ttf|otf|eot|mp[34]|m4a|webm|ogg|wav|mov)$/iu;

/** Why these paths need a person's own approval; empty when they do not. */
export function protectedReasons(files: readonly DiffFile[], globs: readonly string[]): readonly string[] {
  const guarded = globs.length === 0 ? () => false : picomatch([...globs], { dot: true, nocase: true });
  const reasons = files
    .filter(({ path, oldPath }) => guarded(path) || guarded(oldPath))
    .map(({ path }) => `\`${path}\` is a protected path`);
  const links = files
    .filter(({ mode, is }) => is !== "deleted" && (mode === "120000" || mode === "160000"))
    .map(({ path, mode }) => `\`${path}\` is a ${mode === "120000" ? "symbolic link" : "submodule"}`);
  const unread = files
    .filter(({ path, is, isBinary }) => isBinary && is !== "deleted" && !media.test(path))
    .map(({ path }) => `\`${path}\` is binary: its change could not be read`);
  const onlyLocks = files.length > 0 && files.every(({ path }) => lockfile.test(path));
  return [...reasons, ...links, ...unread, ...(onlyLocks ? ["only lockfiles change"] : [])];
}
