/** What CI of a repository does, as far as the App may read it. */
import { z } from "zod";
import type { Repo } from "../../ports.ts";
import type { CiSeen } from "../../ports-host.ts";
import { gateCheckName } from "../../says-gate.ts";
import type { BranchRules } from "../../state-machine/landing.ts";
import type { GitHub } from "./app.ts";
import { readRules } from "./landing.ts";
import { statusOf } from "./trouble.ts";

/** How many of the newest pull requests are asked which checks ran on them. */
const pullsSeen = 5;
const maxWorkflows = 30;

/** What stands between every merge and the default branch; undefined where the App may not read it. */
export async function readMerging(
  github: GitHub,
  repo: Repo,
): Promise<{ readonly rules: BranchRules; readonly ci: CiSeen } | undefined> {
  const rules = await github.within("read how a merge stands", repo, (octokit) =>
    readRules(octokit, repo, repo.defaultBranch),
  );
  return rules === undefined ? undefined : { rules, ci: await readCi(github, repo, rules) };
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
