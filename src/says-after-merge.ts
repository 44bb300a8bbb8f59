/** What is said when a merge broke the base: pure. */
import { quoted, short } from "./says.ts";
import type { Sha } from "./state-machine/ticket.ts";

/** Why a merge is held to have broken the base. */
export interface Evidence {
  readonly ref: string;
  readonly merge: Sha;
  readonly before: Sha;
  readonly check: string;
  readonly url: string | undefined;
}

const proof = ({ merge, before, check, url }: Evidence): readonly string[] => [
  `- the check ${quoted(check, 100)} passes on \`${before}\`, the commit right before`,
  `- it fails on \`${merge}\`, the merge, and failed there again when it was run once more or could not be${url === undefined ? "" : `: ${quoted(url, 300)}`}`,
];

/** The issue of the ticket that takes a merge back. */
export const revertIssue = (
  evidence: Evidence,
  title: string,
): { readonly title: string; readonly body: string } => ({
  title: `Revert ${short(evidence.merge)}: ${quoted(title, 150)}`,
  body: [
    `**Where** the default branch, at the merge \`${evidence.merge}\` of ${evidence.ref}.`,
    "",
    `**What** take exactly that commit back, with \`git revert ${evidence.merge}\`, and change nothing else. Its checks turned red on it:`,
    "",
    ...proof(evidence),
    "",
    `**Acceptance** the diff is the inverse of that commit, and the check ${quoted(evidence.check, 100)} passes again.`,
    "",
    "The revert is made by git alone and reviewed like any other change. It is merged when a person approves it, or by itself when a person with write access sets `auto-merge` here.",
  ].join("\n"),
});

/** Told on the ticket whose merge it was. */
export const brokeNotice = (evidence: Evidence, revert: number, repo: string): string =>
  [
    `The merge broke the base, so I reopened this. ${repo}#${revert} takes it back.`,
    "",
    ...proof(evidence),
    "",
    `Until a person lifts it with \`forgehand resume-automerge ${repo}\`, \`auto-merge\` does not count for changes to the same files. Release this ticket again once it says what to do otherwise.`,
  ].join("\n");

/** Told where nobody can say which merge it was. */
export const unclearNotice = (merge: Sha, check: string, between: readonly Sha[]): string =>
  [
    `The base is red after \`${short(merge)}\`: the check ${quoted(check, 100)} fails, and no commit in between was checked by it. It came with one of:`,
    "",
    ...between.map((sha) => `- \`${sha}\``),
    "",
    "I take nothing back that may be innocent: a person has to look.",
  ].join("\n");
