/** What bootstrap would change in a repository, file by file, and why. Pure. */
import type { Detected } from "./detect/detected.ts";
import { generate, type Generated, type GenerateInput } from "./generate.ts";
import { planHouseRules } from "./plan-house-rules.ts";
import { planSkillLinks } from "./plan-links.ts";
import { openLedger, type FileChange, type KeptFile, type Ledger } from "./plan-files.ts";
import {
  readRecord,
  recordPath,
  recordText,
  sameRecord,
  templateVersion,
  type BootstrapRecord,
  type RecordedAnswers,
} from "./record.ts";
import { addedRules, changeRules, rulesText, settingsPath } from "./rules.ts";
import type { Templates } from "./templates.ts";
import { indexOf, type RepositoryTree } from "./tree.ts";

export interface PlanInput extends GenerateInput {
  readonly tree: RepositoryTree;
  readonly detected: Detected;
  /** What the caller wants now; what is left out stays as it was recorded, else links and no ticket. */
  readonly wanted: Partial<RecordedAnswers>;
}
export interface Plan {
  readonly changes: readonly FileChange[];
  /** What is there already and stays, what was deleted and stays away, what could not be merged. */
  readonly kept: readonly KeptFile[];
  readonly warnings: readonly string[];
  readonly answers: RecordedAnswers;
  /** Which version of the templates the repository was set up with, where it was. */
  readonly recorded: number | undefined;
  readonly generated: Generated;
}

export const configPaths = [".github/forgehand.yml", ".forgehand.yml"] as const;
const issueFormPath = ".github/ISSUE_TEMPLATE/forgehand-task.yml";
const pullTemplatePath = ".github/pull_request_template.md";

export function plan(templates: Templates, input: PlanInput): Plan {
  const { tree, wanted } = input;
  const found = recordIn(tree);
  const before = "why" in found ? undefined : found.record;
  const answers: RecordedAnswers = {
    skills: wanted.skills ?? before?.answers.skills ?? "link",
    agent: wanted.agent ?? before?.answers.agent ?? false,
  };
  const generated = generate(templates, input);
  const settled = { answers, recorded: before?.template, generated };
  if ("why" in found) return { changes: [], kept: [], warnings: [`${recordPath} ${found.why}.`], ...settled };
  const ledger = openLedger(tree, indexOf(tree), before?.files ?? {});
  planConfig(ledger, generated);
  planHouseRules(ledger, generated);
  for (const [name, text] of generated.skills)
    ledger.whole(`.agents/skills/${name}/SKILL.md`, text, `what an agent does here to ${purposeOf(name)}`);
  planSkillLinks(ledger, generated, answers.skills);
  planSettings(ledger, generated);
  planForms(ledger, generated);
  ledger.takeBack();
  // Where everything was there already, made by others or its record deleted, there is nothing to write down.
  if (ledger.changed.length > 0 || before !== undefined)
    planRecord(ledger, before, {
      template: templateVersion,
      answers,
      files: Object.fromEntries(ledger.records),
    });
  return {
    changes: ledger.changed.toSorted((one, other) => (one.path < other.path ? -1 : 1)),
    kept: ledger.kept,
    warnings: [],
    ...settled,
  };
}

/** Without knowing what was generated, nothing of it can be told from what people wrote: then nothing is touched. */
function recordIn(
  tree: RepositoryTree,
): { readonly record: BootstrapRecord | undefined } | { readonly why: string } {
  if (tree.kind(recordPath) === undefined) return { record: undefined };
  const text = tree.read(recordPath);
  const read = text === undefined ? { why: "it is no text" } : readRecord(text);
  if ("why" in read)
    return {
      why: `cannot be read (${read.why}), so nothing is changed. Put back what \`git log ${recordPath}\` shows, or delete it to begin anew`,
    };
  return read.template > templateVersion
    ? {
        why: `was written by a newer forgehand (template ${read.template}; this one has ${templateVersion}), so nothing is changed. Update forgehand first`,
      }
    : { record: read };
}

function planRecord(ledger: Ledger, before: BootstrapRecord | undefined, after: BootstrapRecord): void {
  if (before !== undefined && sameRecord(before, after)) return;
  ledger.put(
    recordPath,
    recordText(after),
    "what was generated, so that an update changes only what nobody edited",
  );
}

function planConfig(ledger: Ledger, { config }: Generated): void {
  const [usual, other] = configPaths;
  const elsewhere = ledger.index.spelled(other);
  if (
    elsewhere !== undefined &&
    ledger.recorded(usual) === undefined &&
    ledger.tree.kind(usual) === undefined
  )
    ledger.keep(elsewhere, "yours", "the configuration is here already; it is not touched");
  else ledger.whole(usual, config, "commands and policy of forgehand in this repository");
}

function planSettings(ledger: Ledger, { settings }: Generated): void {
  const path = settingsPath;
  const recorded = ledger.recorded(path);
  const place = ledger.place(path);
  if ("why" in place) return ledger.keep(path, "yours", place.why);
  const text = place.kind === undefined ? undefined : ledger.tree.read(place.path);
  if (recorded !== undefined && place.kind === undefined) return ledger.stayDeleted(path, recorded);
  if (place.kind !== undefined && text === undefined)
    return ledger.keep(place.path, "yours", "it is no text that can be read");
  const changed = changeRules(text, settings, addedRules(recorded?.base));
  if ("why" in changed) {
    if (recorded !== undefined) ledger.record(path, recorded);
    return ledger.keep(place.path, "yours", `${changed.why}, so no rule was added`);
  }
  ledger.put(
    place.path,
    changed.text,
    "lets Claude Code run the commands above without asking, and never read files with secrets",
  );
  ledger.record(path, { part: "rules", base: rulesText(changed.added) });
}

const pullTemplateName = /^(?:(?:\.github|docs)\/)?pull_request_template(?:\.[a-z]+|\/.+)?$/iu;

function planForms(ledger: Ledger, { issueForm, pullTemplate }: Generated): void {
  ledger.whole(issueFormPath, issueForm, "a form for issues that an agent can build; it sets no label");
  const theirs = ledger.tree.paths.find((path) => pullTemplateName.test(path));
  if (theirs !== undefined && ledger.recorded(pullTemplatePath) === undefined)
    ledger.keep(theirs, "yours", "the template for pull requests is here already");
  else ledger.whole(pullTemplatePath, pullTemplate, "what the description of a pull request says");
}

const purposes: Readonly<Record<string, string>> = {
  commit: "make a commit",
  pull: "take over the base",
  push: "publish a branch",
  land: "see what a merge still needs",
  tracker: "read and write tickets",
  debug: "find the cause of a failure",
};
const purposeOf = (skill: string): string => purposes[skill] ?? skill;
