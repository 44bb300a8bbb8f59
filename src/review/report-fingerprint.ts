import { createHash } from "node:crypto";

/** Tells a complaint from others by its file, kind and claim; not by line, case, punctuation or the order of spaces. */
export function reportFingerprint(finding: {
  readonly path?: string | undefined;
  readonly kind?: string | undefined;
  readonly title: string;
}): string {
  const claim = finding.title
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
  const parts = [finding.path ?? "", finding.kind?.toLowerCase() ?? "", claim];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}
