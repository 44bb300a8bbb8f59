import { all, one, run, type Verb } from "../sql.ts";

export interface Setting {
  readonly key: string;
  readonly value: string;
  readonly actor: string;
  readonly at: number;
}
/** A durable switch or mark (`halt-all`, `walked-deliveries`), with who set it and when. */
export function* setting(key: string): Verb<Setting | undefined> {
  return yield* one<Setting>("select key, value, actor, at from setting where key = ?", key);
}
/** All whose keys begin so; a prefix ends in a colon. */
export function* settingsLike(prefix: string): Verb<readonly Setting[]> {
  // The next character after the colon bounds them, so that the index finds them.
  const end = `${prefix.slice(0, -1)};`;
  return yield* all<Setting>(
    "select key, value, actor, at from setting where key >= ? and key < ? order by key",
    prefix,
    end,
  );
}
export function* set(key: string, value: string, actor: string, now: number): Verb<void> {
  yield* run(
    "insert into setting (key, value, actor, at) values (?, ?, ?, ?) on conflict (key) do update set value = excluded.value, actor = excluded.actor, at = excluded.at",
    key,
    value,
    actor,
    now,
  );
}
/**
 * Halts everything because of one issue: `halt-all` is there while any issue halts, and names the one that has
 * halted longest. Each has a row of its own, so that no issue lifts what another says.
 */
export function* raiseHalt(
  issue: { readonly id: string; readonly ref: string },
  actor: string,
  now: number,
): Verb<void> {
  yield* run(
    "insert into setting (key, value, actor, at) values (?, ?, ?, ?) on conflict (key) do nothing",
    `halt-all:${issue.id}`,
    issue.ref,
    actor,
    now,
  );
  yield* sumUpHalts();
}
/** An issue halts no more; nor does one whose repository is gone, where nobody could take a label off. */
export function* liftHalt(issue: string): Verb<void> {
  yield* run("delete from setting where key = ?", `halt-all:${issue}`);
  yield* run(
    `delete from setting where key like 'halt-all:%' and (
       exists (select 1 from repo where removed_at is not null and setting.key like 'halt-all:github:' || repo.id || '#%')
       or exists (select 1 from ticket join repo on repo.id = ticket.repo
                  where repo.removed_at is not null and setting.key = 'halt-all:' || ticket.id))`,
  );
  yield* sumUpHalts();
}
function* sumUpHalts(): Verb<void> {
  yield* run("delete from setting where key = 'halt-all'");
  yield* run(
    "insert into setting (key, value, actor, at) select 'halt-all', value, actor, at from setting where key like 'halt-all:%' order by at, key limit 1",
  );
}

export function* recall(key: string): Verb<string | undefined> {
  return (yield* one<{ value: string }>("select value from remembered where key = ?", key))?.value;
}
export function* remember(key: string, value: string): Verb<void> {
  yield* run(
    "insert into remembered (key, value) values (?, ?) on conflict (key) do update set value = excluded.value",
    key,
    value,
  );
}

export interface Timer {
  readonly id: string;
  readonly ticket: string;
  readonly name: string;
  /** JSON text. */
  readonly body: string;
  readonly dueAt: number;
}
/** One timer per id; setting it again moves it. */
export function* setTimer(timer: Timer): Verb<void> {
  yield* run(
    "insert into timer (id, ticket, name, body, due_at) values (?, ?, ?, ?, ?) on conflict (id) do update set body = excluded.body, due_at = excluded.due_at",
    timer.id,
    timer.ticket,
    timer.name,
    timer.body,
    timer.dueAt,
  );
}
/** Moves what is due into the inbox; each fires once. */
export function* fireTimers(now: number): Verb<number> {
  const due = yield* all<Timer>(
    "select id, ticket, name, body, due_at as dueAt from due where due_at <= ?",
    now,
  );
  yield* run("delete from timer where due_at <= ?", now);
  yield* run("update reservation set due_at = null where due_at <= ?", now);
  for (const timer of due) {
    yield* run(
      "insert into inbox (id, source, name, ticket, body, received_at) values (?, 'timer', ?, ?, ?, ?) on conflict (id) do nothing",
      `timer:${timer.id}:${timer.dueAt}`,
      timer.name,
      timer.ticket,
      timer.body,
      now,
    );
  }
  return due.length;
}
export function* nextTimer(): Verb<number | undefined> {
  return (
    (yield* one<{ due: number | null }>(
      "select min(due_at) as due from (select min(due_at) as due_at from timer union all select min(due_at) from reservation)",
    ))?.due ?? undefined
  );
}
/** Tickets that a timer of this name is running for. */
export function* ticketsWithTimer(name: string): Verb<ReadonlySet<string>> {
  const rows = yield* all<{ ticket: string }>("select ticket from timer where name = ?", name);
  return new Set(rows.map((row) => row.ticket));
}
export function* timersOf(ticket: string): Verb<readonly Timer[]> {
  return yield* all<Timer>(
    "select id, ticket, name, body, due_at as dueAt from due where ticket = ? order by due_at",
    ticket,
  );
}
