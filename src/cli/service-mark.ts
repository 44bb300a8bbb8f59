import { createHash } from "node:crypto";

const mark = /^.*written by `forgehand service install`, sha256 ([0-9a-f]{64}).*\n/mu;
const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** How a note is written that whoever reads the file passes over. */
function note(template: string, words: string): string {
  if (template.endsWith(".json")) return `  "$comment": "${words}",\n`;
  if (template.endsWith(".plist")) return `<!-- ${words} -->\n`;
  if (template.startsWith("helm/templates/")) return `{{- /* ${words} */ -}}\n`;
  return `# ${words}\n`;
}

/**
 * Adds the line that says who wrote a file, and what it held: so that we take away and replace only what is ours and as we
 * left it. It stands first, or where a first line must be something else, right behind that.
 */
export function marked(template: string, text: string): string {
  const words = `written by \`forgehand service install\`, sha256 ${hashOf(text)}`;
  const first = /^(?:<\?xml|\{$)/mu.test(text.slice(0, 5)) ? text.indexOf("\n") + 1 : 0;
  return text.slice(0, first) + note(template, words) + text.slice(first);
}

/** Whose a file is: `ours` as we left it, `edited` since, or somebody else's. */
export function ownerOf(text: string): "ours" | "edited" | "others" {
  const [line = "", hash] = mark.exec(text) ?? [];
  if (hash === undefined) return "others";
  return hashOf(text.replace(line, "")) === hash ? "ours" : "edited";
}
