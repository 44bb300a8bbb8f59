import type { SimRepo } from "./state.ts";

/** The rules of rulesets for one branch, as GitHub lists them; reviews and checks by name stand in the older protection. */
export function rulesetOf(repo: SimRepo, branch: string): readonly object[] {
  const rules = repo.rules.get(branch);
  if (rules === undefined) return [];
  const from = {
    ruleset_source_type: "Repository",
    ruleset_source: `${repo.owner}/${repo.name}`,
    ruleset_id: 1,
  };
  const rule = (type: string, parameters?: object): object => ({
    type,
    ...from,
    ...(parameters === undefined ? {} : { parameters }),
  });
  return [
    ...(rules.codeOwners === true || rules.methods !== undefined
      ? [
          rule("pull_request", {
            allowed_merge_methods: rules.methods ?? ["merge", "squash", "rebase"],
            dismiss_stale_reviews_on_push: false,
            require_code_owner_review: rules.codeOwners === true,
            require_last_push_approval: false,
            required_approving_review_count: rules.approvals,
            required_review_thread_resolution: false,
          }),
        ]
      : []),
    ...(rules.signed === true ? [rule("required_signatures")] : []),
    ...(rules.linear === true ? [rule("required_linear_history")] : []),
    ...(rules.upToDate === true
      ? [
          rule("required_status_checks", {
            required_status_checks: rules.checks.map((context) => ({ context })),
            strict_required_status_checks_policy: true,
          }),
        ]
      : []),
    ...(rules.deployments === undefined
      ? []
      : [rule("required_deployments", { required_deployment_environments: rules.deployments })]),
    ...(rules.queue === undefined
      ? []
      : [
          rule("merge_queue", {
            check_response_timeout_minutes: 60,
            grouping_strategy: "ALLGREEN",
            max_entries_to_build: 5,
            max_entries_to_merge: 5,
            merge_method: rules.queue.toUpperCase(),
            min_entries_to_merge: 1,
            min_entries_to_merge_wait_minutes: 5,
          }),
        ]),
  ];
}
