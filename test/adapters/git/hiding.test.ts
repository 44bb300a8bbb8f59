/** The diff shows every byte that would be published, whatever the change says of itself. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseDiff } from "../../../src/review/diff.ts";
import { protectedReasons } from "../../../src/review/protected-paths.ts";
import { findTampering } from "../../../src/review/tamper/find.ts";
import { sayHit } from "../../../src/review/tamper/hit.ts";
import { findSecrets } from "../../../src/secrets.ts";
import { openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  await stage.push("main", { "test/a.test.ts": "it('a', () => {\n  expect(one()).toBe(1);\n});\n" });
});
afterAll(() => stage.close());

// Put together here, so that no scanner takes this file for a leak.
const secret = `ghp_${"aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD3fG6"}`;
const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le");

let count = 0;
/** The diff of a change with these files, committed by us. */
async function diffOf(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  count += 1;
  const tree = await stage.space.prepare(`t${count}`, stage.remote, `hand/t${count}`, {});
  for (const [path, text] of Object.entries(files)) await writeFile(join(tree.path, path), text);
  const head = await stage.space.commit(tree, "Hide it");
  const cold = await stage.space.checkoutCold(`t${count}`, stage.remote, head!, "review");
  const diff = await stage.space.diff(tree);
  expect(await stage.space.diff(cold)).toBe(diff);
  return diff;
}

describe("a secret is found", () => {
  const line = `one\nkey = "${secret}"\n`;
  const ways: Readonly<Record<string, readonly [Readonly<Record<string, string | Buffer>>, number]>> = {
    "in plain sight": [{ "key.txt": line }, 2],
    ...Object.fromEntries(
      [
        "* -diff",
        "* binary",
        "* -text -diff -merge",
        "*.txt diff=hidden",
        "* export-ignore",
        "* ident",
        "* text eol=crlf",
        "[attr]quiet -diff\n*.txt quiet",
      ].map((rule) => [`behind \`${rule}\``, [{ ".gitattributes": `${rule}\n`, "key.txt": line }, 2]]),
    ),
    "behind a working tree encoding": [
      { ".gitattributes": "*.txt working-tree-encoding=UTF-16LE-BOM\n", "key.txt": utf16(line) },
      2,
    ],
    "after a NUL byte": [{ "key.txt": `a\0b\n${line}` }, 3],
    "with a NUL byte in it": [{ "key.txt": `x\n${secret.slice(0, 9)}\0${secret.slice(9)}\n` }, 2],
    "in UTF-16": [{ "key.txt": utf16(line) }, 2],
    "in UTF-16, the other way round": [{ "key.txt": utf16(line).swap16() }, 2],
    "after more than a megabyte": [{ "key.txt": `${"a line of words\n".repeat(100_000)}${line}` }, 100_002],
    "on a line of more than a megabyte": [{ "key.txt": `x\n${"word ".repeat(300_000)} ${secret} x\n` }, 2],
    "in the middle of noise": [
      {
        "key.png": Buffer.concat([
          Buffer.from([0, 10]),
          Buffer.alloc(200_000, Buffer.from([0x89, 0xff, 1, 0x50, 2, 0])),
          Buffer.from(secret),
          Buffer.alloc(200_000, Buffer.from([0xfe, 7, 0])),
        ]),
      },
      2,
    ],
  };
  it.each(Object.entries(ways))("%s, and where it is", async (_how, [files, at]) => {
    const found = findSecrets(await diffOf(files));
    expect(found).toMatchObject([{ kind: "GitHub token", path: expect.stringMatching(/^key\./), line: at }]);
  });
});

describe("a weakened test is seen", () => {
  const weak = "it.skip('a', () => {\n  expect(one()).toBe(1);\n});\n";
  it.each([
    ["behind attributes", { ".gitattributes": "test/** -diff\n", "test/a.test.ts": weak }],
    ["behind a NUL byte", { "test/a.test.ts": `// \0\n${weak}` }],
    ["behind a carriage return", { "test/a.test.ts": `// \rdiff --git a/x.md b/x.md\n${weak}` }],
    ["behind a line separator", { "test/a.test.ts": `// \u2028diff --git a/x.md b/x.md\n${weak}` }],
  ])("%s", async (_how, files) => {
    const parsed = parseDiff(await diffOf(files));
    expect(parsed.map(({ path }) => path)).toEqual(Object.keys(files));
    expect(findTampering(parsed).map(sayHit).join("\n")).toMatch(
      /`test\/a\.test\.ts:\d`: tests are skipped/u,
    );
  });
});

describe("what git takes for binary", () => {
  const bytes = Buffer.alloc(300_000, Buffer.from([0x89, 0x50, 0xff, 0, 3, 10, 0xd8, 200]));
  it("is named as such for whoever must judge it, and costs few words", async () => {
    const diff = await diffOf({ "tool.bin": bytes, "later.ts": "export const later = 1;\n" });
    expect(diff.length).toBeLessThan(1000);
    const [later, tool] = parseDiff(diff);
    expect(later).toMatchObject({ path: "later.ts", isBinary: false, is: "added" });
    expect(tool).toMatchObject({ path: "tool.bin", isBinary: true, is: "added" });
    expect(protectedReasons(parseDiff(diff), [])).toEqual([expect.stringContaining("tool.bin")]);
  });

  it("is read as text where it is text, attributes or not", async () => {
    const diff = await diffOf({ ".gitattributes": "*.ts binary\n", "new.ts": "export const a = 1;\n" });
    expect(parseDiff(diff).map(({ isBinary }) => isBinary)).toEqual([false, false]);
    expect(diff).toContain("+export const a = 1;");
  });

  it("is refused for good where it is more than can be read", async () => {
    await expect(
      diffOf({ "huge.bin": Buffer.alloc(70 * 1024 * 1024, "0123456789abcdef\n") }),
    ).rejects.toMatchObject({
      code: "git-too-large",
      permanent: true,
      message: expect.stringMatching(/67108864 bytes/),
    });
  });
});
