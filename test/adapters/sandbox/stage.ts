import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  runProcess,
  type ProcessEnd,
  type ProcessOrder,
  type ProcessSays,
} from "../../../src/adapters/processes/agent-process.ts";
import { systemClock } from "../../../src/adapters/clock.ts";
import type { Confinement, Sandbox } from "../../../src/adapters/sandboxes/sandbox.ts";

let count = 0;

/** A worktree of a repository, as far as an agent can tell, and beside it whatever a test needs. */
export function openWorkshop(files: Readonly<Record<string, string>> = { "src/app.ts": "one\n" }) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "forgehand-sandbox-")));
  const tree = join(folder, "tree");
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write("tree/.git", "gitdir: /nowhere\n");
  for (const [path, text] of Object.entries(files)) write(join("tree", path), text);
  return {
    folder,
    tree,
    write,
    order: (script: string, more: Partial<ProcessOrder> = {}): ProcessOrder => ({
      file: "sh",
      args: ["-c", script],
      cwd: tree,
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
      stdin: undefined,
      runId: `house/run-${process.pid}-${(count += 1)}`,
      stallMs: 60_000,
      turnMs: 60_000,
      ...more,
    }),
    confinement: (more: Partial<Confinement> = {}): Confinement => ({
      write: [tree],
      read: [],
      network: "open",
      limits: {},
      ...more,
    }),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
export type Workshop = ReturnType<typeof openWorkshop>;

/** Hears a process to its end: its lines, and how it ended. */
export async function toItsEnd(
  running: AsyncIterable<ProcessSays>,
  on: (line: string) => void = () => undefined,
): Promise<{ readonly lines: readonly string[]; readonly end: ProcessEnd }> {
  const lines: string[] = [];
  let end: ProcessEnd | undefined;
  for await (const said of running) {
    if (said.type === "end") end = said.end;
    else {
      lines.push(said.line);
      on(said.line);
    }
  }
  if (end === undefined) throw new Error("it never said how it ended");
  return { lines, end };
}

/** Runs an order that was entered. */
export const run = (order: ProcessOrder, signal: AbortSignal = new AbortController().signal) =>
  toItsEnd(runProcess(order, systemClock(), signal));

/** Enters, runs, leaves. */
export async function carryOut(sandbox: Sandbox, order: ProcessOrder, confinement: Confinement) {
  const entered = await sandbox.enter(order, confinement);
  try {
    return await run(entered.order);
  } finally {
    await entered.leave();
  }
}
