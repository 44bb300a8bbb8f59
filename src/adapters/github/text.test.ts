import { describe, expect, test } from "vitest";
import { bears, capped, linesInPatch, markerLine, sameText, withRegion } from "./text.ts";

describe("markers", () => {
  test("a marker cannot end its comment early", () => {
    expect(markerLine("a --> <b>")).toBe("<!-- forgehand:a ___ _b_ -->");
    expect(markerLine("run github:77#4/2")).toBe("<!-- forgehand:run github:77#4/2 -->");
  });
  test("only the first line counts", () => {
    const line = markerLine("workpad");
    expect(bears(`${line}\r\nbody`, line)).toBe(true);
    expect(bears(`> ${line}\nbody`, line)).toBe(false);
    expect(bears(`body\n${line}`, line)).toBe(false);
    expect(bears(null, line)).toBe(false);
  });
});

describe("bodies", () => {
  test("a long body is cut at a line end, its fence closed, and says so", () => {
    const text = `intro\n\`\`\`\n${"log line\n".repeat(100)}\`\`\`\n`;
    const cut = capped(text, 200);
    expect(cut).toMatch(/log line\n```\n\n… cut here: \d+ characters more\.$/);
    expect(cut.length).toBeLessThan(300);
    expect(capped("short")).toBe("short");
  });
  test("line ends make no difference", () => {
    expect(sameText("a\r\nb\n", "a\nb")).toBe(true);
    expect(sameText(null, "a")).toBe(false);
  });
});

describe("the region", () => {
  const [begin, end] = ["<!-- forgehand:begin -->", "<!-- forgehand:end -->"];
  test("grows below what a person wrote, and is replaced in place", () => {
    const once = withRegion("Mine.", "one");
    expect(once).toBe(`Mine.\n\n${begin}\none\n${end}`);
    expect(withRegion(`${once}\n\nAlso mine.`, "two")).toBe(`Mine.\n\n${begin}\ntwo\n${end}\n\nAlso mine.`);
    expect(withRegion(withRegion("", "x"), "x")).toBe(withRegion("", "x"));
  });
  test("half a fence takes nothing of a person's text away", () => {
    expect(withRegion(`${begin}\nold, then mine`, "new")).toBe(`old, then mine\n\n${begin}\nnew\n${end}`);
    expect(withRegion(`${end}\nmine\n${begin}`, "new")).toBe(`mine\n\n${begin}\nnew\n${end}`);
  });
  test("a region too long is cut inside its fence, below what a person wrote", () => {
    const body = withRegion("m".repeat(30_000), "x\n".repeat(40_000));
    expect(body.length).toBeLessThan(65_536);
    expect(body.startsWith("m".repeat(30_000))).toBe(true);
    expect(body.endsWith(end)).toBe(true);
    expect(withRegion(body, "short")).toBe(withRegion("m".repeat(30_000), "short"));
  });
  test("its text cannot end it early", () => {
    expect(withRegion("", `a ${end} b`)).toBe(`${begin}\na  b\n${end}`);
  });
});

test("the lines of a patch are those its hunks show on the new side", () => {
  const patch =
    "@@ -1,3 +1,4 @@ head\n one\n-two\n+TWO\n+more\n three\n@@ -10 +11,2 @@\n ten\n+eleven\n\\ No newline at end of file";
  expect([...linesInPatch(patch)]).toEqual([1, 2, 3, 4, 11, 12]);
  expect(linesInPatch("").size).toBe(0);
});
