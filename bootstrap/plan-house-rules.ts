/** `AGENTS.md` and `CLAUDE.md`: made where they are missing, else a block in what people wrote. Pure. */
import type { Generated } from "./generate.ts";
import { blockIn, withBlock } from "./managed-block.ts";
import type { Ledger } from "./plan-files.ts";
import { normal } from "./three-way.ts";
import { fileBehind } from "./tree.ts";

export const agentsPath = "AGENTS.md";
export const claudePath = "CLAUDE.md";
const title = "# How to work in this repository\n\n";
const importLine = "@AGENTS.md";

export function planHouseRules(ledger: Ledger, generated: Generated): void {
  const agents = found(ledger, agentsPath);
  if (agents === "absent" && ledger.recorded(agentsPath)?.part !== "block")
    ledger.whole(agentsPath, `${title}${generated.agents("with rules")}`, "how every agent works here");
  else if (agents === "absent") keepGone(ledger, agentsPath);
  else if ("why" in agents) ledger.keep(agentsPath, "yours", agents.why);
  else if (ledger.recorded(agentsPath)?.part === "whole")
    ledger.whole(agentsPath, `${title}${generated.agents("with rules")}`, "how every agent works here");
  else planBlock(ledger, agentsPath, agents, generated.agents(ruled(agents.text)));
  // There would be nothing to take in.
  if (agents !== "absent" && "why" in agents) ledger.leave(claudePath);
  else planClaude(ledger, agents === "absent" ? agentsPath : agents.path);
}

interface Found {
  /** Of the file itself, where the name is a link. */
  readonly path: string;
  readonly text: string;
}

/** The file behind a name, also behind a link to another file of the repository. */
function found(ledger: Ledger, name: string): "absent" | Found | { readonly why: string } {
  const { tree, index } = ledger;
  const spelled = index.spelled(name);
  if (spelled === undefined) return index.isFolder(name) ? { why: "it is a folder here" } : "absent";
  const path = fileBehind(tree, spelled);
  const text = path === undefined ? undefined : tree.read(path);
  if (path === undefined) return { why: "it is a link that leads to no file of this repository" };
  return text === undefined ? { why: "it is no text that can be read" } : { path, text };
}

const reviewHeading = /^#{1,6}[ \t]+code review rules[ \t]*#*[ \t]*$/imu;
/** Whoever has rules for reviews of their own keeps to those. */
function ruled(text: string): "with rules" | "without rules" {
  const block = blockIn(text);
  const theirs = block.is === "found" ? text.slice(0, block.from) + text.slice(block.to) : text;
  return reviewHeading.test(normal(theirs)) ? "without rules" : "with rules";
}

function keepGone(ledger: Ledger, name: string): void {
  const recorded = ledger.recorded(name);
  if (recorded !== undefined) ledger.stayDeleted(name, recorded);
}

function planBlock(ledger: Ledger, name: string, file: Found, inner: string): void {
  const recorded = ledger.recorded(name);
  const block = blockIn(file.text);
  const wanted = normal(inner).replaceAll(/^\n+|\n+$/gu, "");
  if (block.is === "torn") {
    if (recorded !== undefined) ledger.record(name, recorded);
    return ledger.keep(file.path, "yours", "its markers of forgehand do not pair up, so it is left alone");
  }
  if (block.is === "found") {
    const next = ledger.merged(name, "block", block.inner, wanted);
    if (next !== undefined)
      ledger.put(file.path, withBlock(file.text, next), "our block, brought up to date");
    return;
  }
  if (recorded !== undefined) {
    ledger.record(name, recorded);
    return ledger.keep(file.path, "deleted", "our block was taken out here, and stays out");
  }
  const why =
    name === claudePath ? "lets Claude Code read `AGENTS.md`" : "a block of ours, below what is there";
  ledger.put(file.path, withBlock(file.text, wanted), why);
  ledger.record(name, { part: "block", base: wanted });
}

/** Claude Code reads `CLAUDE.md`, which takes the other in by a line. */
function planClaude(ledger: Ledger, agents: string): void {
  const { tree } = ledger;
  const recorded = ledger.recorded(claudePath);
  const file = found(ledger, claudePath);
  if (file === "absent") {
    if (recorded?.part === "block") return keepGone(ledger, claudePath);
    const nested = ledger.index.spelled(".claude/CLAUDE.md");
    if (nested !== undefined && recorded === undefined) {
      const imports = /@(?:\.\.\/|\/)?AGENTS\.md/u.test(tree.read(nested) ?? "");
      if (!imports)
        ledger.keep(nested, "yours", "Claude Code reads this one; add the line `@../AGENTS.md` to it");
      return;
    }
    return ledger.whole(claudePath, `${importLine}\n`, "lets Claude Code read `AGENTS.md`");
  }
  if ("why" in file) return ledger.keep(claudePath, "yours", file.why);
  // One file under both names.
  if (file.path === agents) return ledger.leave(claudePath);
  if (recorded?.part === "whole")
    return ledger.whole(claudePath, `${importLine}\n`, "lets Claude Code read `AGENTS.md`");
  const block = blockIn(file.text);
  const theirs =
    block.is === "found" ? file.text.slice(0, block.from) + file.text.slice(block.to) : file.text;
  if (block.is === "none" && recorded === undefined && importsRules(theirs)) return;
  planBlock(ledger, claudePath, file, importLine);
}

const importsRules = (text: string): boolean => /(?:^|\s)@(?:\.\/)?AGENTS\.md\b/iu.test(text);
