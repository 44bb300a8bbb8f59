import { expect, test } from "vitest";
import { parseDiff } from "./diff.ts";
import { partsOf } from "./parts.ts";
import { unreadReasons } from "./unread.ts";

const fileOf = (path: string, lines: number, width = 20): string =>
  `diff --git a/${path} b/${path}\nnew file mode 100644\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1,${lines} @@\n${Array.from({ length: lines }, (_, at) => `+${String(at).padEnd(width, ".")}\n`).join("")}`;

test("a change that fits is read in one part, and an empty one in none", () => {
  const diff = fileOf("a.ts", 5) + fileOf("b.ts", 5);
  expect(partsOf(diff)).toEqual([{ diff, files: 2 }]);
  expect(partsOf("")).toEqual([]);
});

test("a change that does not fit is split between files, and every line is in exactly one part", () => {
  const diff = Array.from({ length: 9 }, (_, at) => fileOf(`f${at}.ts`, 40)).join("");
  const parts = partsOf(diff, 3_000);
  expect(parts.length).toBeGreaterThan(2);
  expect(parts.every((part) => part.diff.length <= 3_000)).toBe(true);
  expect(parts.map((part) => part.diff).join("")).toBe(diff);
  expect(parts.reduce((sum, { files }) => sum + files, 0)).toBe(9);
});

test("a file too long for one part is split, and each piece says where its lines are", () => {
  const diff = fileOf("long.ts", 500);
  const parts = partsOf(diff, 3_000);
  const lines = parts.flatMap((part) => parseDiff(part.diff).flatMap(({ added }) => added));
  expect(parts.every((part) => part.diff.length <= 3_000)).toBe(true);
  expect(lines).toEqual(parseDiff(diff)[0]?.added);
});

test("a line longer than a part is cut where it is shown, and needs a person", () => {
  const diff = fileOf("min.js", 1, 200_000);
  const parts = partsOf(diff);
  expect(parts.every((part) => part.diff.length <= 50_000)).toBe(true);
  expect(parts[0]?.diff).toContain("[cut: 200001 characters in all]");
  expect(unreadReasons(parseDiff(diff))).toEqual(["`min.js` has a line too long to be read whole"]);
});

test("what lies in LFS was read by nobody", () => {
  const pointer =
    "diff --git a/big.bin b/big.bin\n--- a/big.bin\n+++ b/big.bin\n@@ -1,3 +1,3 @@\n version https://git-lfs.github.com/spec/v1\n" +
    `-oid sha256:${"a".repeat(64)}\n-size 10\n+oid sha256:${"b".repeat(64)}\n+size 12\n`;
  expect(unreadReasons(parseDiff(pointer))).toEqual([
    "`big.bin` is kept outside the repository (Git LFS): its change could not be read",
  ]);
  expect(unreadReasons(parseDiff(fileOf("a.ts", 3)))).toEqual([]);
});
