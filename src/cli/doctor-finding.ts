import { exitCodes, Problem, type ExitCode, type ProblemCode, type ProblemValues } from "../problems.ts";

/** One thing that was looked at. */
export interface Finding {
  readonly is: "ok" | "warn" | "fail";
  readonly what: string;
  /** What to type or press; every failure has one. */
  readonly fix?: string;
  /** Of a failure: what the process ends with when nothing worse was found. */
  readonly exit?: ExitCode;
  /** What `--fix` may do about it by itself, because it is safe and ours. */
  readonly mend?: Mend;
}
export interface Mend {
  /** As in "would close it to other users". */
  readonly deed: string;
  /** Does it, and says what was done. */
  run(): Promise<string>;
}
export interface Group {
  readonly title: string;
  readonly findings: readonly Finding[];
}

export const ok = (what: string): Finding => ({ is: "ok", what });
export const warn = (what: string, fix: string): Finding => ({ is: "warn", what, fix });
export const bad = (exit: keyof typeof exitCodes, what: string, fix: string): Finding => ({
  is: "fail",
  what,
  fix,
  exit: exitCodes[exit],
});

/** A failure in the words of the catalogue. */
export function badly(problem: Problem): Finding {
  return { is: "fail", what: problem.told.what, fix: problem.told.do, exit: problem.exitCode };
}
export const broken = (code: ProblemCode, values: ProblemValues): Finding => badly(new Problem(code, values));

/** Damage first, then what no retry heals, then what somebody else must grant, then what may pass. */
const worstFirst: readonly ExitCode[] = [
  exitCodes.failed,
  exitCodes.usage,
  exitCodes.permission,
  exitCodes.remote,
  exitCodes.locked,
];

export function worstOf(groups: readonly Group[]): ExitCode {
  const exits = new Set(groups.flatMap(({ findings }) => findings.map(({ exit }) => exit)));
  return worstFirst.find((exit) => exits.has(exit)) ?? exitCodes.ok;
}
