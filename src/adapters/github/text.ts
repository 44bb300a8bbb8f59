/** GitHub refuses bodies over 65,536 characters; some room is left for the marker and the note. */
const maxBody = 65_000;
const regionBegin = "<!-- forgehand:begin -->";
const regionEnd = "<!-- forgehand:end -->";

/** The hidden first line by which we find our own text again. */
export function markerLine(name: string): string {
  // A comment that ends early would show the rest; what may not stand in it is replaced.
  return `<!-- forgehand:${name.replaceAll(/[^\w./:#@ -]/g, "_").replaceAll("--", "__")} -->`;
}

/** True when the text begins with this marker, as we write it. */
export function bears(text: string | null | undefined, marker: string): boolean {
  return (text ?? "").split(/\r?\n/, 1)[0]?.trim() === marker;
}

/** A body that GitHub accepts: cut at a line end, with a note, and with an open code fence closed. */
export function capped(text: string, max: number = maxBody): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, max);
  const kept = cut.slice(0, Math.max(cut.lastIndexOf("\n"), 0)) || cut;
  const fences = kept.match(/^\s*```/gm)?.length ?? 0;
  return `${kept}${fences % 2 === 1 ? "\n```" : ""}\n\n… cut here: ${text.length - kept.length} characters more.`;
}

/** GitHub keeps bodies with its own line ends; what differs only so is the same. */
export function sameText(one: string | null | undefined, other: string | null | undefined): boolean {
  const plain = (text: string | null | undefined): string => (text ?? "").replaceAll("\r\n", "\n").trim();
  return plain(one) === plain(other);
}

/** The body with our region brought up to date, as long as it fits; everything outside it stays as people wrote it. */
export function withRegion(body: string, region: string): string {
  const [before, after] = outsideRegion(body);
  const inner = region.replaceAll(regionBegin, "").replaceAll(regionEnd, "").trim();
  // What is cut is ours, never a person's, and never the fence.
  const room = Math.max(maxBody - before.length - after.length - 200, 1000);
  return `${before}${regionBegin}\n${capped(inner, room)}\n${regionEnd}${after}`;
}

function outsideRegion(body: string): readonly [string, string] {
  const from = body.indexOf(regionBegin);
  const to = body.indexOf(regionEnd, from);
  if (from >= 0 && to >= 0) return [body.slice(0, from), body.slice(to + regionEnd.length)];
  // Half a fence says nothing about where our text ended: the rest may be a person's.
  const human = body.replaceAll(regionBegin, "").replaceAll(regionEnd, "").trim();
  return [human === "" ? "" : `${human}\n\n`, ""];
}

/** New-side line numbers that a unified diff of one file shows: the only lines a review may comment on. */
export function linesInPatch(patch: string): ReadonlySet<number> {
  const lines = new Set<number>();
  let next = 0;
  for (const line of patch.split("\n")) {
    const hunk = /^@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line);
    if (hunk !== null) next = Number(hunk[1]);
    else if (line.startsWith("+") || line.startsWith(" ")) lines.add(next++);
  }
  return lines;
}
