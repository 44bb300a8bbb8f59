/** What became of each finding, round by round. Pure. */
import type { FindingIs, FindingRow } from "../../ports-dashboard-ticket.ts";
import type { FindingView, RoundView } from "../../says.ts";

interface Row {
  finding: FindingView;
  readonly rounds: (FindingIs | undefined)[];
}

/** One row for each finding in the order they were first raised, with a word for each round. */
export function findingRows(rounds: readonly RoundView[]): readonly FindingRow[] {
  const rows = new Map<string, Row>();
  for (const [index, round] of rounds.entries()) {
    for (const finding of round.findings) {
      const key = keyOf(finding);
      const row = rows.get(key) ?? { finding, rounds: [] };
      row.rounds[index] = isOf(finding, row);
      row.finding = finding;
      rows.set(key, row);
    }
    for (const { id, is } of round.earlier ?? []) {
      const row = rows.get(id);
      if (row !== undefined && row.rounds[index] === undefined)
        row.rounds[index] = is === "open" ? "kept" : is;
    }
    // A round of before says nothing of earlier findings: what it does not repeat was fixed.
    if (round.earlier !== undefined || round.verdict === "blocked") continue;
    for (const row of rows.values())
      if (row.rounds[index] === undefined && isThere(row.rounds.findLast((one) => one !== undefined)))
        row.rounds[index] = "fixed";
  }
  return [...rows].map(([key, { finding, rounds: said }]) => ({
    key,
    finding,
    rounds: rounds.map((_round, index) => said[index]),
  }));
}

const keyOf = ({ id, path, title }: FindingView): string => id ?? `${path ?? ""}: ${title}`;

const isThere = (is: FindingIs | undefined): boolean =>
  is !== undefined && is !== "fixed" && is !== "dropped";

function isOf({ is }: FindingView, { rounds }: Row): FindingIs {
  switch (is) {
    case "open":
      return "kept";
    case "new":
    case "reopened":
    case "late":
    case "dropped":
      return is;
    case undefined: {
      const before = rounds.findLast((one) => one !== undefined);
      return before === undefined ? "new" : isThere(before) ? "kept" : "reopened";
    }
  }
}
