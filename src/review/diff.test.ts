import { expect, test } from "vitest";
import { parseDiff } from "./diff.ts";

const header =
  "diff --git a/src/app.ts b/src/app.ts\nindex 1..2 100644\n--- a/src/app.ts\n+++ b/src/app.ts\n";

test.each([
  ["carriage return", "\r"],
  ["line separator", "\u2028"],
  ["paragraph separator", "\u2029"],
])("a %s begins no line: what follows is neither another file nor another header", (_name, separator) => {
  const hidden = [
    "x",
    "diff --git a/docs/a.md b/docs/a.md",
    "new file mode 100644",
    "Binary files a and b differ",
    "rename to docs/b.md",
    "@@ -1 +1 @@",
  ].join(separator);
  const [file, ...others] = parseDiff(`${header}@@ -3 +3,2 @@\n ${hidden}\n-old\n+${hidden}\n+test.skip()\n`);
  expect(others).toEqual([]);
  expect(file).toMatchObject({ path: "src/app.ts", is: "modified", isBinary: false });
  expect(file?.added.map(({ line }) => line)).toEqual([4, 5]);
  expect(file?.added[0]?.text).toBe(hidden);
  expect(file?.removed).toEqual([{ text: "old", line: 4 }]);
});

test("files follow each other, a rename and a file without lines among them", () => {
  const renamed = "diff --git a/one b/two\nsimilarity index 100%\nrename from one\nrename to two\n";
  const binary =
    "diff --git a/p.png b/p.png\nnew file mode 100644\nBinary files /dev/null and b/p.png differ\n";
  const files = parseDiff(`${renamed}${binary}${header}@@ -1 +1 @@\n-a\n+b\n`);
  expect(files.map(({ path, oldPath, is, isBinary }) => [path, oldPath, is, isBinary])).toEqual([
    ["two", "one", "renamed", false],
    ["p.png", "p.png", "added", true],
    ["src/app.ts", "src/app.ts", "modified", false],
  ]);
});

test("a line that ends as Windows ends it is the same line", () => {
  const [file] = parseDiff(`${header}@@ -1,2 +1,2 @@\n same\r\n-old\r\n+new\r\n`);
  expect(file?.hunks[0]?.lines.map(({ text }) => text)).toEqual(["same", "old", "new"]);
});

test("the mode is known also where it stays", () => {
  const moved = "diff --git a/lib b/lib\nindex 1111111..2222222 160000\n--- a/lib\n+++ b/lib\n";
  expect(parseDiff(`${moved}@@ -1 +1 @@\n-Subproject commit 1\n+Subproject commit 2\n`)[0]?.mode).toBe(
    "160000",
  );
  expect(parseDiff(header.replace("1..2", "1111111..2222222"))[0]?.mode).toBe("100644");
});

test("a quoted name is read with all that git writes for odd signs", () => {
  const name = String.raw`"b/a\tb\"c\\d\303\244.ts"`;
  const diff = `diff --git ${name.replace("b/", "a/")} ${name}\n--- ${name.replace("b/", "a/")}\n+++ ${name}\n`;
  expect(parseDiff(`${diff}@@ -1 +1 @@\n-a\n+b\n`)[0]?.path).toBe('a\tb"c\\dä.ts');
});
