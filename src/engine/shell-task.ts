import { z } from "zod";
import type { ShellResult } from "./host.ts";
import type { Step } from "./node.ts";

/** What a shell command gave: its exit code and the end of what it wrote. */
export const ShellOutput = z.object({ exit: z.number(), stdout: z.string(), stderr: z.string() });
export type ShellOutput = z.infer<typeof ShellOutput>;
export type OnExit = "fail" | "accept";

/** Kept of the output in an error. */
const tailLength = 2_000;

/** Runs a command in the task's folder. Another exit code than 0, a signal or too long a time are failures that say so. */
export async function performShell(
  task: {
    readonly id: string;
    readonly command: string;
    readonly onExit: OnExit;
    readonly timeoutMs: number | undefined;
  },
  step: Step,
): Promise<ShellOutput> {
  const { command, onExit, timeoutMs } = task;
  const { host } = step;
  step.say({ kind: "prompt", text: command });
  const ended = await host.shell({ command, folder: step.folder, run: step.run, timeoutMs }, step.signal);
  const told = { stdout: host.redact(ended.stdout), stderr: host.redact(ended.stderr) };
  for (const text of [told.stdout, told.stderr]) if (text !== "") step.say({ kind: "output", text });
  if (ended.timedOut || isTimeout(step.signal))
    throw failure(
      task.command,
      `took longer than ${timeoutMs === undefined ? "this machine allows; give it a timeoutMs" : `the ${timeoutMs} ms it may`}`,
      told,
    );
  step.signal.throwIfAborted();
  if (ended.exit === undefined) throw failure(command, "was ended by a signal", told);
  if (ended.exit !== 0 && onExit === "fail")
    throw failure(command, `ended with exit code ${ended.exit}`, told);
  return { exit: ended.exit, ...told };
}

/** A command within a task that does more than that: it runs in the task's folder and is kept in its transcript. */
export const runCommand = async (
  step: Step,
  command: string,
  onExit: OnExit = "fail",
): Promise<ShellOutput> => await performShell({ id: step.leaf, command, onExit, timeoutMs: undefined }, step);

/** The time it may take is over; nobody interrupted it. */
export const isTimeout = ({ aborted, reason }: AbortSignal): boolean =>
  aborted && reason instanceof Error && reason.name === "TimeoutError";

function failure(
  command: string,
  what: string,
  { stdout, stderr }: Pick<ShellResult, "stdout" | "stderr">,
): Error {
  const said = [stdout, stderr].map((text) => text.trim()).filter((text) => text !== "");
  const end = said.map((text) => text.slice(-tailLength)).join("\n");
  return new Error(`\`${command}\` ${what}${end === "" ? "; it wrote nothing" : `:\n${end}`}`);
}
