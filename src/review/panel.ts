import { fingerprint } from "./findings.ts";
import type { Finding, Verdict } from "./verdict.ts";

/** Many verdicts into one: any that blocks blocks, any that fails fails, and nobody answering is blocked. */
export function decidePanel(verdicts: readonly Verdict[]): Verdict {
  const blocked = verdicts.find((verdict) => verdict.is === "blocked");
  if (blocked !== undefined) return blocked;
  const heard = verdicts.filter((verdict) => verdict.is !== "blocked");
  if (heard.length === 0) return { is: "blocked", why: "no reviewer answered" };
  const findings = new Map<string, Finding>();
  for (const finding of heard.flatMap((verdict) => verdict.findings)) {
    const id = fingerprint(finding);
    if (findings.get(id)?.grade !== "blocker") findings.set(id, finding);
  }
  return {
    is: heard.some(({ is }) => is === "fail") ? "fail" : "pass",
    findings: [...findings.values()],
    summary: heard.map(({ summary }) => summary).join("\n\n"),
  };
}
