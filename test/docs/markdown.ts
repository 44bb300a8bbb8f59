/** What a page of the documentation shows: files, and transcripts of commands that use them. */
import { readFileSync } from "node:fs";

export interface Shown {
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** What the HTML comment right before it says: `file: name.tsx` or `inside: wrapper`. */
  readonly mark: string | undefined;
}
export interface Command {
  readonly line: string;
  readonly exit: number;
  readonly out: string;
}

/** Every fenced block of a page. */
export function blocksIn(path: string): readonly Shown[] {
  const text = readFileSync(path, "utf8");
  const fence = /(?:^<!-- *(?<mark>[^\n]*?) *-->\n)?^```(?<language>\w*)\n(?<body>[\s\S]*?)^```$/gmu;
  return [...text.matchAll(fence)].map((found) => ({
    line: text.slice(0, found.index).split("\n").length,
    language: found.groups?.["language"] ?? "",
    text: found.groups?.["body"] ?? "",
    mark: found.groups?.["mark"],
  }));
}

/** `$ command   # exits 3`, and what it writes until the next one. */
export function commandsIn(transcript: string): readonly Command[] {
  return transcript
    .split(/^\$ /mu)
    .slice(1)
    .map((part) => {
      const [line = "", ...out] = part.split("\n");
      const exit = /# exits (?<code>\d+)$/u.exec(line)?.groups?.["code"];
      return { line, exit: Number(exit ?? 0), out: out.join("\n").trim() };
    });
}

/** Whether this is what was shown, where `…` stands for anything. */
export function isAsShown(shown: string, out: string): boolean {
  const pattern = shown
    .split("…")
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/gu, "\\$&"))
    .join("[\\s\\S]*?");
  return new RegExp(`^${pattern}$`, "u").test(out);
}
