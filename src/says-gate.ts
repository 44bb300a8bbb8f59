/** What the check run `forgehand / gate` says: pure. */
import type { ChecksAre } from "./state-machine/ticket.ts";
import {
  certificateLines,
  cutTo,
  dollars,
  quoted,
  roundsTable,
  short,
  type CertificateView,
  type TicketView,
} from "./says.ts";

export const gateCheckName = "forgehand / gate";

export interface CheckView {
  readonly status: "in_progress" | "completed";
  readonly conclusion: "success" | "failure" | "neutral" | "action_required" | undefined;
  readonly title: string;
  readonly summary: string;
  readonly text?: string;
  readonly buttons: readonly {
    readonly label: string;
    readonly description: string;
    readonly identifier: string;
  }[];
}

const retryButton = { label: "Retry", description: "Resets the counters and goes on", identifier: "retry" };
const raiseButton = (usd: number): CheckView["buttons"][number] => ({
  label: `Allow $${usd} more`.slice(0, maxLabel),
  description: "Goes on where its budget was spent",
  identifier: `budget-${usd}`,
});
/** GitHub takes no longer label on a button. */
const maxLabel = 20;
/** Of a title; forges show less, and what comes first matters most. */
const maxTitle = 250;
const stopButton = { label: "Stop", description: "Ends the work, keeps the branch", identifier: "stop" };
const explainButton = { label: "Explain", description: "What it waits for and why", identifier: "explain" };

/** The gate's check on the current head: a table of conditions, its title what it waits for. */
export function gateCheck(view: TicketView): CheckView {
  const summary = [
    conditions(view),
    "",
    ...roundsTable(view),
    anchor(view),
    ...(view.ticket.state === "Done" ? certificateLines(view) : []),
  ].join("\n");
  const { lead, buttons, ...shown } = showing(view);
  const title = view.wait === undefined ? lead : `${lead}: waits for ${view.wait.waitsFor}`;
  return { ...shown, title: cutTo(title, maxTitle), summary, ...textOf(view), buttons };
}

type Showing = Omit<CheckView, "title" | "summary"> & { readonly lead: string };

/** How the check stands in each state; what the ticket waits for follows its first words. */
function showing({ ticket, rounds, maxCycles }: TicketView): Showing {
  const done = (
    conclusion: CheckView["conclusion"],
    lead: string,
    ...buttons: CheckView["buttons"]
  ): Showing => ({ status: "completed", conclusion, lead, buttons });
  const isReviewed = ticket.head !== undefined && ticket.reviewed === ticket.head;
  // A success would let anybody merge it before what it is stacked on.
  if (ticket.upon !== undefined && (ticket.state === "In Review" || ticket.state === "Merging"))
    return {
      status: "in_progress",
      conclusion: undefined,
      lead: "Reviewed",
      buttons: [stopButton, explainButton],
    };
  const blockers = rounds.at(-1)?.findings.filter((finding) => finding.grade === "blocker").length ?? 0;
  switch (ticket.state) {
    case "Done":
      return done(isReviewed ? "success" : "neutral", isReviewed ? "Merged" : mergedByHand);
    case "Merging":
      return done("success", "Released", stopButton, explainButton);
    case "In Review":
      return done(isReviewed ? "success" : "neutral", "Reviewed", stopButton, explainButton);
    case "Blocked":
      if (ticket.stoppedIn === undefined)
        return done("action_required", "Blocked", retryButton, explainButton);
      return ticket.wantsUsd === undefined
        ? done("action_required", "Budget spent", retryButton, explainButton)
        : done("action_required", "Budget spent", raiseButton(ticket.wantsUsd), retryButton, explainButton);
    case "Rework":
    case "In Progress":
      return done(
        "failure",
        blockers === 0 ? "Being reworked" : `${blockers} blocker${blockers === 1 ? "" : "s"}, being reworked`,
        stopButton,
        explainButton,
      );
    case "Cancelled":
      return done("neutral", "Cancelled");
    case "Backlog":
    case "Ready":
    case "Gate":
      return done("neutral", "Back in the queue", explainButton);
    case "Adversarial Review":
      return {
        status: "in_progress",
        conclusion: undefined,
        lead: `Round ${rounds.length + 1}/${maxCycles}`,
        buttons: [],
      };
  }
}

/** GitHub takes no longer text beside the summary; some room is left for what a cut would add. */
const maxText = 64_000;

/** A head that no review passed is not called a success. */
const mergedByHand = "Merged by hand: no review passed this head";

/** What stands beside the summary; a ticket that was reopened is about another merge to come. */
const textOf = ({ certificate, ticket }: TicketView): { readonly text?: string } =>
  certificate === undefined || ticket.state !== "Done" ? {} : { text: certificateText(certificate) };

/** The certificate in full. Names and paths in it come from anybody: its fence is longer than any in it. */
function certificateText({ json, compact, hash }: CertificateView): string {
  const fence = "`".repeat(Math.max(2, ...[...json.matchAll(/`+/gu)].map(([run]) => run.length)) + 1);
  const around = (text: string): string =>
    `### Merge certificate\n\n${fence}json\n${text}\n${fence}\n\n${verifyIt}`;
  const whole = [around(json), around(compact)].find((text) => text.length <= maxText);
  return whole ?? `The merge certificate \`${hash}\` is too long to be shown here. ${verifyIt}`;
}
const verifyIt =
  "Save it as `certificate.json` (or `forgehand certificate show TICKET --json > certificate.json`), then `forgehand certificate verify certificate.json --clone PATH --ledger ledger.ndjson`. The hash is over the JSON with its keys sorted and without spaces.";

const mark = { yes: "✓", no: "✗", wait: "…", off: "–" } as const;
const checksMark: Record<ChecksAre, string> = {
  green: mark.yes,
  red: mark.no,
  pending: mark.wait,
  unknown: mark.wait,
  none: mark.off,
  doubted: mark.wait,
};

const checksWords: Record<ChecksAre, string> = {
  green: "green",
  red: "red",
  pending: "they run",
  unknown: "not known yet",
  none: "this repository has none",
  doubted: "red, perhaps by no fault of this head: run again, or waiting for the base",
};

function conditions(view: TicketView): string {
  const { ticket } = view;
  const reviewed = ticket.head !== undefined && ticket.reviewed === ticket.head;
  const approved = ticket.head !== undefined && ticket.approved === ticket.head;
  const last = view.rounds.at(-1);
  const rows = [
    [
      "Spec released",
      ticket.spec === undefined ? mark.no : mark.yes,
      ticket.spec === undefined
        ? "an edit voided it"
        : `\`${ticket.spec.slice(0, 12)}\`${view.releasedBy === undefined ? "" : ` by ${quoted(view.releasedBy, 60)}`}`,
    ],
    [
      "Cross-model review",
      reviewed ? mark.yes : last?.verdict === "fail" ? mark.no : mark.wait,
      last === undefined
        ? "not yet"
        : `round ${last.number}: ${last.verdict} at \`${short(last.head)}\` by ${quoted(last.reviewer, 60)}`,
    ],
    ["Checks", checksMark[ticket.checks], checksWords[ticket.checks]],
    [
      "Human approval",
      approved ? mark.yes : ticket.autoMerge ? mark.off : mark.wait,
      approved
        ? `${quoted(view.approvedBy ?? "a person", 60)} at \`${short(ticket.head ?? "")}\``
        : ticket.autoMerge
          ? "`auto-merge` set by a person with write access"
          : "approve this head, or `/forgehand approve`",
    ],
    ...(view.obstacles ?? []).map(({ why, fix }) => ["Branch rule", mark.wait, quoted(`${why}; ${fix}`)]),
    ...view.needsPerson.map((why) => ["Needs a person", mark.wait, quoted(why)]),
  ];
  return [
    "| condition | state | why |",
    "|---|---|---|",
    ...rows.map((row) => `| ${row.join(" | ")} |`),
  ].join("\n");
}

/** Anchors the ledger outside the database, so that a shortened one is noticed. */
const anchor = (view: TicketView): string =>
  `Cost so far ${dollars(view.usd, view.usdIsGuess)}. Ledger line ${view.ledgerHead.seq}, hash \`${view.ledgerHead.hash}\`.`;

/** The same check on a pull request that is not ours, so that it can be required. */
export const foreignCheck: CheckView = {
  status: "completed",
  conclusion: "success",
  title: "Not an agent's pull request",
  summary: "forgehand has no ticket for this pull request; nothing here needs its review.",
  buttons: [],
};

/** The check on a merge queue's group: what it holds of ours must be released. */
export function groupOf(
  pulls: readonly { readonly pull: number | undefined; readonly ours?: boolean; readonly why?: string }[],
): CheckView {
  const wrong = pulls.filter(({ why }) => why !== undefined);
  const named = (pull: number | undefined): string => (pull === undefined ? "this group" : `#${pull}`);
  const lines = pulls.map(
    ({ pull, ours, why }) =>
      `- ${named(pull)}: ${why ?? (ours === true ? "reviewed and released at this head" : "not an agent's pull request")}`,
  );
  return {
    status: "completed",
    conclusion: wrong.length === 0 ? "success" : "failure",
    title: cutTo(
      wrong.length === 0
        ? pulls.some(({ ours }) => ours === true)
          ? "Released"
          : "Not an agent's pull request"
        : `Not released: ${wrong.map(({ pull, why }) => `${named(pull)}, ${why}`).join("; ")}`,
      maxTitle,
    ),
    summary: ["A merge queue built this commit of:", "", ...lines].join("\n"),
    buttons: [],
  };
}
