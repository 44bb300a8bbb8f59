import type { Ask, CommentRef, Gap, TicketEvent } from "./event.ts";
import type { Phase, RunId, Sha, State, Ticket } from "./ticket.ts";

/**
 * Intentions, in the imperative. `run.*` are internal: engine rows written in the same transaction.
 * The others are outbox rows; `workpad`, `mirror` and `check` only mirror the ticket and are coalesced to the newest.
 */
export type Effect =
  | { readonly type: "run.start"; readonly phase: Phase; readonly run: RunId; readonly head: Sha | undefined }
  | { readonly type: "run.stop"; readonly run: RunId }
  /** Nothing of it works any more, but it may go on. */
  | { readonly type: "run.hold"; readonly run: RunId }
  /** It goes on where it was held. */
  | { readonly type: "run.resume"; readonly run: RunId }
  /** Adds and removes labels of ours on the issue. */
  | { readonly type: "labels"; readonly add: readonly OwnLabel[]; readonly remove: readonly OwnLabel[] }
  /** An acknowledging reaction on the issue. */
  | { readonly type: "react"; readonly content: "eyes" | "rocket" | "hooray" | "confused" }
  /** Reacts to a person's comment and, where words are due, replies. */
  | { readonly type: "answer"; readonly comment: CommentRef; readonly ask: Ask }
  /** A new comment, which notifies: only when a person must act, or it is over. */
  | { readonly type: "say"; readonly about: Notice }
  | { readonly type: "workpad" }
  | { readonly type: "mirror"; readonly to: State }
  | { readonly type: "pull.open"; readonly head: Sha }
  /** Ready for review, reviewers requested. */
  | { readonly type: "pull.ask"; readonly head: Sha }
  | { readonly type: "pull.close" }
  | { readonly type: "check"; readonly head: Sha }
  /** One COMMENT review with the verdict of this run and its inline findings. */
  | { readonly type: "review.post"; readonly head: Sha; readonly run: RunId }
  /** Has checks of this head run again. */
  | {
      readonly type: "checks.rerun";
      readonly head: Sha;
      readonly runs: readonly { readonly name: string; readonly id: number }[];
    }
  /** Brings the branch up to date with its base. */
  | { readonly type: "branch.update"; readonly head: Sha }
  /** One reply in each conversation that this build was to settle; those that are fixed are resolved. */
  | { readonly type: "threads.settle"; readonly run: RunId; readonly commit: Sha }
  | { readonly type: "merge.arm"; readonly head: Sha }
  | { readonly type: "merge.disarm" }
  /** What the merge makes of the base is watched for a while. */
  | { readonly type: "base.watch"; readonly merge: Sha }
  | { readonly type: "merge.try"; readonly head: Sha }
  /** Reads what is known of the merge only now, and seals its certificate; whatever became of the ticket since. */
  | { readonly type: "merge.certify"; readonly merged: Sha; readonly merge: Sha }
  /** Drops the worktree; after a merge or a reset the branch too. */
  | { readonly type: "clean" };

export type EffectType = Effect["type"];

/** Labels that forgehand itself may set or remove; `auto-merge` is never among those it adds. */
export type OwnLabel = "agent-ready" | "needs-spec" | "harness-blocked" | "auto-merge";

/** Why a new comment is written. */
export type Notice =
  | { readonly about: "flagged"; readonly gaps: readonly Gap[]; readonly comment: string }
  | { readonly about: "contested-runtime" }
  | { readonly about: "blocked"; readonly why: string }
  | { readonly about: "merged"; readonly head: Sha }
  /** Why a card is not where somebody put it, or is left where it should not be. */
  | { readonly about: "contested"; readonly why: string };

/** What a word sees: the ticket before and after the row, and the event between. */
interface Moment {
  readonly before: Ticket;
  readonly after: Ticket;
  readonly event: TicketEvent;
}
export type Maker = (moment: Moment) => readonly Effect[];

const labels = (add: readonly OwnLabel[], remove: readonly OwnLabel[]): Maker => {
  const effects = [{ type: "labels", add, remove } as const];
  return () => effects;
};

const start =
  (phase: Phase): Maker =>
  ({ before, after }) => {
    if (after.run === undefined) return [];
    return after.run === before.aside
      ? [{ type: "run.resume", run: after.run }]
      : [{ type: "run.start", phase, run: after.run, head: after.head }];
  };

/** Makes what concerns the head, when there is one. */
const atHead =
  (make: (head: Sha) => Effect): Maker =>
  ({ after }) =>
    after.head === undefined ? [] : [make(after.head)];

/** Makes nothing for a stacked ticket: people are asked, and it is merged, once it stands on the default branch. */
const unstacked =
  (make: Maker): Maker =>
  (moment) =>
    moment.after.upon === undefined ? make(moment) : [];

const mergeNow = (head: Sha): Effect => ({ type: "merge.try", head });

/** The words that may stand under Do in the table. */
export const words = {
  // Runs of the engine.
  gate: start("gate"),
  build: start("build"),
  review: start("review"),
  stop: ({ before }) => (before.run === undefined ? [] : [{ type: "run.stop", run: before.run }]),
  // The ticket.
  workpad: () => [{ type: "workpad" }],
  mirror: ({ after }) => [{ type: "mirror", to: after.state }],
  putBack: ({ event, after }) => [
    ...(event.type === "tracker.contested" && event.card === "left"
      ? []
      : [{ type: "mirror", to: after.state } as const]),
    ...(event.type === "tracker.contested"
      ? [{ type: "say", about: { about: "contested", why: event.why } } as const]
      : []),
  ],
  react: () => [{ type: "react", content: "eyes" }],
  answer: ({ event }) =>
    event.type === "human.asked" ? [{ type: "answer", comment: event.comment, ask: event.ask }] : [],
  unblock: labels([], ["needs-spec", "harness-blocked"]),
  unlabel: labels([], ["agent-ready"]),
  tidy: labels([], ["agent-ready", "needs-spec", "harness-blocked"]),
  block: labels(["harness-blocked"], []),
  flag: ({ event }) => [
    { type: "labels", add: ["needs-spec"], remove: ["agent-ready"] },
    ...(event.type === "gate.flagged"
      ? [{ type: "say", about: { about: "flagged", gaps: event.gaps, comment: event.comment } } as const]
      : []),
  ],
  pickOne: () => [
    { type: "labels", add: [], remove: ["agent-ready"] },
    { type: "say", about: { about: "contested-runtime" } },
  ],
  page: ({ event }) => [{ type: "say", about: { about: "blocked", why: whyBlocked(event) } }],
  sayMerged: atHead((head) => ({ type: "say", about: { about: "merged", head } })),
  // The pull request.
  openPr: atHead((head) => ({ type: "pull.open", head })),
  ask: unstacked(atHead((head) => ({ type: "pull.ask", head }))),
  closePr: ({ before }) =>
    before.pull === undefined && before.head === undefined ? [] : [{ type: "pull.close" }],
  check: atHead((head) => ({ type: "check", head })),
  post: ({ event }) =>
    "run" in event && "head" in event ? [{ type: "review.post", head: event.head, run: event.run }] : [],
  settle: ({ event }) =>
    event.type === "build.delivered" ? [{ type: "threads.settle", run: event.run, commit: event.head }] : [],
  personOnly: ({ before, after }) =>
    before.autoMerge && !after.autoMerge ? [{ type: "labels", add: [], remove: ["auto-merge"] }] : [],
  // Checks and the base.
  rerun: ({ event }) =>
    event.type === "ci.doubted" && event.how === "rerun"
      ? [
          {
            type: "checks.rerun",
            head: event.head,
            runs: event.checks.flatMap(({ name, id }) => (id === undefined ? [] : [{ name, id }])),
          },
        ]
      : [],
  update: atHead((head) => ({ type: "branch.update", head })),
  // The merge.
  arm: unstacked(({ after: { head, checks } }) => {
    if (head === undefined) return [];
    return [checks === "green" || checks === "none" ? mergeNow(head) : { type: "merge.arm", head }];
  }),
  merge: unstacked(atHead(mergeNow)),
  watch: ({ event }) => (event.type === "pr.merged" ? [{ type: "base.watch", merge: event.merge }] : []),
  disarm: ({ before }) => (before.state === "Merging" ? [{ type: "merge.disarm" }] : []),
  certify: ({ event }) =>
    event.type === "pr.merged" ? [{ type: "merge.certify", merged: event.head, merge: event.merge }] : [],
  clean: () => [{ type: "clean" }],
} as const satisfies Record<string, Maker>;

export type Word = keyof typeof words;

/** The reason a person is told when the ticket becomes Blocked. */
function whyBlocked(event: TicketEvent): string {
  switch (event.type) {
    case "pr.retargeted":
      return `the pull request targets \`${event.base}\` now; point it back at the branch it was opened for`;
    case "review.passed":
      return "the review passed, but the checks of this head are red, or the verdict is about another head";
    case "review.failed":
      return event.summary;
    default:
      return "why" in event ? event.why : event.type;
  }
}
