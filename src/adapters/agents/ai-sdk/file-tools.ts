import { readdir, type FileHandle } from "node:fs/promises";
import { join, relative } from "node:path";
import { z } from "zod";
import { ownTool, type AgentTool } from "./tool.ts";
import { Refusal, type Worktree } from "./worktree.ts";

/** Read of one file at most; whoever needs more of it searches. */
const mostBytes = 8 * 1024 * 1024;
const usualLines = 1_000;
const mostEntries = 1_000;
/** Folders of a dependency manager: named, and not walked into. */
const notWalked: ReadonlySet<string> = new Set([".git", "node_modules"]);

const path = z.string().describe("Below the folder you work in, such as src/index.ts");

/** Reads a file. */
export const readTool = (tree: Worktree): AgentTool =>
  ownTool({
    name: "read",
    description: `Reads a text file, ${usualLines} lines unless you ask for others.`,
    input: z.object({
      path,
      from_line: z.int().min(1).optional().describe("First line wanted, counted from 1"),
      lines: z.int().min(1).max(5_000).optional().describe("How many"),
    }),
    run: async ({ path, from_line: from = 1, lines: count = usualLines }) => {
      const { text, rest } = await textOf(await tree.openToRead(path), path);
      const lines = text.split("\n");
      if (lines.at(-1) === "") lines.pop();
      const wanted = lines.slice(from - 1, from - 1 + count);
      const isWhole = wanted.length === lines.length && rest === 0;
      const more = rest === 0 ? "" : `, and ${rest} bytes that cannot be read at once`;
      const head = `[lines ${from} to ${from - 1 + wanted.length} of ${lines.length}${more}]\n`;
      return isWhole ? text : `${head}${wanted.join("\n")}`;
    },
  });

/** Names what is in a folder. */
export const listTool = (tree: Worktree): AgentTool =>
  ownTool({
    name: "list",
    description:
      "Names the files and folders (with a slash) below a folder; what a dependency manager installed is left out.",
    input: z.object({
      path: path.optional(),
      depth: z.int().min(1).max(20).optional().describe("Levels of folders, 2 unless you say otherwise"),
      name: z.string().optional().describe("Only paths that hold this text"),
    }),
    run: async ({ path: from = ".", depth = 2, name = "" }, signal) => {
      const start = await tree.find(from);
      const found: string[] = [];
      let left = 0;
      const walk = async (folder: string, level: number): Promise<void> => {
        signal.throwIfAborted();
        const entries = await readdir(folder, { withFileTypes: true });
        for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
          if (entry.name.toLowerCase() === ".git") continue;
          const at = join(folder, entry.name);
          const said = `${relative(tree.root, at)}${entry.isDirectory() ? "/" : ""}`;
          if (said.includes(name)) {
            if (found.length < mostEntries) found.push(said);
            else left += 1;
          }
          if (entry.isDirectory() && level < depth && left === 0 && !notWalked.has(entry.name))
            await walk(at, level + 1);
        }
      };
      await walk(start, 1);
      if (found.length === 0) return name === "" ? "[it is empty]" : `[nothing there is called ${name}]`;
      return [...found, ...(left === 0 ? [] : ["[and more: ask for a folder further down]"])].join("\n");
    },
  });

/** Writes a whole file. */
export const writeTool = (tree: Worktree): AgentTool =>
  ownTool({
    name: "write",
    description: "Writes a whole file, new or not, and the folders it lies in.",
    input: z.object({ path, text: z.string().describe("All that shall be in it") }),
    run: async ({ path, text }) => {
      await overwrite(await tree.openToWrite(path), text);
      return `${path} is written`;
    },
  });

/** Replaces one passage of a file. */
export const editTool = (tree: Worktree): AgentTool =>
  ownTool({
    name: "edit",
    description:
      "Replaces a passage of a file. `old` must be there letter for letter, spaces included, and once only unless `occurrences` is `all`.",
    input: z.object({
      path,
      old: z.string().min(1),
      new: z.string(),
      occurrences: z.enum(["one", "all"]).optional(),
    }),
    run: async ({ path, old, new: fresh, occurrences = "one" }) => {
      const { text, rest } = await textOf(await tree.openToRead(path), path);
      if (rest > 0) throw new Refusal(`${path} is too large to be edited so`);
      const pieces = text.split(old);
      if (pieces.length === 1)
        throw new Refusal(`the passage is not in ${path}: read it again and copy it letter for letter`);
      if (pieces.length > 2 && occurrences === "one")
        throw new Refusal(
          `the passage is ${pieces.length - 1} times in ${path}: take more of what surrounds it, or set occurrences to all`,
        );
      await overwrite(await tree.openToWrite(path), pieces.join(fresh));
      return pieces.length === 2 ? `${path} is changed` : `${path} is changed in ${pieces.length - 1} places`;
    },
  });

async function textOf(
  handle: FileHandle,
  path: string,
): Promise<{ readonly text: string; readonly rest: number }> {
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(Math.min(size, mostBytes));
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    const read = bytes.subarray(0, filled);
    if (read.includes(0)) throw new Refusal(`${path} is no text`);
    return { text: read.toString("utf8"), rest: size - filled };
  } finally {
    await handle.close();
  }
}

async function overwrite(handle: FileHandle, text: string): Promise<void> {
  try {
    await handle.truncate(0);
    await handle.writeFile(text);
  } finally {
    await handle.close();
  }
}
