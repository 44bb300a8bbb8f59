/** Whose a run is, and what somebody may do with it. */
import { ticketBehind } from "../../state-machine/ticket-id.ts";
import type { TicketName } from "../../store/tickets-named.ts";
import { mayIn, type Right, type Viewer } from "../../ports-dashboard-viewer.ts";
import type { RunRowView, RunStatusName, RunTicket } from "../../ports-dashboard-runs.ts";
import type { RunHead } from "../../engine/index.ts";
import { shown } from "../../untrusted.ts";
import type { Workshop } from "../workshop.ts";

export type TicketNames = ReadonlyMap<string, TicketName>;

/** The tickets that these runs work for. */
export async function ticketsOf(
  { store }: Pick<Workshop, "store">,
  runs: readonly string[],
): Promise<TicketNames> {
  const ids = [...new Set(runs.flatMap((run) => ticketBehind(run) ?? []))];
  return new Map((await store.ticketsNamed(ids)).map((named) => [named.id, named]));
}

/** A run of no ticket is the operator's alone. */
export function mayWith(viewer: Viewer, run: string, names: TicketNames, right: Right): boolean {
  if (viewer.rights === "operator") return true;
  const named = names.get(ticketBehind(run) ?? "");
  return named !== undefined && mayIn(viewer, named.repo, right);
}

export function ticketIn(run: string, names: TicketNames): RunTicket | undefined {
  const id = ticketBehind(run);
  if (id === undefined) return undefined;
  const named = names.get(id);
  return { id, ref: named?.ref ?? id, title: shown(named?.title ?? "") };
}

export const rowView = (
  head: Omit<RunHead, "status"> & { readonly status: RunStatusName },
  names: TicketNames,
): RunRowView => ({
  id: head.id,
  workflow: head.workflow,
  status: head.status,
  outcome: head.outcome,
  error: head.error === undefined ? undefined : shown(head.error),
  ticket: ticketIn(head.id, names),
  parent: head.parent,
  createdAt: head.createdAt,
  settledAt: head.settledAt,
});
