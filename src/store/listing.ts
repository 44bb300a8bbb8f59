/** Tickets and lines of the ledger for whoever reads all of them: by key, in pages, by index. */
import { all, one, type SqlValue, type Verb } from "../sql.ts";
import type { State, TicketId } from "../state-machine/ticket.ts";
import { openStates } from "./tickets.ts";

/** One page looks at no more rows than this, however few of them are wanted. */
export const lookedAt = 1_000;

/** A list as far as it goes on one page, and where the next begins; undefined: that was all. */
export interface Listed<Item, Key> {
  readonly items: readonly Item[];
  readonly next: Key | undefined;
}

export interface ListedTicket {
  readonly id: TicketId;
  readonly repo: number;
  readonly number: number;
  readonly ref: string;
  readonly title: string;
  readonly url: string;
  readonly author: string;
  readonly branch: string;
  readonly state: State;
  readonly version: number;
  readonly pull: number | null;
  readonly head: string | null;
  readonly priority: number | null;
  readonly since: number;
  readonly updatedAt: number;
}
const ticketColumns =
  "id, repo, number, ref, title, url, author, branch, state, version, pull, head, priority, since, updated_at as updatedAt";

export interface TicketsWanted {
  /** Undefined: of all. */
  readonly repos: readonly number[] | undefined;
  /** Undefined: in any. */
  readonly states: readonly State[] | undefined;
  /** Id of the ticket that the page before ended with. */
  readonly after: TicketId | undefined;
  readonly limit: number;
}

/** By repository, number and id; undefined when there is no such ticket among them to begin after. */
export function* listTickets(wanted: TicketsWanted): Verb<Listed<ListedTicket, TicketId> | undefined> {
  const { repos, states, after, limit } = wanted;
  let place: Place = { id: "", repo: -1, number: -1 };
  if (after !== undefined) {
    const found = yield* one<Place>("select id, repo, number from ticket where id = ?", after);
    if (found === undefined || repos?.includes(found.repo) === false) return undefined;
    place = found;
  }
  const areOpen = states?.every((state) => openStates.includes(state)) === true;
  const looked = areOpen ? yield* openAfter(place, wanted) : yield* anyAfter(place, wanted);
  const items = looked.filter(({ state }) => states?.includes(state) !== false).slice(0, limit);
  const last = items.length === limit ? items.at(-1) : looked.at(-1);
  const isAll = looked.length < lookedAt && last?.id === looked.at(-1)?.id;
  return { items, next: isAll ? undefined : last?.id };
}
type Place = Pick<ListedTicket, "id" | "repo" | "number">;

/** Few tickets are open, whatever has piled up behind them. */
function* openAfter({ repo, number, id }: Place, { repos }: TicketsWanted): Verb<readonly ListedTicket[]> {
  return yield* all<ListedTicket>(
    `select ${ticketColumns} from ticket indexed by ticket_open
     where active is not null and (repo, number, id) > (?, ?, ?) ${repos === undefined ? "" : "and repo in (select value from json_each(?))"}
     order by repo, number, id limit ?`,
    repo,
    number,
    id,
    ...(repos === undefined ? [] : [JSON.stringify(repos)]),
    lookedAt,
  );
}

function* anyAfter({ repo, number, id }: Place, { repos }: TicketsWanted): Verb<readonly ListedTicket[]> {
  if (repos === undefined)
    return yield* all<ListedTicket>(
      `select ${ticketColumns} from ticket where (repo, number, id) > (?, ?, ?) order by repo, number, id limit ?`,
      repo,
      number,
      id,
      lookedAt,
    );
  const found: ListedTicket[] = [];
  // One by one, so that each is a stretch of the index and none of them is sorted.
  for (const one of repos.filter((seen) => seen >= repo).toSorted((a, b) => a - b)) {
    const isFirst = one === repo;
    found.push(
      ...(yield* all<ListedTicket>(
        `select ${ticketColumns} from ticket where repo = ? and (number, id) > (?, ?) order by number, id limit ?`,
        one,
        isFirst ? number : -1,
        isFirst ? id : "",
        lookedAt - found.length,
      )),
    );
    if (found.length >= lookedAt) break;
  }
  return found;
}

export interface ListedLine {
  readonly seq: number;
  readonly ticket: TicketId;
  readonly ref: string;
  readonly repo: number;
  readonly version: number;
  readonly at: number;
  readonly actor: string;
  readonly permission: string | null;
  /** JSON text. */
  readonly event: string;
  readonly row: string;
  readonly from: State;
  readonly to: State;
  readonly hash: string;
}
export interface LinesWanted {
  /** Of these repositories; undefined: of all. */
  readonly repos: readonly number[] | undefined;
  /** Of this ticket alone. */
  readonly ticket: TicketId | undefined;
  readonly after: number;
  readonly limit: number;
}
const lineColumns = `l.seq, l.ticket, coalesce(t.ref, l.ticket) as ref, coalesce(t.repo, 0) as repo, l.version, l.at, l.actor, l.permission, l.event, l.row,
  l.from_state as "from", l.to_state as "to", l.hash`;

export interface ListedLines {
  readonly items: readonly ListedLine[];
  /** As far as was looked: whoever goes on goes on behind this. */
  readonly upTo: number;
  readonly isAll: boolean;
}

/** Lines after this one, oldest first. */
export function* listLines(wanted: LinesWanted): Verb<ListedLines> {
  const { repos, ticket, after, limit } = wanted;
  const ofRepos = repos === undefined ? "" : "and t.repo in (select value from json_each(?))";
  const reposArg: readonly SqlValue[] = repos === undefined ? [] : [JSON.stringify(repos)];
  const end = (yield* one<{ readonly seq: number | null }>("select max(seq) as seq from ledger"))?.seq ?? 0;
  // Those of one ticket lie together in an index; of all others a stretch of the ledger is looked at.
  const stretch = ticket === undefined ? Math.min(end, after + lookedAt) : end;
  const items = yield* all<ListedLine>(
    ticket === undefined
      ? `select ${lineColumns} from ledger as l left join ticket as t on t.id = l.ticket
         where l.seq > ? and l.seq <= ? ${ofRepos} order by l.seq limit ?`
      : `select ${lineColumns} from ledger as l left join ticket as t on t.id = l.ticket
         where l.ticket = ? and l.seq > ? ${ofRepos} order by l.seq limit ?`,
    ...(ticket === undefined ? [after, stretch] : [ticket, after]),
    ...reposArg,
    limit,
  );
  const upTo = items.length === limit ? (items.at(-1)?.seq ?? stretch) : Math.max(after, stretch);
  return { items, upTo, isAll: upTo >= end };
}
