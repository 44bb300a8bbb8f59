/** The first word in an agent session: on a way of its own, past outbox, inbox and halts. */
import { Trouble } from "../ports.ts";
import type { LinearSessions, SessionWritten } from "../ports-linear-sessions.ts";
import { linearTicketId } from "../state-machine/ticket-id.ts";
import { greetingKey, type Word } from "../store/linear-sessions.ts";
import type { LinearSessionHint } from "../webhooks/read-linear.ts";
import { greeting } from "./linear-session-says.ts";
import type { Workshop } from "./workshop.ts";

/** What sessions are kept with. */
export interface SessionSeams {
  readonly shop: Workshop;
  readonly sessions: LinearSessions;
}

/** The first word must be there within ten seconds: another try begins while an answer is awaited. */
const greetTries = 3;
const greetAgainMs = 2_500;

/** Says the first word in a session and keeps its row. Never throws: what failed is left to who keeps sessions. */
export async function greetSession(
  room: SessionSeams,
  hint: LinearSessionHint,
  signal?: AbortSignal,
): Promise<void> {
  await greet(room, hint, signal).catch((error: unknown) => {
    room.shop.log.warn({ error, session: hint.session }, "a greeting waits");
  });
}

async function greet(
  { shop, sessions }: SessionSeams,
  hint: LinearSessionHint,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { store, clock, log } = shop;
  const { workspace, session, issue, thread, by } = hint;
  // A database in trouble must not cost the greeting: said twice, it stands there once.
  const known = await store.linearSession(session).catch(() => undefined);
  if (known !== undefined && (known.saidAt > 0 || known.state === "gone")) return;
  const word: Word = { is: "says", says: greeting };
  const kept = store.keepLinearSession(
    {
      id: session,
      workspace,
      issue,
      ticket: issue === undefined ? undefined : linearTicketId({ workspace, issue }),
      thread,
      creator: by.id,
      createdAt: clock.now(),
    },
    word,
  );
  const [row, said] = await Promise.allSettled([kept, sayFirst({ shop, sessions }, hint, signal)]);
  if (row.status === "rejected") throw row.reason;
  if (said.status === "rejected") throw said.reason;
  if (said.value === "gone") return await store.linearSessionGone(session);
  await store.linearSaid(session, { key: greetingKey, word, asks: undefined }, clock.now());
  log.info({ session, workspace }, "an agent session was greeted");
}

/** A few tries that do not wait for each other: each says the same under the same id. */
async function sayFirst(
  { shop: { clock }, sessions }: SessionSeams,
  { workspace, session }: LinearSessionHint,
  signal: AbortSignal | undefined,
): Promise<SessionWritten> {
  const saying: Promise<SessionWritten>[] = [];
  let failure: unknown;
  for (let attempt = 0; attempt < greetTries && signal?.aborted !== true; attempt += 1) {
    saying.push(sessions.say({ workspace, session }, greetingKey, greeting));
    const waiting = new AbortController();
    const again = clock
      .until(
        clock.now() + greetAgainMs,
        AbortSignal.any([...(signal === undefined ? [] : [signal]), waiting.signal]),
      )
      .catch(() => undefined);
    try {
      const said = await Promise.race([Promise.any(saying), again]);
      if (said !== undefined) return said;
    } catch (error) {
      failure = error instanceof AggregateError ? error.errors.at(-1) : error;
      // Nothing that is tried in the next seconds would fare better.
      if (failure instanceof Trouble && (failure.permanent || failure.retryAt !== undefined)) break;
      await again;
    } finally {
      waiting.abort();
    }
  }
  throw failure ?? new Trouble("linear-unavailable", "Linear gave no answer to the greeting in time.");
}
