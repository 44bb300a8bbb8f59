/** Every repository that is known, and whether work can begin and end there. */
import type { MergeFinding } from "./ports-host.ts";
import type { Viewer } from "./ports-dashboard-viewer.ts";

export interface FaultAt {
  /** `owner/name:path:line:column`, without the repository where it is its own. */
  readonly place: string;
  readonly url: string | undefined;
  readonly message: string;
}
/** What the forge said when somebody last looked. */
export interface LookedAt {
  readonly at: number;
  readonly missingLabels: readonly string[];
  /** Undefined where it may not be read. */
  readonly merging: readonly MergeFinding[] | undefined;
}
export interface RepositoryRow {
  readonly id: number;
  readonly name: string;
  readonly isPrivate: boolean;
  readonly branch: string;
  /** Undefined while the App is installed there. */
  readonly removedAt: number | undefined;
  /** Its proposal to work there. */
  readonly onboarding:
    | { readonly is: "none" | "configured" }
    | { readonly is: "proposed" | "over"; readonly pull: number };
  readonly faults: number;
  readonly runtimes: readonly string[];
  /** `unknown`: nobody looked yet. */
  readonly autoMerge: "never" | "with warnings" | "possible" | "unknown";
  readonly missingLabels: number | undefined;
  readonly halt: { readonly by: string; readonly at: number } | undefined;
  readonly syncedAt: number;
}
export interface RepositoriesPage {
  readonly rows: readonly RepositoryRow[];
  /** `owner/name` that the next page begins after. */
  readonly next: string | undefined;
  readonly now: number;
  readonly isOperator: boolean;
}
export interface RepositoryPage extends RepositoryRow {
  readonly now: number;
  readonly mayAdminister: boolean;
  readonly configAt: string | undefined;
  /** While something is wrong: the commit whose rules are in force. */
  readonly soundAt: string | undefined;
  readonly faultsAt: readonly FaultAt[];
  readonly commands: readonly { readonly name: string; readonly command: string }[];
  readonly looked: LookedAt | undefined;
  readonly mayLook: boolean;
  /** Every value in force, and where it is said. */
  readonly values: readonly { readonly key: string; readonly value: string; readonly from: string }[];
}
export interface RepositoryViews {
  /** Those somebody sees, by name, after this one. */
  list(viewer: Viewer, after: string | undefined): Promise<RepositoriesPage>;
  one(viewer: Viewer, id: number): Promise<RepositoryPage | undefined>;
}
export type RepositoryAnswer =
  | { readonly is: "done" | "nothing" | "forbidden" | "unknown" }
  | { readonly is: "refused"; readonly why: string };
export interface RepositoryOrders {
  /** Reads its files again and asks the forge about labels and merges. */
  resync(viewer: Viewer, id: number): Promise<RepositoryAnswer>;
  halt(viewer: Viewer, id: number, is: "raised" | "lifted"): Promise<RepositoryAnswer>;
}
