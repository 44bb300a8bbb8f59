/** What only the process that serves knows of itself, its host and those it talks to. Pages tell it; no ticket depends on it. */
import type { Instant, Repo } from "./ports.ts";
import type { BranchRules } from "./state-machine/landing.ts";

/** One loop of the shell, as it stands. */
export interface LoopStanding {
  readonly name: string;
  readonly is: "at work" | "asleep" | "stopped";
  /** When it last ended a look; undefined before the first. */
  readonly lookedAt: Instant | undefined;
  /** When it looks again without being asked to. */
  readonly wakesAt: Instant | undefined;
  /** What its last look met, where that was trouble. */
  readonly trouble: string | undefined;
}
/** What somebody we ask still answers, as they last said. */
export interface RateBudget {
  readonly of: "GitHub" | "Linear";
  /** `installation 5`, `the App`, a workspace; and what is counted there. */
  readonly name: string;
  readonly limit: number;
  readonly left: number;
  readonly resetAt: Instant;
  /** When that was said. */
  readonly at: Instant;
}
export interface DiskUse {
  readonly databaseBytes: number;
  /** Of its log of writes, which the next checkpoint empties. */
  readonly walBytes: number;
  /** Left on that disk. */
  readonly freeBytes: number;
  /** What each folder right in the data folder holds, the largest first. */
  readonly folders: readonly { readonly name: string; readonly bytes: number }[];
  /** Not every file was looked at: there are too many. */
  readonly isPartial: boolean;
  readonly at: Instant;
}
export interface RuntimeSeen {
  readonly name: string;
  readonly version: string | undefined;
  /** Why it cannot work; undefined when it can. */
  readonly why: string | undefined;
  /** Our tests ran against such a version; undefined where they name none. */
  readonly isTested: boolean | undefined;
}
export interface UpdateSeen {
  readonly version: string;
  readonly from: string;
  readonly step: string;
  readonly by: string;
  readonly at: Instant;
  readonly why: string | undefined;
}
/** A look that takes longer than a page may: the newest answer, while the next is found. */
export interface Kept<Answer> {
  /** The last answer, which may be none yet; an old one is asked for anew. */
  now(): Answer | undefined;
  /** Asks anew whatever its age. */
  again(): Promise<Answer>;
}

/** What CI of a repository is seen to do. */
export interface CiSeen {
  /** Workflow files by path; undefined where they may not be read. */
  readonly workflows: ReadonlyMap<string, string> | undefined;
  /** Names of checks and statuses on the default branch and the newest pull requests; undefined: nobody looked. */
  readonly checks: ReadonlySet<string> | undefined;
  /** How many heads were looked at. */
  readonly heads: number;
}
/** What stands between every merge and the default branch; `never`: no merge of ours meets it as things are set. */
export interface MergeFinding {
  readonly is: "never" | "warn" | "ok";
  readonly what: string;
  readonly fix: string | undefined;
}
/** What an operator asks of the forge by hand. */
export interface ForgeDesk {
  /** Has the forge deliver again what it tried to at that instant or later; `forgotten`: its log has it no more. */
  redeliver(guid: string, since: Instant): Promise<"asked" | "forgotten">;
  /** Our labels that the repository does not have, by the names it gives them. */
  missingLabels(repo: Repo): Promise<readonly string[]>;
  /** What its default branch asks of a merge, and what CI does there; undefined where that may not be read. */
  merging(repo: Repo): Promise<{ readonly rules: BranchRules; readonly ci: CiSeen } | undefined>;
}

export interface HostSide {
  readonly version: string;
  readonly startedAt: Instant;
  /** How news of the forge come in. */
  readonly feed: "webhook" | "pull" | "smee" | "local";
  loops(): readonly LoopStanding[];
  budgets(): readonly RateBudget[];
  readonly disk: Kept<DiskUse>;
  readonly runtimes: Kept<readonly RuntimeSeen[]>;
  /** When a session's log was last written to; undefined before its first line. */
  lastOutput(logPath: string): Promise<Instant | undefined>;
  /** The last update there was of forgehand itself, and how far it is. */
  update(): UpdateSeen | undefined;
  /** Of the table of prices that ships, as `2026-01-05`. */
  readonly priceTable: string;
  /** Models that the operator priced. */
  readonly ownPrices: number;
  /** Where people are told beside the forge, in the order of the settings. */
  readonly channels: readonly { readonly id: string; readonly label: string }[];
  /** Undefined where the forge is a folder of this host. */
  readonly desk: ForgeDesk | undefined;
}
