/** What orders under a key of their giver's were answered: asked again, they are answered the same and leave nothing more. */
import { one, run, type Verb } from "../sql.ts";
import { sayHalt } from "./halts.ts";
import { receive, type NewItem } from "./inbox.ts";

/** As long as anybody repeats a request whose answer was lost. What lies in the inbox has the same name for ever. */
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
/** What an order leaves behind besides its answer. */
export interface Leaving {
  readonly item: NewItem;
  /** It is a halt, or lifts one. */
  readonly halt?: { readonly is: "raised" | "lifted"; readonly actor: string } | undefined;
}

export function* keptAnswer(id: string): Verb<KeptAnswer | undefined> {
  return yield* one<KeptAnswer>("select id, asked, answer, at from kept_answer where id = ?", id);
}

/** Leaves what the order leaves, with its answer, in one step; answers what was kept before instead, if anything was. */
export function* answerOnce(given: KeptAnswer, leaving: Leaving | undefined): Verb<KeptAnswer> {
  const kept = yield* keptAnswer(given.id);
  if (kept !== undefined) return kept;
  if (leaving !== undefined) yield* leaveBehind(leaving);
  yield* run("delete from kept_answer where at < ?", given.at - keptMs);
  yield* run(
    "insert into kept_answer (id, asked, answer, at) values (?, ?, ?, ?)",
    given.id,
    given.asked,
    given.answer,
    given.at,
  );
  return given;
}

export function* leaveBehind({ item, halt }: Leaving): Verb<void> {
  const { ticket } = item;
  if (halt !== undefined && ticket !== undefined) yield* sayHalt({ ...item, ticket }, halt);
  else yield* receive(item);
}
