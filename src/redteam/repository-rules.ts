/** The configuration of a repository as it can be played on: what it demands stays, what it runs and waits for is set aside. */
import { parseDocument } from "yaml";
import { readConfig } from "../config-file.ts";
import type { ConfigProblem, RepoConfig } from "../config.ts";

export interface PlayedRules {
  readonly rules: RepoConfig;
  readonly config: string;
  /** Groups of keys that a simulated repository cannot have. */
  readonly setAside: readonly string[];
}

/** Its programs, people, models and personas are not there. */
const notThere = ["commands", "hooks", "runtime", "approval", "prompts"];

/** Undefined text: there is no such file, and the defaults hold. */
export function playedRules(
  text: string | undefined,
): PlayedRules | { readonly problems: readonly ConfigProblem[] } {
  const { problems } = readConfig(text);
  if (problems.length > 0) return { problems };
  // An empty file, or one of comments alone, has no map that keys could be set in.
  const isEmpty = parseDocument(text ?? "").contents === null;
  const document = parseDocument(isEmpty ? "{}" : (text ?? ""));
  const setAside = notThere.filter((key) => document.has(key));
  for (const key of setAside) document.delete(key);
  if (document.hasIn(["review", "panel"])) {
    document.deleteIn(["review", "panel"]);
    document.deleteIn(["review", "quorum"]);
    setAside.push("review.panel");
  }
  // Nobody waits for reviewers' second thoughts here.
  document.setIn(["merge", "settle_seconds"], 0);
  document.setIn(["limits", "feedback_seconds"], 0);
  const config = document.toString();
  return { rules: readConfig(config).config, config, setAside };
}
