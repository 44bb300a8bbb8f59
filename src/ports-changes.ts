/** Changes as they were, read from what this host keeps of a repository; nothing is fetched for it. */
import type { Remote } from "./ports.ts";
import type { Sha } from "./state-machine/ticket.ts";

export interface ChangeAsk {
  readonly head: Sha;
  /** What it is compared with. `fork`: where it left the first of these that is here; without any, the default branch. */
  readonly with: { readonly head: Sha } | { readonly forkOf: readonly string[] };
  /** Longest diff that is answered. */
  readonly maxChars: number;
}
export type ChangeSeen =
  | {
      readonly is: "diff";
      readonly text: string;
      readonly base: Sha;
      /** It goes on. */
      readonly isCut: boolean;
    }
  /** This commit is not here, or not any more. */
  | { readonly is: "gone"; readonly commit: string };

export interface Changes {
  between(remote: Remote, ask: ChangeAsk): Promise<ChangeSeen>;
}
