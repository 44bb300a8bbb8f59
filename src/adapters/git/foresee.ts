/** What the remote said of its branches while others were still being asked whether there is work at all. */
import type { Remote } from "../../ports.ts";
import type { Sha } from "../../state-machine/ticket.ts";
import type { Git } from "./run.ts";

/** Branches by their full names. */
export type Tips = ReadonlyMap<string, Sha>;

/** From the question on: a person who pushes later than so long before the work begins must be seen by it. */
const goodForMs = 2_000;

interface Asked {
  readonly remote: Remote;
  readonly prefix: string;
  readonly at: number;
  readonly tips: Promise<Tips | undefined>;
  isTaken: boolean;
}

/** One answer per mirror, for one who takes it. */
export interface Foreseen {
  /** Asks for the default branch and all that begin so, unless an answer still waits there. */
  ask(mirror: string, remote: Remote, prefix: string, look: () => Promise<Tips | undefined>): void;
  /** What was said a moment ago, this branch included; undefined where the remote is to be asked now. */
  take(mirror: string, remote: Remote, branch: string): Promise<Tips | undefined>;
  /** It holds no longer. */
  forget(mirror: string): void;
}

/** Nothing is foreseen yet. `now` is in milliseconds. */
export function openForeseen(now: () => number): Foreseen {
  const standing = new Map<string, Asked>();
  const good = (mirror: string): Asked | undefined => {
    const asked = standing.get(mirror);
    return asked !== undefined && now() - asked.at <= goodForMs ? asked : undefined;
  };
  return {
    ask(mirror, remote, prefix, look) {
      if (good(mirror) !== undefined) return;
      const at = now();
      // Whoever needs the answer asks again, and is the one to be told what is wrong.
      const tips = look().catch(() => undefined);
      standing.set(mirror, { remote, prefix, at, tips, isTaken: false });
    },
    async take(mirror, { url, repo }, branch) {
      const asked = good(mirror);
      if (asked === undefined || asked.isTaken || !branch.startsWith(asked.prefix)) return undefined;
      const { remote } = asked;
      if (remote.url !== url || remote.repo.defaultBranch !== repo.defaultBranch) return undefined;
      asked.isTaken = true;
      const tips = await asked.tips;
      const isStill = standing.get(mirror) === asked;
      if (isStill) standing.delete(mirror);
      return isStill ? tips : undefined;
    },
    forget: (mirror) => void standing.delete(mirror),
  };
}

/** The same git; what the remote said before a push of ours is not what it says after it. */
export const unlessPushed =
  (git: Git, foreseen: Foreseen): Git =>
  async (order, ...argv) => {
    try {
      return await git(order, ...argv);
    } finally {
      if (argv[0] === "push") foreseen.forget(order.in.mirror);
    }
  };
