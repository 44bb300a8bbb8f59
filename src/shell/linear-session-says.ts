/** What we say in an agent session of Linear: pure, one function each. Untrusted words are quoted, never interpreted. */
import type { SessionOption, SessionSays, SessionStep } from "../ports-linear-sessions.ts";
import {
  age,
  boardName,
  dollars,
  helpAnswer,
  explained,
  mergedNotice,
  quoted,
  refusedAnswer,
  short,
  statusAnswer,
  toldAnswer,
  waitSentence,
  type TicketView,
} from "../says.ts";
import { gapsText } from "../says-spec.ts";
import type { Gap, TicketEvent } from "../state-machine/event.ts";
import type { State } from "../state-machine/ticket.ts";

/** What a session is told from: the ticket as it stands, and what put it there. */
export interface SessionView {
  readonly view: TicketView;
  /** What brought it into its state; undefined while nothing happened. */
  readonly entered: TicketEvent | undefined;
  /** The newest of its lines that people would want to hear of, in plain words. */
  readonly news: string | undefined;
  /** Where it stood before it was blocked or cancelled. */
  readonly before: State;
  readonly branch: string;
  readonly pull: { readonly number: number; readonly url: string } | undefined;
  /** Labels that ask for two things at once. */
  readonly contested: readonly string[];
}
/** What a session should have said last. */
export interface StateSays {
  readonly says: SessionSays;
  /** What the words that come back are about; undefined where nothing is asked. */
  readonly asks: "spec" | "choice" | "command" | undefined;
  readonly isOver: boolean;
}

/** Said before anything is read, and the same whenever it is said. */
export const greeting: SessionSays = {
  type: "thought",
  body: "I have it, and read the issue next. What I do, and what I need from you, appears here.",
};

const steps = ["Spec gate", "Build", "Adversarial review", "Human approval", "Merge"] as const;
const stepOf: Readonly<Record<State, number>> = {
  Backlog: 0,
  Ready: 0,
  Gate: 0,
  "In Progress": 1,
  Rework: 1,
  "Adversarial Review": 2,
  "In Review": 3,
  Merging: 4,
  Done: steps.length,
  // These two stand where they stood before.
  Blocked: 0,
  Cancelled: 0,
};
/** In these the step waits to begin. */
const waiting: ReadonlySet<State> = new Set(["Backlog", "Ready", "Blocked"]);

/** The plan, whole, as the ticket stands. */
export function sessionPlan({ view, before }: Pick<SessionView, "view" | "before">): readonly SessionStep[] {
  const { state, autoMerge, needsPerson, head } = view.ticket;
  const at = stepOf[state === "Blocked" || state === "Cancelled" ? before : state];
  const statusOf = (index: number): SessionStep["status"] => {
    if (index < at) return "completed";
    if (state === "Cancelled") return "canceled";
    return index > at || waiting.has(state) ? "pending" : "inProgress";
  };
  const isOwn = autoMerge && needsPerson !== head;
  return steps.map((step, index) => ({
    content: [
      step,
      ...(step === "Human approval" && isOwn ? ["given by `auto-merge`"] : []),
      ...(index === 1 && state === "Rework" ? ["rework of the last round"] : []),
      ...(index === at && state === "Blocked" ? ["stopped, waits for a person"] : []),
    ].join(": "),
    status: statusOf(index),
  }));
}

const lines = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined).join("\n");
const pullLine = ({ pull }: SessionView): string | undefined =>
  pull === undefined ? undefined : `Pull request: [#${pull.number}](${pull.url})`;
const spent = ({ view }: SessionView): string => `${dollars(view.usd, view.usdIsGuess)} so far`;
const waits = ({ view }: SessionView): string => quoted(waitSentence(view.wait), 1_000);
const ways = ({ view }: SessionView): readonly string[] =>
  (view.wait?.youCan ?? []).map((can) => `- ${quoted(can.say)} → ${can.do}`);

/** What the workpad holds besides: what was released, checked, and found. */
const record = ({ view }: SessionView): readonly string[] => [
  ...(view.specHead === undefined
    ? []
    : [`- Spec \`${view.specHead.slice(0, 12)}\`, released by ${quoted(view.releasedBy ?? "nobody", 60)}`]),
  ...(view.builder === undefined ? [] : [`- Built by ${quoted(view.builder, 60)}`]),
  ...view.validation.map((line) => `- ${quoted(line)}`),
  ...view.rounds.map(
    (round) =>
      `- Round ${round.number}: ${round.verdict} by ${quoted(round.reviewer, 60)} · ${quoted(round.summary, 300)}`,
  ),
  ...view.needsPerson.map((why) => `- Needs a person: ${quoted(why)}`),
];

/** What the ticket's state comes to in words: one activity. */
export function stateSays(told: SessionView): StateSays {
  const { state } = told.view.ticket;
  switch (state) {
    case "Backlog":
      return backlog(told);
    case "Ready":
      return passing(thought(told, "Queued."));
    case "Gate":
      return passing({ type: "action", action: "Reads the spec", parameter: quoted(told.view.title, 200) });
    case "In Progress":
      return passing({ type: "action", action: "Builds", parameter: `branch ${told.branch}` });
    case "Rework":
      return passing(thought(told, "Back to work."));
    case "Adversarial Review":
      return passing({
        type: "action",
        action: "Reviews with a model of another family",
        parameter: told.view.ticket.head === undefined ? told.branch : `head ${short(told.view.ticket.head)}`,
      });
    case "In Review":
      return asking(
        "command",
        lines(
          `**Reviewed.** ${waits(told)}`,
          pullLine(told),
          "",
          ...record(told),
          `- Spent ${spent(told)}`,
          "",
          ...ways(told),
        ),
      );
    case "Merging":
      return passing(thought(told, "Consented to."));
    case "Blocked":
      return blocked(told);
    case "Done":
      return over({
        type: "response",
        body: lines(mergedNotice(told.view, told.view.ticket.head ?? ""), "", pullLine(told)),
      });
    case "Cancelled":
      return over({
        type: "error",
        body: lines(
          told.entered?.type === "ticket.cancelled"
            ? `Cancelled: ${quoted(told.entered.why)}.`
            : "Cancelled.",
          pullLine(told),
          `Spent ${spent(told)}. Reopen the issue and delegate it again to begin anew.`,
        ),
      });
  }
}

const passing = (says: SessionSays): StateSays => ({ says, asks: undefined, isOver: false });
const over = (says: SessionSays): StateSays => ({ says, asks: undefined, isOver: true });
const asking = (
  asks: NonNullable<StateSays["asks"]>,
  body: string,
  options: readonly SessionOption[] = [],
): StateSays => ({ says: { type: "elicitation", body, options }, asks, isOver: false });
const thought = (told: SessionView, first: string): SessionSays => ({
  type: "thought",
  body: lines(
    `${first} ${waits(told)}`,
    told.news === undefined ? undefined : quoted(told.news, 600),
    pullLine(told),
  ),
});

const runAgain: SessionOption = { value: "run", label: "Release it as it reads now" };
const retry: SessionOption = { value: "retry", label: "Try again" };
const leave: SessionOption = { value: "stop", label: "Leave it stopped" };

function backlog(told: SessionView): StateSays {
  const { entered, view, contested } = told;
  if (view.ticket.halted) return asking("command", stopped(told, "Halted."), [goOn]);
  if (view.ticket.runtime === "contested") return contestedChoice(told, contested);
  if (entered?.type === "gate.flagged")
    return asking(
      "spec",
      lines(
        gapsText(entered.gaps, entered.comment),
        "",
        "Answer here: I add your answer to the issue's description and read it anew. Or edit the issue yourself.",
      ),
      [...answersTo(entered.gaps), { value: "run", label: "I have edited the issue: read it again" }],
    );
  return asking("command", lines(waits(told), told.news && quoted(told.news, 600)), [runAgain]);
}

/** One question with a few answers is answered by picking one; of several at once, none would answer all. */
const answersTo = (gaps: readonly Gap[]): readonly SessionOption[] =>
  gaps.length === 1
    ? (gaps[0]?.choices ?? []).map((label, at) => ({ value: `answer ${at + 1}`, label }))
    : [];

function contestedChoice(told: SessionView, contested: readonly string[]): StateSays {
  return asking(
    "choice",
    lines(
      "The labels ask for two things at once, so nothing has been started. Which one is it?",
      contested.length === 0 ? waits(told) : undefined,
    ),
    contested.map((label) => ({ value: label, label })),
  );
}

const goOn: SessionOption = { value: "retry", label: "Lift the halt and go on" };

function blocked(told: SessionView): StateSays {
  const { view, contested } = told;
  const { ticket } = view;
  if (ticket.halted) return asking("command", stopped(told, "Halted."), [goOn, leave]);
  if (ticket.runtime === "contested" && ticket.spec === undefined) return contestedChoice(told, contested);
  if (ticket.spec === undefined) return asking("command", stopped(told, "I stopped."), [runAgain, leave]);
  if (ticket.stoppedIn !== undefined && ticket.wantsUsd !== undefined)
    return asking(
      "command",
      lines(
        `**${waits(told)}**`,
        told.news && quoted(told.news, 600),
        "",
        `Spent ${spent(told)}. With more it goes on where it stopped.`,
      ),
      [...amounts(ticket.wantsUsd), leave],
    );
  return asking("command", stopped(told, "I stopped."), [retry, leave]);
}

/** What was asked for, and twice that; more than a command may allow is not offered. */
const amounts = (usd: number): readonly SessionOption[] =>
  [...new Set([usd, usd * 2])]
    .map((sum) => Math.ceil(sum * 100) / 100)
    .filter((sum) => sum > 0 && sum <= 1_000)
    .map((sum) => ({ value: `budget ${sum}`, label: `Allow ${dollars(sum, false)} more` }));

const stopped = (told: SessionView, first: string): string =>
  lines(
    `**${first}** ${told.news === undefined ? "" : quoted(told.news, 600)}`.trim(),
    "",
    waits(told),
    pullLine(told),
    "",
    ...record(told),
    `- Branch and worktree are kept. Spent ${spent(told)}.`,
  );

/** What is left after a person pressed stop; undefined where no ticket had begun. */
export const stoppedSays = (told: SessionView | undefined): SessionSays => ({
  type: "response",
  body:
    told === undefined
      ? "Stopped. Nothing had been begun."
      : lines(
          `**Stopped.** No agent works on ${quoted(told.view.ref, 100)} any more.`,
          "",
          `- State: ${boardName(told.view.ticket.state)}, ${stood(told)}`,
          told.view.ticket.runs === 0 ? "- Nothing had been begun" : `- Branch: \`${told.branch}\`, kept`,
          told.pull === undefined
            ? "- No pull request"
            : `- Pull request: [#${told.pull.number}](${told.pull.url})`,
          `- Cost: ${spent(told)}`,
          "",
          "It stays halted. To let it go on, answer `retry` here.",
        ),
});
const stood = ({ before, view }: SessionView): string =>
  before === view.ticket.state ? "as before" : `before that ${boardName(before)}`;

/** A person chose to leave it as it is. */
export const leftSays = (told: SessionView): SessionSays => ({
  type: "error",
  body: lines(
    `Left as it stands: ${boardName(told.view.ticket.state)}. ${told.news === undefined ? "" : quoted(told.news, 600)}`.trim(),
    pullLine(told),
    `Branch and worktree are kept. Spent ${spent(told)}. To go on after all, answer \`retry\` here.`,
  ),
});

/** A sign of life while work goes on in silence. */
export const aliveSays = ({ view }: Pick<SessionView, "view">): SessionSays => ({
  type: "thought",
  kept: "until the next",
  body: `Still **${boardName(view.ticket.state)}**, for ${age(view.now - view.since)}. ${quoted(waitSentence(view.wait), 600)} ${dollars(view.usd, view.usdIsGuess)} of ${dollars(view.usdCap, false)} spent.`,
});

/** Why nothing begins, in a sentence, and what to do. */
export const refusedSays = (why: string): SessionSays => ({
  type: "error",
  body: `I cannot start: ${quoted(why, 600).replace(/\.$/u, "")}. Once that is mended, answer here or delegate the issue again.`,
});

export const noIssueSays: SessionSays = {
  type: "error",
  body: "I work on issues: delegate one to me, or mention me below one.",
};

/** What a person who spoke in the session is answered; undefined where the answer is still to come. */
export function replyTo(
  ask: Extract<TicketEvent, { type: "human.asked" }>["ask"],
  view: TicketView,
): string | undefined {
  switch (ask.about) {
    case "question":
      return "An agent reads the code and answers here; it changes nothing.";
    case "answered":
      return ask.text === "" ? "That goes into the next build's order." : ask.text;
    case "accepted":
      return ask.command === "tell"
        ? toldAnswer(view.ticket.state)
        : `Heard: \`${quoted(ask.command, 40)}\`.`;
    case "refused":
      return refusedAnswer(ask.command, ask.why);
    case "help":
      return helpAnswer;
    case "explain":
      return explained(view);
    case "status":
      return statusAnswer(view);
  }
}

/** A reply as the session stands: what it asks is asked again, and what is over stays over. */
export function replySays(text: string, last: SessionSays | undefined): SessionSays {
  switch (last?.type) {
    case "elicitation":
      return { ...last, body: `${text}\n\n${last.body}` };
    case "response":
    case "error":
      return { type: "response", body: text };
    default:
      return { type: "thought", body: text };
  }
}
