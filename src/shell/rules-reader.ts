import { rulesIn } from "../config-rules.ts";
import { policyOf } from "../config.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { RepoRules } from "./workshop.ts";

/** Each repository's rules, parsed once per commit they were read at. */
export function rulesReader(): (repo: KnownRepo) => RepoRules {
  const known = new Map<
    number,
    { readonly at: string | undefined; readonly text: string; readonly rules: RepoRules }
  >();
  return (repo) => {
    const cached = known.get(repo.id);
    // What it rests upon changes without a commit of its own.
    const text = JSON.stringify([repo.config, repo.sources]);
    if (cached !== undefined && cached.at === repo.configAt && cached.text === text) return cached.rules;
    const kept = rulesIn(repo);
    const rules = { ...kept, policy: policyOf(kept.config) };
    known.set(repo.id, { at: repo.configAt, text, rules });
    return rules;
  };
}
