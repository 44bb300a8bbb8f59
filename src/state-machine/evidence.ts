/** What a merge stands on, as far as it must still be told years later: facts in the ledger, and nothing of opinion. */
import type { RuntimeName, Sha } from "./ticket.ts";

/** sha256 (hex) of canonical JSON. */
export type Digest = string;

/** Who worked on a head. */
export interface Worker {
  readonly runtime: RuntimeName;
  /** The maker of the models. */
  readonly family: string;
  readonly models: readonly string[];
  /** `configured`: named by the operator's agents file and seen by nobody. */
  readonly seen: "observed" | "configured";
}

/** What a passing verdict stands on. */
export interface ReviewEvidence {
  /** The commit the reviewed change was compared with. */
  readonly base: Sha;
  /** The files of the head as they were checked out for the reviewer. */
  readonly tree: Sha | null;
  readonly builders: readonly Worker[];
  readonly reviewers: readonly Worker[];
  readonly findings: FindingsSeen;
  /** The rules in force, as canonical JSON. */
  readonly rules: string;
  /** Over all of it, with head, summary and the gates' reasons. */
  readonly verdict: Digest;
}
export interface FindingsSeen {
  readonly blocker: number;
  readonly polish: number;
  readonly future: number;
  /** Over the findings in full. */
  readonly hash: Digest;
}

/** One check of a head. */
export interface CheckSeen {
  readonly name: string;
  /** In the forge's own word; `pending` while it has none. */
  readonly conclusion: string;
  /** The App that reports it; null for a commit status. */
  readonly app: string | null;
}
export interface ChecksSeen {
  readonly list: readonly CheckSeen[];
  /** How many more there were. */
  readonly omitted: number;
}

/** What is known of a merge only afterwards. */
export interface MergeFacts {
  /** `owner/name#42` */
  readonly ref: string;
  readonly pull: { readonly number: number; readonly url: string; readonly base: string } | null;
  /** Null when the forge could not show it. */
  readonly commit: { readonly tree: Sha; readonly parents: readonly Sha[] } | null;
  readonly by: {
    readonly login: string | null;
    readonly kind: "forgehand" | "person" | "bot" | "unknown";
    /** A person's, as it was when the certificate was made. */
    readonly permission: string | null;
  };
  readonly checks: ChecksSeen;
  /** Who may have had a part in the head, as their sessions tell. */
  readonly makers: readonly Worker[];
  readonly cost: Cost;
}
export interface Cost {
  readonly usd: number;
  /** A price had to be guessed. */
  readonly guessed: boolean;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly sessions: number;
}
