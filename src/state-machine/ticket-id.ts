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

/** `linear:<workspace id>/<issue uuid>` */
export const linearTicketId = ({ workspace, issue }: LinearIssueRef): TicketId =>
  `linear:${workspace}/${issue}`;

/** The issue a ticket's id names; undefined for a ticket of another tracker. */
export function linearIssueOf(ticket: TicketId): LinearIssueRef | undefined {
  const [, workspace, issue] = /^linear:([\w-]{1,100})\/([\w-]{1,100})$/u.exec(ticket) ?? [];
  return workspace === undefined || issue === undefined ? undefined : { workspace, issue };
}

/** The issue a ticket's id names; undefined for a ticket of another tracker. */
export function githubIssueOf(
  ticket: TicketId,
): { readonly repo: number; readonly number: number } | undefined {
  const [, repo, number] = /^github:(\d{1,18})#(\d{1,9})$/u.exec(ticket) ?? [];
  return repo === undefined || number === undefined
    ? undefined
    : { repo: Number(repo), number: Number(number) };
}

/** The ticket whose run this is; undefined for the run of a workflow file. */
export function ticketBehind(run: RunId): TicketId | undefined {
  const ticket = ticketOfRun(run);
  return githubIssueOf(ticket) === undefined && linearIssueOf(ticket) === undefined ? undefined : ticket;
}
