import { createHash } from "node:crypto";
import { toldAt, type FileProblem } from "../config.ts";
import { personaFolder } from "../config-persona.ts";
import { rulesIn } from "../config-rules.ts";
import { findRules, isNamed, reaches, type RuleReader } from "../config-sources.ts";
import { Trouble, type Repo } from "../ports.ts";
import type { Rulebook } from "../store/repos.ts";
import type { Workshop } from "./workshop.ts";

/** Where a repository says how to work in it; every agent gets the default branch's. */
const houseRulesPath = "AGENTS.md";

/**
 * Reads a repository's configuration and house rules at the tip of its default branch and pins that commit; then those
 * of every repository that rests upon it.
 */
export async function readConfig(shop: Workshop, repo: Repo): Promise<void> {
  const reader = readerOf(shop);
  await keep(shop, reader, repo);
  for (const other of await shop.store.knownRepos())
    if (other.id !== repo.id && reaches(repo, other))
      await despiteTrouble(shop, other, "keeps the configuration it had", () => keep(shop, reader, other));
}

async function keep(shop: Workshop, reader: RuleReader, repo: Repo): Promise<void> {
  await shop.store.keepConfig(repo.id, await rulebookOf(shop, reader, repo), shop.clock.now());
  shop.poke("outbox");
}

/** Makes a repository known, with what it says about work in it; never without, since the defaults demand less. */
export async function learnRepo(
  shop: Workshop,
  repo: Repo,
  reader: RuleReader = readerOf(shop),
): Promise<void> {
  const { store } = shop;
  // One that is known keeps what it said last, under its new name.
  if ((await store.repoById(repo.id))?.configAt !== undefined) await store.knowRepo(repo);
  const rulebook = await rulebookOf(shop, reader, repo);
  await store.knowRepo(repo);
  await store.keepConfig(repo.id, rulebook, shop.clock.now());
  shop.poke("outbox");
}

async function rulebookOf(shop: Workshop, reader: RuleReader, repo: Repo): Promise<Rulebook> {
  const rules = await shop.hooks.file(repo, houseRulesPath);
  // All of the same commit, so that no list is judged by another commit's personas.
  const { at } = rules;
  const { config, sources } = await findRules(reader, repo, at);
  const found = await shop.hooks.folder(repo, personaFolder, at);
  const personas = Object.fromEntries([...found].map(([name, text]) => [name, text ?? null]));
  const { faults } = rulesIn({ config, sources, personas, sound: undefined });
  return { config, sources, houseRules: rules.text, personas, at, wrong: digestOf(faults) };
}

const digestOf = (faults: readonly FileProblem[]): string | undefined =>
  faults.length === 0
    ? undefined
    : createHash("sha256").update(faults.map(toldAt).join("\n")).digest("hex").slice(0, 16);

/** Reads with the App's eyes. A file of another repository is read once, however many rest upon it. */
function readerOf(shop: Workshop, listed: readonly Repo[] = []): RuleReader {
  const read = new Map<string, ReturnType<RuleReader["file"]>>();
  return {
    file: (repo, path, at) => {
      const name = `${repo.id} ${at ?? ""} ${path}`;
      const answer = read.get(name) ?? shop.hooks.file(repo, path, at);
      read.set(name, answer);
      return answer;
    },
    repoNamed: async (owner, name) =>
      listed.find((one) => isNamed(one, owner, name)) ?? (await shop.store.repoNamed(owner, name)),
    extendsFrom: shop.limits.extendsFrom ?? [],
  };
}

/** Learns every repository the App is installed in, forgets those it left. */
export async function syncRepos(shop: Workshop): Promise<number> {
  const { store, clock } = shop;
  const repos = await shop.hooks.repos();
  const here = new Set(repos.map((repo) => repo.id));
  for (const known of await store.knownRepos()) {
    if (!here.has(known.id)) await store.removeRepo(known.id, clock.now());
  }
  const reader = readerOf(shop, repos);
  for (const repo of repos)
    await despiteTrouble(shop, repo, "is as it was", () => learnRepo(shop, repo, reader));
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
