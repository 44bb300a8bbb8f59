import { all, run, type Verb } from "../sql.ts";

/** What somebody did to this host or a repository, and not to a ticket: those are in the ledger. */
export interface Deed {
  readonly at: number;
  /** As the ledger names them: `operator:ada`. */
  readonly actor: string;
  /** Where they did it: `dashboard`. */
  readonly surface: string;
  /** In two words: `breaker reset`. */
  readonly what: string;
  /** A runtime, a repository, a delivery, a day. */
  readonly about: string;
  readonly note: string;
}
export interface KeptDeed extends Deed {
  readonly seq: number;
}

export function* noteDeed({ at, actor, surface, what, about, note }: Deed): Verb<void> {
  yield* run(
    "insert into deed (at, actor, surface, what, about, note) values (?, ?, ?, ?, ?, ?)",
    at,
    actor,
    surface,
    what,
    about,
    note,
  );
}

/** Newest first, before this number. */
export function* deeds(before: number, limit: number): Verb<readonly KeptDeed[]> {
  return yield* all<KeptDeed>(
    "select seq, at, actor, surface, what, about, note from deed where seq < ? order by seq desc limit ?",
    before,
    limit,
  );
}
