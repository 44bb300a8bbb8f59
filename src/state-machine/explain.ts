import { consents } from "./guard.ts";
import type { EventType } from "./event.ts";
import type { Obstacle } from "./landing.ts";
import type { Policy, Ticket, Upon } from "./ticket.ts";

/** Something a person can do now. */
interface Can {
  /** What it achieves. */
  readonly say: string;
  /** The label, command or button that does it. */
  readonly do: string;
  /** The event it becomes. */
  readonly leadsTo: EventType;
}
/** What a ticket waits for, since when, what happens next by itself, and what a person can do. */
export interface Waiting {
  readonly waitsFor: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly nextStep: string;
  readonly youCan: readonly Can[];
}
export interface Facts {
  readonly ticket: Ticket;
  /** When it entered its state. */
  readonly since: number;
  readonly policy: Policy;
  /** Why it would get no slot although one were free, as far as that is known. */
  readonly heldUp?: HeldUp | undefined;
  /** Rules of the base that stand in the way of this head, as last read. */
  readonly obstacles?: readonly Obstacle[] | undefined;
  /** Checks of this head that hold its merge, as last read; none while that is not known. */
  readonly pending?: PendingChecks | undefined;
}
export interface PendingChecks {
  /** The first few of them, and those before the others that nothing has reported. */
  readonly named: readonly PendingCheck[];
  /** All of them. */
  readonly count: number;
}
/** A check that is not over: it runs, or is required and nothing has reported it yet. */
export interface PendingCheck {
  readonly name: string;
  readonly is: "running" | "unreported";
}
/** Issues that must be done first: `declined` are closed without being done, `unseen` cannot be read, `circular` wait for this one. */
export interface BlockedBy {
  readonly open: readonly string[];
  readonly declined: readonly string[];
  readonly unseen: readonly string[];
  readonly circular: readonly string[];
}
/** `halt-all`: a person halted everything. `halt-repo`: an operator halted all of its repository. `pause`: reviewers may say more. `clean-up`: its old worktree is still to go. `signed-out`: its tracker asks for a new sign-in. `onboarding`: its repository has not agreed yet. `day-budget`: too little is left for one more run. */
export type HeldUp =
  | "halt-all"
  | "halt-repo"
  | "signed-out"
  | "onboarding"
  | "pause"
  | "clean-up"
  | "day-budget"
  | BlockedBy;

const heldUpWords: Readonly<Record<Exclude<HeldUp, BlockedBy>, string>> = {
  "halt-repo": "the halt of its repository to be lifted (`forgehand unhalt OWNER/REPO` on its host)",
  "halt-all": "the halt of everything to be lifted (`forgehand:halt-all`)",
  "signed-out": "an operator to sign in to its tracker again (`forgehand auth linear`)",
  onboarding:
    "the pull request from `forgehand/bootstrap` to be merged, which says how to work here, or to be closed",
  pause: "the reviewers' pause (`limits.feedback_seconds`), so that one rework answers all they say",
  "clean-up": "its old worktree to be dropped",
  "day-budget":
    "money: what is left of the day's budget is less than the next run may spend; a new day begins at midnight UTC",
};

const stop: Can = {
  say: "end the work and keep the branch",
  do: "`/forgehand stop`",
  leadsTo: "operator.stopped",
};
const retry: Can = {
  say: "set the counters to zero and go on",
  do: "`/forgehand retry`",
  leadsTo: "operator.retried",
};
const release: Can = {
  say: "release the ticket as it reads now",
  do: "the label `agent-ready`, put on anew, or `/forgehand run`",
  leadsTo: "ready.granted",
};
const lift: Can = { say: "let it go on", do: "remove the label `forgehand:halt`", leadsTo: "halt.lifted" };
const undepend: Can = {
  say: "let it start without",
  do: "remove the dependency, or its line in the text and release it anew",
  leadsTo: "slot.granted",
};
const unhold: Can = {
  say: "let it start",
  do: "remove the label `forgehand:do-not-dispatch`",
  leadsTo: "hold.set",
};
const pickOne: Can = {
  say: "pick one",
  do: "remove all `runtime/*` labels but one, and all `workflow/*` labels but one",
  leadsTo: "runtime.chosen",
};
const cancel: Can = { say: "give it up", do: "close the issue", leadsTo: "ticket.cancelled" };
const approve: Can = {
  say: "release the merge",
  do: "approve the pull request, or `/forgehand approve`",
  leadsTo: "human.approved",
};
const object: Can = {
  say: "ask for rework",
  do: "a review that requests changes",
  leadsTo: "human.objected",
};
const autoMerge: Can = {
  say: "merge without an approval",
  do: "the label `auto-merge`",
  leadsTo: "automerge.set",
};
const press: Can = {
  say: "merge it yourself",
  do: "the merge button of the pull request",
  leadsTo: "pr.merged",
};
/** With the sum that was asked for; a day's cap asks nobody. */
const raise = (usd: number): Can => ({
  say: `allow it $${usd} more, and it goes on where it stopped`,
  do: `\`/forgehand budget ${usd}\``,
  leadsTo: "budget.raised",
});

type Said = Omit<Waiting, "since">;

/** Undefined only when it is over. Pure. */
export function explain(facts: Facts): Waiting | undefined {
  const said = saidOf(facts);
  return said && { ...said, nextStep: `${said.nextStep}${besides(facts.ticket)}`, since: facts.since };
}

function saidOf({ ticket, policy, heldUp, obstacles = [], pending }: Facts): Said | undefined {
  switch (ticket.state) {
    case "Backlog":
      return backlog(ticket);
    case "Ready":
      return queued(ticket, "the spec gate reads the issue", heldUp);
    case "Rework":
      return queued(ticket, "the next build starts with the work order of the last round", heldUp);
    case "Gate":
      return running(
        "the spec gate, which reads the issue",
        "the build starts, or the issue is asked for what is missing",
      );
    case "In Progress":
      return running("the build", "the delivered head is reviewed by a model of another family");
    case "Adversarial Review":
      return running("the review of this head by a model of another family", reviewLeadsTo(ticket, policy));
    case "In Review":
      if (ticket.upon !== undefined) return stacked(ticket.upon);
      return beforeRules(inReview(ticket, policy), obstacles, policy);
    case "Merging":
      if (ticket.upon !== undefined) return stacked(ticket.upon);
      return stoppedByRules(merging(ticket, pending), obstacles);
    case "Blocked":
      return blocked(ticket);
    case "Done":
    case "Cancelled":
      return undefined;
  }
}

/** What holds a stacked ticket once it is reviewed; an approval would be for a head that is not merged. */
const stacked = ({ ref }: Upon): Said => ({
  waitsFor: `${ref}, which it is stacked on`,
  nextStep:
    "once that is merged, or has another reviewed head, the commits of this one are carried over to it and reviewed anew",
  youCan: [object, stop],
});

/** Said of a stacked ticket while it waits for something else. */
const besides = ({ state, upon }: Ticket): string =>
  upon === undefined || state === "In Review" || state === "Merging"
    ? ""
    : `; it is stacked on ${upon.ref}, and not merged before that is`;

const running = (waitsFor: string, nextStep: string): Said => ({
  waitsFor,
  nextStep,
  youCan: [stop, cancel],
});

function backlog(ticket: Ticket): Said {
  const nextStep = "nothing, until a permitted person releases it";
  if (ticket.halted) return { waitsFor: "the halt to be lifted", nextStep, youCan: [lift, cancel] };
  if (ticket.runtime === "contested")
    return {
      waitsFor: "one runtime and workflow to be picked, and a fresh release",
      nextStep,
      youCan: [pickOne, cancel],
    };
  return { waitsFor: "a release by a permitted person", nextStep, youCan: [release, cancel] };
}

function queued(ticket: Ticket, nextStep: string, heldUp: HeldUp | undefined): Said {
  if (ticket.held)
    return { waitsFor: "the hold to be removed", nextStep: `then ${nextStep}`, youCan: [unhold, stop] };
  if (ticket.runtime === "contested")
    return {
      waitsFor: "one runtime and workflow to be picked",
      nextStep: `then ${nextStep}`,
      youCan: [pickOne, stop],
    };
  if (typeof heldUp === "object") return blockedBy(heldUp, nextStep);
  if (heldUp !== undefined)
    return { waitsFor: heldUpWords[heldUp], nextStep: `then ${nextStep}`, youCan: [stop, cancel] };
  return { waitsFor: "a free slot", nextStep, youCan: [stop, cancel] };
}

function blockedBy({ open, declined, unseen, circular }: BlockedBy, nextStep: string): Said {
  const parts = [
    ...(open.length === 0 ? [] : [`${list(open)} to be done`]),
    ...(declined.length === 0
      ? []
      : [
          `a person to say whether it still makes sense, for ${list(declined)} was closed without being done`,
        ]),
    ...(unseen.length === 0 ? [] : [`${list(unseen)}, which cannot be seen: is the App installed there?`]),
    ...(circular.length === 0 ? [] : [`${list(circular)}, which waits for this ticket in turn`]),
  ];
  const mine = [...declined, ...unseen, ...circular];
  const next = `then ${nextStep}`;
  return {
    waitsFor: parts.join("; and "),
    nextStep: mine.length === 0 ? next : "nothing, until a person takes a dependency away",
    youCan: [undepend, stop, cancel],
  };
}
const list = (refs: readonly string[]): string => refs.join(" and ");

function reviewLeadsTo(ticket: Ticket, policy: Policy): string {
  if (ticket.checks === "red") return "rework, because the checks of this head are red";
  if (ticket.upon !== undefined) return "a wait for what it is stacked on, if it passes; rework otherwise";
  return consents(ticket, policy)
    ? "the merge, if it passes; rework otherwise"
    : "a person is asked, if it passes; rework otherwise";
}

function inReview(ticket: Ticket, policy: Policy): Said {
  const nextStep = "the pull request is merged once that is given and the checks are green";
  const youCan =
    ticket.needsPerson === ticket.head || ticket.autoMerge ? [object, stop] : [object, autoMerge, stop];
  if (!policy.mergeAfterApproval)
    return {
      waitsFor: "a person to merge the pull request",
      nextStep: "the ticket is done once it is merged",
      youCan: [press, ...youCan],
    };
  const waitsFor =
    ticket.needsPerson === ticket.head
      ? "the approval of this head by a person, which auto-merge cannot replace here"
      : "the approval of this head by a person with write access";
  return { waitsFor, nextStep, youCan: [approve, ...youCan] };
}

function merging(ticket: Ticket, pending: PendingChecks = { named: [], count: 0 }): Said {
  const ready = ticket.checks === "green" || ticket.checks === "none";
  if (ticket.checks === "doubted")
    return {
      waitsFor:
        "a check that is red, perhaps by no fault of this head: it is run again, or waits for the base",
      nextStep: "it is merged when that is green, and reworked when it is red again",
      youCan: [object, stop],
    };
  if (ready)
    return {
      waitsFor: "the forge to merge this head",
      nextStep: "the ticket is done once it is merged",
      youCan: [object, stop],
    };
  const shown = pending.named.map(
    ({ name, is }) => `\`${name}\`${is === "running" ? "" : " (not reported yet)"}`,
  );
  const more = pending.count - shown.length;
  const named = shown.length === 0 ? "" : `: ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  return {
    waitsFor: `the checks of this head${named}`,
    nextStep: "it is merged when they are green, and reworked when one is red",
    youCan: [...(pending.named.some(({ is }) => is === "unreported") ? [report] : []), object, stop],
  };
}
/** Where nothing ever reports it, the forge waits for ever. */
const report: Can = {
  say: "have what is not reported yet run on this head, or require it no longer",
  do: "the workflow or app that reports it, or the rules of the branch",
  leadsTo: "checks.passed",
};

/** What the branch will ask besides, told while the ticket still waits for something else. */
function beforeRules(said: Said, obstacles: readonly Obstacle[], policy: Policy): Said {
  // The approval that the ticket waits for may be the one the rule misses.
  const more = policy.mergeAfterApproval
    ? obstacles.filter(({ why }) => why !== "needs 1 approval, has 0")
    : obstacles;
  return more.length === 0
    ? said
    : {
        ...said,
        nextStep: `${said.nextStep}; the rules of the branch hold it besides: ${whysOf(more)}`,
        youCan: [...said.youCan, ...more.map(meet)],
      };
}

function stoppedByRules(said: Said, obstacles: readonly Obstacle[]): Said {
  return obstacles.length === 0
    ? said
    : {
        waitsFor: `the rules of the branch: ${whysOf(obstacles)}`,
        nextStep: "it is merged once they are met and the checks are green",
        youCan: [...obstacles.map(meet), ...said.youCan],
      };
}
const whysOf = (obstacles: readonly Obstacle[]): string => obstacles.map(({ why }) => why).join("; ");
const meet = ({ why, fix }: Obstacle): Can => ({
  say: `meet the rule (${why})`,
  do: fix,
  leadsTo: "pr.merged",
});

function blocked(ticket: Ticket): Said {
  const nextStep = "nothing, until a person decides";
  if (ticket.halted)
    return {
      waitsFor: "the halt to be lifted, and then a person's decision",
      nextStep,
      youCan: [lift, cancel],
    };
  if (ticket.runtime === "contested" && ticket.spec === undefined)
    return {
      waitsFor: "one runtime and workflow to be picked, and a fresh release",
      nextStep,
      youCan: [pickOne, cancel],
    };
  if (ticket.spec === undefined)
    return { waitsFor: "a fresh release, because the spec was edited", nextStep, youCan: [release, cancel] };
  if (ticket.stoppedIn === undefined)
    return { waitsFor: "a person's decision", nextStep, youCan: [retry, cancel] };
  if (ticket.wantsUsd === undefined)
    return {
      waitsFor: "the budget of a new day, which begins at midnight UTC",
      nextStep: "it goes on where it stopped",
      youCan: [retry, cancel],
    };
  return {
    waitsFor: `$${ticket.wantsUsd} more to finish`,
    nextStep,
    youCan: [raise(ticket.wantsUsd), retry, cancel],
  };
}
