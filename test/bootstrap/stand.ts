import type { Detected } from "../../bootstrap/detect/detected.ts";
import { plan, type Plan, type PlanInput } from "../../bootstrap/plan.ts";
import { readTemplates, type Templates } from "../../bootstrap/templates.ts";
import type { RepositoryTree } from "../../bootstrap/tree.ts";

/** Files by path; a link is written `-> target`. */
export type Files = Readonly<Record<string, string>>;

export const templates = readTemplates();

export const treeOf = (files: Files): RepositoryTree => ({
  paths: Object.keys(files),
  kind: (path) =>
    !Object.hasOwn(files, path) ? undefined : files[path]?.startsWith("-> ") === true ? "link" : "file",
  read: (path) => (Object.hasOwn(files, path) ? files[path]?.replace(/^-> /u, "") : undefined),
});

export const because = {
  evidence: [{ path: "package.json", line: 7, text: "" }],
  reason: "",
  alternatives: [],
};
export const node: Detected = {
  packages: [],
  commands: {
    setup: { command: "npm ci", confidence: "sure", ...because },
    lint: { command: "npm run lint", confidence: "likely", ...because },
    test: { command: "npm test", confidence: "sure", ...because },
  },
  toolchain: [],
  ci: { workflows: [], onPullRequest: [], onMergeGroup: [], others: [] },
  testFolders: [],
  warnings: [],
};
export const bare: Detected = { ...node, commands: {} };

export const planOn = (files: Files, over: Partial<PlanInput> = {}, from: Templates = templates): Plan =>
  plan(from, { tree: treeOf(files), detected: node, defaultBranch: "main", wanted: {}, ...over });

/** The files after the plan was carried out. */
export function applied(files: Files, { changes }: Plan): Files {
  const next: Record<string, string> = { ...files };
  for (const { path, after } of changes.filter((one) => one.after === undefined)) {
    if (after === undefined) delete next[path];
  }
  for (const { path, after, kind } of changes)
    if (after !== undefined) next[path] = kind === "link" ? `-> ${after}` : after;
  return next;
}

/** The templates of a later version: each differs in one place. */
export const later: Templates = new Map(
  [...templates].map(([name, text]) => [
    name,
    name.endsWith("SKILL.md") || name.startsWith("skills/")
      ? text.replace("If forgehand started you", "Whenever forgehand started you")
      : name === "agents.md"
        ? text.replace("## Pull requests", "## Pull requests, always")
        : text,
  ]),
);
