/** A ticket from words, on the command line or on a page: its first line is its title. */
import { openRecords } from "./records.ts";
import { claimNumber, newTicketFile, type TicketFolders } from "./ticket-folder.ts";

const maxTitle = 250;

export interface TicketWords {
  readonly words: string;
  readonly body?: string | undefined;
  readonly labels: readonly string[];
  /** `repository`: beside the code, for everybody who works there. */
  readonly where: "own" | "repository";
}
export interface TicketDesk {
  /** Where the repository's records lie. */
  readonly folder: string;
  readonly folders: TicketFolders;
  readonly author: string;
  readonly now: number;
}

/** A number for a ticket that is about to be written, for good. */
export const claimTicketNumber = ({ folder, folders }: Pick<TicketDesk, "folder" | "folders">): number =>
  claimNumber(folders, openRecords(folder));

/**
 * One that is too long for a title is the text as well. Under a number that was claimed for it, it is written once,
 * however often this is repeated. Undefined where somebody else's file bears that number by now.
 */
export function writeTicket(
  desk: TicketDesk,
  { words, body = "", labels, where }: TicketWords,
  number: number,
): { readonly number: number; readonly path: string } | undefined {
  const [first = "", ...rest] = words.trim().split("\n");
  const text = [...(first.length > maxTitle ? [first] : []), rest.join("\n").trim(), body.trim()]
    .filter((part) => part !== "")
    .join("\n\n");
  const { folders, author, now: createdAt } = desk;
  const path = newTicketFile({ folders, where }, number, {
    title: first,
    body: text,
    labels,
    author,
    createdAt,
  });
  return path === undefined ? undefined : { number, path };
}

/** One under a number of its own. */
export function writeNewTicket(
  desk: TicketDesk,
  words: TicketWords,
): { readonly number: number; readonly path: string } {
  for (;;) {
    const written = writeTicket(desk, words, claimTicketNumber(desk));
    if (written !== undefined) return written;
  }
}
