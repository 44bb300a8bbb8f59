/** Sums of what agents cost, by day: kept with every change of a session, and read in place of the sessions. */
import { all, one, run, type SqlValue, type Verb } from "../sql.ts";

const dayMs = 86_400_000;
const sums = [
  "usd",
  "guessed_usd",
  "input_tokens",
  "cached_tokens",
  "output_tokens",
  "sessions",
  "failed",
  "failed_usd",
] as const;
const columns = sums.join(", ");
const signed = sums.map((sum) => `? * sum(spent.${sum})`).join(", ");
const added = sums.map((sum) => `${sum} = ${sum} + excluded.${sum}`).join(", ");

/** Counts sessions in, or out again; undefined: all there are. */
function* book(sign: 1 | -1, keys: readonly string[] | undefined): Verb<void> {
  const which = keys === undefined ? "true" : "spent.key in (select value from json_each(?))";
  const args: readonly SqlValue[] = [
    ...sums.map(() => sign),
    ...(keys === undefined ? [] : [JSON.stringify(keys)]),
  ];
  yield* run(
    `insert into cost_day (day, repo, runtime, model, ${columns})
       select day, repo, runtime, model, ${signed} from spent where ${which} group by day, repo, runtime, model
       on conflict (day, repo, runtime, model) do update set ${added}`,
    ...args,
  );
  yield* run(
    `insert into cost_share (kind, day, repo, value, ${columns})
       select 'requester', day, repo, requester, ${signed} from spent where ${which} group by day, repo, requester
       on conflict (kind, day, repo, value) do update set ${added}`,
    ...args,
  );
  yield* run(
    `insert into cost_share (kind, day, repo, value, ${columns})
       select 'label', day, repo, coalesce(label, ''), ${signed}
         from spent left join ticket_label on ticket_label.ticket = spent.ticket where ${which} group by day, repo, label
       on conflict (kind, day, repo, value) do update set ${added}`,
    ...args,
  );
}

/** Changes something that the sums of these sessions depend on, and keeps the sums right. */
export function* recounted(keys: readonly string[], change: () => Verb<void>): Verb<void> {
  if (keys.length > 0) yield* book(-1, keys);
  yield* change();
  if (keys.length > 0) yield* book(1, keys);
}
/** The same for every session of a ticket: where it is built, who asked for it, its labels. */
export function* recountedTicket(ticket: string, change: () => Verb<void>): Verb<void> {
  const rows = yield* all<{ readonly key: string }>("select key from agent_session where ticket = ?", ticket);
  yield* recounted(
    rows.map(({ key }) => key),
    change,
  );
}
/** A session that is new is counted. */
export const countSession = (key: string): Verb<void> => book(1, [key]);

/** Makes all sums anew, from the sessions. */
export function* rebuildCosts(): Verb<void> {
  yield* run("delete from cost_day");
  yield* run("delete from cost_share");
  yield* book(1, undefined);
}

export const costKeys = [
  "day",
  "tenant",
  "repo",
  "runtime",
  "model",
  "label",
  "requester",
  "ticket",
] as const;
/** What costs are summed by. */
export type CostKey = (typeof costKeys)[number];
/** What is asked about. */
export interface CostSpan {
  /** First and last day, in days since 1970 (UTC). */
  readonly from: number;
  readonly to: number;
  /** Numbers of repositories; undefined: all. */
  readonly repos: readonly number[] | undefined;
}
export interface CostSum {
  /** Of a day its number; a name of everything else, empty where there is none. */
  readonly key: string | number;
  readonly usd: number;
  /** Of these, at a price that nobody told. */
  readonly guessedUsd: number;
  readonly inputTokens: number;
  /** Of the input, what came from a cache. */
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly sessions: number;
  /** Sessions that ended without what they were for, and what these cost. */
  readonly failed: number;
  readonly failedUsd: number;
}
const told = `sum(usd) as usd, sum(guessed_usd) as guessedUsd, sum(input_tokens) as inputTokens, sum(cached_tokens) as cachedTokens,
  sum(output_tokens) as outputTokens, sum(sessions) as sessions, sum(failed) as failed, sum(failed_usd) as failedUsd`;

const within = ({ from, to, repos }: CostSpan): readonly [string, readonly SqlValue[]] => [
  `day between ? and ?${repos === undefined ? "" : " and repo in (select value from json_each(?))"}`,
  [from, to, ...(repos === undefined ? [] : [JSON.stringify(repos)])],
];

/** What each thing is called in the tables, and where; of a repository its number, whose name is told afterwards. */
const places: Readonly<Record<Exclude<CostKey, "ticket">, { readonly from: string; readonly key: string }>> =
  {
    day: { from: "cost_day where", key: "day" },
    tenant: { from: "cost_day where", key: "repo" },
    repo: { from: "cost_day where", key: "repo" },
    runtime: { from: "cost_day where", key: "runtime" },
    model: { from: "cost_day where", key: "model" },
    label: { from: "cost_share where kind = 'label' and", key: "value" },
    requester: { from: "cost_share where kind = 'requester' and", key: "value" },
  };
const nameOf: Partial<Record<CostKey, string>> = {
  tenant: "coalesce((select owner from repo where id = part.key), '')",
  repo: "coalesce((select owner || '/' || name from repo where id = part.key), '')",
};
const columnsTold =
  "sum(usd) as usd, sum(guessedUsd) as guessedUsd, sum(inputTokens) as inputTokens, sum(cachedTokens) as cachedTokens, sum(outputTokens) as outputTokens, sum(sessions) as sessions, sum(failed) as failed, sum(failedUsd) as failedUsd";

/** Sums by one thing, the dearest first, of days the newest; at most so many. */
export function* costsBy(by: CostKey, span: CostSpan, limit: number): Verb<readonly CostSum[]> {
  if (by === "ticket") return yield* ticketCosts(span, limit);
  const [where, args] = within(span);
  const { from, key } = places[by];
  const parts = `select ${key} as key, ${told} from ${from} ${where} group by 1 having sum(sessions) > 0`;
  const name = nameOf[by];
  return yield* all<CostSum>(
    `${name === undefined ? parts : `select ${name} as key, ${columnsTold} from (${parts}) as part group by 1`}
       order by ${by === "day" ? "1 desc" : "2 desc, 1"} limit ?`,
    ...args,
    limit,
  );
}

/** Of tickets nothing is summed up: their sessions are. */
function* ticketCosts({ from, to, repos }: CostSpan, limit: number): Verb<readonly CostSum[]> {
  return yield* all<CostSum>(
    `select ticket.ref as key, sum(agent_session.usd) as usd, sum(iif(priced_by = 'guess', agent_session.usd, 0)) as guessedUsd,
         sum(input_tokens) as inputTokens, sum(cached_input_tokens) as cachedTokens, sum(output_tokens) as outputTokens,
         count(*) as sessions, count(iif(outcome <> 'done', 1, null)) as failed,
         sum(iif(outcome <> 'done', agent_session.usd, 0)) as failedUsd
       from agent_session join ticket on ticket.id = agent_session.ticket
       where started_at >= ? and started_at < ? ${repos === undefined ? "" : "and ticket.repo in (select value from json_each(?))"}
       group by ticket.id order by usd desc, 1 limit ?`,
    from * dayMs,
    (to + 1) * dayMs,
    ...(repos === undefined ? [] : [JSON.stringify(repos)]),
    limit,
  );
}

/** A part of what a day cost. */
export interface CostPart {
  readonly day: number;
  /** The runtime or the model. */
  readonly part: string;
  readonly usd: number;
}
/** What each day cost, by who worked. */
export function* costParts(by: "runtime" | "model", span: CostSpan): Verb<readonly CostPart[]> {
  const [where, args] = within(span);
  return yield* all<CostPart>(
    `select day, ${by} as part, sum(usd) as usd from cost_day where ${where} group by day, ${by}
       having sum(sessions) > 0 order by day, ${by}`,
    ...args,
  );
}

/** How many tickets were merged on these days. */
export function* mergedIn({ from, to, repos }: CostSpan): Verb<number> {
  const row = yield* one<{ readonly n: number }>(
    `select count(*) as n from ticket where active is null and since >= ? and since < ? and state = 'Done'
       ${repos === undefined ? "" : "and repo in (select value from json_each(?))"}`,
    from * dayMs,
    (to + 1) * dayMs,
    ...(repos === undefined ? [] : [JSON.stringify(repos)]),
  );
  return row?.n ?? 0;
}
