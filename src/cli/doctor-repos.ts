import { vocabulary } from "../../bootstrap/labels.ts";
import type { GitHub } from "../adapters/github/app.ts";
import { createLabels } from "../adapters/github/issues.ts";
import { unless } from "../adapters/github/trouble.ts";
import { configPath, type RepoConfig } from "../config.ts";
import { personaFolder } from "../config-persona.ts";
import { rulesIn } from "../config-rules.ts";
import { readerOver, findRules, type RuleReader } from "../config-sources.ts";
import type { GitHubSettings } from "../config-environment.ts";
import type { Repo } from "../ports.ts";
import type { Hooks } from "../ports-hooks.ts";
import { bad, broken, ok, warn, type Finding } from "./doctor-finding.ts";
import { troubled } from "./doctor-github.ts";
import { checkMerging } from "./doctor-merging.ts";
import { quoted } from "./shell-word.ts";

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

/** Each repository: what it is, its configuration, its labels, and whether anything can ever be merged into its default branch. */
export async function checkRepos(
  look: Look,
): Promise<{ readonly findings: readonly Finding[]; readonly configs: readonly RepoConfig[] }> {
  const repos = await look.hooks.repos();
  const findings: Finding[] = [];
  const configs: RepoConfig[] = [];
  for (const repo of repos.slice(0, maxRepos)) {
    try {
      const { config, found } = await checkRepo(look, repo, repos);
      findings.push(...found);
      if (config !== undefined) configs.push(config);
    } catch (error) {
      findings.push(troubled(error, look.settings));
    }
  }
  if (repos.length === 0)
    findings.push(
      warn("the App sees no repository", "add one to the installation, in its settings on GitHub"),
    );
  if (repos.length > maxRepos)
    findings.push(ok(`${repos.length - maxRepos} more repositories were not looked at`));
  return { findings, configs };
}

async function checkRepo(
  look: Look,
  repo: Repo,
  repos: readonly Repo[],
): Promise<{ readonly config?: RepoConfig; readonly found: readonly Finding[] }> {
  const { github, hooks } = look;
  const ref = `${repo.owner}/${repo.name}`;
  const itself = await checkItself(github, repo);
  // Nothing is written there, so nothing else about it matters.
  if (itself.some(({ is }) => is === "fail")) return { found: itself };
  const { at } = await hooks.file(repo, "AGENTS.md");
  const { config: text, sources } = await findRules(readerOf(look, repos), repo, at);
  const files = await hooks.folder(repo, personaFolder, at);
  const personas = Object.fromEntries([...files].map(([name, persona]) => [name, persona ?? null]));
  const { config, faults } = rulesIn({ config: text, sources, sound: undefined, personas });
  const wrong = faults.map(({ repo: other = ref, path, line, column, message }) =>
    broken("config-wrong", { repo: ref, path: `${other}/${path}`, line, column, message }),
  );
  const found = [
    ...itself,
    ...wrong,
    ...(await checkMerging(github, repo, config)),
    ...(await checkOwners(github, repo)),
    ...(await checkLabels(github, repo, config)),
  ];
  const isSaid = text !== undefined || sources.workflow !== undefined || sources.under.length > 0;
  const name = `${ref}: ${isSaid ? "configuration valid" : `no ${configPath}, so the defaults hold`}`;
  const isWell = found.every(({ is }) => is === "ok");
  return {
    config,
    found: isWell ? [ok(`${name}, labels there, ${repo.defaultBranch} can be merged into`), ...found] : found,
  };
}

/** What no configuration changes: an archive takes nothing, and a fork is seldom what was meant. */
async function checkItself(github: GitHub, repo: Repo): Promise<readonly Finding[]> {
  const ref = `${repo.owner}/${repo.name}`;
  const { data } = await github.within("read a file", repo, (octokit) =>
    octokit.rest.repos.get({ owner: repo.owner, repo: repo.name }),
  );
  const settings = `${data.html_url}/settings`;
  return [
    ...(data.archived
      ? [
          bad(
            "permission",
            `${ref} is archived: nothing can be written there`,
            `unarchive it at ${settings}, or take it out of the installation`,
          ),
        ]
      : []),
    ...(data.disabled
      ? [bad("permission", `GitHub has disabled ${ref}`, `look at ${data.html_url}, which says why`)]
      : []),
    ...(data.fork
      ? [
          warn(
            `${ref} is a fork: its pull requests stay in it and never reach ${data.parent?.full_name ?? "what it was forked from"}`,
            "install the App on the repository that is meant, if that is another one",
          ),
        ]
      : []),
    ...(data.has_issues
      ? []
      : [
          warn(
            `${ref} has its issues switched off, so no label of an issue releases work`,
            `switch them on at ${settings}, or take tickets from Linear`,
          ),
        ]),
  ];
}

const maxOwnersTold = 3;

/** What GitHub itself finds wrong with CODEOWNERS: a line it cannot read asks nobody. */
async function checkOwners(github: GitHub, repo: Repo): Promise<readonly Finding[]> {
  const ref = `${repo.owner}/${repo.name}`;
  const answer = await github.within("read a file", repo, (octokit) =>
    // 404: there is no such file, or the server is too old to say.
    unless([403, 404], octokit.rest.repos.codeownersErrors({ owner: repo.owner, repo: repo.name })),
  );
  const wrong = answer?.data.errors ?? [];
  return wrong
    .slice(0, maxOwnersTold)
    .map(({ path, line, column, kind, suggestion }) =>
      warn(
        `${ref}/${path}:${line}:${column}: ${kind}; that line asks nobody for a review`,
        suggestion ?? `correct line ${line} of ${path} on ${repo.defaultBranch}`,
      ),
    );
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
  const missing = vocabulary(config.labels).filter(({ name }) => !names.has(name.toLowerCase()));
  if (missing.length === 0) return [];
  const ref = `${repo.owner}/${repo.name}`;
  const told = missing.map(({ name }) => name).join(", ");
  const commands = missing.map(
    ({ name, color, description }) =>
      `gh label create ${quoted(name)} --repo ${ref} --color ${color} --description ${quoted(description)}`,
  );
  return [
    {
      ...warn(`${ref} lacks the labels ${told}`, commands.join("\n")),
      mend: {
        deed: `create the labels ${told} in ${ref}`,
        run: async () =>
          `created ${(await createLabels(github, repo, missing)).join(", ") || "none: all are there"}`,
      },
    },
  ];
}
