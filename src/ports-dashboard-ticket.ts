/** What the page of a ticket tells besides its lines: proofs, findings by round, runs, and changes as they were reviewed. */
import type { FindingView, RoundView } from "./says.ts";
import type { Sha } from "./state-machine/ticket.ts";

/** What a line stands on. */
export interface ProofView {
  /** `delivery 1a2b`, `pull request #40` */
  readonly name: string;
  /** A page of ours, or of the forge; undefined where it can only be named. */
  readonly href: string | undefined;
}

/** What a round says of one finding. `kept`: it is still there; `late`: raised on code that had not changed. */
export type FindingIs = "new" | "kept" | "reopened" | "late" | "fixed" | "dropped";
/** One finding over all rounds. */
export interface FindingRow {
  readonly key: string;
  /** In its newest words, at its newest place. */
  readonly finding: FindingView;
  /** One for each round; undefined where nothing is said of it. */
  readonly rounds: readonly (FindingIs | undefined)[];
}

/** What one run of a ticket did. */
export interface RunView {
  readonly run: string;
  /** Its page. */
  readonly href: string;
  /** A model's words, or the record's; undefined while it goes on, and where nobody wrote any. */
  readonly summary:
    | { readonly text: string; readonly by: string; readonly note: string | undefined }
    | undefined;
  readonly usd: number;
  readonly usdIsGuess: boolean;
  readonly sessions: number;
}

/** Which change is wanted: what this round reviewed, or what became of it since an earlier one. */
export interface DiffAsk {
  /** The newest where it is left out. */
  readonly round?: number | undefined;
  readonly since?: number | undefined;
}
/** A head that can be shown: of a round, or one that nobody has judged yet. */
export interface ShownRound {
  readonly number: number;
  readonly head: Sha;
  readonly verdict: RoundView["verdict"] | undefined;
}
export interface DiffLineView {
  readonly sign: "+" | "-" | " ";
  /** In the new file, for a removed line in the old one. */
  readonly line: number;
  readonly text: string;
  /** What the round found on it. */
  readonly findings: readonly FindingView[];
}
export interface DiffFileView {
  readonly path: string;
  /** Where it was before, if that was elsewhere. */
  readonly oldPath: string | undefined;
  readonly is: "added" | "deleted" | "renamed" | "modified";
  readonly isBinary: boolean;
  readonly added: number;
  readonly removed: number;
  /** Why a person has to look at it: a protected path, a weakened test. */
  readonly signs: readonly string[];
  readonly hunks: readonly { readonly heading: string; readonly lines: readonly DiffLineView[] }[];
  /** Findings on this file whose line is not shown. */
  readonly findings: readonly FindingView[];
  /** More lines than are shown. */
  readonly isCut: boolean;
}
export interface DiffView {
  readonly ref: string;
  readonly id: string;
  readonly title: string;
  readonly rounds: readonly ShownRound[];
  readonly round: number | undefined;
  readonly since: number | undefined;
  /** What the head is compared with. */
  readonly base: Sha | undefined;
  readonly head: Sha | undefined;
  /** Why there is nothing to show. */
  readonly missing: string | undefined;
  readonly files: readonly DiffFileView[];
  /** Of the whole change, whatever is shown of it. */
  readonly fileCount: number;
  /** Findings that name no file of the change. */
  readonly findings: readonly FindingView[];
  /** There is more than is shown. */
  readonly isCut: boolean;
}
