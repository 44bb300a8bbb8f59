import { all, one, run, type Verb } from "../sql.ts";
import { receive, type NewItem } from "./inbox.ts";
import type { Setting } from "./settings.ts";

/** Everything, by whoever says so; and single repositories. */
export interface Halts {
  readonly everything: readonly Setting[];
  readonly repos: readonly (Setting & { readonly repo: number })[];
}
export function* halts(): Verb<Halts> {
  const everything = yield* all<Setting>(
    "select key, value, actor, at from setting where key like 'halt-all:%' order by at, key",
  );
  const repos = yield* all<Setting>(
    "select key, value, actor, at from setting where key like 'halt-repo:%' order by at, key",
  );
  return {
    everything,
    repos: repos.map((row) => ({ ...row, repo: Number(row.key.slice("halt-repo:".length)) })),
  };
}

/** Nothing of this repository begins, is sent or pushed until an operator lifts it. */
export function* haltRepo(
  repo: { readonly id: number; readonly ref: string },
  actor: string,
  now: number,
): Verb<void> {
  yield* run(
    "insert into setting (key, value, actor, at) values (?, ?, ?, ?) on conflict (key) do nothing",
    `halt-repo:${repo.id}`,
    repo.ref,
    actor,
    now,
  );
}
/** Answers whether there was one. */
export function* liftRepoHalt(repo: number): Verb<boolean> {
  const there = yield* one("select 1 from setting where key = ?", `halt-repo:${repo}`);
  yield* run("delete from setting where key = ?", `halt-repo:${repo}`);
  return there !== undefined;
}

/** Who halted a ticket: people by a label or in a session, or an operator. Each lifts only their own. */
export type Halter = "operator" | "people";
const markOf = (ticket: string, by: Halter): string => `halt:${ticket}/${by}`;

export function* haltersOf(ticket: string): Verb<readonly (Setting & { readonly by: Halter })[]> {
  const found: (Setting & { readonly by: Halter })[] = [];
  for (const by of ["operator", "people"] as const) {
    const row = yield* one<Setting>(
      "select key, value, actor, at from setting where key = ?",
      markOf(ticket, by),
    );
    if (row !== undefined) found.push({ ...row, by });
  }
  return found;
}
export function* markHalt(ticket: string, by: Halter, actor: string, now: number): Verb<void> {
  yield* run(
    "insert into setting (key, value, actor, at) values (?, ?, ?, ?) on conflict (key) do nothing",
    markOf(ticket, by),
    ticket,
    actor,
    now,
  );
}
export function* unmarkHalt(ticket: string, by: Halter): Verb<void> {
  yield* run("delete from setting where key = ?", markOf(ticket, by));
}

/** What an operator says of a ticket's halt: the mark holds from now on, the item is read by whoever serves, or will. */
export function* sayHalt(
  item: NewItem & { readonly ticket: string },
  says: { readonly is: "raised" | "lifted"; readonly actor: string },
): Verb<void> {
  if (says.is === "raised") yield* markHalt(item.ticket, "operator", says.actor, item.receivedAt);
  else yield* unmarkHalt(item.ticket, "operator");
  yield* receive(item);
}
