import type { Clock, Hooked, Remote, Workspace } from "../ports.ts";
import type { Agent, AgentLimits, Family, Role, SessionId, Usage } from "../ports-agents.ts";
import type { LogKind } from "../session-logs.ts";
import type { AnyWorkflow } from "../engine/workflow.ts";
import type { Round } from "../review/findings.ts";
import type { Builder } from "../review/pairing.ts";
import type { Mediator } from "../review/mediate.ts";
import type { HeadUpdate } from "../state-machine/event.ts";
import type { RuntimeName, Sha, TicketId } from "../state-machine/ticket.ts";
import type { Worker } from "../state-machine/evidence.ts";
import type { Assign, RuntimeHealth } from "./roles.ts";
import type { Seat } from "./seats.ts";
import type { ModelOnRecord } from "./models-seen.ts";
import type { OrderThread } from "./work-order.ts";

/** Everything the workflows of a ticket work with; the shell provides it. */
export interface TicketWork {
  /** Read afresh by each task: the released spec, the rules of the default branch, and what happened so far. */
  facts(ticket: TicketId): Promise<WorkFacts>;
  /** The conversations on its pull request that wait for us, as they are now. */
  threads(ticket: TicketId): Promise<readonly OrderThread[]>;
  readonly agents: ReadonlyMap<RuntimeName, Agent>;
  readonly workspace: Workspace;
  readonly clock: Clock;
  readonly sessions: SessionRecorder;
  readonly health: RuntimeHealth;
  readonly money: RunMoney;
  /** Workflows of this host that may build in place of the usual one. */
  readonly workflows: OwnWorkflows;
  /** Runs a repository's own command on this host, its environment scrubbed; the tail is the end of its output. */
  command(order: CommandOrder, signal: AbortSignal): Promise<CommandResult>;
  /** Runs a reviewer's command where it can harm nothing; undefined on a host whose commands nothing confines. */
  readonly reproduce?: TicketWork["command"] | undefined;
  /** Puts on record what was done about an agent that gets nowhere; repeated under its id it changes nothing. */
  prodded(prod: {
    readonly id: string;
    readonly run: string;
    readonly how: "nudged" | "stopped" | "resumed" | "replaced";
    readonly why: string;
  }): Promise<void>;
  /** Fresh hex digits, at least 16. */
  nonce(): string;
}

export interface OwnWorkflows {
  names(): readonly string[];
  /** Brings it up to date. Throws a permanent `Trouble` when there is none of this name, or it cannot be loaded. */
  load(name: string): Promise<void>;
  /** As it was loaded last. */
  named(name: string): AnyWorkflow | undefined;
}

export interface CommandOrder {
  readonly command: string;
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly runId: string;
}
export interface CommandResult {
  readonly exit: number | undefined;
  readonly timedOut: boolean;
  readonly tail: string;
}

export interface WorkFacts {
  readonly ref: string;
  /** As released, not as edited since. */
  readonly title: string;
  readonly body: string;
  readonly remote: Remote;
  readonly branch: string;
  /** Tip of our branch on the remote as last learned; undefined before the first publish. */
  readonly published: Sha | undefined;
  /** A pull request is open: a build that adds nothing to the head it started from delivers nothing. */
  readonly pullIsOpen: boolean;
  /** Somebody else pushed that tip. */
  readonly headIsForeign: boolean;
  readonly hooks: Hooked;
  readonly hookMs: number;
  readonly commands: {
    readonly setup: string | undefined;
    readonly test: string | undefined;
    readonly lint: string | undefined;
    readonly build: string | undefined;
    readonly timeoutMs: number;
  };
  /** Who works in which role; the reviewer is undefined unless it is fixed. */
  readonly runtimes: {
    readonly gate: RuntimeName;
    readonly build: RuntimeName;
    readonly review: RuntimeName | undefined;
    /** For the tasks of workflows of one's own. */
    readonly plan: RuntimeName;
    readonly mediate: RuntimeName;
  };
  readonly assign: Assign;
  readonly limits: Omit<AgentLimits, "usd"> & {
    /** Turns that may still end unfinished, one after the other. */
    readonly continuations: number;
    /** The same tool call this often in a row, with no file changed, is a sign of no headway. */
    readonly repeats: number;
  };
  readonly review: {
    readonly polishBlocks: boolean;
    readonly protectedPaths: readonly string[];
    /** A larger change takes a person. */
    readonly largest: { readonly files: number; readonly lines: number };
    readonly mediator: Mediator;
    /** One reviewer, as the role is filled, where it is empty. */
    readonly panel: readonly Seat[];
    /** Of the panel, this many verdicts must count; all of them where it is undefined. */
    readonly quorum: number | undefined;
  };
  /** Failed reviews so far. */
  readonly cycles: number;
  readonly rounds: readonly Round[];
  /** What people with permission asked for, oldest first; its places never change. */
  readonly orders: readonly string[];
  /** What of it a brief says: words in conversations on lines are read there, as they stand then. */
  readonly standing: readonly string[];
  /** The forge refused to merge the newest delivery, because it conflicts with its base. */
  readonly conflictsWithBase: boolean;
  /** What it is merged with then, where that is not the default branch: the newest head of what it is stacked on. */
  readonly takes?: Sha | undefined;
  /** The commit of the base that the first build takes back, by the host alone. */
  readonly revert?: Sha | undefined;
  /** The head that the host made with git alone, where it did. */
  readonly gitMade?: Sha | undefined;
  /** Which checks are red, why, and what they left to read. */
  readonly redChecks: string | undefined;
  /** How the host made the newest head by taking over its base; undefined when it did not. */
  readonly update: HeadUpdate | undefined;
  /** Why earlier attempts gave up, oldest first. */
  readonly earlier: readonly string[];
  /** AGENTS.md of the default branch. */
  readonly houseRules: string | undefined;
  /** The repository's further instruction per role, rendered, from its default branch. */
  readonly further: Partial<Record<Role, string>>;
  /** The family that built this head, as observed; `anybody` where that does not bind its reviewer. */
  builtBy(head: Sha): readonly Builder[];
  /** Every family that may have left something in the worktree which nobody has delivered yet. */
  leftBy(): readonly Family[];
  /** Who had a part in this head, and who reviewed in this run: with the models, as observed. */
  makersOf(head: Sha): readonly Worker[];
  reviewersIn(run: string): readonly Worker[];
  /** The workflow that the label picked in place of the usual build. */
  readonly workflow: string | undefined;
  /** The session of the ticket's latest build, if this runtime can go on in it. */
  resume(runtime: RuntimeName): SessionId | undefined;
}

/** What was set aside for a run before it began. */
export interface RunMoney {
  /** Dollars the run may still spend, in all its sessions together. */
  left(run: string): Promise<number>;
  /**
   * Tells that nothing is left; once under each key. The run is held for it, until somebody allows more. A run for which
   * nothing was set aside is over, or should be: that is told nobody.
   */
  spent(run: string, key: string): Promise<"told" | "nothing set aside">;
}

/** Keeps one row per agent session, for people and for the bill. Each call may be repeated with the same key. */
export interface SessionRecorder {
  open(session: {
    readonly key: string;
    readonly run: string;
    readonly role: Role;
    readonly runtime: RuntimeName;
  }): Promise<void>;
  saw(key: string, what: { readonly session?: SessionId } & Partial<ModelOnRecord>): Promise<void>;
  /** It used a tool; what it did may show in the files. */
  acted(key: string): Promise<void>;
  /** Adds what it costs to the bill: as the runtime says, or priced. */
  usage(key: string, usage: Usage): Promise<void>;
  /** Who wrote in this run: models as observed, their one family, and the newest session. */
  builtIn(run: string): Promise<{
    readonly models: readonly string[];
    readonly family: Family;
    readonly session: SessionId | undefined;
  }>;
  /** Adds a line to what is kept of the session, without what must not be kept. Never throws. */
  log(key: string, kind: LogKind, text: string): void;
  /** `why`: what a person should know of an end that is none of the work's. */
  close(key: string, outcome: string, why?: string): Promise<void>;
}
