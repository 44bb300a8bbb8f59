import { expect, test } from "vitest";
import { trackFindings, type Round } from "./findings.ts";
import { changesIn, contextAt, shownIn } from "./places.ts";
import { settleRound, weigh } from "./round.ts";
import type { Finding } from "./verdict.ts";

const hunk = (path: string, body: string, from = path): string =>
  `diff --git a/${from} b/${path}\n${from === path ? "" : `similarity index 90%\nrename from ${from}\nrename to ${path}\n`}--- a/${from}\n+++ b/${path}\n${body}`;
const grown = hunk("a.ts", "@@ -1,2 +1,12 @@\n one\n" + "+more\n".repeat(10) + " two\n");

test("lines move with what is put above them", () => {
  const changes = changesIn(grown);
  expect(changes.lineNow("a.ts", 1)).toBe(1);
  expect(changes.lineNow("a.ts", 2)).toBe(12);
  expect(changes.lineNow("other.ts", 7)).toBe(7);
  expect(changes.isFresh("a.ts", 5)).toBe(true);
  expect(changes.isFresh("a.ts", 90)).toBe(false);
  expect(changes.isTouched("a.ts", 90)).toBe(false);
});

test("a file that was only renamed has not changed, and is found under its new name", () => {
  const changes = changesIn(
    "diff --git a/a.ts b/b.ts\nsimilarity index 100%\nrename from a.ts\nrename to b.ts\n",
  );
  expect(changes.pathNow("a.ts")).toBe("b.ts");
  expect(changes.isFresh("b.ts", 3)).toBe(false);
  expect(changes.isTouched("a.ts", 3)).toBe(false);
});

test("a deleted file is gone, and a binary one changed as a whole", () => {
  const gone = changesIn(
    "diff --git a/a.ts b/a.ts\ndeleted file mode 100644\n--- a/a.ts\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n",
  );
  expect(gone.pathNow("a.ts")).toBeUndefined();
  expect(gone.isTouched("a.ts", 9)).toBe(true);
  const binary = changesIn(
    "diff --git a/p.bin b/p.bin\nindex 1..2 100644\nBinary files a/p.bin and b/p.bin differ\n",
  );
  expect(binary.isFresh("p.bin", 400)).toBe(true);
});

test("a place is named by what stands there, wherever that is, and never by a bracket", () => {
  const [one, other] = [
    shownIn(hunk("a.ts", "@@ -1 +1,2 @@\n+const total = sum(a);\n+}\n")),
    shownIn(hunk("b.ts", "@@ -70 +70 @@\n+   const total =  sum(a);\n")),
  ];
  expect(contextAt(one, "a.ts", 1)).toBe(contextAt(other, "b.ts", 70));
  expect(contextAt(one, "a.ts", 2)).toBeUndefined();
});

const raised = (more: Partial<Finding>): Finding => ({
  title: "The sum is wrong",
  body: "",
  grade: "blocker",
  path: "a.ts",
  line: 1,
  ...more,
});
const round = (
  head: string,
  rounds: readonly Round[],
  finding: Finding,
  diff: string,
  since?: string,
): Round =>
  settleRound({
    head,
    rounds,
    diff,
    since,
    weights: { polishBlocks: false },
    opinions: [{ reviewer: "r", verdict: { is: "fail", findings: [finding], earlier: [], summary: "" } }],
  });

test("a finding is the same one in a renamed file, at a line that moved", () => {
  const first = round("1", [], raised({}), hunk("a.ts", "@@ -0,0 +1 @@\n+const total = sum(a);\n"));
  const since = hunk("lib/b.ts", "@@ -1 +1,3 @@\n+// one\n+// two\n const total = sum(a);\n", "a.ts");
  const now = hunk("lib/b.ts", "@@ -0,0 +1,3 @@\n+// one\n+// two\n+const total = sum(a);\n");
  const second = round("2", [first], raised({ title: "Wrong sum", path: "lib/b.ts", line: 3 }), now, since);
  expect(second.earlier).toEqual([]);
  expect(trackFindings([first, second])).toMatchObject([
    { firstRound: 1, lastRound: 2, is: "open", finding: { path: "lib/b.ts", line: 3 } },
  ]);
});

test("a round of before, without names and states, reads as it was meant", () => {
  const old: Round[] = [
    { head: "1", findings: [raised({}), raised({ title: "No test" })] },
    { head: "2", findings: [raised({ title: "the SUM is wrong!" })] },
  ];
  expect(trackFindings(old).map(({ is }) => is)).toEqual(["open", "fixed"]);
  const third = round("3", old, raised({}), grown, grown);
  expect(weigh(third, old, { polishBlocks: false }).holding).toHaveLength(1);
});
