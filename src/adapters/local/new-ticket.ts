/** A ticket from words, on the command line or on a page: its first line is its title. */
import { openRecords } from "./records.ts";
import { newTicketFile, type TicketFolders } from "./ticket-folder.ts";

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

/** One that is too long for a title is the text as well. */
export function writeTicket(
  { folder, folders, author, now }: TicketDesk,
  { words, body = "", labels, where }: TicketWords,
): { readonly number: number; readonly path: string } {
  const [first = "", ...rest] = words.trim().split("\n");
  const text = [...(first.length > maxTitle ? [first] : []), rest.join("\n").trim(), body.trim()]
    .filter((part) => part !== "")
    .join("\n\n");
  return newTicketFile(
    { folders, records: openRecords(folder), where },
    { title: first, body: text, labels, author, createdAt: now },
  );
}
