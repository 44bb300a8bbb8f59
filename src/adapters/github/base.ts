import type { Octokit } from "@octokit/rest";
import type { PullRef, Repo } from "../../ports.ts";
import type { BaseCheck, BaseCommit } from "../../state-machine/after-merge.ts";
import type { GitHub } from "./app.ts";
import { runIs, statusIs } from "./pull-facts.ts";
import { unless } from "./trouble.ts";

/** Commits of a branch from its tip to a merge and some before it; more merges than that hide each other. */
const maxAfter = 10;
const maxBefore = 5;

/** The commits of a branch by first parent, newest first, with what the checks of others say of each. */
export async function readBase(
  github: GitHub,
  octokit: Octokit,
  repo: Repo,
  branch: string,
  merge: string,
): Promise<readonly BaseCommit[]> {
  const place = { owner: repo.owner, repo: repo.name };
  const { data } = await octokit.rest.repos.listCommits({ ...place, sha: branch, per_page: 100 });
  const parents = new Map(data.map(({ sha, parents: [first] }) => [sha, first?.sha]));
  const line: string[] = [];
  for (let at = data[0]?.sha; at !== undefined && parents.has(at); at = parents.get(at)) line.push(at);
  const own = line.indexOf(merge);
  if (own < 0) return [];
  const checks = await readChecks(github, octokit, repo, merge);
  // Most merges are well: then the others need not be asked.
  const isWell = checks.length > 0 && checks.every(({ is }) => is !== "red");
  return await Promise.all(
    line.slice(Math.max(0, own - maxAfter), own + 1 + maxBefore).map(async (sha) => {
      if (sha === merge) return { sha, checks };
      return { sha, checks: isWell ? [] : await readChecks(github, octokit, repo, sha) };
    }),
  );
}

async function readChecks(
  github: GitHub,
  octokit: Octokit,
  repo: Repo,
  ref: string,
): Promise<readonly BaseCheck[]> {
  const of = { owner: repo.owner, repo: repo.name, ref, per_page: 100 };
  const [runs, { data: combined }] = await Promise.all([
    octokit.paginate(octokit.rest.checks.listForRef, { ...of, filter: "latest" }),
    octokit.rest.repos.getCombinedStatusForRef(of),
  ]);
  const found = new Map<string, BaseCheck>();
  for (const run of runs.toSorted((a, b) => a.id - b.id)) {
    if (run.app?.id === github.appId) continue;
    // One that was cancelled says nothing of the commit.
    if (run.conclusion === "cancelled") continue;
    found.set(run.name, { name: run.name, is: runIs(run), run: run.id, url: run.html_url ?? undefined });
  }
  for (const { context, state, target_url: url } of combined.statuses) {
    found.set(context, { name: context, is: statusIs(state), run: undefined, url: url ?? undefined });
  }
  return [...found.values()];
}

/** Paths that a pull request changes, old names too. */
export async function readPaths(octokit: Octokit, { repo, number }: PullRef): Promise<readonly string[]> {
  const files = await unless(
    [404],
    octokit.paginate(octokit.rest.pulls.listFiles, {
      owner: repo.owner,
      repo: repo.name,
      pull_number: number,
      per_page: 100,
    }),
  );
  return [
    ...new Set(
      (files ?? []).flatMap(({ filename, previous_filename: old }) =>
        old === undefined ? [filename] : [filename, old],
      ),
    ),
  ];
}
