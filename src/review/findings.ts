import { createHash } from "node:crypto";
import { z } from "zod";
import { normalised } from "./claim.ts";
import { findingSchema, type Finding } from "./verdict.ts";

/** What a command showed that was run to see whether a finding is true. */
export const evidenceSchema = z.object({
  command: z.string(),
  /** Undefined when a signal ended it. */
  exit: z.number().int().optional(),
  /** The end of what it wrote. */
  output: z.string(),
  shows: z.enum(["the finding", "nothing"]),
});
export type Evidence = z.infer<typeof evidenceSchema>;

/** A finding as a round keeps it: recognised, placed, and weighed. Rounds of before have none of what is added here. */
export const raisedSchema = findingSchema.extend({
  id: z.string().optional(),
  is: z.enum(["new", "open", "reopened", "late", "dropped"]).optional(),
  /** Names what stands at its place. */
  context: z.string().optional(),
  /** Holds the change back. */
  blocks: z.boolean().optional(),
  evidence: evidenceSchema.optional(),
  /** The reviewers that named it, where there were several. */
  by: z.array(z.string()).optional(),
});
export type Raised = z.infer<typeof raisedSchema>;

/** What a round says of a finding of an earlier one. */
export const settledSchema = z.object({
  id: z.string(),
  is: z.enum(["fixed", "open", "dropped"]),
  why: z.string(),
  /** Where it is now. */
  path: z.string().optional(),
  line: z.number().int().positive().optional(),
  /** Nobody said anything of it. */
  unaddressed: z.boolean().optional(),
});
export type Settled = z.infer<typeof settledSchema>;

/** Two demands that cannot both be met. */
export const contradictionSchema = z.object({ id: z.string(), against: z.string(), why: z.string() });
export type Contradiction = z.infer<typeof contradictionSchema>;

/** One review of one head. A round of before says nothing of earlier findings: what it does not repeat was fixed. */
export const roundSchema = z.object({
  head: z.string(),
  findings: z.array(raisedSchema),
  earlier: z.array(settledSchema).optional(),
  contradictions: z.array(contradictionSchema).optional(),
});
export type Round = Readonly<z.infer<typeof roundSchema>>;

/** What became of one finding over the rounds so far. */
export interface Tracked {
  readonly id: string;
  /** In its newest words, at its newest place. */
  readonly finding: Raised;
  /** Rounds count from 1. */
  readonly firstRound: number;
  /** In which it was last there. */
  readonly lastRound: number;
  /** `late`: raised on code that had not changed since the round before. `dropped`: a mediator took it out of scope. */
  readonly is: "new" | "open" | "reopened" | "late" | "fixed" | "dropped";
  /** Raised on code that had not changed since the round before, and not since on code that had. */
  readonly isLate: boolean;
  /** It was fixed, and came back. */
  readonly returns: number;
  /** What was said of it last. */
  readonly why: string | undefined;
  readonly unaddressed: boolean;
}

/** The identity of a finding: its place, symbol, kind and claim, without line numbers, case, punctuation and word order. */
export function fingerprint(
  finding: { readonly [Key in "path" | "symbol" | "kind"]?: string | undefined } & Pick<Finding, "title">,
  context?: string,
): string {
  const place = context === undefined ? [finding.path ?? ""] : [finding.path ?? "", context];
  const parts = [
    place.join("#"),
    finding.symbol?.toLowerCase() ?? "",
    finding.kind?.toLowerCase() ?? "",
    normalised(finding.title),
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

/** The full history, in order of first appearance. */
export function trackFindings(rounds: readonly Round[]): readonly Tracked[] {
  const tracked = new Map<string, Tracked>();
  for (const [index, round] of rounds.entries()) {
    const number = index + 1;
    for (const finding of round.findings) {
      const id = finding.id ?? fingerprint(finding);
      const before = tracked.get(id);
      if (before?.lastRound !== number) tracked.set(id, raisedIn(number, id, finding, before));
    }
    if (round.earlier === undefined) settleSilently(tracked, number);
    else for (const one of round.earlier) settleOne(tracked, one, number);
  }
  return [...tracked.values()];
}

function raisedIn(number: number, id: string, finding: Raised, before: Tracked | undefined): Tracked {
  const came = before?.is === "fixed";
  const is =
    finding.is ??
    (before === undefined ? "new" : came ? "reopened" : before.is === "dropped" ? "dropped" : "open");
  return {
    id,
    finding,
    firstRound: before?.firstRound ?? number,
    lastRound: number,
    is,
    isLate: is === "late",
    returns: (before?.returns ?? 0) + (came ? 1 : 0),
    why: undefined,
    unaddressed: false,
  };
}

function settleOne(tracked: Map<string, Tracked>, one: Settled, number: number): void {
  const before = tracked.get(one.id);
  if (before === undefined || before.lastRound === number) return;
  const { path: _path, line: _line, ...finding } = before.finding;
  tracked.set(one.id, {
    ...before,
    finding: {
      ...finding,
      ...(one.path === undefined ? {} : { path: one.path }),
      ...(one.line === undefined ? {} : { line: one.line }),
    },
    is: one.is,
    lastRound: one.is === "fixed" ? before.lastRound : number,
    why: one.why,
    unaddressed: one.unaddressed ?? false,
  });
}

function settleSilently(tracked: Map<string, Tracked>, number: number): void {
  for (const [id, one] of tracked)
    if (one.lastRound < number && one.is !== "dropped") tracked.set(id, { ...one, is: "fixed" });
}

/** Still there, for all that is known. */
export const isOpen = ({ is }: Pick<Tracked, "is">): boolean => is !== "fixed" && is !== "dropped";
