/** Lists over many lines: what is in them stands below the key that says what it is for. */
import type { DiffFile, DiffLine, HunkLine } from "../diff.ts";
import { indentOf } from "./code.ts";
import { isManifest } from "./config-files.ts";
import { entryOf, itemsOf, leavesOut, takesIn, type Entry } from "./config-values.ts";

const item =
  /^\s{0,200}(?:-\s{1,3})?["']?([\w*@!.][^"'#:=]{0,200}?)["']?\s{0,3},?\s{0,3}$|^\s{0,200}<\w{1,40}>([^<]{1,200})<\/\w{1,40}>\s{0,3}$/u;

/** A line of configuration without the remark behind it. */
const unremarked = (text: string): string => text.replace(/\s{1,20}(?:\/\/|#)\s.{0,400}$/u, "");

/** What these lines set; a list is the same on one line and over many. */
export function entriesOf(lines: readonly DiffLine[]): readonly Entry[] {
  return lines.flatMap((line, index) => {
    const entry = entryOf(line);
    if (entry === undefined || !/^[[(]?$/u.test(entry.value)) return entry ?? [];
    let end = index + 1;
    while (end < index + mostLooked && isItemOf(lines, index, end)) end += 1;
    const below = lines.slice(index + 1, end).map(({ text }) => unremarked(text).trim().replace(/^-\s/u, ""));
    return { ...entry, value: [entry.value, ...below].join(" ") };
  });
}

function isItemOf(lines: readonly DiffLine[], key: number, index: number): boolean {
  const [first, one] = [lines[key], lines[index]];
  return (
    first !== undefined &&
    one !== undefined &&
    one.line === first.line + index - key &&
    item.test(unremarked(one.text))
  );
}

/** Items added to what is left out, or taken from what is looked at. */
export function lostItems({
  path,
  hunks,
  added,
  removed,
}: DiffFile): readonly { readonly line: number; readonly reason: string }[] {
  const takes = isManifest(path) ? takesInManifest : takesIn;
  const [left, taken] = [listed(removed, leavesOut), listed(added, takes)];
  return hunks.flatMap(({ lines }) => {
    const moved = new Set<string>();
    const [plus, minus] = (["+", "-"] as const).map(
      (sign) => new Set(lines.filter((one) => one.sign === sign).map(({ text }) => bare(unremarked(text)))),
    );
    for (const text of plus ?? []) if (minus?.has(text) === true) moved.add(text);
    return lines.flatMap((line, index) => {
      if (line.sign === " " || !item.test(unremarked(line.text)) || moved.has(bare(unremarked(line.text))))
        return [];
      const keys = keysAbove(lines, index);
      const isIn = (items: ReadonlySet<string>): boolean =>
        itemsOf(unremarked(line.text)).every((one) => items.has(one));
      if (line.sign === "+" && keys.some((key) => leavesOut.test(key)) && !isIn(left))
        return [{ line: line.line, reason: "more is left out of a check" }];
      const isTaken =
        line.sign === "-" &&
        !isIn(taken) &&
        keys[0] !== undefined &&
        takes.test(keys[0]) &&
        !keys.some((key) => leavesOut.test(key));
      return isTaken ? [{ line: line.line, reason: "a check takes in less than before" }] : [];
    });
  });
}

/** All that stands in lists of this kind. */
const listed = (lines: readonly DiffLine[], kind: RegExp): ReadonlySet<string> =>
  new Set(
    entriesOf(lines).flatMap(({ key, value }) =>
      kind.test(key.slice(key.lastIndexOf(".") + 1)) ? itemsOf(value) : [],
    ),
  );

/** In what also lists dependencies and files to publish, only these are about checks. */
export const takesInManifest = /^(?:select|extend-select|enable|testpaths|python_files|testMatch|projects)$/u;

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
