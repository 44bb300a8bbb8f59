/** Every sentence of the onboarding pull request, and of its commit. Pure. */
import { z } from "zod";
import type { CommandFound, Detected, Evidence } from "./detect/detected.ts";
import { commandKinds } from "./generate.ts";
import type { KeptFile } from "./plan-files.ts";
import type { Plan } from "./plan.ts";

export const onboardingBranch = "forgehand/bootstrap";

const Verified = z.object({
  kind: z.enum(["setup", "test"]),
  command: z.string(),
  is: z.enum(["passed", "failed", "timed-out"]),
  seconds: z.number(),
  /** The end of what it said, when it did not pass. */
  tail: z.string(),
});
/** What became of running set-up and tests once. */
export type VerifiedCommand = Readonly<z.infer<typeof Verified>>;
export interface OnboardingView {
  /** `owner/name`, or the path of a clone. */
  readonly name: string;
  readonly isUpdate: boolean;
  readonly plan: Plan;
  /** All that is different from the base. */
  readonly files: readonly {
    readonly path: string;
    readonly is: "new" | "changed" | "removed";
    readonly why: string;
  }[];
  readonly detected: Detected;
  readonly verified: readonly VerifiedCommand[] | undefined;
  /** As this repository calls them. */
  readonly readyLabel: string;
  readonly mergeLabel: string;
  readonly missingLabels: readonly string[];
  /** In whole sentences, besides those of detection and plan. */
  readonly warnings: readonly string[];
}

export const onboardingTitle = ({ isUpdate }: Pick<OnboardingView, "isUpdate">): string =>
  isUpdate ? "Bring what forgehand set up here up to date" : "Set up forgehand";

/** Of the commit. */
export function commitMessage(view: Pick<OnboardingView, "isUpdate">): string {
  return `${onboardingTitle(view)}\n\nMade by \`forgehand bootstrap\`. Nothing runs before it is merged; what was generated is\nrecorded in .forgehand/bootstrap.json, so that a later update keeps what people edit here.\n`;
}

/** Our region of the pull request's text. */
export function onboardingRegion(view: OnboardingView): string {
  return [
    view.isUpdate
      ? `A newer forgehand, or other commands in this repository, change what was generated here. What people edited since is kept; what could not be merged is listed below.`
      : `**forgehand** takes issues of this repository to reviewed pull requests, with coding agents as the craftsmen. These files say how to work here. Nothing starts because of this pull request, and nothing before it is merged.`,
    section("What was found", foundLines(view)),
    view.isUpdate ? "" : section("What happens after the merge", afterLines(view)),
    view.isUpdate ? "" : section("What does not happen", neverLines(view)),
    section("Files", filesTable(view)),
    section("Left as they are", keptLines(view.plan.kept)),
    section("Labels that will be created", labelLines(view)),
    section(
      "Worth a look",
      warningsOf(view).map((line) => `- ${line}`),
    ),
    section("If you want it otherwise", [
      `- **Edit the files on this branch.** Your commits stay; \`forgehand bootstrap ${view.name}\` brings this text and the rest up to date upon them.`,
      `- **Decline it by closing this pull request.** It is not opened again until somebody runs \`forgehand bootstrap ${view.name} --again\`.`,
    ]),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? "" : `### ${title}\n\n${lines.join("\n")}`;

/** Text of the repository as code, which no Markdown leaves. */
export const quoted = (text: string): string => {
  const plain = text.replaceAll(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, " ");
  const fence = "`".repeat(Math.max(0, ...[...plain.matchAll(/`+/gu)].map(([run]) => run.length)) + 1);
  const pad = /^`|`$/u.test(plain) ? " " : "";
  return `${fence}${pad}${plain}${pad}${fence}`;
};
const cell = (text: string): string => quoted(text).replaceAll("|", String.raw`\|`);

export const purposes = { setup: "Set up", lint: "Lint", build: "Build", test: "Test" } as const;
export const sureness: Readonly<Record<CommandFound["confidence"], string>> = {
  sure: "sure",
  likely: "likely",
  guess: "a guess, worth a look",
};

/** `package.json:7` */
export const placeOf = ({ path, line }: Evidence): string => `${path}:${line}`;

function foundLines({ detected, verified }: OnboardingView): readonly string[] {
  const rows = commandKinds.map((kind) => {
    const found = detected.commands[kind];
    if (found === undefined) return `| ${purposes[kind]} | none found | | |`;
    const where = found.evidence
      .slice(0, 3)
      .map((one) => cell(placeOf(one)))
      .join(", ");
    return `| ${purposes[kind]} | ${cell(found.command)} | ${where} | ${sureness[found.confidence]} |`;
  });
  const parts = detected.packages.filter(({ folder }) => folder !== ".");
  return [
    "| For | Command | Found in | How sure |",
    "|---|---|---|---|",
    ...rows,
    ...(parts.length === 0
      ? []
      : [
          "",
          `Packages below the root: ${parts
            .slice(0, 20)
            .map(({ folder, manager }) => `${quoted(folder)} (${manager})`)
            .join(", ")}${parts.length > 20 ? `, and ${parts.length - 20} more` : ""}.`,
        ]),
    "",
    ...verifiedLines(verified),
  ];
}

function verifiedLines(verified: OnboardingView["verified"]): readonly string[] {
  if (verified === undefined)
    return ["These commands were not run yet: `forgehand bootstrap --verify` tries them once."];
  const note = verifiedNote(verified);
  const lines = verified.flatMap(({ command, is, seconds, tail }) => {
    const what =
      is === "passed"
        ? `passed in ${seconds} s`
        : is === "failed"
          ? `**failed** after ${seconds} s`
          : `**did not end** within ${seconds} s`;
    const line = `${quoted(command)} ${what}, run once in a clone of its own.`;
    return is === "passed" || tail === ""
      ? [line]
      : [line, "", "<details><summary>What it said last</summary>", "", fenced(tail), "", "</details>"];
  });
  return [...lines, note];
}

const noteBegin = "<!-- forgehand:verified ";
/** Hidden in the text, so that a later run need not try the same commands again to say the same. */
const verifiedNote = (verified: readonly VerifiedCommand[]): string =>
  `${noteBegin}${JSON.stringify(verified)
    .replaceAll("-", String.raw`\u002d`)
    .replaceAll(">", String.raw`\u003e`)} -->`;

/** What an earlier run found, as long as the commands are still the same. */
export function verifiedIn(body: string, { commands }: Detected): readonly VerifiedCommand[] | undefined {
  const line = body.split(/\r?\n/u).find((one) => one.startsWith(noteBegin) && one.endsWith(" -->"));
  if (line === undefined) return undefined;
  try {
    const read = z
      .array(Verified)
      .max(4)
      .parse(JSON.parse(line.slice(noteBegin.length, -" -->".length)));
    return read.every(({ kind, command }) => commands[kind]?.command === command) ? read : undefined;
  } catch {
    return undefined;
  }
}

function fenced(text: string): string {
  const fence = "`".repeat(Math.max(3, ...[...text.matchAll(/`+/gu)].map(([run]) => run.length + 1)));
  return `${fence}text\n${text}\n${fence}`;
}

const afterLines = ({ readyLabel, mergeLabel, plan }: OnboardingView): readonly string[] => [
  `- The labels below are created.`,
  `- When somebody with triage rights labels an issue ${quoted(readyLabel)}, its text is checked for what is missing, then built in a worktree by one agent and reviewed by one of another family.`,
  `- A pull request comes of it. A person's approval merges it, or the label ${quoted(mergeLabel)} set by somebody with write access, once it is reviewed and green.`,
  ...(plan.answers.agent
    ? [
        `- One issue is opened that asks for the part of \`AGENTS.md\` that only this repository needs. It starts when somebody labels it, and is built and reviewed like any other.`,
      ]
    : []),
];

const neverLines = ({ readyLabel }: OnboardingView): readonly string[] => [
  `- No issue is taken up that nobody labelled ${quoted(readyLabel)}.`,
  `- No agent gets a token of this repository: the host commits and pushes for it.`,
  `- \`.github/workflows\` is not touched, here or later: the App has no permission for it.`,
  `- No rule of a branch is bypassed, and a change of these files always takes a person.`,
];

const filesTable = ({ files }: OnboardingView): readonly string[] =>
  files.length === 0
    ? []
    : [
        "| File | | Why |",
        "|---|---|---|",
        ...files.map(({ path, is, why }) => `| ${cell(path)} | ${is} | ${why} |`),
      ];

export const deedOf = ({
  before,
  after,
}: {
  readonly before: string | undefined;
  readonly after: string | undefined;
}): string => (after === undefined ? "removed" : before === undefined ? "new" : "changed");

const keptLines = (kept: readonly KeptFile[]): readonly string[] =>
  kept.map(({ path, is, why }) => `- ${quoted(path)}${is === "conflict" ? " (**conflict**)" : ""}: ${why}.`);

const labelLines = ({ missingLabels }: OnboardingView): readonly string[] =>
  missingLabels.length === 0 ? [] : [missingLabels.map(quoted).join(", ")];

/** Everything that a person should look at, the repository's own first. */
export function warningsOf({
  detected,
  plan,
  warnings,
}: Pick<OnboardingView, "detected" | "plan" | "warnings">): readonly string[] {
  const { workflows, others } = detected.ci;
  return [
    ...warnings,
    ...plan.warnings,
    ...detected.warnings.map(({ message }) => message),
    ...(workflows.length === 0 && others.length === 0
      ? [
          "There is no CI here: nothing but forgehand's own run of the commands above checks a change. A workflow is not added, because the App may not write one.",
        ]
      : []),
  ];
}
