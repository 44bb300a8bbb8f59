/** Kept of what a tool was asked to do. */
const longest = 200;

/** Fields of a tool's input that say most, best first. */
const telling = ["command", "file_path", "notebook_path", "path", "pattern", "url", "query", "description"];

/** One short line that says what a tool was used for. */
export function detailOf(input: unknown): string {
  if (typeof input === "string") return shortLine(input);
  if (typeof input !== "object" || input === null) return "";
  const fields = new Map<string, unknown>(Object.entries(input));
  for (const name of telling) {
    const value = fields.get(name);
    if (typeof value === "string" && value !== "") return shortLine(value);
  }
  return shortLine(JSON.stringify(input));
}

/** The text on one line, cut where it gets long. */
export function shortLine(text: string): string {
  const line = text
    .slice(0, 4 * longest)
    .replaceAll(/\s+/gu, " ")
    .trim();
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}
