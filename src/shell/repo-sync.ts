import { configPath } from "../config.ts";
import type { Repo } from "../ports.ts";
import type { Workshop } from "./workshop.ts";

/** Reads a repository's configuration at the tip of its default branch and pins that commit. */
export async function readConfig(shop: Workshop, repo: Repo): Promise<void> {
  const { text, at } = await shop.hooks.file(repo, configPath);
  await shop.store.keepConfig(repo.id, text, at);
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
