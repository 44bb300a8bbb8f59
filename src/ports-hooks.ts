/** The forge's own memory of what it told us, and what the App can read of its repositories. */
import type { Instant, Repo } from "./ports.ts";
import type { Sha } from "./state-machine/ticket.ts";

export interface MissedDelivery {
  /** `X-GitHub-Delivery` */
  readonly guid: string;
  readonly name: string;
  readonly payload: unknown;
}
export interface Hooks {
  /** Deliveries since the instant that never reached us (anything but 2xx), oldest first. */
  missed(since: Instant, known: (guid: string) => boolean): Promise<readonly MissedDelivery[]>;
  /** Every repository the App is installed in. */
  repos(): Promise<readonly Repo[]>;
  /** A file as of a commit, or of the tip of the default branch when none is named, with that commit. */
  file(repo: Repo, path: string, at?: Sha): Promise<{ readonly text: string | undefined; readonly at: Sha }>;
  /**
   * The Markdown files right in a folder, as of a commit, by name without `.md`; empty when there is no such folder.
   * Undefined is one that was not read: it is too big, or one too many.
   */
  folder(repo: Repo, path: string, at: Sha): Promise<ReadonlyMap<string, string | undefined>>;
  /** What the App may do, and what it still needs; for `doctor`. */
  standing(): Promise<{
    readonly app: string;
    readonly appId: number;
    readonly events: readonly string[];
    readonly permissions: Readonly<Record<string, string>>;
  }>;
}
