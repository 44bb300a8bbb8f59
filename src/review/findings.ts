import { createHash } from "node:crypto";
import { z } from "zod";
import { findingSchema, type Finding } from "./verdict.ts";

/** One review of one head. */
export const roundSchema = z.object({ head: z.string(), findings: z.array(findingSchema) });
export type Round = Readonly<z.infer<typeof roundSchema>>;

/** What became of one finding over the rounds so far. */
export interface Tracked {
  readonly id: string;
  readonly finding: Finding;
  /** Rounds count from 1. */
  readonly firstRound: number;
  readonly lastRound: number;
  readonly is: "new" | "open" | "reopened" | "fixed";
}

/** The identity of a finding: its path, kind and claim, without line numbers, case and punctuation. */
export function fingerprint(finding: Finding): string {
  const claim = finding.title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .replace(/\b\d+\b/gu, "")
    .replace(/\s+/gu, " ")
    .trim();
  const parts = [finding.path ?? "", finding.kind?.toLowerCase() ?? "", claim];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

/** The full history for the builder, in order of first appearance. A finding that a later round does not repeat counts as fixed. */
export function trackFindings(rounds: readonly Round[]): readonly Tracked[] {
  const tracked = new Map<string, Tracked>();
  for (const [index, round] of rounds.entries()) {
    const number = index + 1;
    for (const finding of round.findings) {
      const id = fingerprint(finding);
      const before = tracked.get(id);
      const firstRound = before?.firstRound ?? number;
      if (before?.lastRound === number) continue;
      const gap = before !== undefined && before.lastRound < number - 1;
      tracked.set(id, {
        id,
        finding,
        firstRound,
        lastRound: number,
        is: before === undefined ? "new" : gap ? "reopened" : "open",
      });
    }
  }
  return [...tracked.values()].map((one) => (one.lastRound < rounds.length ? { ...one, is: "fixed" } : one));
}
