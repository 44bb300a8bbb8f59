import type { Permission } from "../ports.ts";
import { isUnlinked } from "../linear-people.ts";
import type { Sender } from "./heard.ts";

/** What somebody must hold, at least, to be heard. */
export type Needs = "triage" | "write";

/** Who speaks, and what is known about them now. */
export interface Standing {
  readonly sender: Sender;
  /** Read from the forge at this moment, never taken from a payload. */
  readonly permission: Permission;
  /** Bots the repository's configuration lists by login. */
  readonly allowBots: readonly string[];
}

const rank: Readonly<Record<Permission, number>> = {
  none: 0,
  read: 1,
  triage: 2,
  write: 3,
  maintain: 4,
  admin: 5,
};

/**
 * Why this sender may not say what takes `needs`; undefined when they may. A listed bot counts as triage: it may
 * queue and stop work, but only a person consents to a merge.
 */
export function forbids(standing: Standing, needs: Needs): string | undefined {
  const { sender, permission } = standing;
  switch (sender.kind) {
    case "forgehand":
      return "forgehand does not take orders from itself";
    case "bot":
      if (!isListed(standing)) return `${sender.login} is a bot that \`allow_bots\` does not list`;
      return needs === "triage"
        ? undefined
        : `${sender.login} is a bot; only a person with write access may say this`;
    case "person":
      if (isUnlinked(sender.login))
        return `this takes ${needs} access on GitHub, and ${sender.login.slice("linear:".length)} has no GitHub account here: connect one in Linear's settings, under Connected accounts`;
      return rank[permission] >= rank[needs]
        ? undefined
        : `this takes ${needs} access; @${sender.login} has ${permission === "none" ? "none" : permission}`;
  }
}

function isListed({ sender, allowBots }: Standing): boolean {
  return allowBots.some((login) => login.toLowerCase() === sender.login.toLowerCase());
}
