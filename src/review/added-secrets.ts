/** Credentials on the lines that a change adds, by their place and kind; never their text. */
import { findSecrets } from "../secrets.ts";
import type { DiffFile } from "./diff.ts";
import type { Hit } from "./tamper/hit.ts";

/** Our own scan stands before every push; here a library that knows more shapes looks too. */
export async function findAddedSecrets(diff: string, files: readonly DiffFile[]): Promise<readonly Hit[]> {
  const found = new Map<string, Hit>();
  const tell = (path: string, line: number | undefined, kind: string): void => {
    const key = `${path}:${line}`;
    if (found.has(key)) return;
    const reason = `what looks like a credential was added (${kind})`;
    found.set(key, { rule: "secret-added", path, ...(line === undefined ? {} : { line }), reason });
  };
  for (const { path, line, kind } of findSecrets(diff)) tell(path ?? "", line, kind);
  const scan = await openScan();
  for (const { path, added } of files) {
    try {
      for (const { index, kind } of await scan(path, added.map(({ text }) => text).join("\n")))
        tell(path, added[index]?.line, kind);
    } catch {
      // Whoever writes what a scan cannot read gets no further than a person.
      tell(path, added[0]?.line, "the scan of this file failed");
    }
  }
  return [...found.values()].slice(0, mostTold);
}

/** More than this many places say nothing that one does not. */
const mostTold = 20;

type Scan = (
  path: string,
  text: string,
) => Promise<readonly { readonly index: number; readonly kind: string }[]>;

/** The library is loaded when there is a change to look at: most commands never need it. */
async function openScan(): Promise<Scan> {
  const { lintSource } = await import("@secretlint/core");
  const { rules } = await import("@secretlint/secretlint-rule-preset-recommend");
  // A change may not say of itself that it is not to be looked at.
  const kept = rules
    .filter(({ meta }) => meta.id !== "@secretlint/secretlint-rule-filter-comments")
    .map((rule) => ({ id: rule.meta.id, rule }));
  return async (path, text) => {
    if (text === "") return [];
    const { messages } = await lintSource({
      source: {
        filePath: path,
        content: text,
        ext: /\.[^./]{1,20}$/u.exec(path)?.[0] ?? "",
        contentType: "text",
      },
      options: { noPhysicFilePath: true, maskSecrets: true, config: { rules: kept } },
    });
    return messages.map(({ loc, ruleId }) => ({
      index: loc.start.line - 1,
      kind: ruleId.replace(/^@secretlint\/secretlint-rule-/u, ""),
    }));
  };
}
