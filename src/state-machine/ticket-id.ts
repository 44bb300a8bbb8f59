/** Ids of tickets: what a tracker calls an issue for ever, whatever people rename. */
import { ticketOfRun, type RunId, type TicketId } from "./ticket.ts";

/** An issue of a Linear workspace. */
export interface LinearIssueRef {
  /** Id of the organisation. */
  readonly workspace: string;
  /** UUID: it stays when the issue moves to another team and takes another identifier. */
  readonly issue: string;
}

/** `github:<repository id>#<issue number>`: numbers survive renames. */
export const githubTicketId = (repo: number, issue: number): TicketId => `github:${repo}#${issue}`;

/** What stands in the place of an installation where a repository of this host is its own forge. */
export const hereInstallation = 0;

/** `local:<repository id>#<number>` for a repository of this host; else as on GitHub. */
export const forgeTicketId = (
  repo: { readonly id: number; readonly installation?: number | undefined },
  number: number,
): TicketId =>
  repo.installation === hereInstallation ? `local:${repo.id}#${number}` : githubTicketId(repo.id, number);

/** Whether the ticket lives beside a repository of this host, on no forge that others see. */
export const isLocal = (ticket: TicketId): boolean => ticket.startsWith("local:");

/** `linear:<workspace id>/<issue uuid>` */
export const linearTicketId = ({ workspace, issue }: LinearIssueRef): TicketId =>
  `linear:${workspace}/${issue}`;

/** The issue a ticket's id names; undefined for a ticket of another tracker. */
export function linearIssueOf(ticket: TicketId): LinearIssueRef | undefined {
  const [, workspace, issue] = /^linear:([\w-]{1,100})\/([\w-]{1,100})$/u.exec(ticket) ?? [];
  return workspace === undefined || issue === undefined ? undefined : { workspace, issue };
}

/** The issue of its forge that a ticket's id names; undefined for a ticket of another tracker. */
export function forgeIssueOf(
  ticket: TicketId,
): { readonly repo: number; readonly number: number } | undefined {
  const [, repo, number] = /^(?:github|local):(\d{1,18})#(\d{1,9})$/u.exec(ticket) ?? [];
  return repo === undefined || number === undefined
    ? undefined
    : { repo: Number(repo), number: Number(number) };
}

/** The ticket whose run this is; undefined for the run of a workflow file. */
export function ticketBehind(run: RunId): TicketId | undefined {
  const ticket = ticketOfRun(run);
  return forgeIssueOf(ticket) === undefined && linearIssueOf(ticket) === undefined ? undefined : ticket;
}
