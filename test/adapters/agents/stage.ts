import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach } from "vitest";
import { claudeCode } from "../../../src/adapters/agents/claude-code.ts";
import { systemClock } from "../../../src/adapters/clock.ts";
import { codexAppServer } from "../../../src/adapters/agents/codex-app-server.ts";
import { codex } from "../../../src/adapters/agents/codex.ts";
import { pi } from "../../../src/adapters/agents/pi.ts";
import type { Quarters } from "../../../src/adapters/sandboxes/premises.ts";
import type { Agent, AgentSays, WorkOrder } from "../../../src/ports-agents.ts";
import { readSample } from "./samples.ts";
import { orderIn } from "./turns.ts";

export const all = ["claude-code", "codex", "codex-app-server", "pi"] as const;
const program = fileURLToPath(new URL("./fake-runtime.mjs", import.meta.url));
const clock = systemClock();
let folder: string;
export const at = (name: string): string => join(folder, name);
/** An empty folder for each test of the file: home, state, worktree, and a stand-in for the binary. */
export function onStage(): void {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "agents-"));
    for (const name of ["tree", "home", "state", "codex"]) mkdirSync(at(name));
    writeFileSync(at("fake"), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
    chmodSync(at("fake"), 0o755);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
}

interface Part {
  readonly lines?: readonly string[];
  readonly exit?: number | undefined;
  readonly stderr?: string;
  readonly hang?: "yes";
  /** Of a conversation: before its end is said. */
  readonly leaves?: "yes";
  readonly gapMs?: number;
  /** Before which line a line of so many bytes comes. */
  readonly huge?: number;
  readonly hugeBytes?: number;
  /** Before which line bytes come that are no text. */
  readonly invalid?: number;
  /** Words on stderr between all lines. */
  readonly chatter?: "yes";
  readonly version?: string;
  readonly versionExit?: number;
  readonly loginExit?: number;
}
export const script = (part: Part): void =>
  writeFileSync(at("part.json"), JSON.stringify({ lines: [], notes: at("notes"), ...part }));
export const scriptSample = (name: string): void => {
  const { lines: all, end } = readSample(name);
  // Nobody steers here, so nothing answers to it.
  const lines = all.filter((line) => !line.startsWith('{"id":4,'));
  const leaves = name.endsWith("SIGTERM") ? { leaves: "yes" as const } : {};
  script({ lines, exit: end.exit ?? 1, stderr: end.stderr, ...leaves });
};
export const make = (
  name: (typeof all)[number],
  binary = at("fake"),
  own: Record<string, string> = {},
  quarters?: Quarters,
): Agent => {
  const host = {
    home: at("home"),
    searchPath: "/usr/bin:/bin",
    tmp: tmpdir(),
    own: { FAKE: at("part.json"), ...own },
  };
  const common = { binary, host, stateDir: at("state"), clock, quarters };
  if (name === "pi") return pi(common);
  if (name === "codex-app-server") return codexAppServer({ ...common, codexHome: at("codex") });
  return name === "codex" ? codex({ ...common, codexHome: at("codex") }) : claudeCode(common);
};
export const order = (change: Partial<WorkOrder> = {}): WorkOrder => orderIn(at("tree"), change);
export const models = (says: readonly AgentSays[]) =>
  says.flatMap((one) => (one.type === "model" ? [one.id] : []));
interface Note {
  readonly args: readonly string[];
  readonly stdin: string;
  /** What a conversation said. */
  readonly heard?: readonly unknown[];
  readonly schema?: string;
  readonly env: Record<string, string>;
  readonly cwd: string;
}
export const notes = (): readonly Note[] =>
  readFileSync(at("notes"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Note);
