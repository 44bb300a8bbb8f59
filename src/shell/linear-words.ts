/** Which labels of a workspace are ours: those of all its people pass by here. */
import type { LinearFacts } from "../ports-linear-issues.ts";
import { isChoice } from "../webhooks/released.ts";
import type { Workshop } from "./workshop.ts";

/** Our labels by every name that a repository gives them. */
export async function ownWords({ store, rulesOf }: Workshop): Promise<ReadonlySet<string>> {
  const named = (await store.knownRepos()).flatMap((repo) => Object.values(rulesOf(repo).config.labels));
  return new Set(named.map((name) => name.toLowerCase()));
}

/** Whether an issue stands where it would be released, so that it matters which repository it is about. */
export async function isReleased(
  { store, rulesOf }: Workshop,
  { means, isOurs: isDelegated, labels }: Pick<LinearFacts, "means" | "isOurs" | "labels">,
): Promise<boolean> {
  if (means === "Ready" || isDelegated) return true;
  const releases = new Set(
    (await store.knownRepos()).map((repo) => rulesOf(repo).config.labels["agent-ready"].toLowerCase()),
  );
  return labels.some((name) => releases.has(name.toLowerCase()));
}

/** Whether a label says anything to us. */
export const isOurs = (name: string, words: ReadonlySet<string>): boolean =>
  words.has(name.toLowerCase()) || isRepository(name) || isChoice(name);
/** Whether a label says which repository. */
export const isRepository = (name: string): boolean => /^repo:/iu.test(name);
