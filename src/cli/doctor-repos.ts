import { labelNames, labels } from "../../bootstrap/labels.ts";
import type { GitHub } from "../adapters/github-app.ts";
import { configPath, type RepoConfig } from "../config.ts";
import { personaFolder } from "../config-persona.ts";
import { rulesIn } from "../config-rules.ts";
import type { GitHubSettings } from "../config-environment.ts";
import type { Hooks, Repo } from "../ports.ts";
import { troubled } from "./doctor-github.ts";
import { broken, ok, warn, type Finding } from "./doctor-finding.ts";

/** One look stays short; the rest is named and counted. */
const maxRepos = 50;

interface Look {
  readonly github: GitHub;
  readonly hooks: Hooks;
  readonly settings: GitHubSettings;
}

/** Each repository: its configuration, its labels, and whether anything can ever be merged into its default branch. */
export async function checkRepos(look: Look): Promise<readonly Finding[]> {
  const repos = await look.hooks.repos();
  const findings: Finding[] = [];
  for (const repo of repos.slice(0, maxRepos)) {
    try {
      findings.push(...(await checkRepo(look, repo)));
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

async function checkRepo({ github, hooks }: Look, repo: Repo): Promise<readonly Finding[]> {
  const ref = `${repo.owner}/${repo.name}`;
  const { text, at } = await hooks.file(repo, configPath);
  const found = await hooks.folder(repo, personaFolder, at);
  const personas = Object.fromEntries([...found].map(([name, persona]) => [name, persona ?? null]));
  const { config, faults } = rulesIn({ config: text, sound: undefined, personas });
  const wrong = faults.map(({ path, line, column, message }) =>
    broken("config-wrong", { repo: ref, path: `${ref}/${path}`, line, column, message }),
  );
  const all = [
    ...wrong,
    ...(await checkMerging(github, repo, config)),
    ...(await checkLabels(github, repo, config)),
  ];
  const name = `${ref}: ${text === undefined ? `no ${configPath}, so the defaults hold` : "configuration valid"}`;
  return all.length === 0 ? [ok(`${name}, labels there, ${repo.defaultBranch} can be merged into`)] : all;
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

interface Rule {
  readonly type: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/**
 * Rulesets and the repository's own settings, which an App may read. What only an administrator may read (a locked
 * branch of the older protection) shows when a merge is refused.
 */
async function checkMerging(github: GitHub, repo: Repo, config: RepoConfig): Promise<readonly Finding[]> {
  const place = { owner: repo.owner, repo: repo.name };
  const { settings, rules } = await github.within("read a person's permission", repo, async (octokit) => ({
    settings: (await octokit.rest.repos.get(place)).data,
    rules: (await octokit.paginate("GET /repos/{owner}/{repo}/rules/branches/{branch}", {
      ...place,
      branch: repo.defaultBranch,
      per_page: 100,
    })) as readonly Rule[],
  }));
  const { method } = config.merge;
  const allowed = {
    squash: settings.allow_squash_merge,
    merge: settings.allow_merge_commit,
    rebase: settings.allow_rebase_merge,
  };
  const whys = [
    ...(settings.archived ? ["the repository is archived"] : []),
    // Undefined when the App may not know.
    ...(allowed[method] === false
      ? [`merge.method is ${method}, which the repository's settings do not allow`]
      : []),
    ...rules.flatMap((rule) => obstacle(rule, method)),
  ];
  return whys.map((why) =>
    broken("merge-impossible", { branch: repo.defaultBranch, repo: `${repo.owner}/${repo.name}`, why }),
  );
}

/** Why this rule can never be met by a merge of ours. */
function obstacle({ type, parameters }: Rule, method: RepoConfig["merge"]["method"]): readonly string[] {
  switch (type) {
    case "update":
      return ["a rule restricts updates to those who may bypass it"];
    case "required_signatures":
      // GitHub signs what it squashes; the branch's own commits carry no signature.
      return method === "squash"
        ? []
        : [`a rule asks for signed commits, which merge.method ${method} does not give`];
    case "required_linear_history":
      return method === "merge" ? ["a rule asks for a linear history and merge.method is merge"] : [];
    case "pull_request": {
      const methods = parameters?.["allowed_merge_methods"];
      return Array.isArray(methods) && !methods.includes(method)
        ? [`a rule allows only ${methods.join(", ")} and merge.method is ${method}`]
        : [];
    }
    default:
      return [];
  }
}
