/** What bootstrap asks of GitHub and tells it: the repository, its one onboarding pull request, its labels. */
import type { Octokit } from "@octokit/rest";
import { Trouble, type Key, type Repo } from "../../ports.ts";
import type { BranchRules } from "../../state-machine/landing.ts";
import type { Sha } from "../../state-machine/ticket.ts";
import type { GitHub } from "./app.ts";
import type { LabelWord } from "./issues.ts";
import { readRules } from "./landing.ts";
import { bears, capped, markerLine, sameText, withRegion } from "./text.ts";
import { saidBy, statusOf, unless } from "./trouble.ts";

/** A repository as the App finds it. */
export interface RepoStanding {
  readonly repo: Repo;
  readonly isArchived: boolean;
  readonly isFork: boolean;
  readonly hasIssues: boolean;
  /** What the installation was granted. */
  readonly granted: Readonly<Record<string, string | undefined>>;
  readonly isSuspended: boolean;
  /** Where an owner of it accepts permissions and adds repositories. */
  readonly installationUrl: string;
}
export interface OnboardingPull {
  readonly number: number;
  readonly url: string;
  readonly is: "open" | "merged" | "closed";
  readonly head: Sha;
  readonly body: string;
  readonly isOurs: boolean;
}
/** What a branch has that another lacks. */
export interface Grown {
  /** Newest commit that is in both. */
  readonly fork: Sha;
  /** Whether all of it was authored and committed under this address. */
  readonly isOnlyBy: (email: string) => boolean;
}

/** Undefined where the App is not installed, or there is no such repository: GitHub tells both alike. */
export async function findStanding(
  github: GitHub,
  owner: string,
  name: string,
): Promise<RepoStanding | undefined> {
  const installation = await github.asApp("find its installation", (octokit) =>
    unless([404], octokit.rest.apps.getRepoInstallation({ owner, repo: name })),
  );
  if (installation === undefined) return undefined;
  const { id, permissions, suspended_at: suspended, html_url: installationUrl } = installation.data;
  const isSuspended = suspended !== null && suspended !== undefined;
  const unknown = { id: 0, owner, name, installation: id, defaultBranch: "", private: true };
  const base = { granted: { ...permissions }, isSuspended, installationUrl };
  // No token is given for it.
  if (isSuspended) return { ...base, repo: unknown, isArchived: false, isFork: false, hasIssues: true };
  return await github.across("list repositories", id, async (octokit) => {
    const found = await unless([404], octokit.rest.repos.get({ owner, repo: name }));
    if (found === undefined) return undefined;
    const { data } = found;
    return {
      ...base,
      // Under the name that it has now.
      repo: {
        id: data.id,
        owner: data.owner.login,
        name: data.name,
        installation: id,
        defaultBranch: data.default_branch,
        private: data.private,
      },
      isArchived: data.archived || data.disabled,
      isFork: data.fork,
      hasIssues: data.has_issues,
    };
  });
}

const placeOf = ({ owner, name }: Repo) => ({ owner, repo: name });

/** Every pull request from that branch of the repository itself, the newest first. */
export const onboardingPulls = (
  github: GitHub,
  repo: Repo,
  branch: string,
): Promise<readonly OnboardingPull[]> =>
  github.within("read a pull request", repo, async (octokit) => {
    const { data } = await octokit.rest.pulls.list({
      ...placeOf(repo),
      state: "all",
      head: `${repo.owner}:${branch}`,
      sort: "created",
      direction: "desc",
      per_page: 100,
    });
    const found = data.filter((pull) => pull.head.ref === branch && pull.head.repo?.id === repo.id);
    const pulls = await Promise.all(
      found.map(async (pull): Promise<OnboardingPull> => ({
        number: pull.number,
        url: pull.html_url,
        is: pull.state === "open" ? "open" : pull.merged_at === null ? "closed" : "merged",
        head: pull.head.sha,
        body: pull.body ?? "",
        isOurs: await github.isOurs({ user: pull.user }),
      })),
    );
    return pulls.toSorted((one, other) => other.number - one.number);
  });

/** GitHub lists so many commits of a comparison. */
const maxCommits = 250;

/** Undefined where the two have nothing in common. */
export const grownBetween = (github: GitHub, repo: Repo, base: Sha, head: Sha): Promise<Grown | undefined> =>
  github.within("read a file", repo, async (octokit) => {
    const found = await unless(
      [404],
      octokit.rest.repos.compareCommitsWithBasehead({
        ...placeOf(repo),
        basehead: `${base}...${head}`,
        per_page: maxCommits,
      }),
    );
    if (found === undefined) return undefined;
    const { merge_base_commit: fork, commits, total_commits: total } = found.data;
    return {
      fork: fork.sha,
      isOnlyBy: (email) =>
        commits.length === total &&
        commits.every(({ commit }) => commit.author?.email === email && commit.committer?.email === email),
    };
  });

export interface OnboardingText {
  readonly title: string;
  readonly region: string;
}

/** Opens it. One that was opened meanwhile is found by the next look. */
export const openOnboarding = (
  github: GitHub,
  repo: Repo,
  { branch, title, region }: OnboardingText & { readonly branch: string },
): Promise<Pick<OnboardingPull, "number" | "url">> =>
  github.within("open a pull request", repo, async (octokit) => {
    await github.writing(keyOf(repo), "open a pull request", repo);
    try {
      const { data } = await octokit.rest.pulls.create({
        ...placeOf(repo),
        head: branch,
        base: repo.defaultBranch,
        title,
        body: withRegion("", github.scrub(region)),
      });
      return { number: data.number, url: data.html_url };
    } catch (error) {
      if (statusOf(error) !== 422) throw error;
      throw new Trouble(
        "github-rejected",
        `GitHub opens no pull request from ${branch} in ${repo.owner}/${repo.name}: ${saidBy(error)}. Run the same command again.`,
        { cause: error, permanent: true },
      );
    }
  });

/** Brings our region of its text up to date; what people wrote around it stays. */
export const tellOnboarding = (
  github: GitHub,
  repo: Repo,
  number: number,
  region: string,
): Promise<"changed" | "same"> =>
  github.within("open a pull request", repo, async (octokit) => {
    const at = { ...placeOf(repo), pull_number: number };
    const { data } = await octokit.rest.pulls.get(at);
    const body = withRegion(data.body ?? "", github.scrub(region));
    if (sameText(body, data.body)) return "same";
    await github.writing(keyOf(repo), "open a pull request", repo, number);
    await octokit.rest.pulls.update({ ...at, body });
    return "changed";
  });

const keyOf = (repo: Repo): Key => `onboarding:${repo.id}` as Key;

/** What the default branch asks of a merge; undefined where the App may not read it. */
export const branchRules = (github: GitHub, repo: Repo): Promise<BranchRules | undefined> =>
  github.within("read how a merge stands", repo, (octokit) => readRules(octokit, repo, repo.defaultBranch));

/** Names of labels that are not there yet; case does not count. */
export const missingLabels = (
  github: GitHub,
  repo: Repo,
  words: readonly LabelWord[],
): Promise<readonly LabelWord[]> =>
  github.within("read an issue", repo, async (octokit) => await missingIn(octokit, repo, words));

async function missingIn(
  octokit: Octokit,
  repo: Repo,
  words: readonly LabelWord[],
): Promise<readonly LabelWord[]> {
  const there = await octokit.paginate(octokit.rest.issues.listLabelsForRepo, {
    ...placeOf(repo),
    per_page: 100,
  });
  const names = new Set(there.map(({ name }) => name.toLowerCase()));
  return words.filter(({ name }) => !names.has(name.toLowerCase()));
}

/** Creates those that are missing and leaves the others as they are; answers what it created. Safe to repeat. */
export const createLabels = (
  github: GitHub,
  key: Key,
  repo: Repo,
  words: readonly LabelWord[],
): Promise<readonly string[]> =>
  github.within("set labels", repo, async (octokit) => {
    const created: string[] = [];
    for (const { name, color, description } of await missingIn(octokit, repo, words)) {
      await github.writing(key, "set labels", repo);
      // 422: somebody created it in the meantime.
      const made = await unless(
        [422],
        octokit.rest.issues.createLabel({
          ...placeOf(repo),
          name,
          color,
          description: capped(description, 100),
        }),
      );
      if (made !== undefined) created.push(name);
    }
    return created;
  });

/** Opens an issue once: found again by its marker among all that the App ever opened there. */
export const openOnce = (
  github: GitHub,
  key: Key,
  repo: Repo,
  { marker, title, body }: { readonly marker: string; readonly title: string; readonly body: string },
): Promise<number> =>
  github.within("open an issue", repo, async (octokit) => {
    const line = markerLine(marker);
    const pages = octokit.paginate.iterator(octokit.rest.issues.listForRepo, {
      ...placeOf(repo),
      state: "all",
      creator: `${(await github.identity()).slug}[bot]`,
      per_page: 100,
    });
    for await (const { data } of pages)
      for (const issue of data)
        if (bears(issue.body, line) && (await github.isOurs(issue))) return issue.number;
    await github.writing(key, "open an issue", repo);
    const made = await octokit.rest.issues.create({
      ...placeOf(repo),
      title,
      body: capped(`${line}\n${github.scrub(body)}`),
    });
    return made.data.number;
  });
