import { configPath } from "../config.ts";
import { personaFolder } from "../config-persona.ts";
import { rulesIn } from "../config-rules.ts";
import { Trouble, type Repo } from "../ports.ts";
import type { Rulebook } from "../store/repos.ts";
import type { Workshop } from "./workshop.ts";

/** Where a repository says how to work in it; every agent gets the default branch's. */
const houseRulesPath = "AGENTS.md";

/** Reads a repository's configuration and house rules at the tip of its default branch and pins that commit. */
export async function readConfig(shop: Workshop, repo: Repo): Promise<void> {
  await shop.store.keepConfig(repo.id, await filesOf(shop, repo));
}

/** Makes a repository known, with what it says about work in it; never without, since the defaults demand less. */
export async function learnRepo(shop: Workshop, repo: Repo): Promise<void> {
  const { store } = shop;
  // One that is known keeps what it said last, under its new name.
  if ((await store.repoById(repo.id))?.configAt !== undefined) await store.knowRepo(repo);
  const files = await filesOf(shop, repo);
  await store.knowRepo(repo);
  await store.keepConfig(repo.id, files);
}

async function filesOf(shop: Workshop, repo: Repo): Promise<Rulebook> {
  const [config, rules] = await Promise.all([
    shop.hooks.file(repo, configPath),
    shop.hooks.file(repo, houseRulesPath),
  ]);
  // Of the same commit, so that no list is judged by another commit's personas.
  const found = await shop.hooks.folder(repo, personaFolder, config.at);
  const personas = Object.fromEntries([...found].map(([name, text]) => [name, text ?? null]));
  const isSound = rulesIn({ config: config.text, personas, sound: undefined }).faults.length === 0;
  return { config: config.text, houseRules: rules.text, personas, at: config.at, isSound };
}

/** Learns every repository the App is installed in, forgets those it left. */
export async function syncRepos(shop: Workshop): Promise<number> {
  const { store, clock } = shop;
  const repos = await shop.hooks.repos();
  const here = new Set(repos.map((repo) => repo.id));
  for (const known of await store.knownRepos()) {
    if (!here.has(known.id)) await store.removeRepo(known.id, clock.now());
  }
  for (const repo of repos) await despiteTrouble(shop, repo, "is as it was", () => learnRepo(shop, repo));
  return repos.length;
}

/** What one repository refuses must not keep us from the others. */
export async function despiteTrouble(
  { log }: Workshop,
  repo: Repo,
  instead: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    log.warn(
      { repo: `${repo.owner}/${repo.name}`, error: error.message },
      `a repository met trouble and ${instead}`,
    );
  }
}
