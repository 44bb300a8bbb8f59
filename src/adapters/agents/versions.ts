/** Versions of a runtime that our tests ran against: from the first, up to and without the second. */
export interface TestedVersions {
  readonly from: string;
  readonly below: string;
}

/** By product. What lies outside may well work; nobody tried. */
export const testedVersions = {
  "claude-code": { from: "2.1.0", below: "2.2.0" },
  codex: { from: "0.169.0", below: "0.170.0" },
  pi: { from: "0.73.0", below: "0.74.0" },
  opencode: { from: "1.18.0", below: "1.19.0" },
  copilot: { from: "1.0.100", below: "1.1.0" },
  gemini: { from: "0.61.0", below: "0.62.0" },
  qwen: { from: "0.24.0", below: "0.25.0" },
  "claude-agent-acp": { from: "0.100.0", below: "0.101.0" },
  "codex-acp": { from: "2.6.0", below: "2.7.0" },
} as const satisfies Readonly<Record<string, TestedVersions>>;

/** Does a version lie within a range. What has no numbers in it lies in none. */
export function isTested(version: string, { from, below }: TestedVersions): boolean {
  return compare(version, from) >= 0 && compare(version, below) < 0;
}

function compare(a: string, b: string): number {
  const [one, other] = [numbers(a), numbers(b)];
  const at = other.findIndex((part, index) => part !== (one[index] ?? -1));
  return at === -1 ? 0 : (one[at] ?? -1) - (other[at] ?? 0);
}

const numbers = (version: string): readonly number[] =>
  (/\d+(?:\.\d+){0,3}/u.exec(version)?.[0] ?? "").split(".").map((part) => Number.parseInt(part, 10));
