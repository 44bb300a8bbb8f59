import { parse } from "yaml";
import { z } from "zod";
import type { GitHub } from "../adapters/github/app.ts";
import { readRules } from "../adapters/github/landing.ts";
import { statusOf } from "../adapters/github/trouble.ts";
import type { RepoConfig } from "../config.ts";
import type { Repo } from "../ports.ts";
import { gateCheckName } from "../says-gate.ts";
import { neverMet, rulesTold, type BranchRules } from "../state-machine/landing.ts";
import { broken, ok, warn, type Finding } from "./doctor-finding.ts";

/** How many of the newest pull requests are asked which checks ran on them. */
const pullsSeen = 5;
const maxWorkflows = 30;

/** What CI of a repository is seen to do. */
export interface CiSeen {
  /** Workflow files by path; undefined where they may not be read. */
  readonly workflows: ReadonlyMap<string, string> | undefined;
  /** Names of checks and statuses on the default branch and the newest pull requests; undefined: nobody looked. */
  readonly checks: ReadonlySet<string> | undefined;
  /** How many heads were looked at. */
  readonly heads: number;
}

/**
 * What stands between every merge of ours and the default branch, as far as an App may read it: settings, rulesets, and
 * of the older protection what everybody may see. What can never be met is a fault; the rest is told before it is met.
 */
export async function checkMerging(
  github: GitHub,
  repo: Repo,
  config: RepoConfig,
): Promise<readonly Finding[]> {
  const rules = await github.within("read how a merge stands", repo, (octokit) =>
    readRules(octokit, repo, repo.defaultBranch),
  );
  if (rules === undefined) return [];
  const ci = await readCi(github, repo, rules);
  return [
    ...standing(`${repo.owner}/${repo.name}`, rules, config, ci),
    ...ciFound(`${repo.owner}/${repo.name}`, config, ci),
  ];
}

/** What the rules of a branch and its CI mean for a merge of ours. Pure. */
export function standing(
  ref: string,
  rules: BranchRules,
  { merge: { method } }: Pick<RepoConfig, "merge">,
  ci: CiSeen,
): readonly Finding[] {
  const { branch } = rules;
  const never = [...neverMet(rules, method), ...queueWithoutCi(rules, ci)].map(({ why, fix }) => ({
    ...broken("merge-impossible", { branch, repo: ref, why }),
    fix,
  }));
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
    ...(asks.length < 2 ? [] : [ok(`${ref}: ${branch} ${asks.join("; ")}`)]),
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
function alone(ref: string, { branch, approvals, codeOwners, lastPush }: BranchRules): readonly Finding[] {
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

function neverSeen(ref: string, { branch, checks }: BranchRules, ci: CiSeen): readonly Finding[] {
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
function ciFound(ref: string, { commands }: RepoConfig, { workflows, checks }: CiSeen): readonly Finding[] {
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

async function readCi(github: GitHub, repo: Repo, rules: BranchRules): Promise<CiSeen> {
  const workflows = await refusable(() => readWorkflows(github, repo));
  const isAsked = rules.checks.some((name) => name !== gateCheckName) || workflows?.size === 0;
  const seen = isAsked ? await refusable(() => readChecks(github, repo)) : undefined;
  return { workflows, checks: seen?.checks, heads: seen?.heads ?? 0 };
}

/** What the App may not read, or what is not there, says nothing either way. */
async function refusable<Result>(look: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await look();
  } catch (error) {
    const status = statusOf(error) ?? statusOf(error instanceof Error ? error.cause : undefined);
    if (status === 403 || status === 404) return undefined;
    throw error;
  }
}

const Listing = z.array(z.object({ type: z.string(), path: z.string(), size: z.number() }));
const File = z.object({ content: z.string() });
const maxBytes = 200_000;

async function readWorkflows(github: GitHub, repo: Repo): Promise<ReadonlyMap<string, string>> {
  return github.within("read a file", repo, async (octokit) => {
    const place = { owner: repo.owner, repo: repo.name, ref: repo.defaultBranch };
    const found = new Map<string, string>();
    let listing: unknown;
    try {
      listing = (await octokit.rest.repos.getContent({ ...place, path: ".github/workflows" })).data;
    } catch (error) {
      if (statusOf(error) === 404) return found;
      throw error;
    }
    const files = (Listing.safeParse(listing).data ?? [])
      .filter(({ type, path, size }) => type === "file" && /\.ya?ml$/u.test(path) && size <= maxBytes)
      .slice(0, maxWorkflows);
    for (const { path } of files) {
      const file = File.safeParse((await octokit.rest.repos.getContent({ ...place, path })).data);
      if (file.success) found.set(path, Buffer.from(file.data.content, "base64").toString("utf8"));
    }
    return found;
  });
}

async function readChecks(
  github: GitHub,
  repo: Repo,
): Promise<{ readonly checks: ReadonlySet<string>; readonly heads: number }> {
  return github.within("read a pull request", repo, async (octokit) => {
    const place = { owner: repo.owner, repo: repo.name };
    const pulls = await octokit.rest.pulls.list({
      ...place,
      state: "all",
      sort: "updated",
      direction: "desc",
      per_page: pullsSeen,
    });
    const heads = [repo.defaultBranch, ...pulls.data.map(({ head }) => head.sha)];
    const checks = new Set<string>();
    for (const ref of heads) {
      const runs = await octokit.rest.checks.listForRef({ ...place, ref, per_page: 100 });
      const statuses = await octokit.rest.repos.getCombinedStatusForRef({ ...place, ref, per_page: 100 });
      for (const { name } of runs.data.check_runs) checks.add(name);
      for (const { context } of statuses.data.statuses) checks.add(context);
    }
    return { checks, heads: heads.length };
  });
}
