import type { CommandKind, DetectionWarning, Ecosystem, Evidence } from "./detected.ts";

/** Where a command is written, from the most to the least trusted. */
export type Source = "ci" | "script" | "lock" | "target" | "tool" | "custom" | "readme";

/** A command somebody wrote, or that the tools of a package imply. */
export interface Candidate {
  readonly kind: CommandKind;
  readonly command: string;
  /** Where it runs. */
  readonly folder: string;
  readonly source: Source;
  readonly evidence: readonly Evidence[];
  /** Why it may be right, as half a sentence. */
  readonly reason: string;
  /** Taken only where nothing plainer is there: with what is doubtful about it, as half a sentence. */
  readonly doubt?: string;
  /** It is not as it was written, but made to fit here. */
  readonly made?: "to fit";
}

/** What one ecosystem says of one folder. */
export interface Look {
  readonly ecosystem: Ecosystem;
  readonly manager: string;
  readonly evidence: readonly Evidence[];
  readonly members: readonly string[];
  readonly candidates: readonly Candidate[];
  readonly warnings: readonly DetectionWarning[];
  /** How a command that is written elsewhere is run here, in the package's own environment; undefined: not at all. */
  readonly adapt?: (written: Pick<Candidate, "kind" | "command">) => string | undefined;
}

/** The doubts that outweigh any custom: what judges a part, or another machine, judges too little. */
export const partDoubt = "it takes only a part";
export const foreignDoubt = "no Linux machine runs it there";
