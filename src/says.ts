/** Every sentence shown to people on the forge: one function each, pure. Untrusted words are quoted, never interpreted. */
import type { Evidence, Raised, Settled } from "./review/findings.ts";
import type { Sha, State, Ticket } from "./state-machine/ticket.ts";
import { forCommit, unheard } from "./untrusted.ts";

export interface RoundView {
  readonly number: number;
  readonly at: number;
  readonly head: Sha;
  readonly verdict: "pass" | "fail" | "blocked";
  readonly summary: string;
  readonly reviewer: string;
  readonly findings: readonly FindingView[];
  /** What became of findings of earlier rounds that it does not name. */
  readonly earlier?: readonly Settled[] | undefined;
  /** How a mediator settled it. */
  readonly mediation?: string | undefined;
}
export interface FindingView {
  readonly id?: string | undefined;
  readonly is?: Raised["is"];
  readonly blocks?: boolean | undefined;
  readonly evidence?: Evidence | undefined;
  /** Of a panel, who named it. */
  readonly by?: readonly string[] | undefined;
  readonly grade: "blocker" | "polish" | "future";
  readonly title: string;
  readonly body: string;
  readonly path: string | undefined;
  readonly line: number | undefined;
}
export interface NoteView {
  readonly at: number;
  readonly actor: string;
  readonly text: string;
}
export interface WaitView {
  readonly waitsFor: string;
  readonly since: number;
  readonly nextStep: string;
  readonly youCan: readonly { readonly say: string; readonly do: string }[];
}
/** Everything our texts may mention about one ticket. */
export interface TicketView {
  readonly ref: string;
  /** As people write it: `#42`, `ENG-42`. */
  readonly name: string;
  /** The line that has the tracker close it with the merge. */
  readonly closing: string;
  readonly title: string;
  readonly asker: string;
  readonly ticket: Ticket;
  readonly since: number;
  readonly now: number;
  readonly usd: number;
  readonly usdIsGuess: boolean;
  readonly usdCap: number;
  readonly spentMs: number;
  readonly builder: string | undefined;
  readonly reviewer: string | undefined;
  readonly plan: readonly string[];
  readonly validation: readonly string[];
  readonly confusions: readonly string[];
  readonly specHead: string | undefined;
  readonly rounds: readonly RoundView[];
  readonly notes: readonly NoteView[];
  readonly wait: WaitView | undefined;
  readonly needsPerson: readonly string[];
  readonly approvedBy: string | undefined;
  readonly releasedBy: string | undefined;
  readonly ledgerHead: { readonly seq: number; readonly hash: string };
  readonly maxCycles: number;
  readonly detailsUrl: string | undefined;
  /** Rules of the base that stand in the way of this head. */
  readonly obstacles?: readonly { readonly why: string; readonly fix: string }[] | undefined;
  /** Of its newest merge, once that is certified. */
  readonly certificate: CertificateView | undefined;
}
export interface CertificateView {
  readonly hash: string;
  /** The ledger's line that seals it. */
  readonly line: number;
  /** Indented, for people, and the same on one line. */
  readonly json: string;
  readonly compact: string;
  /** What it does not prove. */
  readonly gaps: readonly string[];
  /** Where its check run is shown. */
  readonly url: string | undefined;
}

/** Board names for states; the engine room keeps the short ones. */
const boardNames: Partial<Record<State, string>> = { Ready: "Ready for Dev", Gate: "Spec gate" };
export const boardName = (state: State): string => boardNames[state] ?? state;

export const short = (sha: Sha): string => sha.slice(0, 7);

/** What holds while a configuration is wrong. */
export const inForce = (soundAt: Sha | undefined): string =>
  soundAt === undefined
    ? "what is right of it holds, and only a person can merge"
    : `the one of ${short(soundAt)} stays in force`;

/** What others said may be a whole sentence: it brings its own end. */
const ended = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** The forge's own words for a merge that its rules forbid, with what ends that: it would say them again. */
export const ruledOut = (why: string): string =>
  `${ended(why)} While a rule forbids this, no retry helps: relax that rule for the App, or merge the pull request yourself`;

/** What a ticket waits for, in the words of every place that tells of it. */
export const waitSentence = (wait: WaitView | undefined): string =>
  wait === undefined
    ? "It is over: nothing waits."
    : `Waits for ${ended(wait.waitsFor)} Next: ${ended(wait.nextStep)}`;

/** Two decimals, `~` when a price had to be guessed, never a silent zero. */
export const dollars = (usd: number, isGuess: boolean): string => `${isGuess ? "~" : ""}$${usd.toFixed(2)}`;

export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${seconds % 60}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h ${minutes % 60}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** As they were written, entities and tags included: what the forge would decode and then obey stays text. */
const literal = (text: string): string =>
  unheard(text.replace(/&(?=#|[A-Za-z][A-Za-z0-9]*;)/g, "&amp;").replace(/</g, "&lt;"));

/** No longer than this, and visibly cut. */
export const cutTo = (text: string, limit: number): string =>
  text.length > limit ? `${text.slice(0, limit - 1)}…` : text;

/** Somebody else's words on one line, harmless in a table or list. */
export const quoted = (text: string, limit = 300): string =>
  literal(cutTo(text.replace(/[\s\u0085\u2028\u2029]+/g, " ").trim(), limit)).replace(/(\\*)\|/g, "$1$1\\|");
/** Somebody else's words over several lines, as a block quote that mentions nobody. */
export function block(text: string, limit = 4_000): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}\n…` : text;
  return literal(cut)
    .split(/\r\n|[\r\n]/)
    .map((line) => `> ${line}`)
    .join("\n");
}
const stamp = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
const none = (lines: readonly string[]): string => (lines.length === 0 ? "_nothing yet_" : lines.join("\n"));

function statusLine(view: TicketView): string {
  const { ticket } = view;
  const parts = [
    `**${boardName(ticket.state)}**`,
    `round ${Math.min(view.rounds.length + (ticket.state === "Adversarial Review" ? 1 : 0), view.maxCycles + 1)}/${view.maxCycles}`,
    `${age(view.now - view.since)} here`,
    `${dollars(view.usd, view.usdIsGuess)} of ${dollars(view.usdCap, false)}`,
  ];
  if (ticket.upon !== undefined) parts.push(`stacked on ${ticket.upon.ref}`);
  if (view.builder !== undefined) parts.push(`built by ${quoted(view.builder, 60)}`);
  if (view.reviewer !== undefined) parts.push(`reviewed by ${quoted(view.reviewer, 60)}`);
  return parts.join(" · ");
}

/** The one comment we keep on a ticket. */
export function workpad(view: TicketView): string {
  const { wait } = view;
  return [
    "## forgehand workpad",
    "",
    statusLine(view),
    "",
    quoted(waitSentence(wait), 1_000),
    ...(wait?.youCan ?? []).map((can) => `- you can: ${can.say} → ${can.do}`),
    ...whyPerson(view),
    ...certificateLines(view),
    "",
    "### Plan",
    none(view.plan.map((line) => `- ${quoted(line)}`)),
    "",
    "### Acceptance Criteria",
    view.specHead === undefined
      ? "_as the issue says; nothing is released yet_"
      : `As released in the issue (spec \`${view.specHead.slice(0, 12)}\`${view.releasedBy === undefined ? "" : `, by ${quoted(view.releasedBy, 60)}`}). An edit voids the release.`,
    "",
    "### Validation",
    none(view.validation.map((line) => `- ${quoted(line)}`)),
    "",
    "### Notes",
    none(
      view.notes
        .slice(-30)
        .map((note) => `- ${stamp(note.at)} · ${quoted(note.actor, 60)} · ${quoted(note.text)}`),
    ),
    "",
    "### Adversarial Review",
    none(view.rounds.map(roundSection)),
    "",
    "### Confusions",
    none(view.confusions.map((line) => `- ${quoted(line)}`)),
    "",
    `<sub>failed attempts ${view.ticket.counters.attempts} · review cycles ${view.ticket.counters.cycles} · never reached review ${view.ticket.counters.unreviewed} · ledger line ${view.ledgerHead.seq}</sub>`,
  ].join("\n");
}

/** Why `auto-merge` is not enough for this head, one line for each reason. */
const whyPerson = (view: TicketView): readonly string[] =>
  view.needsPerson.map((why) => `- needs a person: ${quoted(why)}`);

/** Where the certificate is, and what it leaves open. */
export function certificateLines({ certificate, ref }: TicketView): readonly string[] {
  if (certificate === undefined) return [];
  const { hash, line, url, gaps } = certificate;
  const name = `Merge certificate \`${hash.slice(0, 12)}\``;
  return [
    "",
    `${url === undefined ? name : `[${name}](${url})`}, sealed in ledger line ${line}: \`forgehand certificate show ${ref}\`.`,
    ...gaps.map((gap) => `- it does not prove: ${quoted(gap)}`),
  ];
}

function roundSection(round: RoundView): string {
  const head = `#### Round ${round.number} · ${stamp(round.at)} · ${round.verdict} at \`${short(round.head)}\` · ${quoted(round.reviewer, 60)}`;
  const findings = round.findings.map(
    (finding) =>
      `- **${finding.grade}**${finding.is === undefined || finding.is === "new" ? "" : ` (${finding.is})`} ${place(finding)}${quoted(finding.title)}`,
  );
  const mediated = round.mediation === undefined ? [] : [`Mediator: ${quoted(round.mediation, 1_000)}`];
  return [head, quoted(round.summary, 1_000), ...mediated, ...findings].join("\n");
}
const place = (finding: FindingView): string =>
  finding.path === undefined
    ? ""
    : `\`${quoted(finding.path, 200)}${finding.line === undefined ? "" : `:${finding.line}`}\` `;

/** The rounds as a table. */
export const roundsTable = (view: TicketView): readonly string[] =>
  view.rounds.length === 0
    ? []
    : [
        "| round | head | verdict | blockers | polish |",
        "|---|---|---|---|---|",
        ...view.rounds.map(
          (round) =>
            `| ${round.number} | \`${short(round.head)}\` | ${round.verdict} | ${count(round, "blocker")} | ${count(round, "polish")} |`,
        ),
        "",
      ];
const count = (round: RoundView, grade: FindingView["grade"]): number =>
  round.findings.filter((finding) => finding.grade === grade).length;

// ── Pull request ────────────────────────────────────────────────────────────

export const pullTitle = (view: TicketView): string => quotedTitle(view.title, view.name);
const quotedTitle = (title: string, name: string): string =>
  `${forCommit(title.replace(/[\s\u0085\u2028\u2029]+/g, " "))
    .trim()
    .slice(0, 200)} (${name})`;

/** Our region of the pull request's body. */
export function pullRegion(view: TicketView, summary: string): string {
  return [
    view.closing,
    ...(view.ticket.upon === undefined
      ? []
      : ["", `Stacked on ${view.ticket.upon.ref}: this is merged after that, and shows here what it adds.`]),
    "",
    `**What** ${quoted(summary, 1_500) || "see the issue"}`,
    "",
    `**How verified**`,
    none(view.validation.map((line) => `- ${quoted(line)}`)),
    "",
    "**Cross-review**",
    view.rounds.length === 0 ? "_not reviewed yet_" : roundsTable(view).join("\n"),
    `**Cost** ${dollars(view.usd, view.usdIsGuess)} · ${age(view.spentMs)} of agent time`,
    "",
    "Steer: a review that requests changes starts a round of rework; `/forgehand stop`, `/forgehand explain`.",
  ].join("\n");
}

/** What the squashed commit says. */
export const mergeMessage = (
  view: TicketView,
  summary: string,
): { readonly title: string; readonly body: string } => ({
  title: quotedTitle(view.title, view.name),
  body: [forCommit(summary).trim().slice(0, 2_000), "", ...mergeTrailers(view)].join("\n"),
});

/** What every merge commit ends with: what it closes, and who made it. */
export const mergeTrailers = (view: TicketView): readonly string[] => [
  view.closing,
  `Forgehand-Ticket: ${view.ref}`,
  ...(view.builder === undefined ? [] : [`Forgehand-Built-By: ${quoted(view.builder, 100)}`]),
  ...(view.reviewer === undefined ? [] : [`Forgehand-Reviewed-By: ${quoted(view.reviewer, 100)}`]),
];

export const reviewBody = (round: RoundView): string =>
  [
    `**Adversarial review, round ${round.number}: ${round.verdict}** at \`${short(round.head)}\` by ${quoted(round.reviewer, 60)}`,
    "",
    block(round.summary),
    "",
    ...(round.mediation === undefined ? [] : [`**Mediator**: ${quoted(round.mediation, 2_000)}`, ""]),
    "The verdict is the check `forgehand / gate`; this review only comments.",
  ].join("\n");

// ── Notices: new comments, which notify ─────────────────────────────────────

export function contestedChoiceNotice(runtimes: readonly string[], workflows: readonly string[]): string {
  const listed = (labels: readonly string[]): string => labels.map((label) => `\`${label}\``).join(", ");
  const kinds = [runtimes, ...(workflows.length > 0 ? [workflows] : [])].map(
    (labels) => `one of ${listed(labels)}`,
  );
  return `The labels ask for two things at once: there may be ${kinds.join(", and ")}. Remove what is too much, then put \`agent-ready\` back. Nothing has been started.`;
}

export function blockedNotice(view: TicketView, why: string): string {
  return [
    `**I stopped: ${quoted(why, 600)}**`,
    "",
    ...(view.rounds.length === 0
      ? []
      : [
          "What happened in the rounds:",
          ...view.rounds.map(
            (round) => `- round ${round.number}: ${round.verdict} · ${quoted(round.summary, 300)}`,
          ),
          "",
        ]),
    ...attemptsSummary(view),
    `Branch and worktree are kept. Spent ${dollars(view.usd, view.usdIsGuess)}.`,
    "",
    ...(view.wait?.youCan ?? []).map((can) => `- ${can.say} → ${can.do}`),
  ].join("\n");
}
function attemptsSummary(view: TicketView): readonly string[] {
  const failures = view.notes.filter((note) => /^(gave up|run failed|merge refused)/.test(note.text));
  return failures.length === 0
    ? []
    : ["All attempts so far:", ...failures.map((note) => `- ${stamp(note.at)} ${quoted(note.text)}`), ""];
}

export const mergedNotice = (view: TicketView, head: Sha): string =>
  [
    `Merged at \`${short(head)}\` after ${view.rounds.length} review round${view.rounds.length === 1 ? "" : "s"}.${view.rounds.some((round) => round.head === head && round.verdict === "pass") ? "" : " No review passed this head."}`,
    ...view.rounds
      .filter((round) => round.findings.length > 0)
      .map(
        (round) =>
          `- round ${round.number} (${quoted(round.reviewer, 60)}) found: ${round.findings.map((finding) => quoted(finding.title, 80)).join("; ")}`,
      ),
    "",
    `Total ${dollars(view.usd, view.usdIsGuess)} · ${age(view.spentMs)} of agent time. Ledger line ${view.ledgerHead.seq}, hash \`${view.ledgerHead.hash}\`.`,
  ].join("\n");

// ── Answers to a person's comment ───────────────────────────────────────────

export const explained = (view: TicketView): string =>
  [
    `**${boardName(view.ticket.state)}** for ${age(view.now - view.since)}. ${quoted(waitSentence(view.wait), 1_000)}`,
    ...(view.wait?.youCan ?? []).map((can) => `- ${can.say} → ${can.do}`),
    ...(view.wait === undefined ? [] : whyPerson(view)),
  ].join("\n");

export const statusAnswer = (view: TicketView): string => [statusLine(view), "", explained(view)].join("\n");

export const helpAnswer = [
  "What you can say in the first line of a comment:",
  "",
  "| command | who | what it does |",
  "|---|---|---|",
  "| `/forgehand run` | triage | releases the ticket, as the label `agent-ready` does |",
  "| `/forgehand retry` | triage | resets the counters and goes on |",
  "| `/forgehand stop` | triage | ends the work, keeps branch and worktree |",
  "| `/forgehand budget 10` | write | allows 10 dollars more when the budget is spent; the run goes on where it stopped |",
  "| `/forgehand approve [sha]` | write | approves exactly the head it was written on |",
  "| `/forgehand tell …` | write | tells the agent what it should know besides, in the whole comment: before its next turn, or with the next build |",
  "| `/forgehand ask …` | triage | asks an agent that reads the code and changes nothing; words that call me by my @name do the same where they end in `?`, and tell where they do not |",
  "| `/forgehand explain` | triage | what it waits for, since when, what you can do |",
  "| `/forgehand status` | triage | state, round, age, cost |",
  "| `/forgehand help` | triage | this table |",
].join("\n");

/** Where the words of a person go that are for an agent. */
export const toldAnswer = (state: State): string =>
  state === "In Progress"
    ? "Heard. The agent that is at work reads this before its next turn, and does not finish without it."
    : state === "Rework"
      ? "Heard. The build goes on with this, in the session and the files where it stopped."
      : "Heard. The next build reads this.";

export const refusedAnswer = (command: string, why: string): string =>
  `\`/forgehand ${quoted(command, 40).replace(/`/g, "")}\`: ${quoted(why, 600)}`;
