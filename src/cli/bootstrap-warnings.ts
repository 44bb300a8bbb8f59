/** What a person should know of a repository before agents work in it, in whole sentences. Pure. */
import type { Detected } from "../../bootstrap/detect/detected.ts";
import { neverMet, rulesTold, type BranchRules, type MergeMethod } from "../state-machine/landing.ts";

export function standingTold(
  { isFork, hasIssues }: { readonly isFork: boolean; readonly hasIssues: boolean },
  name: string,
): readonly string[] {
  return [
    ...(isFork
      ? [
          `${name} is a fork: everything happens in the fork, and nothing reaches the repository it came from.`,
        ]
      : []),
    ...(hasIssues
      ? []
      : [
          `Issues are switched off in ${name}, so its tickets must come from Linear. To use issues, switch them on in its settings (General, Features).`,
        ]),
  ];
}

/** Rules that will hold up every merge, told before the first one waits for them. */
export function mergingTold(
  rules: BranchRules | undefined,
  {
    method,
    mergeLabel,
    detected,
  }: { readonly method: MergeMethod | "auto"; readonly mergeLabel: string; readonly detected: Detected },
): readonly string[] {
  if (rules === undefined) return [];
  const { branch } = rules;
  const alone = [
    ...(rules.approvals > 0
      ? [`it needs ${rules.approvals} approval${rules.approvals === 1 ? "" : "s"}`]
      : []),
    ...(rules.codeOwners ? ["it needs the approval of code owners"] : []),
  ];
  const asks = rulesTold(rules, method);
  return [
    ...neverMet(rules, method).map(
      ({ why, fix }) => `Nothing can be merged into ${branch}: ${why}. What helps: ${fix}.`,
    ),
    ...(alone.length > 0
      ? [`The label \`${mergeLabel}\` alone can never merge into ${branch}: ${alone.join(", and ")}.`]
      : []),
    ...(rules.queue !== undefined && detected.ci.onMergeGroup.length === 0 && rules.checks.length > 0
      ? [
          `${branch} has a merge queue, and no workflow here listens to \`merge_group\`: its required checks would never run in the queue. Add \`merge_group:\` to their \`on:\`.`,
        ]
      : []),
    ...(asks.length > 1 ? [`${branch} ${asks.join("; ")}.`] : []),
  ];
}
