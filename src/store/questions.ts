import type { Ask, CommentRef } from "../state-machine/event.ts";
import { all, run, type Verb } from "../sql.ts";

/** A question that waits for an agent's answer. */
export interface Waiting {
  readonly key: string;
  readonly ticket: string;
  readonly comment: CommentRef;
  readonly ask: Extract<Ask, { readonly about: "question" }>;
}

const prefix = "question:";

/** Names a question for ever. */
export const questionKey = (ticket: string, { kind, id }: CommentRef): string => `${ticket}/${kind}-${id}`;

/** Keeps a question until it is answered; asking it again changes nothing. */
export function* askLater(waiting: Waiting, now: number): Verb<void> {
  yield* run(
    "insert into setting (key, value, actor, at) values (?, ?, ?, ?) on conflict (key) do nothing",
    prefix + waiting.key,
    JSON.stringify(waiting),
    waiting.ask.by,
    now,
  );
}

/** Oldest first. */
export function* questionsWaiting(): Verb<readonly Waiting[]> {
  const rows = yield* all<{ value: string }>(
    "select value from setting where key >= ? and key < ? order by at, key",
    prefix,
    "question;",
  );
  return rows.map(({ value }) => JSON.parse(value) as Waiting);
}

export function* questionAnswered(key: string): Verb<void> {
  yield* run("delete from setting where key = ?", prefix + key);
}
