import type { DiffFile, HunkLine } from "../diff.ts";
import { codeOf, indentOf, literalsOf, normal, tokensOf, type Code } from "./code.ts";
import { isCheckConfig, isManifest } from "./config-files.ts";
import type { Language } from "./language.ts";
import { kindOf, languageOf, subjectOf, type Kind } from "./paths.ts";

/** A line of one side of a hunk. */
export interface SideLine extends Code {
  readonly text: string;
  /** Where it is, or was, in the file as it is now. */
  readonly at: number;
  readonly indent: number;
  /** Only on this side. */
  readonly isChanged: boolean;
}
/** A hunk as it was and as it is now; both sides with the lines they share. */
export interface Part {
  readonly heading: string;
  readonly old: readonly SideLine[];
  readonly now: readonly SideLine[];
}
/** A changed program: its tests, or what they are about. Rust has both in one file. */
export interface Program {
  readonly file: DiffFile;
  readonly language: Language;
  readonly isTest: boolean;
  readonly parts: readonly Part[];
}
/** The diff as a whole: what a change of a test has to be judged by. */
export interface Change {
  readonly files: readonly DiffFile[];
  readonly tests: readonly Program[];
  readonly sources: readonly Program[];
  /** Something that tests may be about differs in more than its layout. */
  readonly sourceDiffers: boolean;
  /** Names and strings that sources spoke of before and nowhere in the diff do now. */
  readonly gone: ReadonlySet<string>;
}

export function readChange(files: readonly DiffFile[]): Change {
  const programs = files.flatMap(programsOf);
  const sources = programs.filter(({ isTest, file }) => !isTest && !isCheckConfig(file.path));
  const data = files.filter(({ path }) => kindOf(path) === "data" && !isCheckConfig(path));
  return {
    files,
    tests: programs.filter(({ isTest }) => isTest),
    sources,
    sourceDiffers: sources.some(differs) || data.some(dataDiffers),
    gone: goneFrom(sources),
  };
}

/** What the file was for before counts too: moving a test away does not make it a source. */
function programsOf(file: DiffFile): readonly Program[] {
  const language = languageOf(file.path) ?? languageOf(file.oldPath);
  if (language === undefined) return [];
  const kinds: readonly Kind[] = [kindOf(file.path), kindOf(file.oldPath)];
  if (kinds.includes("snapshot") || kinds[0] === "golden") return [];
  const parts = file.hunks.map(({ heading, lines }) => partOf(heading, lines, language));
  if (kinds.includes("test")) return [{ file, language, isTest: true, parts }];
  if (language.name !== "rust") return [{ file, language, isTest: false, parts }];
  return split(file, language);
}

function partOf(heading: string, lines: readonly HunkLine[], language: Language): Part {
  const old: SideLine[] = [];
  const now: SideLine[] = [];
  let at = lines.find(({ sign }) => sign !== "-")?.line ?? 1;
  for (const { sign, text, line } of lines) {
    if (sign !== "-") at = line;
    const code = codeOf(text, language);
    const side = { ...code, text, at, indent: indentOf(text), isChanged: sign !== " " };
    if (sign !== "+") old.push(side);
    if (sign !== "-") now.push(side);
    if (sign !== "-") at += 1;
  }
  return { heading, old, now };
}

const testModule =
  /^\s{0,8}(?:pub\s)?mod\s{1,3}\w{0,40}tests?\b|^\s{0,8}#\[cfg\(test\)\]\s{0,3}$|^\s{0,8}#\[(?:\w{1,20}::)?test\]/u;

/** Rust keeps tests at the end of the file they are about. */
function split(file: DiffFile, language: Language): readonly Program[] {
  let inTests = false;
  const sources: Part[] = [];
  const tests: Part[] = [];
  for (const { heading, lines } of file.hunks) {
    if (/^(?:pub\s)?mod\s{1,3}\w{0,40}tests?\b/u.test(heading)) inTests = true;
    const start = inTests ? 0 : lines.findIndex((line, index) => beginsTests(lines, line, index));
    const before = start < 0 ? lines : lines.slice(0, start);
    const after = start < 0 ? [] : lines.slice(start);
    if (before.length > 0) sources.push(partOf(heading, before, language));
    if (after.length > 0) tests.push(partOf(heading, after, language));
    if (start > 0) inTests = true;
  }
  return [
    { file, language, isTest: false, parts: sources },
    ...(tests.length > 0 ? [{ file, language, isTest: true, parts: tests }] : []),
  ];
}

/** `#[cfg(test)]` before anything but a module is only a helper of tests. */
function beginsTests(lines: readonly HunkLine[], line: HunkLine, index: number): boolean {
  if (!testModule.test(line.text)) return false;
  if (!line.text.includes("cfg(test)")) return true;
  const next = lines.slice(index + 1).find(({ sign }) => sign === line.sign || sign === " ");
  return next !== undefined && /\bmod\b/u.test(next.text);
}

/** The lines of a side that are only there, with something in them. */
export const changed = (side: readonly SideLine[]): readonly SideLine[] =>
  side.filter(({ isChanged, code }) => isChanged && code.trim() !== "");

function differs({ file, parts }: Program): boolean {
  if (file.is === "added" || file.is === "deleted") return parts.length > 0;
  const text = (side: "old" | "now"): string =>
    parts
      .flatMap((part) => changed(part[side]).map(({ code }) => normal(code)))
      .toSorted()
      .join("\n");
  return text("old") !== text("now");
}

/** In what lists dependencies, only a version is a change of what tests are about. */
function dataDiffers({ path, added, removed }: DiffFile): boolean {
  const lines = [...added, ...removed].map(({ text }) => text);
  if (isManifest(path)) return lines.some((text) => /\d\.\d/u.test(text));
  return lines.some((text) => text.trim() !== "");
}

function goneFrom(sources: readonly Program[]): ReadonlySet<string> {
  const gone = new Set<string>();
  for (const { file, language, parts } of sources) {
    if (file.is === "deleted") gone.add(subjectOf(file.path));
    for (const { old, now } of parts) {
      const [before, after] = [old, now].map((side) =>
        changed(side).flatMap((line) => declared(line, language)),
      );
      // As many as before are there under other names: they were renamed.
      if (
        before !== undefined &&
        after !== undefined &&
        (before.length > after.length || file.is === "deleted")
      )
        for (const name of before) gone.add(name);
      const kept = new Set(now.flatMap(({ code }) => literalsOf(code)));
      for (const { code } of changed(old))
        for (const text of literalsOf(code))
          if (/^[^\d\W].{2,60}$/u.test(text) && !kept.has(text)) gone.add(`"${text}`);
    }
  }
  const still = new Set(
    sources.flatMap(({ parts }) =>
      parts.flatMap(({ now }) => now.flatMap(({ bare }) => [...tokensOf(bare)])),
    ),
  );
  for (const name of still) gone.delete(name);
  return gone;
}

/** Names that more than their own function may use. */
function declared({ bare, indent }: SideLine, { declares }: Language): readonly string[] {
  const match = declares.exec(bare);
  const name = match?.slice(1).find((one) => one !== undefined);
  if (name === undefined || name.length < 3 || indent > 8) return [];
  if (indent > 0 && /\b(?:const|let|var)\s/u.test(bare)) return [];
  return [name];
}

/** Whether this code is about something that went with the change. */
export function speaksOfGone(code: string, gone: ReadonlySet<string>): boolean {
  if (gone.size === 0) return false;
  for (const token of tokensOf(code)) if (gone.has(token)) return true;
  return literalsOf(code).some((text) => gone.has(`"${text}`));
}
