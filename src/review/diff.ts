/** One line that a diff adds or removes. */
export interface DiffLine {
  readonly text: string;
  /** In the new file for added lines, in the old one for removed. */
  readonly line: number;
}
/** A line as it stands in a hunk: added, removed, or the same on both sides. */
export interface HunkLine extends DiffLine {
  readonly sign: "+" | "-" | " ";
}
export interface Hunk {
  /** What git shows behind the line numbers: the nearest line before that begins something. */
  readonly heading: string;
  readonly lines: readonly HunkLine[];
}
export interface DiffFile {
  readonly path: string;
  readonly oldPath: string;
  readonly is: "added" | "deleted" | "renamed" | "modified";
  /** As git writes it, such as `120000` for a symbolic link. */
  readonly mode: string | undefined;
  /** Git shows no lines of it. */
  readonly isBinary: boolean;
  readonly added: readonly DiffLine[];
  readonly removed: readonly DiffLine[];
  readonly hunks: readonly Hunk[];
}

/** Reads a unified diff as git writes it: its lines end with a line feed, and with nothing else. */
export function parseDiff(diff: string): readonly DiffFile[] {
  return diff
    .split(/(?<=\n)(?=diff --git )/u)
    .filter((part) => part.startsWith("diff --git "))
    .map(fileOf);
}

function fileOf(part: string): DiffFile {
  const lines = part.split("\n");
  const start = lines.findIndex((line) => line.startsWith("@@ "));
  const head = start < 0 ? lines : lines.slice(0, start);
  const named = (key: string) => head.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1);
  const [left, right] = bothNames(head[0] ?? "");
  const oldPath = unquoted(named("rename from") ?? sided(named("---"), left));
  const path = unquoted(named("rename to") ?? sided(named("+++"), right));
  const is =
    named("new file mode") !== undefined
      ? "added"
      : named("deleted file mode") !== undefined
        ? "deleted"
        : named("rename from") !== undefined
          ? "renamed"
          : "modified";
  const mode = named("new file mode") ?? named("new mode") ?? named("deleted file mode");
  const isBinary = head.some(
    (line) => line === "GIT binary patch" || (line.startsWith("Binary files ") && line.endsWith(" differ")),
  );
  return { path, oldPath, is, mode, isBinary, ...linesOf(start < 0 ? [] : lines.slice(start)) };
}

function linesOf(text: readonly string[]): Pick<DiffFile, "added" | "removed" | "hunks"> {
  const hunks: { heading: string; lines: HunkLine[] }[] = [];
  let before = 0;
  let after = 0;
  for (const line of text) {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)?(?: @@ ?(.*))?/u.exec(line);
    const lines = hunks.at(-1)?.lines;
    if (hunk !== null) {
      before = Number(hunk[1]);
      after = Number(hunk[2]);
      hunks.push({ heading: hunk[3] ?? "", lines: [] });
    } else if (line.startsWith("+")) lines?.push({ sign: "+", text: line.slice(1), line: after++ });
    else if (line.startsWith("-")) lines?.push({ sign: "-", text: line.slice(1), line: before++ });
    else if (line.startsWith(" ")) {
      lines?.push({ sign: " ", text: line.slice(1), line: after++ });
      before += 1;
    }
  }
  const signed = (sign: HunkLine["sign"]): DiffLine[] =>
    hunks.flatMap(({ lines }) =>
      lines.flatMap((one) => (one.sign === sign ? [{ text: one.text, line: one.line }] : [])),
    );
  return { added: signed("+"), removed: signed("-"), hunks };
}

const sided = (name: string | undefined, other: string): string =>
  name === undefined || name === "/dev/null" ? other : name.replace(/^("?)[ab]\//u, "$1").replace(/\t$/u, "");

/** `diff --git a/x b/x`: both halves are alike unless it is a rename, which names its paths elsewhere. */
function bothNames(line: string): readonly [string, string] {
  const rest = line.slice("diff --git ".length);
  const quoted = /^"a\/(.*)" "b\/(.*)"$/u.exec(rest);
  if (quoted !== null) return [`"${quoted[1]}"`, `"${quoted[2]}"`];
  const half = rest.slice(2, Math.floor(rest.length / 2));
  return [half, half];
}

/** Git quotes unusual names as C does, in octal bytes. */
function unquoted(name: string): string {
  if (!name.startsWith('"')) return name;
  const inside = name.slice(1, name.endsWith('"') ? -1 : undefined);
  const bytes = inside.replace(/\\([0-7]{3}|.)/gu, (_, sign: string) =>
    /^[0-7]{3}$/u.test(sign) ? String.fromCodePoint(Number.parseInt(sign, 8)) : sign,
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}
