/** Draws the pictures of docs/workflows.md: `node scripts/draw-pictures.ts`. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ink = "#1f2328";
const quiet = "#59636e";
const fills = {
  done: "#cfe8d5",
  now: "#ffe7b3",
  later: "#ffffff",
  cut: "#eceae4",
  bad: "#f6d0cb",
  place: "#dce8f7",
};
type Fill = keyof typeof fills;

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

interface Words {
  readonly size?: number;
  readonly at?: "start" | "middle" | "end";
  readonly colour?: string;
  readonly bold?: true;
  readonly mono?: true;
}
function words(x: number, y: number, text: string, how: Words = {}): string {
  const { size = 14, at = "start", colour = ink, bold, mono } = how;
  const family = mono ? "ui-monospace, Menlo, Consolas, monospace" : "system-ui, sans-serif";
  const weight = bold ? ` font-weight="600"` : "";
  return `<text x="${x}" y="${y}" font-family="${family}" font-size="${size}" text-anchor="${at}" fill="${colour}"${weight}>${escaped(text)}</text>`;
}
/** A box 34 high with its name in the middle. */
function box(x: number, y: number, width: number, name: string, fill: Fill): string {
  const dash = fill === "cut" || fill === "later" ? ` stroke-dasharray="4 3"` : "";
  const colour = fill === "cut" ? quiet : ink;
  return `<rect x="${x}" y="${y}" width="${width}" height="34" rx="6" fill="${fills[fill]}" stroke="${quiet}"${dash}/>${words(x + width / 2, y + 22, name, { at: "middle", colour })}`;
}
function arrow(fromX: number, fromY: number, toX: number, toY: number): string {
  return `<line x1="${fromX}" y1="${fromY}" x2="${toX}" y2="${toY}" stroke="${quiet}" stroke-width="1.5" marker-end="url(#head)"/>`;
}
/** Boxes from left to right with arrows between. */
const row = (
  x: number,
  y: number,
  boxes: readonly (readonly [name: string, fill: Fill])[],
  width = 96,
): string =>
  boxes
    .map(([name, fill], index) => {
      const left = x + index * (width + 26);
      return (
        (index === 0 ? "" : arrow(left - 26, y + 17, left - 3, y + 17)) + box(left, y, width, name, fill)
      );
    })
    .join("");
const panel = (x: number, y: number, width: number, height: number): string =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="10" fill="#f3f1ea" stroke="#c9c5b8"/>`;

function picture(name: string, title: string, height: number, parts: readonly string[]): void {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 ${height}" width="760" height="${height}" role="img" aria-label="${escaped(title)}">
<title>${escaped(title)}</title>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="${quiet}"/></marker></defs>
<rect x="0.5" y="0.5" width="759" height="${height - 1}" rx="10" fill="#fbfaf7" stroke="#d8d4c8"/>
${parts.join("\n")}
</svg>
`;
  writeFileSync(fileURLToPath(new URL(`../docs/pictures/${name}.svg`, import.meta.url)), svg);
}
const head = { bold: true } as const;
const note = { size: 13, colour: quiet } as const;
const code = { size: 13, mono: true } as const;

picture("idea-1-rows-to-tree", "A workflow is a pure function from rows to a tree", 240, [
  panel(20, 44, 200, 150),
  words(30, 32, "rows: what has happened", head),
  words(34, 72, "input  version 1.1", code),
  words(34, 98, "test 0  green: false", code),
  words(34, 124, "test 1  green: true", code),
  words(34, 150, "notes   “1.1: green …”", code),
  arrow(226, 104, 312, 104),
  words(268, 92, "render(ctx)", { ...code, at: "middle" }),
  words(330, 32, "tree: what is to be", head),
  box(330, 44, 110, "until-green", "done"),
  box(330, 88, 110, "notes", "done"),
  box(330, 132, 110, "go", "now"),
  box(330, 176, 110, "publish", "later"),
  arrow(446, 149, 536, 149),
  words(491, 137, "what is due", { ...note, at: "middle" }),
  box(546, 132, 190, "ask a person", "now"),
  words(500, 62, "each thing done is one more row,", note),
  words(500, 80, "and the tree is rendered again", note),
  `<path d="M641 172 V224 H120 V198" fill="none" stroke="${quiet}" stroke-width="1.5" marker-end="url(#head)"/>`,
  words(470, 217, "its answer is a row", { ...note, at: "start" }),
]);
picture("idea-2-runs-once", "A finished leaf never runs again", 220, [
  words(24, 32, "the process dies …", head),
  row(24, 50, [
    ["draft", "done"],
    ["polish", "done"],
    ["check", "now"],
    ["publish", "later"],
  ]),
  `<path d="M372 34 l12 22 -12 8 14 26" fill="none" stroke="#b3261e" stroke-width="2.5"/>`,
  words(530, 64, "the try at check is lost:", note),
  words(530, 82, "nobody’s failure, not counted", note),
  words(24, 128, "… and the next one carries on", head),
  row(24, 146, [
    ["draft", "done"],
    ["polish", "done"],
    ["check", "now"],
    ["publish", "later"],
  ]),
  words(133, 202, "their outputs are rows", { ...note, at: "middle" }),
  words(270, 202, "begun again, with the same key", note),
  words(530, 160, "an agent is handed the id of", note),
  words(530, 178, "the session it was in", note),
]);
picture("idea-3-state-and-outcome", "State and outcome are two things", 236, [
  words(24, 32, "state: where the run is", head),
  panel(14, 40, 140, 138),
  panel(210, 40, 140, 138),
  box(24, 48, 120, "running", "now"),
  box(24, 92, 120, "waiting", "now"),
  box(24, 136, 120, "paused", "now"),
  arrow(158, 109, 206, 109),
  box(220, 48, 120, "finished", "place"),
  box(220, 92, 120, "failed", "place"),
  box(220, 136, 120, "cancelled", "place"),
  words(430, 32, "outcome: what came of it", head),
  box(430, 48, 130, "met", "done"),
  box(430, 92, 130, "not met", "bad"),
  box(430, 136, 130, "compensated", "bad"),
  box(430, 180, 130, "unknown", "bad"),
  arrow(344, 62, 422, 65),
  arrow(344, 72, 422, 104),
  arrow(344, 109, 422, 109),
  arrow(344, 115, 422, 150),
  arrow(344, 121, 422, 192),
  words(576, 70, "exit 0", note),
  words(576, 114, "a loop ran out: exit 10", note),
  words(576, 158, "a saga took back: exit 10", note),
  words(576, 202, "it could not: exit 11", note),
  words(24, 202, "waiting: exit 3", note),
]);
picture("idea-4-waiting", "Waiting costs nothing and wakes itself", 226, [
  words(24, 32, "what wakes it", head),
  ...["an approval", "an answer", "a signal", "a timer"].map((name, index) =>
    box(24, 46 + index * 42, 120, name, "now"),
  ),
  ...[0, 1, 2, 3].map((index) => arrow(150, 63 + index * 42, 256, 104 + index * 6)),
  panel(264, 70, 190, 90),
  words(359, 98, "a row in SQLite", { at: "middle", bold: true }),
  words(359, 120, "no process, no timer,", { ...note, at: "middle" }),
  words(359, 138, "for minutes or for weeks", { ...note, at: "middle" }),
  arrow(460, 100, 540, 78),
  arrow(460, 130, 540, 152),
  words(546, 32, "who carries it on", head),
  box(546, 58, 190, "forgehand up", "done"),
  words(546, 110, "at once, by itself", note),
  box(546, 136, 190, "forgehand resume RUN", "done"),
  words(546, 188, "where nothing is running", note),
]);
picture("idea-5-back-in-time", "Going back in time", 286, [
  words(24, 32, "frame", head),
  ...[1, 2, 3, 4].map((frame, index) =>
    words(158 + index * 122, 32, `${frame}`, { at: "middle", bold: true }),
  ),
  words(24, 70, "run r1", head),
  row(110, 48, [
    ["draft", "done"],
    ["polish", "done"],
    ["go", "done"],
    ["publish", "done"],
  ]),
  words(600, 70, "timeline r1", code),
  words(24, 128, "rewind", head),
  row(110, 106, [
    ["draft", "done"],
    ["polish", "cut"],
    ["go", "cut"],
    ["publish", "cut"],
  ]),
  words(600, 120, "rewind r1 --frame 1", code),
  words(600, 139, "cut, not lost: --undo", note),
  words(24, 186, "fork", head),
  row(110, 164, [
    ["draft", "done"],
    ["polish", "now"],
    ["go", "later"],
    ["publish", "later"],
  ]),
  words(600, 178, "fork r1 --frame 1", code),
  words(600, 197, "another run; r1 stays", note),
  words(24, 244, "replay", head),
  row(110, 222, [
    ["draft", "place"],
    ["polish", "place"],
    ["go", "place"],
    ["publish", "place"],
  ]),
  words(600, 236, "replay r1", code),
  words(600, 255, "taken, not done", note),
  words(110, 276, "files go with the rows, as hidden commits; what was published is not crossed silently", {
    ...note,
    size: 12,
  }),
]);
picture("idea-6-folders", "Agents in folders of their own", 250, [
  words(24, 32, "your repository", head),
  panel(24, 46, 170, 150),
  box(40, 64, 138, "main", "place"),
  words(40, 124, "refs/forgehand/…", code),
  words(40, 144, "hidden snapshots,", note),
  words(40, 162, "one after each task", note),
  arrow(200, 76, 276, 76),
  arrow(200, 140, 276, 156),
  words(284, 32, "a worktree and a branch each", head),
  panel(284, 46, 210, 66),
  box(298, 62, 84, "write", "done"),
  box(396, 62, 84, "test", "done"),
  arrow(384, 79, 394, 79),
  panel(284, 126, 210, 66),
  box(298, 142, 84, "write", "now"),
  box(396, 142, 84, "test", "later"),
  arrow(384, 159, 394, 159),
  words(284, 214, "sessions are kept by id and resumed", note),
  arrow(500, 79, 560, 79),
  arrow(500, 159, 560, 159),
  words(568, 32, "landing", head),
  box(568, 62, 168, "merged into main", "done"),
  box(568, 142, 168, "conflict: files named", "bad"),
  words(568, 196, "nothing landed; the work", note),
  words(568, 214, "stays on its branch", note),
]);
