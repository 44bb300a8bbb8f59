import { relative } from "node:path";
import { z } from "zod";
import type { Clock } from "../../../ports.ts";
import type { Place } from "../../../ports-agents.ts";
import { exceeded } from "../failure.ts";
import { runProcess, type ProcessEnd, type ProcessOrder } from "../../processes/agent-process.ts";
import { ownTool, shortened, type AgentTool } from "./tool.ts";
import { Refusal, type Worktree } from "./worktree.ts";

/** Puts a process where it may do no more than it should; `leave` takes back what was made for it. */
export type Enter = (
  order: ProcessOrder,
) => Promise<{ readonly order: ProcessOrder; leave(): Promise<void> }>;

/** Where the commands of one turn run. */
export interface Shop {
  readonly cwd: string;
  /** Without a key: the model's words decide what runs here. */
  readonly env: Readonly<Record<string, string>>;
  readonly runId: string;
  readonly place: Place | undefined;
  readonly clock: Clock;
  readonly enter: Enter | undefined;
  /** Of the turn. */
  leftMs(): number;
}

const usualMs = 2 * 60_000;
const longestMs = 10 * 60_000;
const searchMs = 30_000;
const mostMatches = 300;
/** Kept of each line that was found. */
const longestMatch = 300;
/** Kept of a command's output while it runs: its first and its last lines. */
const mostHead = 20_000;
const mostTail = 20_000;

/** Runs a command of the model's in a shell. */
export const runTool = (shop: Shop): AgentTool =>
  ownTool({
    name: "run",
    description:
      "Runs a command in /bin/sh in the folder you work in, and gives its exit code and output. Nothing it starts outlives it.",
    input: z.object({
      command: z.string().min(1),
      timeout_seconds: z
        .int()
        .min(1)
        .max(longestMs / 1_000)
        .optional()
        .describe(`${usualMs / 1_000} unless you say otherwise`),
    }),
    run: async ({ command, timeout_seconds: seconds }, signal) => {
      // One stream for both outputs keeps their lines in the order they were written in.
      const args = ["-c", `exec 2>&1\n${command}`];
      const timeoutMs = seconds === undefined ? usualMs : seconds * 1_000;
      const { text, end } = await runIn(shop, { file: "/bin/sh", args, timeoutMs }, signal);
      return `${howItEnded(end, timeoutMs)}\n${text}`;
    },
  });

/** Finds lines by a pattern; git does the looking, for it is there and knows what to ignore. */
export const searchTool = (tree: Worktree, shop: Shop): AgentTool =>
  ownTool({
    name: "search",
    description:
      "Finds lines by an extended regular expression, or by a plain text. Ignored and binary files are left out.",
    input: z.object({
      pattern: z.string().min(1),
      path: z.string().optional().describe("A file or folder below the one you work in"),
      kind: z.enum(["expression", "text"]).optional(),
      case: z.enum(["same", "any"]).optional(),
    }),
    run: async ({ pattern, path = ".", kind = "expression", case: letters = "same" }, signal) => {
      if (pattern.includes("\n")) throw new Refusal("a pattern is one line");
      const at = relative(tree.root, await tree.find(path));
      const args = ["grep", "--no-index", "--exclude-standard", "-n", "-I", "--no-color", "--threads", "1"];
      args.push(kind === "text" ? "-F" : "-E", ...(letters === "any" ? ["-i"] : []));
      args.push("-e", pattern, "--", at === "" ? "." : at);
      const env = { ...shop.env, ...alone };
      const order = { file: "git", args, timeoutMs: searchMs };
      const { text, end } = await runIn({ ...shop, env, cwd: tree.root }, order, signal);
      if (end.exit === 1 && end.stderr === "") return "[no line fits]";
      if (end.exit !== 0) throw new Refusal(`${howItEnded(end, searchMs)} ${end.stderr}`.trim());
      const lines = text.split("\n").filter((line) => line !== "");
      const shown = lines.slice(0, mostMatches).map((line) => shortened(line, longestMatch));
      const more = lines.length > mostMatches ? [`[and ${lines.length - mostMatches} more]`] : [];
      return [...shown, ...more].join("\n");
    },
  });

/** No repository, and so no configuration of it, which could name programs to run. */
const alone = {
  GIT_DIR: "/dev/null",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_LITERAL_PATHSPECS: "1",
  GIT_PAGER: "cat",
};

async function runIn(
  shop: Shop,
  what: { readonly file: string; readonly args: readonly string[]; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly end: ProcessEnd }> {
  const { cwd, env, runId, place, clock, enter } = shop;
  const timeoutMs = Math.max(1, Math.min(what.timeoutMs, shop.leftMs()));
  const order: ProcessOrder = {
    file: what.file,
    args: what.args,
    cwd,
    env,
    runId,
    place,
    stdin: undefined,
    stallMs: timeoutMs,
    turnMs: timeoutMs,
  };
  const entered = enter === undefined ? undefined : await enter(order);
  const kept = ends();
  let end: ProcessEnd | undefined;
  try {
    for await (const said of runProcess(entered?.order ?? order, clock, signal)) {
      if (said.type === "end") end = said.end;
      else kept.add(`${said.line}\n`);
    }
  } finally {
    await entered?.leave();
  }
  signal.throwIfAborted();
  if (end === undefined) throw new Error(`${what.file} ended without saying how`);
  if (end.failedToStart !== undefined)
    throw new Error(`${what.file} could not be started (${end.failedToStart})`);
  return { text: kept.text(), end };
}

function howItEnded({ stopped, exit, signal }: ProcessEnd, timeoutMs: number): string {
  switch (stopped) {
    case undefined:
      return `[${exit === undefined ? `ended by ${signal}` : `exit code ${exit}`}]`;
    case "memory":
    case "processes":
    case "disk":
      return `[ended because it ${exceeded[stopped]}]`;
    case "stalled":
    case "too long":
    case "aborted":
      return `[ended because it took longer than ${timeoutMs / 1_000} s]`;
  }
}

/** The first and the last of a long text, however long it gets. */
function ends() {
  let head = "";
  let tail = "";
  let left = 0;
  return {
    add: (text: string): void => {
      const fits = head.length < mostHead && tail === "" ? mostHead - head.length : 0;
      head += text.slice(0, fits);
      tail += text.slice(fits);
      if (tail.length > 2 * mostTail) {
        left += tail.length - mostTail;
        tail = tail.slice(-mostTail);
      }
    },
    text: (): string => `${head}${left === 0 ? "" : `\n[… ${left} characters left out …]\n`}${tail}`,
  };
}
