import { expect, test } from "vitest";
import { needsPerson } from "./needs-person.ts";

const rules = { protectedPaths: ["deploy/**"], largest: { files: 20, lines: 1_000 }, attributes: undefined };
const silenced = (path: string): string =>
  `diff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n@@ -1 +1,2 @@\n a\n+x = eval(y)  # noqa\n`;

test("many small signs push what weighs most off no list", async () => {
  const diff = [...Array.from({ length: 50 }, (_, index) => `a${index}.py`), "deploy/z.py"]
    .map(silenced)
    .join("");
  const reasons = await needsPerson(diff, rules);
  expect(reasons.slice(0, 2)).toEqual([
    "the change is large: 51 files (the limit is 20)",
    "`deploy/z.py` is a protected path",
  ]);
  expect([reasons.length, reasons.at(-1)]).toEqual([41, "and 13 more"]);
});

test("nothing speaks against a plain change", async () => {
  expect(await needsPerson(silenced("a.py").replace("  # noqa", ""), rules)).toEqual([]);
});
