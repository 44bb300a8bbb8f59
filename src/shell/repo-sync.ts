import { configPath } from "../config.ts";
import type { Repo } from "../ports.ts";
import type { Workshop } from "./workshop.ts";

/** Where a repository says how to work in it; every agent gets the default branch's. */
const houseRulesPath = "AGENTS.md";

/** Reads a repository's configuration and house rules at the tip of its default branch and pins that commit. */
export async function readConfig(shop: Workshop, repo: Repo): Promise<void> {
  const [config, rules] = await Promise.all([
    shop.hooks.file(repo, configPath),
    shop.hooks.file(repo, houseRulesPath),
  ]);
  await shop.store.keepConfig(repo.id, { config: config.text, houseRules: rules.text, at: config.at });
}

/** Learns every repository the App is installed in, forgets those it left. */
export async function syncRepos(shop: Workshop): Promise<number> {
  const { store, clock } = shop;
  const repos = await shop.hooks.repos();
  const here = new Set(repos.map((repo) => repo.id));
  for (const known of await store.knownRepos()) {
    if (!here.has(known.id)) await store.removeRepo(known.id, clock.now());
  }
  for (const repo of repos) {
    await store.knowRepo(repo);
    await readConfig(shop, repo);
  }
  return repos.length;
}
