/** One line that a diff adds or removes. */
export interface DiffLine {
  readonly text: string;
  /** In the new file for added lines, in the old one for removed. */
  readonly line: number;
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
}

/** Reads a unified diff as git writes it. */
export function parseDiff(diff: string): readonly DiffFile[] {
  return diff
    .split(/^(?=diff --git )/mu)
    .filter((part) => part.startsWith("diff --git "))
    .map(fileOf);
}

function fileOf(part: string): DiffFile {
  const start = part.search(/^@@ /mu);
  const head = start < 0 ? part : part.slice(0, start);
  const named = (key: string) => new RegExp(`^${key} (.*)$`, "mu").exec(head)?.[1];
  const [left, right] = bothNames(head.split("\n")[0] ?? "");
  const oldPath = unquoted(named("rename from") ?? sided(named("---"), left));
  const path = unquoted(named("rename to") ?? sided(named("\\+\\+\\+"), right));
  const is = /^new file mode/mu.test(head)
    ? "added"
    : /^deleted file mode/mu.test(head)
      ? "deleted"
      : /^rename from/mu.test(head)
        ? "renamed"
        : "modified";
  const mode = named("new file mode") ?? named("new mode") ?? named("deleted file mode");
  const isBinary = /^(?:Binary files .* differ|GIT binary patch)$/mu.test(head);
  return { path, oldPath, is, mode, isBinary, ...linesOf(start < 0 ? "" : part.slice(start)) };
}

function linesOf(hunks: string): { added: DiffLine[]; removed: DiffLine[] } {
  const added: DiffLine[] = [];
  const removed: DiffLine[] = [];
  let before = 0;
  let after = 0;
  for (const text of hunks.split("\n")) {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)/u.exec(text);
    if (hunk !== null) {
      before = Number(hunk[1]);
      after = Number(hunk[2]);
    } else if (text.startsWith("+")) added.push({ text: text.slice(1), line: after++ });
    else if (text.startsWith("-")) removed.push({ text: text.slice(1), line: before++ });
    else if (text.startsWith(" ")) {
      before += 1;
      after += 1;
    }
  }
  return { added, removed };
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
