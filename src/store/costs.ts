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
const added = sums.map((sum) => `${sum} = ${sum} + excluded.${sum}`).join(", ");

/** Counts sessions in, or out again; undefined: all there are. Read once for all rows that they are counted in. */
function* book(sign: 1 | -1, keys: readonly string[] | undefined): Verb<void> {
  const counted = `with counted as materialized (
      select ticket, day, repo, requester, runtime, model, ${sums.map((sum) => `${sign} * ${sum} as ${sum}`).join(", ")}
        from spent where ${keys === undefined ? "true" : "key in (select value from json_each(?))"})`;
  const args: readonly SqlValue[] = keys === undefined ? [] : [JSON.stringify(keys)];
  yield* run(
    `${counted} insert into cost_day (day, repo, runtime, model, ${columns})
       select day, repo, runtime, model, ${columns} from counted where true
       on conflict (day, repo, runtime, model) do update set ${added}`,
    ...args,
  );
  const parts = Object.entries(shares).map(
    ([kind, { from = "counted", day = "day", repo = "repo", value }]) =>
      `select '${kind}', ${day}, ${repo}, ${value}, ${columns} from ${from} where true`,
  );
  yield* run(
    `${counted} insert into cost_share (kind, day, repo, value, ${columns}) ${parts.join(" union all ")}
       on conflict (kind, day, repo, value) do update set ${added}`,
    ...args,
  );
}
/** What a long span is summed up by, where it holds one whole: days since 1970, from a multiple of this on. */
const stretchDays = 32;
const stretch = `day - day % ${stretchDays}`;
/** Stands for all repositories together. */
const everywhere = "-1";
const labelled = "counted left join ticket_label on ticket_label.ticket = counted.ticket";
/** What is summed up besides, so that a page of a year reads thousands of rows and not each of them. */
const shares: Readonly<
  Record<
    string,
    { readonly from?: string; readonly day?: string; readonly repo?: string; readonly value: string }
  >
> = {
  requester: { value: "requester" },
  "requester, long": { day: stretch, value: "requester" },
  label: { from: labelled, value: "coalesce(label, '')" },
  "label, long": { from: labelled, day: stretch, value: "coalesce(label, '')" },
  "repo, long": { day: stretch, value: "''" },
  ticket: { value: "counted.ticket" },
  "ticket, whole": { day: "0", value: "counted.ticket" },
  runtime: { repo: everywhere, value: "runtime" },
  model: { repo: everywhere, value: "model" },
};

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

type Part = readonly [where: string, args: readonly SqlValue[]];
const within = ({ from, to, repos }: CostSpan): Part => [
  `day between ? and ?${repos === undefined ? "" : " and repo in (select value from json_each(?))"}`,
  [from, to, ...(repos === undefined ? [] : [JSON.stringify(repos)])],
];
const share = (kind: string, span: CostSpan): Part => {
  const [where, args] = within(span);
  return [`cost_share where kind = '${kind}' and ${where}`, args];
};

/** Rows that make up a span: those of its whole stretches, and of the days before and behind. */
function partsOf(span: CostSpan, days: (span: CostSpan) => Part, long: string): readonly Part[] {
  const first = Math.ceil(span.from / stretchDays) * stretchDays;
  const end = Math.floor((span.to + 1) / stretchDays) * stretchDays;
  if (end <= first) return [days(span)];
  return [
    days({ ...span, to: first - 1 }),
    share(long, { ...span, from: first, to: end - 1 }),
    days({ ...span, from: end }),
  ];
}

/** Where sums by this lie, and what it is called there; of a repository its number, whose name is told afterwards. */
function placeOf(by: CostKey, span: CostSpan): { readonly key: string; readonly parts: readonly Part[] } {
  const days = (some: CostSpan): Part => {
    const [where, args] = within(some);
    return [`cost_day where ${where}`, args];
  };
  if (by === "tenant" || by === "repo") return { key: "repo", parts: partsOf(span, days, "repo, long") };
  if (by === "label" || by === "requester")
    return { key: "value", parts: partsOf(span, (some) => share(by, some), `${by}, long`) };
  if (by === "ticket") return { key: "value", parts: [share("ticket", span)] };
  if (span.repos !== undefined) return { key: by, parts: [days(span)] };
  // Of all repositories there are sums of each day.
  return by === "day"
    ? { key: "day", parts: [share("runtime", span)] }
    : { key: "value", parts: [share(by, span)] };
}
const nameOf: Partial<Record<CostKey, string>> = {
  tenant: "coalesce((select owner from repo where id = part.key), '')",
  repo: "coalesce((select owner || '/' || name from repo where id = part.key), '')",
  ticket: "coalesce((select ref from ticket where id = part.key), part.key)",
};
const sumNames = "usd, guessedUsd, inputTokens, cachedTokens, outputTokens, sessions, failed, failedUsd";
const columnsTold =
  "sum(usd) as usd, sum(guessedUsd) as guessedUsd, sum(inputTokens) as inputTokens, sum(cachedTokens) as cachedTokens, sum(outputTokens) as outputTokens, sum(sessions) as sessions, sum(failed) as failed, sum(failedUsd) as failedUsd";

/** Sums by one thing, the dearest first, of days the newest; at most so many. */
export function* costsBy(by: CostKey, span: CostSpan, limit: number): Verb<readonly CostSum[]> {
  const isLong = by === "ticket" && span.to - span.from > fewDays && limit < atOnce;
  const dearest = isLong ? yield* dearestOf(span, limit) : undefined;
  if (dearest !== undefined) return dearest;
  const { key, parts } = placeOf(by, span);
  const rows = parts.map(([where]) => `select ${key} as key, ${columns} from ${where}`).join(" union all ");
  const order = `order by ${by === "day" ? "1 desc" : "2 desc, 1"}`;
  const summed = `select key, ${told} from (${rows}) group by 1 having sum(sessions) > 0`;
  const name = nameOf[by];
  return yield* all<CostSum>(
    name === undefined
      ? `${summed} ${order} limit ?`
      : by === "ticket"
        ? `select ${name} as key, ${sumNames} from (${summed} ${order} limit ?) as part ${order}`
        : `select ${name} as key, ${columnsTold} from (${summed}) as part group by 1 ${order} limit ?`,
    ...parts.flatMap(([, args]) => args),
    limit,
  );
}

/** Sorting the tickets of more days takes longer than finding the dearest among those of all time. */
const fewDays = 60;
const atOnce = 250;
const mostDear = 5_000;

/**
 * The dearest tickets of a span, among those that were the dearest ever: what comes after them in that order cost no more
 * in any span. Undefined where that would take long.
 */
function* dearestOf(span: CostSpan, limit: number): Verb<readonly CostSum[] | undefined> {
  const { from, to, repos } = span;
  let found: readonly CostSum[] = [];
  let last = { usd: Number.MAX_VALUE, repo: -1, id: "" };
  for (let looked = 0; looked < mostDear; looked += atOnce) {
    const next = yield* all<typeof last>(
      `select usd, repo, value as id from cost_share indexed by cost_dear where kind = 'ticket, whole' and sessions > 0
         and usd <= ? and (-usd, repo, value) > (?, ?, ?) ${repos === undefined ? "" : "and repo in (select value from json_each(?))"}
         order by usd desc, repo, value limit ${atOnce}`,
      last.usd,
      -last.usd,
      last.repo,
      last.id,
      ...(repos === undefined ? [] : [JSON.stringify(repos)]),
    );
    const sums = yield* all<CostSum>(
      `select coalesce((select ref from ticket where id = ticket), ticket) as key, ${told} from spent
         where ticket in (select value from json_each(?)) and day between ? and ? group by ticket`,
      JSON.stringify(next.map(({ id }) => id)),
      from,
      to,
    );
    found = [...found, ...sums].toSorted((a, b) => b.usd - a.usd || (a.key < b.key ? -1 : 1)).slice(0, limit);
    last = next.at(-1) ?? last;
    const isFull = found.length === limit && (found.at(-1)?.usd ?? 0) > last.usd;
    if (isFull || next.length < atOnce) return found;
  }
  return undefined;
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
  const { key, parts } = placeOf(by, span);
  const [where, args] = parts[0] ?? within(span);
  return yield* all<CostPart>(
    `select day, ${key} as part, sum(usd) as usd from ${where} group by day, ${key}
       having sum(sessions) > 0 order by day, ${key}`,
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
