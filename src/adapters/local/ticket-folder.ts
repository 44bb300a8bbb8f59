/** Files of tickets in the folders where people keep them. A person may write to any of them at any moment. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { Trouble } from "../../ports.ts";
import {
  fileNameOf,
  newTicketText,
  numberOf,
  readTicket,
  withChange,
  type OwnChange,
  type TicketText,
} from "./ticket-file.ts";
import { writeWhole, type Records } from "./records.ts";

/** A file of a ticket as it was read. */
export interface FoundTicket {
  readonly number: number;
  readonly path: string;
  readonly ticket: TicketText;
  readonly changedAt: number;
}

export interface TicketFolders {
  /** Where tickets lie that nobody asked to have in the repository. */
  readonly own: string;
  /** `.forgehand/tickets` of the checkout; undefined in none. */
  readonly inRepo: string | undefined;
}

/** Paths by number; of two files of one number the first by name counts. */
export function filesIn({ own, inRepo }: TicketFolders): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  const folders = [own, ...(inRepo === undefined || linkIn(inRepo) !== undefined ? [] : [inRepo])];
  for (const folder of folders) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) continue;
    const files = readdirSync(folder, { withFileTypes: true }).filter(
      (one) => one.isFile() || (folder === own && one.isSymbolicLink()),
    );
    for (const { name } of files.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
      const number = numberOf(name);
      if (number !== undefined && !found.has(number)) found.set(number, join(folder, name));
    }
  }
  return found;
}

/** A link a checkout brought would lead out of it, to files that were never meant as tickets: the part of the path that is one. */
const linkIn = (inRepo: string): string | undefined =>
  [dirname(inRepo), inRepo].find(
    (path) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true,
  );

/** Reads one; undefined when it is not there. Throws trouble, which lasts until a person mends it, for one that is no ticket. */
export function readTicketFile(folders: TicketFolders, number: number): FoundTicket | undefined {
  const path = filesIn(folders).get(number);
  const found = path === undefined ? undefined : readAt(path, number);
  if (found === undefined || dirname(found.path) === folders.own) return found;
  const vouched = vouchedIn(folders, number);
  const labels = found.ticket.labels.filter((label) => vouched.includes(label));
  return { ...found, ticket: { ...found.ticket, labels } };
}

const Vouched = z.array(z.string());
const vouchedPath = ({ own }: TicketFolders, number: number): string =>
  join(dirname(own), "vouched", `${number}.json`);

/**
 * Labels of a file in the repository that were set on this host. Whatever a pull or a checkout brings is somebody else's
 * word, and releases nothing.
 */
function vouchedIn(folders: TicketFolders, number: number): readonly string[] {
  const path = vouchedPath(folders, number);
  return existsSync(path) ? Vouched.parse(JSON.parse(readFileSync(path, "utf8"))) : [];
}

function vouch(folders: TicketFolders, number: number, change: Pick<OwnChange, "add" | "remove">): void {
  const before = vouchedIn(folders, number);
  const kept = before.filter((label) => !change.remove.includes(label));
  const path = vouchedPath(folders, number);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeWhole(path, JSON.stringify([...new Set([...kept, ...change.add])]));
}

function readAt(path: string, number: number): FoundTicket | undefined {
  try {
    const text = readFileSync(path, "utf8");
    const ticket = readTicket(text);
    if ("why" in ticket)
      throw new Trouble("ticket-file-wrong", `${path}:${ticket.line}: ${ticket.why}. Correct the file.`);
    return { number, path, ticket, changedAt: Math.round(statSync(path).mtimeMs) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

const tries = 5;

/** Puts our change into a file; begins anew when a person wrote to it meanwhile, so that nothing of theirs is lost. */
export function changeTicketFile(folders: TicketFolders, number: number, change: OwnChange): void {
  for (let left = tries; left > 0; left -= 1) {
    const path = filesIn(folders).get(number);
    if (path === undefined) return;
    if (dirname(path) !== folders.own) vouch(folders, number, change);
    const before = statOf(path);
    const text = readFileSync(path, "utf8");
    const changed = withChange(text, change);
    if (changed === text) return;
    const half = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
    writeFileSync(half, changed, { mode: statSync(path).mode & 0o777, flush: true });
    if (before !== undefined && statOf(path) === before) {
      renameSync(half, path);
      return;
    }
    unlinkSync(half);
  }
  throw new Trouble(
    "ticket-file-busy",
    `The file of ticket ${number} was written again and again meanwhile.`,
  );
}

function statOf(path: string): string | undefined {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(path);
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch {
    return undefined;
  }
}

/** What tells that something in the folders may have changed since. */
export const stampOf = (folders: TicketFolders): string =>
  [...filesIn(folders)]
    .map(([number, path]) => [number, path, statOf(path), statOf(vouchedPath(folders, number))].join(" "))
    .join("\n");

/** A number for a new ticket, for good. */
export const claimNumber = (folders: TicketFolders, records: Records): number =>
  records.claim([...filesIn(folders).keys()]);

/**
 * Makes the file of a ticket under the number that was claimed for it; one that is there already is left as it is.
 * Undefined where somebody else's file came to bear that number.
 */
export function newTicketFile(
  { folders, where }: { readonly folders: TicketFolders; readonly where: "own" | "repository" },
  number: number,
  ticket: Parameters<typeof newTicketText>[0],
): string | undefined {
  const folder = where === "repository" ? (folders.inRepo ?? folders.own) : folders.own;
  const link = folder === folders.own ? undefined : linkIn(folder);
  if (link !== undefined)
    throw new Trouble("ticket-folder-link", `${link} is no folder of its own but a link; take it away.`);
  const path = join(folder, fileNameOf(number, ticket.title));
  const found = filesIn(folders).get(number);
  if (found !== undefined) return found === path ? path : undefined;
  mkdirSync(folder, { recursive: true, mode: folder === folders.own ? 0o700 : 0o777 });
  if (folder !== folders.own) vouch(folders, number, { add: ticket.labels, remove: [] });
  // Whole from the start: the folder is watched.
  const half = join(folder, `.${basename(path)}.${process.pid}.part`);
  writeFileSync(half, newTicketText(ticket), { mode: folder === folders.own ? 0o600 : 0o666, flush: true });
  renameSync(half, path);
  return path;
}
