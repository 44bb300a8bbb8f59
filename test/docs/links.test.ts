/** Every link of the documentation leads somewhere: to a file that is there, and to a heading that is in it. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Link {
  readonly line: number;
  readonly to: string;
}

const withoutCode = (text: string): string =>
  text
    .replaceAll(/^(`{3,}|~{3,})[\s\S]*?^\1.*$/gmu, (block) => block.replaceAll(/[^\n]/gu, ""))
    .replaceAll(/`[^`\n]*`/gu, (span) => "x".repeat(span.length));

function linksIn(text: string): readonly Link[] {
  const plain = withoutCode(text);
  const found = [
    ...plain.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/gu),
    ...plain.matchAll(/^\[[^\]\n]+\]:\s+<?([^\s>]+)/gmu),
    ...plain.matchAll(/<[a-z][^<>]*\s(?:href|src)="([^"]+)"/giu),
  ];
  return found.map(({ index, 1: to = "" }) => ({ line: plain.slice(0, index).split("\n").length, to }));
}

/** The anchors that GitHub gives the headings of a page. */
function anchorsIn(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  const plain = text.replaceAll(/^(`{3,}|~{3,})[\s\S]*?^\1.*$/gmu, "");
  for (const [, heading = ""] of plain.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gmu)) {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/gu, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, "")
      .replaceAll(" ", "-");
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    anchors.add(before === 0 ? slug : `${slug}-${before}`);
  }
  return anchors;
}

/** Why a link of this page leads nowhere; undefined when it does not. */
function brokenBecause(page: string, text: string, to: string): string | undefined {
  if (/^(?:[a-z][a-z+.-]*:|\/\/)/iu.test(to)) return undefined;
  const [path = "", anchor] = to.split("#", 2);
  if (path === "") return anchorsIn(text).has(anchor ?? "") ? undefined : "there is no such heading";
  const target = join(root, dirname(page), decodeURIComponent(path));
  if (relative(root, target).startsWith("..")) return "it leads out of the repository";
  if (!existsSync(target)) return "there is no such file";
  if (anchor === undefined || statSync(target).isDirectory() || !target.endsWith(".md")) return undefined;
  return anchorsIn(readFileSync(target, "utf8")).has(anchor) ? undefined : "there is no such heading";
}

const { stdout } = await execa(
  "git",
  ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
  {
    cwd: root,
  },
);
const pages = stdout.split("\0").filter((path) => path !== "" && !path.startsWith("test/fixtures/"));

test.each(pages)("every link of %s leads somewhere", (page) => {
  const text = readFileSync(join(root, page), "utf8");
  const broken = linksIn(text).flatMap(({ line, to }) => {
    const why = brokenBecause(page, text, to);
    return why === undefined ? [] : [`${page}:${line} ${to}: ${why}`];
  });
  expect(broken).toEqual([]);
});

test("a link to nowhere, to a missing heading and out of the repository is found, and others are not", () => {
  const text =
    '# One\n## Two & three\n## One\n`[no](link.md)`\n[a](x.md) [b](#one-1) [c](#two--three) [d](#four)\n[e]: y.md\n<img src="z.png">\n';
  expect(linksIn(text).map(({ to }) => to)).toEqual([
    "x.md",
    "#one-1",
    "#two--three",
    "#four",
    "y.md",
    "z.png",
  ]);
  const why = (to: string) => brokenBecause("docs/page.md", text, to);
  expect([
    why("x.md"),
    why("#one-1"),
    why("#two--three"),
    why("#four"),
    why("../../x"),
    why("https://example.com/x"),
    why("../README.md"),
  ]).toEqual([
    "there is no such file",
    undefined,
    undefined,
    "there is no such heading",
    "it leads out of the repository",
    undefined,
    undefined,
  ]);
});
