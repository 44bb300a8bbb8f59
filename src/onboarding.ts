/** What follows the merge of an onboarding pull request: labels are created, and the ticket that was asked for is opened. */
import { vocabulary } from "../bootstrap/labels.ts";
import { readRecord, recordPath } from "../bootstrap/record.ts";
import { readTemplates } from "../bootstrap/templates.ts";
import { createLabels, openOnce } from "./adapters/github/onboarding.ts";
import type { GitHub } from "./adapters/github/app.ts";
import { githubHooks } from "./adapters/github/hooks.ts";
import { rulesIn } from "./config-rules.ts";
import { findRules, readerOver } from "./config-sources.ts";
import type { Key, Repo } from "./ports.ts";

export interface Onboarded {
  /** Labels that were missing. */
  readonly labels: readonly string[];
  /** The issue by which an agent writes the repository's own part of `AGENTS.md`, where that was asked for. */
  readonly ticket: number | undefined;
}

/** By what the default branch says now. Safe to repeat: what is there is left alone. */
export async function onboard(
  github: GitHub,
  key: Key,
  repo: Repo,
  extendsFrom: readonly string[] = [],
): Promise<Onboarded> {
  const hooks = githubHooks(github);
  const { at } = await hooks.file(repo, recordPath);
  const found = await findRules(readerOver(hooks, await hooks.repos(), extendsFrom), repo, at);
  const { config } = rulesIn({ ...found, sound: undefined, personas: {} });
  const labels = await createLabels(github, key, repo, vocabulary(config.labels));
  const kept = await hooks.file(repo, recordPath);
  const record = kept.text === undefined ? undefined : readRecord(kept.text);
  const isWanted = record !== undefined && !("why" in record) && record.answers.agent;
  const body = readTemplates().get("ticket.md");
  if (!isWanted || body === undefined) return { labels, ticket: undefined };
  const ticket = await openOnce(github, key, repo, {
    marker: "bootstrap house-rules",
    title: "Write the repository-specific part of AGENTS.md",
    body,
  });
  return { labels, ticket };
}
