import type { KnownSummary } from "../engine/index.ts";
import type { FileProblem, RepoConfig } from "../config.ts";
import type { Persona } from "../config-persona.ts";
import {
  Trouble,
  type Clock,
  type Forge,
  type Hooked,
  type Key,
  type Remote,
  type Repo,
  type Tracker,
  type Voice,
  type Workspace,
} from "../ports.ts";
import type { Hooks } from "../ports-hooks.ts";
import type { Changes } from "../ports-changes.ts";
import type { HostSide } from "../ports-host.ts";
import type { DayCap } from "./day-cap.ts";
import type { Ci, Drift } from "../ports-ci.ts";
import type { Prices } from "../ports-agents.ts";
import type { LinkedPeople } from "../linear-people.ts";
import type { LinearTokens } from "../ports-linear.ts";
import type { LinearIssues } from "../ports-linear-issues.ts";
import type { LinearSessions } from "../ports-linear-sessions.ts";
import type { RunDesk } from "./pages/run-desk.ts";
import type { Updates } from "./updates.ts";
import type { Policy, RunId } from "../state-machine/ticket.ts";
import type { RepositoryRoute } from "../state-machine/which-repository.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Store } from "../store/store.ts";

export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** How one repository wants to be served, as of its default branch. */
export interface RepoRules {
  readonly config: RepoConfig;
  readonly policy: Policy;
  /** By name: its own over the bundled ones. */
  readonly personas: ReadonlyMap<string, Persona>;
  /** What is wrong with its configuration; while there is anything, nothing new starts there. */
  readonly problems: readonly string[];
  /** While there are problems: the commit whose configuration stays in force. */
  readonly soundAt: string | undefined;
  /** The same problems, each at its place. */
  readonly faults: readonly FileProblem[];
}

/** What a settled run left: the event it reports and what stands behind it. */
export interface RunReport {
  readonly workflow: string;
  readonly status: "finished" | "failed" | "cancelled";
  /** The workflow's output, as JSON; its shape is the workflow's. */
  readonly output: unknown;
  readonly error: string | undefined;
}

/** Limits of the whole host. */
export interface HostLimits {
  readonly agents: number;
  readonly dayWarnUsd: number;
  readonly dayStopUsd: number;
  /** Of all repositories of one account; undefined: no cap of its own. */
  readonly tenantDayUsd: number | undefined;
  readonly reconcileMs: number;
  /** Owners whose repositories any other may extend, in lower case. */
  readonly extendsFrom?: readonly string[] | undefined;
}

/** Linear, where tickets live on boards. */
export interface LinearSide {
  readonly issues: LinearIssues;
  readonly sessions: LinearSessions;
  readonly tokens: LinearTokens;
  readonly routes: readonly RepositoryRoute[];
  /** `owner/name` of what a workspace's tickets may be built in, of those where the App is installed. */
  offeredTo(workspace: string, installed: readonly string[]): readonly string[];
  /** The forge's login of somebody who has not linked it there, as the operator says. */
  loginGiven: LinkedPeople["loginGiven"];
}

/** Everything the shell works with; the adapters arrive here as arguments. */
export interface Workshop {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly forge: Forge;
  readonly tracker: Tracker;
  readonly voice: Voice;
  readonly ci: Ci;
  readonly drift: Drift;
  readonly changes: Changes;
  readonly hooks: Hooks;
  /** The forge's log of deliveries is read all the time (`pull-feed.ts`), so reconciling need not walk it. */
  readonly pullsDeliveries?: boolean;
  readonly workspace: Workspace;
  readonly app: { readonly id: number; readonly login: string };
  readonly limits: HostLimits;
  /** The operator's own prices of models. */
  readonly prices: Prices;
  readonly runtimes: readonly string[];
  /** Logins of who may have forgehand replace itself by another version. */
  readonly operators?: readonly string[] | undefined;
  /** How that is asked for; nobody can where it is left out. */
  readonly updates?: Updates | undefined;
  /** Workflows a label may pick in place of the usual build, as they are now. */
  workflows(): readonly string[];
  remoteOf(repo: Repo): Remote;
  rulesOf(repo: KnownRepo): RepoRules;
  reportOf(run: RunId): Promise<RunReport | undefined>;
  /** What these runs did, as far as that is written. */
  summariesOf?(runs: readonly RunId[]): Promise<readonly KnownSummary[]>;
  readonly linear: LinearSide;
  /** Numbers of inbox items that somebody wants read now, whatever they wait for; intake takes them out. */
  readonly hurried?: Set<number> | undefined;
  /** What this process knows of itself and of its host; nothing where nobody serves. */
  readonly host?: HostSide | undefined;
  /** What everything may cost today; by the settings alone where it is left out. */
  readonly dayCap?: DayCap | undefined;
  /** Creates the labels of a repository that agreed to be worked in, and opens the ticket that it asked for, if any. */
  onboard?(
    key: Key,
    repo: Repo,
  ): Promise<{ readonly labels: readonly string[]; readonly ticket: number | undefined }>;
  /** What pages of runs and logs need besides; they show nothing where it is left out. */
  readonly runDesk?: RunDesk | undefined;
  /** Where a person can look at a ticket, when the dashboard is reachable. */
  detailsUrl(ticket: string): string | undefined;
  /** Tells the loops that something changed. */
  poke(loop: "intake" | "outbox" | "schedule" | "timers" | "engine" | "questions" | "sessions"): void;
  /** Called with every step taken, for the live account. */
  onStep?(step: {
    readonly ticket: string;
    readonly ref: string;
    readonly event: string;
    readonly actor: string;
    readonly row: string;
    readonly why: string;
    readonly from: string;
    readonly to: string;
    readonly at: number;
  }): void;
}

/** min(10 s · 2^(n-1), 300 s), with up to a fifth of jitter so that a herd spreads. */
export function backoffMs(attempt: number, random: () => number, firstMs = 10_000): number {
  const base = Math.min(firstMs * 2 ** Math.max(0, attempt - 1), 300_000);
  return Math.round(base * (1 - random() / 5));
}

/** When to try again what met trouble: at the time the trouble names, if that is still to come, else after the backoff. */
export function tryAgainAt(
  { clock, random }: Pick<Workshop, "clock" | "random">,
  error: unknown,
  attempt: number,
  firstMs?: number,
): number {
  const now = clock.now();
  const named = error instanceof Trouble ? error.retryAt : undefined;
  return named !== undefined && named > now ? named : now + backoffMs(attempt, random, firstMs);
}

/** The repository's own hooks, in our words. */
export const hookedOf = ({ hooks }: RepoConfig): Hooked => ({
  afterCreate: hooks.after_create,
  beforeRun: hooks.before_run,
  afterRun: hooks.after_run,
  beforeRemove: hooks.before_remove,
  timeoutMs: hooks.timeout_seconds * 1_000,
});
