import picomatch from "picomatch";
import type { ChannelRules } from "./ports-notify.ts";

/** Whether a channel hears of this repository. */
export const hearsOf = ({ repos }: Pick<ChannelRules, "repos">, repo: string): boolean =>
  repos.length === 0 ||
  repos.some((pattern) => picomatch.isMatch(repo, pattern, { nocase: true, dot: true }));
