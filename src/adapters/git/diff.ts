/** The change as a reviewer and the scans see it: every byte, whatever attributes or bytes say that it is not text. */
import type { Worktree } from "../../ports.ts";
import { resolve } from "./commits.ts";
import { opened } from "./mirror.ts";
import { requireSha } from "./paths.ts";
import type { Yard } from "./yard.ts";

/** Git knows this object without having it. */
const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/** Unified diff of head against its merge base with base; a cold checkout's own HEAD is not asked. */
export async function diff(yard: Yard, tree: Worktree): Promise<string> {
  const at = await opened(yard, tree.path);
  const head = tree.branch === undefined ? tree.head : ((await resolve(yard, at, ["HEAD"]))[0] ?? "");
  for (const sha of [tree.base, head]) requireSha(sha);
  return await unified(yard, at.mirror, `${tree.base}...${head}`);
}

/** Unified diff of a range of two full commit ids, from a bare mirror. */
export async function unified(yard: Yard, mirror: string, range: string): Promise<string> {
  const text = await yard.git(
    // Asked where there is no worktree, git before 2.43 reads no .gitattributes; from 2.41 on it reads those of this tree.
    { in: { mirror }, environment: { GIT_ATTR_SOURCE: emptyTree } },
    "diff",
    "--text",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    // Said here, since a configuration may change between two looks, and the parts of one must be those of the other.
    "--unified=3",
    "--inter-hunk-context=0",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--ignore-submodules=none",
    "--no-relative",
    "-O/dev/null",
    range,
  );
  return text
    .split(/\n(?=diff --git )/u)
    .map(readable)
    .join("\n");
}

/** Of what git takes for binary, this much at its beginning tells whether it is text with something odd in it. */
const sampled = 64 * 1024;
const oddShare = 0.05;
const odd = /[\p{Cc}\ufffd]/gu;

/** One file of the diff, in characters that no reader of lines trips over; what is no text is named as binary too. */
function readable(part: string): string {
  // To some readers a lone carriage return or a separator ends a line, and then a file could pretend to be another.
  const plain = part.replaceAll(/\r(?!\n)|[\u0085\u2028\u2029]/gu, "\u240d");
  if (!plain.includes("\0")) return plain;
  // Without its NUL bytes UTF-16 reads like what it says, as far as it says it in ASCII.
  const text = plain.replaceAll("\0", "");
  const start = text.indexOf("\n@@ ");
  if (start === -1) return text;
  const header = text.slice(0, start);
  const hunks = text.slice(start + 1);
  const [from, to] = ["---", "+++"].map((side) =>
    header
      .split("\n")
      .find((line) => line.startsWith(`${side} `))
      ?.slice(4),
  );
  const named = header.replace(/\n(?=--- )/u, `\nBinary files ${from} and ${to} differ\n`);
  const sample = hunks.slice(0, sampled).replaceAll(/[\r\n\t]/gu, "");
  const isText = (sample.match(odd)?.length ?? 0) < sample.length * oddShare;
  return `${named}\n${isText ? hunks : wordsOf(hunks)}`;
}

/** Shorter than any credential, and longer than what chance makes of noise. */
const words = /[^\p{C}\ufffd]{8,}/gu;

/** What can be read of changed lines that are mostly noise, each under a header that says where it was. */
function wordsOf(hunks: string): string {
  const kept: string[] = [];
  let before = 0;
  let after = 0;
  for (const line of hunks.split("\n")) {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)/u.exec(line);
    if (hunk !== null) [before, after] = [Number(hunk[1]), Number(hunk[2])];
    const found = /^[+-]/u.test(line) ? line.slice(1).match(words)?.join(" ") : undefined;
    if (found !== undefined && line.startsWith("+")) kept.push(`@@ -${before},0 +${after} @@`, `+${found}`);
    if (found !== undefined && line.startsWith("-")) kept.push(`@@ -${before} +${after},0 @@`, `-${found}`);
    if (/^[ +]/u.test(line)) after += 1;
    if (/^[ -]/u.test(line)) before += 1;
  }
  return kept.join("\n");
}
