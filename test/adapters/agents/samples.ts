import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ProcessEnd } from "../../../src/adapters/processes/agent-process.ts";
import type { AgentStream, Seen } from "../../../src/adapters/agents/turn.ts";

const folder = fileURLToPath(new URL("../../fixtures/agents/", import.meta.url));

/** A stream recorded from a real runtime: what it printed and how it ended. */
export interface Sample {
  readonly lines: readonly string[];
  readonly end: ProcessEnd;
}

export function sampleNames(runtime: "claude" | "codex" | "pi" | "app-server"): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${runtime}-`))
    .map((name) => name.replace(/\.jsonl$/u, ""))
    .sort();
}

export function readSample(name: string): Sample {
  const all = readFileSync(`${folder}${name}.jsonl`, "utf8").split("\n");
  const [, exit, signal] = /^# exit=(\d+|null)(?:\/(\w+))?/u.exec(all[0] ?? "") ?? [];
  const stderr = all.filter((line) => line.startsWith("# stderr: ")).map((line) => line.slice(10));
  return {
    lines: all.filter((line) => line !== "" && !line.startsWith("# ")),
    end: { ...cleanEnd, exit: exit === "null" ? undefined : Number(exit), signal, stderr: stderr.join("\n") },
  };
}

/** A process that ended well and said nothing on stderr. */
export const cleanEnd: ProcessEnd = {
  exit: 0,
  signal: undefined,
  stderr: "",
  stopped: undefined,
  failedToStart: undefined,
};

export function play(stream: AgentStream, { lines, end }: Sample) {
  const seen: readonly Seen[] = lines.flatMap((line) => stream.read(line));
  return { seen, outcome: stream.outcome(end) };
}
