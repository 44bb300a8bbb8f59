import { Trouble } from "../ports.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { CountedAs, Sending } from "../store/outbox.ts";
import type { NewItem } from "../store/inbox.ts";
import { openLoop, restMs, type Loop } from "./loop.ts";
import type { Answer } from "./act.ts";
import { perform } from "./perform.ts";
import { tryAgainAt, type Workshop } from "./workshop.ts";

/** Effects in flight at once, over all tickets. */
const maxInFlight = 16;
/** Tries before an effect is given up loudly: with the backoff above this is about half an hour. */
export const maxTries = 10;
/** External writes for one ticket between two acts of a person; far above what the walk needs. */
export const maxWrites = 300;
/** Answers on one ticket between two acts of a person; who asks more than that is no longer answered. */
export const maxAnswers = 100;
/** Closed for all: how soon to look whether it opened. */
const closedLookMs = 2_000;

/** Sends what is due, one effect per ticket at a time, in order; a halt-all closes it. */
export function openOutbox(shop: Workshop): Loop & { idle(): Promise<boolean> } {
  const { store, clock, log } = shop;
  const busy = new Map<string, Promise<void>>();
  /** Tickets whose last effect could not be recorded, and until when they rest: it will be carried out again. */
  const resting = new Map<string, number>();
  const loop = openLoop({
    name: "outbox",
    clock,
    log,
    work: async () => {
      const now = clock.now();
      if ((await store.setting("halt-all")) !== undefined) return now + closedLookMs;
      for (const [ticket, until] of resting) if (until <= now) resting.delete(ticket);
      // Whoever ends looks again.
      if (busy.size >= maxInFlight) return undefined;
      const halted = (await store.halts()).repos.map(({ repo }) => repo);
      for (const sending of await store.sendable(now, maxInFlight * 4, halted)) {
        if (busy.size >= maxInFlight || busy.has(sending.ticket) || resting.has(sending.ticket)) continue;
        const work = sendOne(shop, sending)
          .catch((error: unknown) => {
            resting.set(sending.ticket, clock.now() + restMs);
            log.error(
              { error, ticket: sending.ticket, effect: sending.effect.type },
              "an effect could not be recorded",
            );
          })
          .finally(() => {
            busy.delete(sending.ticket);
            loop.poke();
          });
        busy.set(sending.ticket, work);
      }
      const next = [
        await store.nextSending(now),
        ...resting.values(),
        ...(halted.length > 0 ? [now + closedLookMs] : []),
      ].filter((at) => at !== undefined);
      return next.length === 0 ? undefined : Math.min(...next);
    },
  });
  return {
    ...loop,
    stop: async () => {
      await loop.stop();
      await Promise.all(busy.values());
    },
    idle: async () => loop.isIdle() && busy.size === 0 && (await store.sendable(clock.now(), 1)).length === 0,
  };
}

async function sendOne(shop: Workshop, sending: Sending): Promise<void> {
  const { store, clock, log } = shop;
  const started = clock.now();
  const fields = { ticket: sending.ticket, effect: sending.effect.type, key: sending.key };
  let answer: Answer;
  try {
    answer = (await beyondCap(shop, sending)) ?? (await perform(shop, sending));
  } catch (error) {
    answer = await afterTrouble(shop, sending, error);
  }
  const now = clock.now();
  switch (answer.is) {
    case "done":
    case "dropped":
      await store.sent(sending, {
        state: answer.is,
        note: answer.note,
        at: now,
        news: newsOf(sending, answer.news ?? [], now),
      });
      break;
    case "gave-up":
      await store.sent(sending, {
        state: "failed",
        note: answer.note,
        at: now,
        news: newsOf(sending, answer.news ?? [], now),
      });
      break;
    case "snooze":
      await store.snooze(sending, answer.until, answer.note, countedAs(sending));
      break;
    case "back-off":
      await store.backOff(sending, answer.until, answer.note, answer.passes ? countedAs(sending) : undefined);
      break;
  }
  log.info({ ...fields, is: answer.is, note: answer.note, ms: now - started }, "effect");
  if (answer.is === "done" || answer.is === "gave-up" || answer.is === "dropped") shop.poke("intake");
}

/** What becomes of an effect that is one too many; undefined while it is not. Counted before it writes: a crash forgets none. */
async function beyondCap({ store }: Workshop, sending: Sending): Promise<Answer | undefined> {
  const as = countedAs(sending);
  if (as === "none") return undefined;
  const count = await store.countWrite(sending.ticket, as);
  if (as === "writes")
    return count > (isFarewell(sending) ? 2 * maxWrites : maxWrites) ? tooMany(count) : undefined;
  return count > maxAnswers
    ? { is: "dropped", note: `${count} answers since a person last acted; the cap is ${maxAnswers}` }
    : undefined;
}

function countedAs({ effect }: Sending): CountedAs {
  // Whoever may comment causes these. Counted with the others they would let anybody stop the work.
  if (effect.type === "answer") return "answers";
  // Rows that end a release make it, once each; what the forge was asked to merge must not go through for want of a write.
  // Nor does a watch of the base end for that: it is the one who takes a merge back.
  return /^(?:merge|base)\./.test(effect.type) ? "none" : "writes";
}

/** What tells people that we stopped must get through when the cap is why; blocking twice takes a person in between. */
const isFarewell = ({ effect }: Sending): boolean =>
  (effect.type === "say" && effect.about.about === "blocked") ||
  (effect.type === "labels" && effect.add.includes("harness-blocked"));

const tooMany = (writes: number): Answer => ({
  is: "gave-up",
  note: `${writes} external writes since a person last acted; the cap is ${maxWrites}`,
  news: [
    {
      type: "effect.failed",
      effect: "any",
      why: `more than ${maxWrites} external writes since a person last acted`,
    },
  ],
});

async function afterTrouble(shop: Workshop, sending: Sending, error: unknown): Promise<Answer> {
  const trouble = error instanceof Trouble ? error : undefined;
  const why = error instanceof Error ? error.message : String(error);
  const isPassing = trouble !== undefined && passing.has(trouble.code);
  const tries = untiring.has(sending.effect.type) || isPassing ? Infinity : maxTries;
  const isOver = trouble?.permanent === true || sending.attempts + 1 >= tries;
  if (!isOver) {
    const until = tryAgainAt(shop, error, sending.attempts + 1);
    return { is: "back-off", until, note: why, ...(isPassing ? { passes: true } : {}) };
  }
  return {
    is: "gave-up",
    note: why,
    news: essential.has(sending.effect.type)
      ? [{ type: "effect.failed", effect: sending.effect.type, why }]
      : [],
  };
}

/**
 * Until it is disarmed the forge may merge what nobody consents to any more, and a merge without its certificate is
 * never told of again; nor is a fault in a configuration, until it changes: only the forge's own refusal ends these.
 */
const untiring: ReadonlySet<string> = new Set(["merge.disarm", "merge.certify", "config.tell"]);

/**
 * What a person or an hour puts right: until somebody has signed in, the budget has filled up, or Linear is there again,
 * nothing is lost by waiting.
 */
const passing: ReadonlySet<string> = new Set(["linear-auth", "linear-rate-limited", "linear-unavailable"]);

/** Without these the ticket cannot go on; the others only tell people about it. */
const essential: ReadonlySet<string> = new Set([
  "pull.open",
  "pull.ask",
  "branch.update",
  "merge.try",
  "merge.arm",
  "merge.disarm",
  "labels",
]);

const newsOf = (sending: Sending, events: readonly TicketEvent[], now: number): readonly NewItem[] =>
  events.map((event, index) => ({
    id: `news:${sending.key}:${index}`,
    source: "performer" as const,
    name: event.type,
    ticket: sending.ticket,
    body: JSON.stringify(event),
    receivedAt: now,
  }));
