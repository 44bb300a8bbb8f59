/** The seam to Linear's agent sessions: what we say in one, its plan, its links, and the issue it hangs on. */
import type { Markdown } from "./ports.ts";
import type { LinearIssueRef } from "./state-machine/ticket-id.ts";

export interface LinearSessionRef {
  /** Id of the organisation. */
  readonly workspace: string;
  /** UUID. */
  readonly session: string;
}
/** One of the answers a question offers; a person may answer in words of their own all the same. */
export interface SessionOption {
  readonly value: string;
  readonly label: string;
}
/** One activity of ours. `kept: "until the next"` goes from view with whatever is said next. */
export type SessionSays =
  | { readonly type: "thought"; readonly body: Markdown; readonly kept?: "until the next" | undefined }
  | { readonly type: "action"; readonly action: string; readonly parameter: string }
  | {
      readonly type: "elicitation";
      readonly body: Markdown;
      readonly options?: readonly SessionOption[] | undefined;
    }
  | { readonly type: "response" | "error"; readonly body: Markdown };
export interface SessionStep {
  readonly content: string;
  readonly status: "pending" | "inProgress" | "completed" | "canceled";
}
export interface SessionLink {
  readonly label: string;
  readonly url: string;
}
/** `gone`: Linear has no such session any more. */
export type SessionWritten = "written" | "gone";

/** What we do in agent sessions. Whatever fails is thrown as `Trouble`. */
export interface LinearSessions {
  /** Says it once under this name: its id follows from session and name, so that Linear refuses it a second time. */
  say(on: LinearSessionRef, name: string, says: SessionSays): Promise<SessionWritten>;
  /** Replaces the whole plan. */
  plan(on: LinearSessionRef, steps: readonly SessionStep[]): Promise<SessionWritten>;
  /** Replaces the links to pages outside of Linear. */
  link(on: LinearSessionRef, links: readonly SessionLink[]): Promise<SessionWritten>;
  /** Makes us the delegate of an issue that has none; whoever is assigned stays so. */
  takeOver(issue: LinearIssueRef): Promise<void>;
  /** Names of the labels the issue bears; undefined when it is gone. */
  labelsOf(issue: LinearIssueRef): Promise<readonly string[] | undefined>;
  /** Takes labels of these names off the issue; one that it does not bear is left alone. */
  unlabel(issue: LinearIssueRef, names: readonly string[]): Promise<void>;
}
