import { classOf, type Class } from "./classify.ts";
import type { Evidence } from "./detected.ts";
import { commandsOf, isFit } from "./shell.ts";
import { evidenceAt } from "./text.ts";
import { within, type Tree } from "./tree.ts";

/** A command that a document for people shows in a fenced block. */
export interface ReadmeCommand extends Class {
  readonly command: string;
  readonly folder: string;
  readonly evidence: Evidence;
}

const documents = /^(?:readme|contributing|development|hacking)(?:\.md|\.markdown|\.rst|\.txt)?$/iu;
const maxBlocks = 100;
const maxCommands = 200;

/** What a folder's documents tell people to type. */
export function readReadme(tree: Tree, folder: string): readonly ReadmeCommand[] {
  return tree
    .names(folder)
    .filter((name) => documents.test(name))
    .slice(0, 4)
    .flatMap((name) => documentRead(tree, within(folder, name), folder));
}

function documentRead(tree: Tree, path: string, folder: string): readonly ReadmeCommand[] {
  const text = tree.read(path);
  if (text === undefined) return [];
  const found: ReadmeCommand[] = [];
  for (const { start, lines } of blocksOf(text.lines)) {
    const prompted = lines.some((line) => /^\s*\$ /u.test(line));
    for (const [index, line] of lines.entries()) {
      // A transcript shows what was typed after a prompt, and below it what was answered.
      if (prompted && !/^\s*\$ /u.test(line)) continue;
      for (const { command, folder: inside } of commandsOf(line.replace(/^\s*\$ /u, ""))) {
        const told = classOf(command);
        if (
          told === undefined ||
          isOfUsers(command) ||
          inside !== "." ||
          !isFit(command) ||
          /[<>[\]{}…]|\.\.\.(?!\s|$|\/)/u.test(command)
        )
          continue;
        found.push({ ...told, command, folder, evidence: evidenceAt(text, start + index) });
      }
    }
  }
  return found.slice(0, maxCommands);
}

/** How somebody gets the package who only uses it. */
const isOfUsers = (command: string): boolean =>
  /\bpip[\d.]* install\b/u.test(command) &&
  !/ (?:-r|-e|--editable|--requirement)\b|\s["']?\.(?:\[|["']?$)/u.test(command);

/** Fenced blocks of a shell, or of no language. A fence that is never closed is none. */
function blocksOf(lines: readonly string[]): readonly { start: number; lines: readonly string[] }[] {
  const blocks: { start: number; lines: string[] }[] = [];
  let open: { fence: string; shell: boolean; start: number; lines: string[] } | undefined;
  for (const [index, line] of lines.entries()) {
    const [, fence = "", language = ""] = /^\s{0,8}(`{3,}|~{3,})\s*([\w-]*)/u.exec(line.slice(0, 200)) ?? [];
    if (open === undefined) {
      if (fence !== "")
        open = {
          fence,
          shell: /^(?:|sh|bash|shell|console|zsh|shell-session|terminal)$/iu.test(language),
          start: index + 2,
          lines: [],
        };
    } else if (fence.startsWith(open.fence) && language === "") {
      if (open.shell && blocks.length < maxBlocks) blocks.push({ start: open.start, lines: open.lines });
      open = undefined;
    } else open.lines.push(line);
  }
  return blocks;
}
