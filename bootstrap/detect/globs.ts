import picomatch from "picomatch";

const maxPatterns = 100;

/** The folders that patterns of a workspace name; one that begins with `!` takes away. */
export function matching(folders: readonly string[], patterns: readonly string[]): readonly string[] {
  const fit = patterns
    .slice(0, maxPatterns)
    .map((pattern) => pattern.replace(/^(!?)\.\//u, "$1").replace(/\/+$/u, ""));
  const wanted = fit.filter((pattern) => !pattern.startsWith("!")).map(matcher);
  const unwanted = fit
    .filter((pattern) => pattern.startsWith("!"))
    .map((pattern) => matcher(pattern.slice(1)));
  return folders.filter(
    (folder) => wanted.some((matches) => matches(folder)) && !unwanted.some((matches) => matches(folder)),
  );
}

/** A pattern that would take long to hold against anything names nothing. */
function matcher(pattern: string): (folder: string) => boolean {
  if (pattern === "" || pattern.length > 200 || (pattern.match(/\*+/gu)?.length ?? 0) > 6) return () => false;
  if (pattern === ".") return (folder) => folder === ".";
  return picomatch(pattern, { noextglob: true, nonegate: true, maxLength: 200 });
}
