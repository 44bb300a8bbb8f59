/** What orders under a key of their giver's were answered: asked again, they are answered the same and leave nothing more. */
import { one, run, type Verb } from "../sql.ts";
import { sayHalt } from "./halts.ts";
import type { NewItem } from "./inbox.ts";
import { takeOrder, type Taken } from "./page-orders.ts";

/** As long as anybody repeats a request that was refused. What was taken is kept: it must be done once for ever. */
const keptMs = 24 * 60 * 60_000;

export interface KeptAnswer {
  /** Of who asked and their key. */
  readonly id: string;
  /** What was asked, to tell a repeat from another order under the same key. */
  readonly asked: string;
  /** JSON text. */
  readonly answer: string;
  readonly at: number;
}
export function* keptAnswer(id: string): Verb<KeptAnswer | undefined> {
  return yield* one<KeptAnswer>("select id, asked, answer, at from kept_answer where id = ?", id);
}

/** Keeps an answer, unless one is kept under that name; answers the one that is. */
export function* answerOnce(given: KeptAnswer): Verb<KeptAnswer> {
  const kept = yield* keptAnswer(given.id);
  if (kept !== undefined) return kept;
  yield* run("delete from kept_answer where at < ? and answer ->> 'is' <> 'taken'", given.at - keptMs);
  yield* run(
    "insert into kept_answer (id, asked, answer, at) values (?, ?, ?, ?)",
    given.id,
    given.asked,
    given.answer,
    given.at,
  );
  return given;
}

/** What was begun has ended so. */
export function* changeAnswer(id: string, answer: string): Verb<void> {
  yield* run("update kept_answer set answer = ? where id = ?", answer, id);
}
export function* dropAnswer(id: string): Verb<void> {
  yield* run("delete from kept_answer where id = ?", id);
}

/** Puts an order in and keeps what it is answered, in one step; one whose answer is kept lies there already. */
export function* takeOrderOnce(
  given: KeptAnswer,
  items: readonly NewItem[],
  { ticket, seen }: { readonly ticket: string; readonly seen: number },
): Verb<Taken> {
  if ((yield* keptAnswer(given.id)) !== undefined) return { is: "stored" };
  const taken = yield* takeOrder(ticket, items, seen);
  if (taken.is === "stored") yield* answerOnce(given);
  return taken;
}

export function* sayHaltOnce(given: KeptAnswer, ...[item, says]: Parameters<typeof sayHalt>): Verb<void> {
  if ((yield* keptAnswer(given.id)) !== undefined) return;
  yield* sayHalt(item, says);
  yield* answerOnce(given);
}
