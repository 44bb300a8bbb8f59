/** What a repository's configuration and the rules of its branch come to together: whether anything can ever be merged there. */
import { parse } from "yaml";
import type { RepoConfig } from "./config.ts";
import type { CiSeen, MergeFinding } from "./ports-host.ts";
import { gateCheckName } from "./says-gate.ts";
import { neverMet, rulesTold, type BranchRules } from "./state-machine/landing.ts";

const warn = (what: string, fix: string): MergeFinding => ({ is: "warn", what, fix });

/** What the rules of a branch and its CI mean for a merge of ours. Pure. */
export function mergeStanding(
  ref: string,
  rules: BranchRules,
  { merge: { method } }: Pick<RepoConfig, "merge">,
  ci: CiSeen,
): readonly MergeFinding[] {
  const { branch } = rules;
  const never = [...neverMet(rules, method), ...queueWithoutCi(rules, ci)].map(
    ({ why, fix }): MergeFinding => ({ is: "never", what: why, fix }),
  );
  const asks = [...rulesTold(rules, method), ...queueTold(rules, method)];
  return [
    ...never,
    ...alone(ref, rules),
    ...neverSeen(ref, rules, ci),
    ...(rules.checks.includes(gateCheckName)
      ? []
      : [
          warn(
            `${ref}: the check \`${gateCheckName}\` is not required by ${branch}, so a person can merge before a review has passed`,
            `add it to the required checks of ${branch} (Settings → Rules), source: the App`,
          ),
        ]),
    ...(asks.length < 2
      ? []
      : [{ is: "ok", what: `${ref}: ${branch} ${asks.join("; ")}`, fix: undefined } as const]),
  ];
}

/** A queue builds groups of its own: CI that never hears of them leaves every group waiting. */
function queueWithoutCi(rules: BranchRules, { workflows }: CiSeen) {
  const wanted = rules.checks.filter((name) => name !== gateCheckName);
  if (rules.queue === undefined || wanted.length === 0 || workflows === undefined) return [];
  const files = [...workflows];
  if (files.length === 0 || files.some(([, text]) => startsOn(text, "merge_group"))) return [];
  return [
    {
      why: `its merge queue waits for ${wanted.join(", ")}, and no workflow starts on \`merge_group\``,
      fix: `add \`merge_group:\` under \`on:\` of the workflow that reports ${wanted.join(", ")} (${files[0]?.[0] ?? ".github/workflows"})`,
    },
  ];
}

/** What `auto-merge` by itself never meets, since the App opens the pull request and approves nothing. */
function alone(
  ref: string,
  { branch, approvals, codeOwners, lastPush }: BranchRules,
): readonly MergeFinding[] {
  if (approvals === 0 && !codeOwners) return [];
  const by = codeOwners ? "a code owner" : lastPush ? "people who did not push" : "people";
  const many = approvals > 1 ? `${approvals} approvals` : "the approval";
  return [
    warn(
      `${ref}: \`auto-merge\` alone can never merge into ${branch}, which needs ${many} of ${by}; the App approves nothing`,
      `approve each pull request, or let the App bypass that rule for pull requests, or leave \`auto-merge\` off in ${ref}`,
    ),
  ];
}

function neverSeen(ref: string, { branch, checks }: BranchRules, ci: CiSeen): readonly MergeFinding[] {
  const { checks: seen, heads } = ci;
  const missing = checks.filter((name) => name !== gateCheckName && seen?.has(name) === false);
  if (missing.length === 0 || heads === 0) return [];
  return [
    warn(
      `${ref}: ${branch} requires ${missing.map((name) => `\`${name}\``).join(", ")}, which ran on none of the ${heads} newest heads: while nothing reports it, nothing merges`,
      "correct the name in the rule (it is that of the job), or let CI run it on `pull_request`",
    ),
  ];
}

/** A queue merges its own way. */
const queueTold = ({ queue }: BranchRules, method: RepoConfig["merge"]["method"]): readonly string[] =>
  queue?.method === undefined || method === "auto" || method === queue.method
    ? []
    : [`the queue decides how to merge, not \`merge.method\`, which is ${method}`];

/** Nobody but the review says whether a change works. */
export function ciFound(
  ref: string,
  { commands }: RepoConfig,
  { workflows, checks }: CiSeen,
): readonly MergeFinding[] {
  const isNone = workflows?.size === 0 && (checks === undefined || checks.size === 0);
  if (!isNone || commands.test !== undefined) return [];
  return [
    warn(
      `${ref} has no CI and no \`commands.test\`: nothing but the review says whether a change works`,
      `add \`commands: { test: "…" }\` to .github/forgehand.yml`,
    ),
  ];
}

/** Whether a workflow starts on this event, however `on` is spelled. A file that is no YAML starts on nothing. */
export function startsOn(text: string, event: string): boolean {
  let on: unknown;
  try {
    const workflow: unknown = parse(text, { maxAliasCount: 10 });
    on = typeof workflow === "object" && workflow !== null ? (workflow as { on?: unknown }).on : undefined;
  } catch {
    return false;
  }
  if (typeof on === "string") return on === event;
  if (Array.isArray(on)) return on.includes(event);
  return typeof on === "object" && on !== null && event in on;
}
