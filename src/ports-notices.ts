/** What is said beside tickets: checks with remarks on lines, and issues of ours that people must act upon. */

/** A remark on a line, shown where the file is read. */
export interface Annotation {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly column?: number | undefined;
  readonly title: string;
  /** Plain text. */
  readonly message: string;
}
/** A check run, as it is to stand on a commit. */
export interface Check {
  readonly name: string;
  readonly status: "queued" | "in_progress" | "completed";
  readonly conclusion: "success" | "failure" | "neutral" | "action_required" | "cancelled" | undefined;
  readonly title: string;
  readonly summary: string;
  /** Details below the summary. */
  readonly text?: string | undefined;
  readonly externalId: string;
  readonly detailsUrl: string | undefined;
  /** A check that has any, even none, is written anew whenever it says something else: the old remarks go with it. */
  readonly annotations?: readonly Annotation[] | undefined;
  /** At most three. */
  readonly buttons: readonly {
    readonly label: string;
    readonly description: string;
    readonly identifier: string;
  }[];
}
/** What people must act upon, where no ticket is. */
export interface Notice {
  readonly title: string;
  readonly body: string;
}
