/** Finds what looks like a credential in text on its way out, so that it stays here. */

interface Shape {
  readonly kind: string;
  readonly pattern: RegExp;
}

const shapes: readonly Shape[] = [
  {
    kind: "private key",
    pattern:
      /-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?:[\s\S]{0,20000}?-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----)?/gu,
  },
  { kind: "GitHub token", pattern: /\bgh[oprsu]_[A-Za-z0-9._-]{36,}/gu },
  { kind: "GitHub token", pattern: /\bgithub_pat_[A-Za-z0-9_]{36,}/gu },
  { kind: "Anthropic key", pattern: /\bsk-ant-[A-Za-z0-9_-]{20,}/gu },
  { kind: "OpenAI key", pattern: /\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{32,}/gu },
  { kind: "Google key", pattern: /\bAIza[A-Za-z0-9_-]{35}/gu },
  { kind: "AWS key", pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/gu },
  { kind: "Slack token", pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/gu },
  { kind: "forgehand token", pattern: /\bfh_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/gu },
  { kind: "Linear key", pattern: /\blin_(?:api|oauth|wh)_[A-Za-z0-9]{20,}/gu },
  { kind: "npm token", pattern: /\bnpm_[A-Za-z0-9]{36}\b/gu },
  { kind: "GitLab token", pattern: /\bglpat-[A-Za-z0-9_-]{20,}/gu },
  { kind: "JSON web token", pattern: /\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{20,}/gu },
];
/** The backslashes are those of JSON in JSON. */
const assignment =
  /((?:secret|token|passw(?:or)?d|api[_-]?key|private[_-]?key|credential)[A-Za-z0-9_]{0,20}\\{0,7}["']?\s{0,3}[:=]\s{0,3}\\{0,7}["']?)([A-Za-z0-9+/_=-]{24,200})/giu;

export interface SecretFound {
  readonly kind: string;
  readonly path: string | undefined;
  readonly line: number | undefined;
}

/** The same text with every credential replaced by its kind. */
export function redact(text: string): string {
  const plain = shapes.reduce(
    (soFar, { kind, pattern }) => soFar.replace(pattern, `[${kind} removed]`),
    text,
  );
  return plain.replace(assignment, (whole, name: string, value: string) =>
    looksRandom(value) ? `${name}[secret removed]` : whole,
  );
}

/** Shorter than this, a value stands in many texts by chance. */
const leastKnown = 8;

const leastLine = 24;
const escaped = (text: string): string => JSON.stringify(text).slice(1, -1);

/** `redact` that also knows these very values: plain, in JSON, and in JSON in JSON. */
export function redactKnown(values: Iterable<string>): (text: string) => string {
  const known = new Set<string>();
  for (const value of values) {
    if (value.length < leastKnown) continue;
    // Each line of a key alone gives it away as well.
    for (const part of [value, ...value.split("\n").filter((line) => line.length >= leastLine)]) {
      const inJson = escaped(part);
      for (const form of [part, inJson, escaped(inJson)]) known.add(form);
    }
  }
  // The longest first: one may be a part of another.
  const sorted = [...known].toSorted((one, other) => other.length - one.length);
  return (text) => redact(sorted.reduce((soFar, value) => soFar.replaceAll(value, "[secret removed]"), text));
}

/** Credentials on the added lines of a unified diff; never their text. */
export function findSecrets(diff: string): readonly SecretFound[] {
  const found: SecretFound[] = [];
  let path: string | undefined;
  let line: number | undefined;
  let left = 0;
  for (const text of diff.split("\n")) {
    const hunk = /^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@/u.exec(text);
    if (hunk !== null) {
      line = Number(hunk[1]);
      left = Number(hunk[2] ?? 1);
    } else if (text.startsWith("+++ ") && left === 0) {
      path = text
        .slice(4)
        .replace(/^"?b\//u, "")
        .replace(/["\t].*$/u, "");
    } else if (text.startsWith("+")) {
      const kind = kindIn(text.slice(1));
      if (kind !== undefined) found.push({ kind, path, line });
      line = line === undefined ? undefined : line + 1;
      left = Math.max(0, left - 1);
    } else if (text.startsWith(" ")) {
      line = line === undefined ? undefined : line + 1;
      left = Math.max(0, left - 1);
    }
  }
  return found;
}

function kindIn(text: string): string | undefined {
  const shape = shapes.find(({ pattern }) => text.search(pattern) >= 0);
  if (shape !== undefined) return shape.kind;
  for (const match of text.matchAll(assignment)) if (looksRandom(match[2] ?? "")) return "secret";
  return undefined;
}

/** Mixed, and more evenly spread than words or paths are. */
function looksRandom(value: string): boolean {
  if (!/[0-9]/u.test(value) || !/[A-Z]/u.test(value) || !/[a-z]/u.test(value)) return false;
  const counts = new Map<string, number>();
  for (const sign of value) counts.set(sign, (counts.get(sign) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length);
  return bits > 4;
}
