import { labelNames, labels } from "../../bootstrap/labels.ts";
import { readRules } from "../adapters/github/landing.ts";
import type { GitHub } from "../adapters/github/app.ts";
import { configPath, type RepoConfig } from "../config.ts";
import { personaFolder } from "../config-persona.ts";
import { rulesIn } from "../config-rules.ts";
import { readerOver, findRules, type RuleReader } from "../config-sources.ts";
import type { GitHubSettings } from "../config-environment.ts";
import type { Repo } from "../ports.ts";
import type { Hooks } from "../ports-hooks.ts";
import { neverMet, rulesTold } from "../state-machine/landing.ts";
import { troubled } from "./doctor-github.ts";
import { broken, ok, warn, type Finding } from "./doctor-finding.ts";

/** One look stays short; the rest is named and counted. */
const maxRepos = 50;

interface Look {
  readonly github: GitHub;
  readonly hooks: Hooks;
  readonly settings: GitHubSettings;
  /** Owners whose files any repository may extend. */
  readonly extendsFrom?: readonly string[] | undefined;
}
const readerOf = ({ hooks, extendsFrom = [] }: Look, repos: readonly Repo[]): RuleReader =>
  readerOver(hooks, repos, extendsFrom);

/** Each repository: its configuration, its labels, and whether anything can ever be merged into its default branch. */
export async function checkRepos(look: Look): Promise<readonly Finding[]> {
  const repos = await look.hooks.repos();
  const findings: Finding[] = [];
  for (const repo of repos.slice(0, maxRepos)) {
    try {
      findings.push(...(await checkRepo(look, repo, repos)));
    } catch (error) {
      findings.push(troubled(error, look.settings));
    }
  }
  if (repos.length === 0)
    return [warn("the App sees no repository", "add one to the installation, in its settings on GitHub")];
  if (repos.length > maxRepos)
    findings.push(ok(`${repos.length - maxRepos} more repositories were not looked at`));
  return findings;
}

async function checkRepo(look: Look, repo: Repo, repos: readonly Repo[]): Promise<readonly Finding[]> {
  const { github, hooks } = look;
  const ref = `${repo.owner}/${repo.name}`;
  const { at } = await hooks.file(repo, "AGENTS.md");
  const { config: text, sources } = await findRules(readerOf(look, repos), repo, at);
  const found = await hooks.folder(repo, personaFolder, at);
  const personas = Object.fromEntries([...found].map(([name, persona]) => [name, persona ?? null]));
  const { config, faults } = rulesIn({ config: text, sources, sound: undefined, personas });
  const wrong = faults.map(({ repo: other = ref, path, line, column, message }) =>
    broken("config-wrong", { repo: ref, path: `${other}/${path}`, line, column, message }),
  );
  const all = [
    ...wrong,
    ...(await checkMerging(github, repo, config)),
    ...(await checkLabels(github, repo, config)),
  ];
  const isSaid = text !== undefined || sources.workflow !== undefined || sources.under.length > 0;
  const name = `${ref}: ${isSaid ? "configuration valid" : `no ${configPath}, so the defaults hold`}`;
  return all.every(({ is }) => is === "ok")
    ? [ok(`${name}, labels there, ${repo.defaultBranch} can be merged into`), ...all]
    : all;
}

async function checkLabels(github: GitHub, repo: Repo, config: RepoConfig): Promise<readonly Finding[]> {
  const there = await github.within("read an issue", repo, (octokit) =>
    octokit.paginate(octokit.rest.issues.listLabelsForRepo, {
      owner: repo.owner,
      repo: repo.name,
      per_page: 100,
    }),
  );
  const names = new Set(there.map(({ name }) => name.toLowerCase()));
  const missing = labelNames.filter((label) => !names.has(config.labels[label].toLowerCase()));
  if (missing.length === 0) return [];
  const ref = `${repo.owner}/${repo.name}`;
  const commands = missing.map(
    (label) =>
      `gh label create ${quote(config.labels[label])} --repo ${ref} --color ${labels[label].color} --description ${quote(labels[label].description)}`,
  );
  return [
    warn(
      `${ref} lacks the labels ${missing.map((label) => config.labels[label]).join(", ")}`,
      commands.join("\n"),
    ),
  ];
}

/** For a POSIX shell. */
const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/**
 * What stands between every merge of ours and the default branch, as far as an App may read it: settings, rulesets, and
 * of the older protection what everybody may see. What can never be met is a fault; the rest is told before it is met.
 */
async function checkMerging(github: GitHub, repo: Repo, config: RepoConfig): Promise<readonly Finding[]> {
  const rules = await github.within("read how a merge stands", repo, (octokit) =>
    readRules(octokit, repo, repo.defaultBranch),
  );
  if (rules === undefined) return [];
  const ref = `${repo.owner}/${repo.name}`;
  const { method } = config.merge;
  const never = neverMet(rules, method).map(({ why, fix }) => ({
    ...broken("merge-impossible", { branch: repo.defaultBranch, repo: ref, why }),
    fix,
  }));
  const asks = [...rulesTold(rules, method), ...queueTold(rules, method)];
  return asks.length < 2 ? never : [...never, ok(`${ref}: ${repo.defaultBranch} ${asks.join("; ")}`)];
}

/** A queue merges its own way. */
const queueTold = (
  { queue }: NonNullable<Awaited<ReturnType<typeof readRules>>>,
  method: RepoConfig["merge"]["method"],
): readonly string[] =>
  queue?.method === undefined || method === "auto" || method === queue.method
    ? []
    : [`the queue decides how to merge, not \`merge.method\`, which is ${method}`];
