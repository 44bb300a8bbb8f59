/** Totals for graphs, and what stands right now; every read is by an index or of what is small. */
import { all, change, one, run, type Verb } from "../sql.ts";
import { keepPosition, type Position } from "./follow.ts";

/** One number that only grows. */
export interface Tally {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
interface TallyRow {
  readonly metric: string;
  readonly labels: string;
  readonly value: number;
}

export function* tallies(): Verb<readonly Tally[]> {
  const rows = yield* all<TallyRow>("select metric, labels, value from tally");
  return rows.map((row) => ({ ...row, labels: JSON.parse(row.labels) as Record<string, string> }));
}
/** Adds up, and keeps how far was counted, at once: nothing is ever counted twice. */
export function* addTallies(follower: string, added: readonly Tally[], position: Position): Verb<void> {
  for (const { metric, labels, value } of added) {
    const key = JSON.stringify(labels);
    const known = yield* change(
      "update tally set value = value + ? where metric = ? and labels = ?",
      value,
      metric,
      key,
    );
    if (known === 0)
      yield* run("insert into tally (metric, labels, value) values (?, ?, ?)", metric, key, value);
  }
  yield* keepPosition(follower, position);
}

interface Counted {
  readonly name: string;
  readonly n: number;
}
/** What stands at this moment. */
export interface Standing {
  readonly tickets: readonly Counted[];
  readonly inboxWaiting: number;
  readonly inboxParked: number;
  /** When the oldest unread item came; undefined when all is read. */
  readonly oldestItemAt: number | undefined;
  readonly outbox: readonly Counted[];
  /** Since when the effect is due that has waited longest; undefined when nothing is due. */
  readonly oldestDueAt: number | undefined;
  readonly runs: readonly Counted[];
  readonly runtimes: readonly {
    readonly runtime: string;
    readonly failures: number;
    readonly downUntil: number;
  }[];
  readonly halts: readonly Counted[];
}

export function* standing(now: number): Verb<Standing> {
  const inbox = yield* one<{ waiting: number; parked: number; oldest: number | null }>(
    `select (select count(*) from inbox where state = 'new') as waiting,
       (select count(*) from inbox where lane is not null and state = 'parked') as parked,
       (select received_at from inbox where state = 'new' order by seq limit 1) as oldest`,
  );
  const due = yield* one<{ at: number | null }>(
    "select min(max(due_at, created_at)) as at from outbox where due_at <= ?",
    now,
  );
  return {
    tickets: yield* all<Counted>(
      "select state as name, count(*) as n from ticket where active is not null group by state",
    ),
    inboxWaiting: inbox?.waiting ?? 0,
    inboxParked: inbox?.parked ?? 0,
    oldestItemAt: inbox?.oldest ?? undefined,
    outbox: yield* all<Counted>("select type as name, count(*) as n from outbox group by type"),
    oldestDueAt: due?.at ?? undefined,
    runs: yield* all<Counted>(
      "select status as name, count(*) as n from run where status in ('ready', 'running', 'waiting', 'paused') group by status",
    ),
    runtimes: yield* all("select runtime, failures, down_until as downUntil from runtime_trouble"),
    halts: yield* all<Counted>(
      `select case when key like 'halt-all:%' then 'everything' when key like 'halt-repo:%' then 'repository' else 'ticket' end as name, count(*) as n
         from setting where key >= 'halt' and key < 'halu' and key <> 'halt-all' group by 1`,
    ),
  };
}
