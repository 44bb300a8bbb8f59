/** Lists over many lines: what is in them stands below the key that says what it is for. */
import type { DiffFile, HunkLine } from "../diff.ts";
import { indentOf } from "./code.ts";
import { isManifest } from "./config-files.ts";
import { leavesOut, takesIn } from "./config-values.ts";

const item =
  /^\s{0,200}(?:-\s{1,3})?["']?([\w*@!.][^"'#:=]{0,200}?)["']?\s{0,3},?\s{0,3}$|^\s{0,200}<\w{1,40}>([^<]{1,200})<\/\w{1,40}>\s{0,3}$/u;

/** Items added to what is left out, or taken from what is looked at. */
export function lostItems({
  path,
  hunks,
}: DiffFile): readonly { readonly line: number; readonly reason: string }[] {
  const takes = isManifest(path) ? takesInManifest : takesIn;
  return hunks.flatMap(({ lines }) => {
    const moved = new Set<string>();
    const [plus, minus] = (["+", "-"] as const).map(
      (sign) => new Set(lines.filter((one) => one.sign === sign).map(({ text }) => bare(text))),
    );
    for (const text of plus ?? []) if (minus?.has(text) === true) moved.add(text);
    return lines.flatMap((line, index) => {
      if (line.sign === " " || !item.test(line.text) || moved.has(bare(line.text))) return [];
      const keys = keysAbove(lines, index);
      if (line.sign === "+" && keys.some((key) => leavesOut.test(key)))
        return [{ line: line.line, reason: "more is left out of a check" }];
      const isTaken =
        line.sign === "-" &&
        keys[0] !== undefined &&
        takes.test(keys[0]) &&
        !keys.some((key) => leavesOut.test(key));
      return isTaken ? [{ line: line.line, reason: "a check takes in less than before" }] : [];
    });
  });
}

/** In what also lists dependencies and files to publish, only these are about checks. */
const takesInManifest = /^(?:select|extend-select|enable|testpaths|python_files|testMatch|projects)$/u;

const bare = (text: string): string => text.replace(/[\s,"'-]/gu, "");

/** A key further above is not looked for. */
const mostLooked = 100;

/** The keys a line stands below, the nearest first, as far as the hunk shows them. */
function keysAbove(lines: readonly HunkLine[], index: number): readonly string[] {
  const line = lines[index];
  if (line === undefined) return [];
  const keys: string[] = [];
  let indent = indentOf(line.text) + (/^\s{0,200}-\s/u.test(line.text) ? 1 : 0);
  for (let above = index - 1; above >= Math.max(0, index - mostLooked) && indent > 0; above -= 1) {
    const other = lines[above];
    if (other === undefined || other.text.trim() === "" || (other.sign !== " " && other.sign !== line.sign))
      continue;
    if (indentOf(other.text) >= indent) continue;
    const key =
      /^\s{0,200}(?:-\s{1,3})?["']?([\w@./-]{1,80})["']?\s{0,3}[:=]|^\s{0,200}<([\w.-]{1,80})|^\s{0,200}([\w.]{1,80})\s{0,3}[({]/u.exec(
        other.text,
      );
    const name = key?.slice(1).find((one) => one !== undefined);
    if (name !== undefined) keys.push(name);
    indent = indentOf(other.text);
  }
  return keys;
}
