import { folderOf, nameOf, type Tree } from "./tree.ts";

const maxFolders = 30;

/** Names that test files have, whatever the language. */
const testFile =
  /(?:\.(?:test|spec|e2e-spec|cy)\.[cm]?[jt]sx?|_test\.(?:go|py|rb|exs|ts|dart|cc|cpp|c)|_spec\.rb|(?:^|\/)test_[^/]+\.(?:py|rb|c|cpp)|(?:Test|Tests|IT|Spec)\.(?:java|kt|kts|scala|groovy|cs|fs|swift|php)|(?:^|\/)tests\.py)$/u;
const testFolder = /^(?:[Tt]ests?|specs?|__tests__|[a-z]\w*Test)$/u;

/** The outermost folders that hold tests. A file of tests beside its unit counts for the folder it lies in. */
export function testFoldersOf(tree: Tree, isForeign: (folder: string) => boolean): readonly string[] {
  const found = new Set<string>();
  for (const path of tree.paths) {
    const folder = folderOf(path);
    if (isForeign(folder)) continue;
    const named = namedFolder(folder);
    if (named !== undefined) found.add(named);
    else if (testFile.test(path)) found.add(folder);
  }
  return [...found]
    .filter((folder) => !isInside(folder, found))
    .sort()
    .slice(0, maxFolders);
}

function isInside(folder: string, found: ReadonlySet<string>): boolean {
  for (let above = folderOf(folder); above !== "."; above = folderOf(above))
    if (found.has(above)) return true;
  return false;
}

function namedFolder(folder: string): string | undefined {
  const parts = folder.split("/");
  const at = parts.findIndex((part) => testFolder.test(nameOf(part)));
  return at < 0 ? undefined : parts.slice(0, at + 1).join("/");
}
