/** Commits what people suggested, word for word, by plumbing alone: no file of the worktree is opened by its name. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Remote, Worktree } from "../../ports.ts";
import type { LineSuggestion } from "../../ports-threads.ts";
import type { Sha } from "../../state-machine/ticket.ts";
import { opened } from "./mirror.ts";
import { openedWide } from "./modes.ts";
import type { Place } from "./paths.ts";
import { publish } from "./publish.ts";
import { resolve } from "./commits.ts";
import { authored } from "./yard.ts";
import type { Yard } from "./yard.ts";

interface Applied {
  readonly head: Sha;
  readonly applied: readonly number[];
}

/** By this line a commit of suggestions is found again, each by its conversation and comment. */
const trailer = "Forgehand-Suggestions";
const nameOf = ({ root, comment }: LineSuggestion): string => `${root}-${comment}`;

/** One commit upon the remote's tip, pushed at once; undefined where none applies, or work of ours is in the way. */
export async function applySuggestions(
  yard: Yard,
  order: {
    readonly tree: Worktree;
    readonly remote: Remote;
    readonly suggestions: readonly LineSuggestion[];
  },
): Promise<Applied | undefined> {
  const { tree, remote, suggestions } = order;
  const { branch } = tree;
  if (branch === undefined || suggestions.length === 0) return undefined;
  const at = await opened(yard, tree.path);
  const record = yard.records.tree(at);
  const [head] = await resolve(yard, at, ["HEAD"]);
  if (head === undefined || record?.ground === undefined) return undefined;
  const standing = { head, ground: record.ground, suggestions };
  const made = (await madeBefore(yard, at, standing)) ?? (await madeNow(yard, at, standing));
  if (made === undefined) return undefined;
  const pushed = await publish(yard, { tree, remote, branch, expected: record.ground });
  return pushed === made.head ? made : undefined;
}

interface Standing {
  readonly head: Sha;
  /** The remote's tip. */
  readonly ground: Sha;
  readonly suggestions: readonly LineSuggestion[];
}

async function madeNow(
  yard: Yard,
  at: Place,
  { head, ground, suggestions }: Standing,
): Promise<Applied | undefined> {
  const isClean = (await yard.git({ in: at }, "status", "--porcelain", "-z")) === "";
  return head === ground && isClean ? await commitThem(yard, at, { head, suggestions }) : undefined;
}

/** What was committed, and perhaps pushed, when the process died before it could tell, or what came after it failed. */
async function madeBefore(
  yard: Yard,
  at: Place,
  { head, ground, suggestions }: Standing,
): Promise<Applied | undefined> {
  const record = yard.records.tree(at);
  const said = await yard.git({ in: at }, "log", "-1", "--format=%P%n%B", head);
  const names = new RegExp(`^${trailer}: ([\\d -]+)$`, "mu").exec(said)?.[1]?.split(" ");
  if (record?.made !== head || names === undefined) return undefined;
  const applied = suggestions.filter((one) => names.includes(nameOf(one))).map(({ root }) => root);
  const isPushed = head === ground;
  // A commit of an earlier order is no answer to this one.
  if (isPushed ? applied.length === 0 : said.split("\n", 1)[0] !== ground) return undefined;
  return { head, applied };
}

async function commitThem(
  yard: Yard,
  at: Place,
  { head, suggestions }: { readonly head: Sha; readonly suggestions: readonly LineSuggestion[] },
): Promise<Applied | undefined> {
  const index = join(at.admin, "suggestions.index");
  const environment = { GIT_INDEX_FILE: index };
  const applied: LineSuggestion[] = [];
  await rm(index, { force: true });
  try {
    await yard.git({ in: at, environment }, "read-tree", head);
    for (const path of new Set(suggestions.map((one) => one.path))) {
      const file = await unchangedFile(yard, at, { path, head, suggestions });
      if (file === undefined) continue;
      const { text, done } = edited(file.text, file.fitting);
      if (done.length === 0) continue;
      const blob = (await yard.git({ in: at, input: text }, "hash-object", "-w", "--stdin")).trim();
      const entry = `${file.mode},${blob},${path}`;
      await yard.git({ in: at, environment }, "update-index", "--cacheinfo", entry);
      applied.push(...done);
    }
    if (applied.length === 0) return undefined;
    const content = (await yard.git({ in: at, environment }, "write-tree")).trim();
    const next = await write(yard, at, { content, head, applied });
    // Known as ours before the branch is on it, so that a crash in between leaves nothing that cannot be published.
    const record = yard.records.tree(at);
    if (record !== undefined) await yard.records.keepTree(at, { ...record, made: next });
    await openedWide(yard, at, () => yard.git({ in: at }, "reset", "--hard", "--quiet", next));
    return { head: next, applied: applied.map(({ root }) => root) };
  } finally {
    await rm(index, { force: true });
  }
}

/** A plain file as it was when it was commented on, still so now; and the suggestions written on that very text. */
async function unchangedFile(
  yard: Yard,
  at: Place,
  {
    path,
    head,
    suggestions,
  }: { readonly path: string; readonly head: Sha; readonly suggestions: readonly LineSuggestion[] },
) {
  const listed = await yard.git({ in: at }, "--literal-pathspecs", "ls-tree", "-z", head, "--", path);
  const [mode = "", kind, blob = ""] = (listed.split("\t", 1)[0] ?? "").split(" ");
  if (kind !== "blob" || (mode !== "100644" && mode !== "100755")) return undefined;
  const here = suggestions.filter((one) => one.path === path);
  const then = await resolve(
    yard,
    at,
    here.map(({ writtenOn }) => `${writtenOn}:${path}`),
  );
  const fitting = here.filter((_, nth) => then[nth] === blob);
  if (fitting.length === 0) return undefined;
  const text = await yard.git({ in: at }, "cat-file", "blob", blob);
  // What is not text by our reading would come back as something else.
  return text.includes("\uFFFD") || text.includes("\0") ? undefined : { mode, text, fitting };
}

/** From the last line up, so that the numbers stay true; of two that overlap the one said first is done. */
function edited(
  text: string,
  suggestions: readonly LineSuggestion[],
): { readonly text: string; readonly done: readonly LineSuggestion[] } {
  const lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
  const lines = text.split("\n");
  const count = text.endsWith("\n") ? lines.length - 1 : lines.length;
  const done: LineSuggestion[] = [];
  for (const one of suggestions) {
    const overlaps = done.some(({ from, to }) => one.from <= to && from <= one.to);
    if (one.from >= 1 && one.to <= count && one.from <= one.to && !overlaps) done.push(one);
  }
  for (const { from, to, lines: fresh } of done.toSorted((one, other) => other.from - one.from)) {
    const carriage = lineEnd === "\r\n" ? "\r" : "";
    lines.splice(from - 1, to - from + 1, ...fresh.map((line) => line + carriage));
  }
  return { text: lines.join("\n"), done };
}

async function write(
  yard: Yard,
  at: Place,
  {
    content,
    head,
    applied,
  }: { readonly content: Sha; readonly head: Sha; readonly applied: readonly LineSuggestion[] },
): Promise<Sha> {
  const environment = authored(yard);
  const people = new Map(applied.map(({ by, byId }) => [by, byId]));
  const credits = [...people]
    .filter(([login]) => /^[A-Za-z0-9-]{1,39}$/u.test(login))
    .map(([login, id]) => `Co-authored-by: ${login} <${id}+${login}@users.noreply.github.com>`);
  const names = applied.map(nameOf).join(" ");
  const subject = applied.length === 1 ? "Apply a suggestion" : `Apply ${applied.length} suggestions`;
  const message = `${subject} from code review\n\n${[...credits, `${trailer}: ${names}`].join("\n")}\n`;
  const order = { in: at, environment, input: message };
  return (await yard.git(order, "commit-tree", content, "-p", head, "-F", "-")).trim();
}
