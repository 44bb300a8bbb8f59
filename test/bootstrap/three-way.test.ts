import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blockIn, withBlock } from "../../bootstrap/managed-block.ts";
import { mergeTexts } from "../../bootstrap/three-way.ts";

const text = fc
  .array(fc.constantFrom("a", "b", "c", "", "x y"), { maxLength: 8 })
  .map((lines) => lines.join("\n"));

describe("merging by lines", () => {
  test.each([
    ["takes both where they are apart", "1\n2\n3\n4\n5", "0\n2\n3\n4\n5", "1\n2\n3\n4\n6", "0\n2\n3\n4\n6"],
    ["takes a line that both added once", "1\n2\n", "1\nx\n2\n", "1\nx\n2\n", "1\nx\n2\n"],
    ["keeps what only a person removed", "1\n2\n3\n4", "1\n3\n4", "1\n2\n3\n4\n5", "1\n3\n4\n5"],
    [
      "keeps the line ends of the person",
      "1\n2\n3\n4",
      "1\r\n2\r\n3\r\n4",
      "1\n2\n3\nfour",
      "1\r\n2\r\n3\r\nfour",
    ],
  ])("%s", (_, base, ours, theirs, merged) => {
    expect(mergeTexts(base, ours, theirs)).toEqual({ is: "merged", text: merged });
  });
  test.each([
    ["one line, two ways", "1\n2\n3", "1\nx\n3", "1\ny\n3"],
    ["neighbours", "1\n2", "x\n2", "1\ny"],
    ["one changed what the other removed", "1\n2\n3", "1\n3", "1\ny\n3"],
    ["both added in one place", "1\n2", "1\nx\n2", "1\ny\n2"],
  ])("does not guess: %s", (_, base, ours, theirs) => {
    expect(mergeTexts(base, ours, theirs)).toEqual({ is: "conflict" });
  });
  test("one side alone always wins, and both alike are one", () => {
    fc.assert(
      fc.property(text, text, (base, other) => {
        expect(mergeTexts(base, other, base)).toEqual({ is: "merged", text: other });
        expect(mergeTexts(base, base, other)).toEqual({ is: "merged", text: other });
        expect(mergeTexts(base, other, other)).toEqual({ is: "merged", text: other });
      }),
    );
  });
  test("it is the same from either side", () => {
    fc.assert(
      fc.property(text, text, text, (base, one, other) => {
        expect(mergeTexts(base, one, other)).toEqual(mergeTexts(base, other, one));
      }),
    );
  });
});

describe("the managed block", () => {
  const human = fc
    .array(fc.constantFrom("# Title", "", "words", "- item", "  deep", "\t"), { maxLength: 6 })
    .chain((lines) =>
      fc.constantFrom(
        lines.join("\n"),
        `${lines.join("\n")}\n`,
        `${lines.join("\r\n")}\r\n`,
        lines.join("\r\n"),
      ),
    );
  test("what stands outside is never changed, whatever goes in and how often", () => {
    fc.assert(
      fc.property(human, text, text, human, (before, one, other, after) => {
        const first = withBlock(before, one);
        expect(first.startsWith(before)).toBe(true);
        const grown = first + after;
        const second = withBlock(grown, other);
        const [old, now] = [blockIn(grown), blockIn(second)];
        if (old.is !== "found" || now.is !== "found") throw new Error("the block is lost");
        expect(second.slice(0, now.from)).toBe(grown.slice(0, old.from));
        expect(second.slice(now.to)).toBe(grown.slice(old.to));
        expect(withBlock(second, other)).toBe(second);
      }),
    );
  });
  test.each([
    "<!-- forgehand:begin -->\n",
    "x\n<!-- forgehand:end -->\n",
    "<!-- forgehand:end -->\n<!-- forgehand:begin -->\n",
  ])("markers that do not pair up are no block: %j", (torn) => {
    expect(blockIn(torn).is).toBe("torn");
  });
  test("two blocks are none, since nobody can say which is ours", () => {
    const once = withBlock("", "x");
    expect(blockIn(once + once).is).toBe("torn");
  });
});
