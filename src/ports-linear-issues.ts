/** The seam to Linear's issues: what only Linear knows of a ticket, and the card that shows it on a board. */
import type {
  Dependency,
  Instant,
  IssueHistory,
  Key,
  LabelChange,
  LabelEvent,
  Markdown,
  TicketFacts,
  Voice,
} from "./ports.ts";
import type { LinearIssueRef } from "./state-machine/ticket-id.ts";
import type { State, TicketId } from "./state-machine/ticket.ts";

interface Named {
  readonly id: string;
  readonly name: string;
}
/** As whom we act in a workspace. */
export interface LinearSelf {
  readonly id: string;
  readonly app: boolean;
  readonly workspace: string;
  /** As in its URLs. */
  readonly urlKey: string;
}
/** Somebody of a workspace; `gitHubUserId` is the number of the account they linked. */
export interface LinearPerson extends Named {
  readonly displayName: string;
  /** An application, not a person. */
  readonly app: boolean;
  readonly email: string | undefined;
  readonly gitHubUserId: string | undefined;
}
export interface LinearTeam extends Named {
  readonly key: string;
}
/** An issue of Linear as a ticket, with what only Linear knows of it. */
export interface LinearFacts extends TicketFacts {
  readonly workspace: string;
  readonly issue: string;
  /** `ENG-42`; two workspaces may have the same, so `ref` puts the workspace before it. */
  readonly identifier: string;
  readonly state: Named & { readonly category: string };
  /** Which of our states the card stands in by the name of its own; undefined where only its category says something. */
  readonly means: State | undefined;
  readonly team: LinearTeam;
  readonly project: Named | undefined;
  readonly parent: { readonly issue: string; readonly ref: string } | undefined;
  readonly creator: LinearPerson | undefined;
  readonly assignee: LinearPerson | undefined;
  readonly delegate: LinearPerson | undefined;
  /** We are the delegate. */
  readonly isOurs: boolean;
  readonly createdAt: Instant;
}
export interface LinearDependency extends Dependency {
  readonly id: TicketId;
  readonly by: "blocks" | "sub-issue";
}
/** Who did something; undefined where Linear names no account, as for its own automations. */
export interface LinearDeed {
  readonly person: LinearPerson | undefined;
  readonly at: Instant;
}
export interface LinearLabelEvent extends LabelEvent, LinearDeed {}
export interface LinearMove extends LinearDeed {
  readonly from: Named & { readonly category: string };
  readonly to: Named & { readonly category: string };
  /** The integration or automation that did it in nobody's name: `github`, say. */
  readonly bot: string | undefined;
}
/** An issue's own memory, oldest first, with whom each change is from. */
export interface LinearHistory extends IssueHistory {
  readonly labels: readonly LinearLabelEvent[];
  readonly texts: readonly LinearDeed[];
  readonly moves: readonly LinearMove[];
}
/** A link on the issue, with what is known of its target. */
export interface LinearLink {
  /** What it is about for ever: a second link to it on the same issue renews the first. */
  readonly url: string;
  readonly title: string;
  readonly subtitle?: string | undefined;
  readonly metadata?: Readonly<Record<string, string | number | boolean>> | undefined;
}
/** Linear's issues: the Tracker port and what the Voice port says on issues, in the same shapes. */
export interface LinearIssues {
  /** As whom we act there. */
  identity(workspace: string): Promise<LinearSelf>;
  /** Undefined when it was deleted, archived, or never was. */
  ticket(issue: LinearIssueRef): Promise<LinearFacts | undefined>;
  /** Somebody of the workspace by id; undefined for who is not there. */
  person(workspace: string, id: string): Promise<LinearPerson | undefined>;
  /** Names of labels by id; one that was deleted is left out. */
  labelNames(workspace: string, ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Unfinished issues that bear a label of ours or are delegated to us, and all that changed since; newest change last. */
  changedSince(workspace: string, since: Instant): Promise<readonly LinearFacts[]>;
  /** What blocks it, and its own sub-issues. */
  dependencies(issue: LinearIssueRef): Promise<readonly LinearDependency[]>;
  history(issue: LinearIssueRef): Promise<LinearHistory | undefined>;
  /** Opens an issue of ours in a team, or finds the one of this marker; answers its UUID. */
  openIssue(
    key: Key,
    team: { readonly workspace: string; readonly id: string },
    marker: string,
    issue: { readonly title: string; readonly body: Markdown },
  ): Promise<string>;
  /** Puts the card where its team has this state. */
  move(key: Key, issue: LinearIssueRef, to: State): Promise<void>;
  /** Whether the card stands where `move` would put it. */
  isAt(issue: LinearIssueRef, state: State): Promise<boolean>;
  /** Whether a move that was told of was ours. */
  isOurMove(
    issue: LinearIssueRef,
    moved: { readonly to: string; readonly by: string | undefined },
  ): Promise<boolean>;
  /** `nameOf`: what the ticket's repository calls our labels. */
  setLabels(
    key: Key,
    issue: LinearIssueRef,
    change: LabelChange,
    nameOf?: (label: string) => string,
  ): Promise<void>;
  /** One comment for each marker, in the thread of `parent` where that is given. Returns its id; undefined when the issue is gone. */
  upsertComment(
    key: Key,
    on: LinearIssueRef,
    marker: string,
    body: Markdown,
    parent?: string,
  ): Promise<string | undefined>;
  react(
    key: Key,
    on: LinearIssueRef,
    comment: string | undefined,
    content: Parameters<Voice["react"]>[3],
  ): Promise<void>;
  /** One link for each URL: a pull request, a check, the cost. */
  attach(key: Key, on: LinearIssueRef, link: LinearLink): Promise<void>;
  /** Appends to the description under this marker, once; answers the text as it stands then, undefined when the issue is gone. */
  appendToSpec(
    key: Key,
    issue: LinearIssueRef,
    marker: string,
    text: Markdown,
  ): Promise<{ readonly title: string; readonly body: string } | undefined>;
}
