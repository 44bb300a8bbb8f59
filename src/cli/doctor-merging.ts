import type { GitHub } from "../adapters/github/app.ts";
import { readMerging } from "../adapters/github/ci-seen.ts";
import { ciFound, mergeStanding } from "../config-merging.ts";
import type { RepoConfig } from "../config.ts";
import type { Repo } from "../ports.ts";
import type { CiSeen, MergeFinding } from "../ports-host.ts";
import type { BranchRules } from "../state-machine/landing.ts";
import { broken, type Finding } from "./doctor-finding.ts";

/**
 * What stands between every merge of ours and the default branch, as far as an App may read it: settings, rulesets, and
 * of the older protection what everybody may see. What can never be met is a fault; the rest is told before it is met.
 */
export async function checkMerging(
  github: GitHub,
  repo: Repo,
  config: RepoConfig,
): Promise<readonly Finding[]> {
  const seen = await readMerging(github, repo);
  if (seen === undefined) return [];
  const ref = `${repo.owner}/${repo.name}`;
  return [
    ...standing(ref, seen.rules, config, seen.ci),
    ...ciFound(ref, config, seen.ci).map((one) => findingOf(one, ref, seen.rules)),
  ];
}

/** What the rules of a branch and its CI mean for a merge of ours. Pure. */
export const standing = (
  ref: string,
  rules: BranchRules,
  config: Pick<RepoConfig, "merge">,
  ci: CiSeen,
): readonly Finding[] => mergeStanding(ref, rules, config, ci).map((one) => findingOf(one, ref, rules));

function findingOf({ is, what, fix }: MergeFinding, repo: string, { branch }: BranchRules): Finding {
  const told = fix === undefined ? {} : { fix };
  return is === "never"
    ? { ...broken("merge-impossible", { branch, repo, why: what }), ...told }
    : { is, what, ...told };
}
