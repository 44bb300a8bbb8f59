/** Runs a tool of this host, such as `ssh` or `kubectl`, for something other than an agent: one question, one answer. */
import type { Readable } from "node:stream";
import { execa } from "execa";
import { Trouble } from "../../ports.ts";
import { tail } from "./agent-process.ts";

/** Kept of what a tool says, of each stream: its end. */
const usualBytes = 256 * 1024;
/** Quoted of it in a reason. */
const longestQuote = 300;

export interface ToolOrder {
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string | Readable | undefined;
  /** Takes stdout instead of having it kept. */
  readonly take?: ((stdout: Readable) => Promise<void>) | undefined;
  readonly timeoutMs: number;
  /** Of stdout; some 256 KB when left out. */
  readonly keptBytes?: number;
}
export interface ToolAnswer {
  /** Undefined when it was not found, took too long, or a signal ended it. */
  readonly exit: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly absent: boolean;
  readonly timedOut: boolean;
}

/** Never throws for how the tool ended; what `take` throws is thrown on, once the tool is gone. */
export async function runTool(order: ToolOrder): Promise<ToolAnswer> {
  const input =
    order.input === undefined
      ? { stdin: "ignore" as const }
      : typeof order.input === "string"
        ? { input: order.input }
        : { stdin: "pipe" as const };
  const child = execa(order.file, [...order.args], {
    env: order.env,
    extendEnv: false,
    reject: false,
    buffer: false,
    encoding: "buffer",
    timeout: order.timeoutMs,
    forceKillAfterDelay: 2_000,
    killDescendants: true,
    ...input,
  });
  const stdout = tail(order.keptBytes ?? usualBytes);
  const stderr = tail(usualBytes);
  child.stderr.on("data", (bytes: Buffer) => stderr.push(bytes));
  const taken = order.take?.(child.stdout).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw error;
  });
  if (taken === undefined) child.stdout.on("data", (bytes: Buffer) => stdout.push(bytes));
  const fed =
    typeof order.input === "object" && child.stdin !== null ? feed(order.input, child.stdin) : undefined;
  const [result, took, sent] = await Promise.allSettled([child, taken, fed]);
  if (sent.status === "rejected") throw sent.reason;
  if (result.status === "rejected") throw result.reason;
  const { value } = result;
  // A tool that failed has cut its own output short: that it failed is the better reason.
  if (
    took.status === "rejected" &&
    (value.exitCode === 0 || value.exitCode === undefined || isRefusal(took.reason))
  )
    throw took.reason;
  return {
    exit: value.exitCode,
    stdout: stdout.text(),
    stderr: stderr.text(),
    absent: value.code === "ENOENT",
    timedOut: value.timedOut,
  };
}

const isRefusal = (error: unknown): boolean => error instanceof Trouble && error.permanent;

/** A tool that ends early breaks the pipe; how it ended tells more. What breaks at the source is thrown. */
async function feed(source: Readable, into: NodeJS.WritableStream): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    source.once("error", (error) => {
      into.end();
      reject(error);
    });
    into.once("error", () => {
      source.destroy();
      resolve();
    });
    into.once("close", () => resolve());
    into.once("finish", () => resolve());
    source.pipe(into);
  });
}

/** How a tool failed, in one line for a person. */
export function howItFailed(name: string, answer: ToolAnswer): string {
  if (answer.absent) return `\`${name}\` is not on the search path`;
  if (answer.timedOut) return `\`${name}\` did not answer in time`;
  const said = (answer.stderr.trim() || answer.stdout.trim()).replaceAll(/\s+/gu, " ");
  const quote = said.length > longestQuote ? `…${said.slice(-longestQuote)}` : said;
  return `\`${name}\` ended with ${answer.exit === undefined ? "a signal" : `exit code ${answer.exit}`}${quote === "" ? "" : ` (it said: ${quote})`}`;
}
