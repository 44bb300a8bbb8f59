import picomatch from "picomatch";
import type { DiffFile } from "./diff.ts";

const lockfile =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|Cargo\.lock|poetry\.lock|uv\.lock|Pipfile\.lock|Gemfile\.lock|composer\.lock|go\.sum|mix\.lock)$/u;

/** Why these paths need a person's own approval; empty when they do not. */
export function protectedReasons(files: readonly DiffFile[], globs: readonly string[]): readonly string[] {
  const guarded = globs.length === 0 ? () => false : picomatch([...globs], { dot: true, nocase: true });
  const reasons = files
    .filter(({ path, oldPath }) => guarded(path) || guarded(oldPath))
    .map(({ path }) => `\`${path}\` is a protected path`);
  const links = files
    .filter(({ mode, is }) => is !== "deleted" && (mode === "120000" || mode === "160000"))
    .map(({ path, mode }) => `\`${path}\` is a ${mode === "120000" ? "symbolic link" : "submodule"}`);
  const onlyLocks = files.length > 0 && files.every(({ path }) => lockfile.test(path));
  return [...reasons, ...links, ...(onlyLocks ? ["only lockfiles change"] : [])];
}
