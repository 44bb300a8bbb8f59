/** Skills under the names where agents look that do not read `.agents/skills`. Pure. */
import type { Generated } from "./generate.ts";
import type { Ledger } from "./plan-files.ts";
import type { RecordedAnswers } from "./record.ts";
import { normal } from "./three-way.ts";

const roots = [
  { root: ".claude/skills", reader: "Claude Code" },
  { root: ".codex/skills", reader: "Codex" },
] as const;

/** One link for the whole folder where there is none yet, else one for each skill; copies where links do not travel. */
export function planSkillLinks(ledger: Ledger, { skills }: Generated, how: RecordedAnswers["skills"]): void {
  for (const { root, reader } of roots) {
    const why = `${reader} looks for skills here`;
    if (how === "copy") {
      if (ledger.recorded(root)?.part === "link" && pointsTo(ledger, root, whole)) ledger.makeRoom(root);
      for (const [name, text] of skills)
        ledger.whole(`${root}/${name}/SKILL.md`, text, `a copy for ${reader}, because links were not wanted`);
      continue;
    }
    if (
      ledger.recorded(root) !== undefined ||
      !ledger.index.isFolder(root) ||
      holdsOnlyCopies(ledger, root)
    ) {
      linkOne(ledger, root, whole, why);
      continue;
    }
    for (const name of skills.keys()) linkOne(ledger, `${root}/${name}`, `../../.agents/skills/${name}`, why);
  }
}
const whole = "../.agents/skills";

const pointsTo = ({ tree, index }: Ledger, path: string, target: string): boolean => {
  const spelled = index.spelled(path) ?? path;
  return tree.kind(spelled) === "link" && tree.read(spelled)?.replace(/\/+$/u, "") === target;
};

/** Copies of ours that nobody edited, and nothing else: they go, and a link takes their place. */
function holdsOnlyCopies({ tree, recorded }: Ledger, root: string): boolean {
  const inside = tree.paths.filter((path) => path.startsWith(`${root}/`));
  return inside.every((path) => {
    const known = recorded(path);
    return known?.part === "whole" && normal(tree.read(path) ?? "") === normal(known.base);
  });
}

function linkOne(ledger: Ledger, path: string, target: string, why: string): void {
  const { tree, index } = ledger;
  const recorded = ledger.recorded(path);
  const obstacle = index.obstacle(path);
  const kind = tree.kind(index.spelled(path) ?? path);
  if (pointsTo(ledger, path, target)) return ledger.record(path, { part: "link", base: target });
  const isTaken = index.isFolder(path) && !holdsOnlyCopies(ledger, path);
  if (obstacle !== undefined || kind !== undefined || isTaken) {
    const what = obstacle === undefined ? "something else is here" : `${obstacle} is no folder here`;
    return ledger.keep(path, recorded === undefined ? "yours" : "edited", `${what}, which is left alone`);
  }
  if (recorded !== undefined) return ledger.stayDeleted(path, recorded);
  ledger.link(path, target, why);
  ledger.record(path, { part: "link", base: target });
}
