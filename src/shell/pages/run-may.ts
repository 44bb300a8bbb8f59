/** What may be ordered to a run, by the same rules as on the command line. Pure. */
import type { Owner, RunRow } from "../../engine/index.ts";
import type { RunOrderName, RunPage } from "../../ports-dashboard-runs.ts";
import { runRefusals } from "../../says-runs.ts";
import { ticketBehind } from "../../state-machine/ticket-id.ts";

/** A run of a workflow file; a ticket's runs are carried on by its own story, and nothing takes them back behind it. */
export const isOwnRun = ({ id, source }: Pick<RunRow, "id" | "source">): boolean =>
  source !== undefined && ticketBehind(id) === undefined;

interface Around {
  readonly mayAct: boolean;
  readonly asks: number;
  readonly changes: number;
  readonly isDead: (owner: Owner) => boolean;
}

export function mayOrder(row: RunRow, around: Around): Pick<RunPage, "may" | "whyNot"> {
  if (!around.mayAct)
    return {
      may: [],
      whyNot: ticketBehind(row.id) === undefined ? runRefusals.operatorsOnly : runRefusals.lookOnly,
    };
  const isOpen = row.settledAt === undefined;
  const answer: readonly RunOrderName[] =
    isOpen && row.status !== "paused" && around.asks > 0 ? ["answer"] : [];
  const cancel: readonly RunOrderName[] = isOpen ? ["cancel"] : [];
  if (!isOwnRun(row))
    return { may: [...answer, ...cancel], whyNot: runRefusals.ticketsRun("travel in time") };
  const isAtWork = row.status === "running" && row.owner !== undefined && !around.isDead(row.owner);
  const back: readonly RunOrderName[] = around.changes > 0 ? ["rewind", "undo"] : ["rewind"];
  const held: readonly RunOrderName[] = row.status === "paused" ? ["resume"] : ["hold"];
  return {
    may: [
      ...answer,
      ...(isAtWork ? [] : back),
      "fork",
      "replay",
      ...(row.status === "failed" || row.status === "waiting" ? (["retry"] as const) : []),
      ...(isOpen ? held : []),
      ...cancel,
    ],
    whyNot: isAtWork ? "It is rewound once it is held or over." : undefined,
  };
}
