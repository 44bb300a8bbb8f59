/** Tickets in files of this host: the file says what people want, the record beside it what became of that. */
import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";
import type { Clock, IssueRef, Repo, TicketFacts, Tracker } from "../../ports.ts";
import { forgeTicketId } from "../../state-machine/ticket-id.ts";
import type { OwnChange, TicketText } from "./ticket-file.ts";
import {
  changeTicketFile,
  filesIn,
  claimNumber,
  newTicketFile,
  readTicketFile,
  type FoundTicket,
  type TicketFolders,
} from "./ticket-folder.ts";
import type { Records, TicketRecord } from "./records.ts";

/** What all parts of a local home share. */
export interface LocalDesk {
  readonly repo: Repo;
  readonly folders: TicketFolders;
  readonly records: Records;
  readonly clock: Pick<Clock, "now">;
  /** Login of whoever works at this host, who may do everything here. */
  readonly operator: string;
  /** Our own login. */
  readonly bot: string;
}

/** The tracker over the files. */
export function localTracker(desk: LocalDesk): Tracker {
  const { records, folders, repo } = desk;
  const find = ({ number }: IssueRef): FoundTicket | undefined => readTicketFile(folders, number);
  return {
    ticket: async (issue) => {
      const found = find(issue);
      return found && factsOf(desk, found);
    },
    changedSince: async (_repo, since) =>
      [...filesIn(folders).keys()]
        .flatMap((number) => readable(folders, number) ?? [])
        .filter(
          ({ ticket, changedAt }) =>
            changedAt >= since || (ticket.closed === undefined && ticket.labels.length > 0),
        )
        .map((found) => factsOf(desk, found))
        .toSorted((one, other) => one.updatedAt - other.updatedAt),
    // A line `Depends on #7` in the text is all there is.
    dependencies: async () => [],
    history: async ({ number }) => {
      const record = records.ticket(number);
      return record && { labels: record.history, textChangedAt: record.textChangedAt };
    },
    openIssue: async (_key, _repo, marker, { title, body }) => {
      const known = records
        .all()
        .find((record): record is TicketRecord => record.is === "ticket" && record.marker === marker);
      if (known !== undefined && !known.isMaking) return known.number;
      // On record before its file is there: whoever dies in between finds it again, and makes no second one.
      const begin = (): number => {
        const number = claimNumber(folders, records);
        records.keep({ ...newRecord(number), marker, isMaking: true });
        return number;
      };
      const ticket = { title, body, labels: [], author: desk.bot, createdAt: desk.clock.now() };
      let number = known?.number ?? begin();
      while (newTicketFile({ folders, where: "own" }, number, ticket) === undefined) {
        // Somebody else's file came to bear it meanwhile: that one is not ours to be found by.
        const { marker: _ours, ...theirs } = records.ticket(number) ?? newRecord(number);
        records.keep({ ...theirs, isMaking: false });
        number = begin();
      }
      records.keep({ ...(records.ticket(number) ?? newRecord(number)), marker, isMaking: false });
      return number;
    },
    move: async (_key, { number }, to) => {
      const closed = to === "Done" ? "completed" : to === "Cancelled" ? "declined" : "open";
      const now = readTicketFile(folders, number)?.ticket.closed ?? "open";
      if (now !== closed) writeOwn(desk, number, { add: [], remove: [], closed });
    },
    setLabels: async (_key, { number }, { add, remove }) => {
      const labels = find({ repo, number })?.ticket.labels ?? [];
      const isSet = add.every((label) => labels.includes(label));
      if (
        !isSet ||
        labels.some((label) => remove.some((one) => one === label) && !add.some((one) => one === label))
      )
        writeOwn(desk, number, { add, remove });
    },
  };
}

/** One that cannot be read keeps nothing from the others; whoever asks for it alone is told. */
export function readable(folders: TicketFolders, number: number): FoundTicket | undefined {
  try {
    return readTicketFile(folders, number);
  } catch {
    return undefined;
  }
}

export function factsOf(
  { repo, operator }: LocalDesk,
  { number, path, ticket, changedAt }: FoundTicket,
): TicketFacts {
  return {
    id: forgeTicketId(repo, number),
    ref: `${repo.owner}/${repo.name}#${number}`,
    number,
    title: ticket.title,
    body: ticket.body,
    open: ticket.closed === undefined,
    declined: ticket.closed === "declined",
    labels: ticket.labels,
    author: ticket.author ?? operator,
    url: pathToFileURL(path).href,
    updatedAt: changedAt,
  };
}

export const newRecord = (number: number): TicketRecord => ({
  is: "ticket",
  number,
  revision: 0,
  history: [],
  isGone: false,
  isMaking: false,
  comments: [],
  reactions: [],
});

/** What of a file is told of when it changes. */
export const seenIn = ({ title, body, labels, closed }: TicketText) => ({
  spec: createHash("sha256")
    .update(JSON.stringify([title, body]))
    .digest("hex"),
  labels: [...labels],
  ...(closed === undefined ? {} : { closed }),
});

/**
 * A change of ours: written down as intended, then made, then as seen. Whoever dies in between finishes it before the
 * file is compared with what was seen, so that what we wrote is never taken for a person's word.
 */
function writeOwn(desk: LocalDesk, number: number, change: OwnChange): void {
  const record = settled(desk, desk.records.ticket(number) ?? newRecord(number));
  const { add, remove, closed } = change;
  const intent = { add: [...add], remove: [...remove], ...(closed === undefined ? {} : { closed }) };
  desk.records.keep({ ...record, intent });
  settled(desk, { ...record, intent });
}

/** The record once no change of ours is half made. */
export function settled(desk: LocalDesk, record: TicketRecord): TicketRecord {
  const { intent, ...rest } = record;
  if (intent === undefined) return record;
  changeTicketFile(desk.folders, record.number, intent);
  const at = desk.clock.now();
  const before = record.seen?.labels ?? [];
  const said = (label: string, is: "set" | "removed") => ({ label, is, by: desk.bot, at });
  const done: TicketRecord = {
    ...rest,
    history: [
      ...record.history,
      ...intent.add.filter((label) => !before.includes(label)).map((label) => said(label, "set")),
      ...intent.remove
        .filter((label) => record.seen === undefined || before.includes(label))
        .map((label) => said(label, "removed")),
    ],
    ...(record.seen === undefined ? {} : { seen: seenAfter(record.seen, intent) }),
  };
  desk.records.keep(done);
  return done;
}

function seenAfter(
  seen: NonNullable<TicketRecord["seen"]>,
  change: OwnChange,
): NonNullable<TicketRecord["seen"]> {
  const { closed: before, ...rest } = seen;
  const closed = change.closed === undefined ? before : change.closed === "open" ? undefined : change.closed;
  return {
    ...rest,
    labels: [
      ...seen.labels.filter((label) => !change.remove.includes(label) || change.add.includes(label)),
      ...change.add.filter((label) => !seen.labels.includes(label)),
    ],
    ...(closed === undefined ? {} : { closed }),
  };
}
