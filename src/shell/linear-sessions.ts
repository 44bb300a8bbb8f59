/** Agent sessions of Linear, kept in step with their tickets: what should be there is held against what was last said. */
import { Trouble } from "../ports.ts";
import type {
  LinearSessions,
  SessionLink,
  SessionSays,
  SessionStep,
  SessionWritten,
} from "../ports-linear-sessions.ts";
import type { State } from "../state-machine/ticket.ts";
import {
  statePrefix,
  type Asking,
  type LinearSession,
  type PutWord,
  type SessionAtWork,
} from "../store/linear-sessions.ts";
import type { LinearSessionHint } from "../webhooks/read-linear.ts";
import { runtimeNamed, workflowNamed } from "../webhooks/released.ts";
import { aliveSays, replySays } from "./linear-session-says.ts";
import { greetSession, type SessionSeams } from "./linear-greeting.ts";
import { lookAt, readTold, stopId, stopWord, type TicketTold } from "./linear-session-view.ts";
import { openLoop, restMs, type Loop } from "./loop.ts";
import { viewOf } from "./view.ts";
import { tryAgainAt, type Workshop } from "./workshop.ts";

/** Linear wants no more than one activity in this time. */
const paceMs = 10_000;
/** Linear calls a session stale after half an hour of silence; this leaves room for trouble. */
const silenceMs = 20 * 60_000;
/** How soon to look at open sessions without a poke. */
const lookMs = 5_000;
/** Sessions written to at once. */
const maxAtWork = 8;
/** A person looks at the session, so the first tries follow each other soon. */
const firstWaitMs = 2_000;

export interface LinearSessionKeeper extends Loop {
  /**
   * The first word in a session, and its row: at once and on a way of its own, past outbox, inbox and halts. It may be
   * called again at any time, and never throws; what fails is tried again by the loop.
   */
  greet(session: LinearSessionHint): Promise<void>;
  /** Nothing to do before time passes or something happens. */
  idle(): Promise<boolean>;
}

/** While the ticket stands in these, silence would look like death. */
const working: ReadonlySet<State | undefined> = new Set([
  "Ready",
  "Gate",
  "In Progress",
  "Adversarial Review",
  "Merging",
  "Rework",
] as const);

/** Keeps every session in step, side by side: trouble in one rests that one alone. */
export function openLinearSessions(shop: Workshop, sessions: LinearSessions): LinearSessionKeeper {
  const { store, clock, log } = shop;
  const room: SessionSeams = { shop, sessions };
  const busy = new Map<string, Promise<void>>();
  const greetings = new Map<string, Promise<void>>();
  /** Sessions whose last deed could not be recorded, and until when they rest: it is done again under the same names. */
  const resting = new Map<string, number>();
  const ending = new AbortController();
  const loop = openLoop({
    name: "linear-sessions",
    clock,
    log,
    work: async () => {
      const now = clock.now();
      for (const [session, until] of resting) if (until <= now) resting.delete(session);
      let next = Infinity;
      for (const session of await store.linearSessionsAtWork()) {
        if (session.state === "open" || session.state === "stopping") next = Math.min(next, now + lookMs);
        const dueAt = Math.max(dueOf(session), resting.get(session.id) ?? 0);
        if (dueAt > now) next = Math.min(next, dueAt);
        // Whoever ends looks again.
        else if (!busy.has(session.id) && !greetings.has(session.id) && busy.size < maxAtWork) {
          const work = keepOne(room, session)
            .then((did) => {
              // It waits for something that its row does not tell.
              if (did === "nothing") resting.set(session.id, clock.now() + restMs);
            })
            .catch((error: unknown) => {
              resting.set(session.id, clock.now() + restMs);
              log.error({ error, session: session.id }, "an agent session could not be recorded");
            })
            .finally(() => {
              busy.delete(session.id);
              loop.poke();
            });
          busy.set(session.id, work);
        }
      }
      return next === Infinity ? undefined : next;
    },
  });
  return {
    ...loop,
    greet: (hint) => {
      const known = greetings.get(hint.session);
      if (known !== undefined) return known;
      const work = greetSession(room, hint, ending.signal).finally(() => {
        greetings.delete(hint.session);
        loop.poke();
      });
      greetings.set(hint.session, work);
      return work;
    },
    idle: async () => {
      if (!loop.isIdle() || busy.size > 0 || greetings.size > 0) return false;
      const now = clock.now();
      return (await store.linearSessionsAtWork()).every(
        (session) => Math.max(dueOf(session), resting.get(session.id) ?? 0) > now,
      );
    },
    stop: async () => {
      ending.abort();
      await loop.stop();
      await Promise.all([...busy.values(), ...greetings.values()]);
    },
  };
}

/** When this session needs something, as far as its row tells; never where it needs nothing. */
function dueOf(session: SessionAtWork): number {
  const { state, lines, told, unsaid, saidAt, dueAt, standing } = session;
  const due: number[] = [];
  if (lines === undefined ? state === "stopping" && unsaid === 0 : told !== lines) due.push(0);
  if (unsaid > 0) due.push(paced(saidAt));
  if (session.plan !== session.planSaid) due.push(planDue(session, standing));
  if (session.links !== session.linksSaid || wantsDelegate(session, standing)) due.push(0);
  if (state === "open" && saidAt > 0 && working.has(standing)) due.push(saidAt + silenceMs);
  return Math.max(Math.min(Infinity, ...due), dueAt);
}

/** Where work has begun and it is not settled who is the delegate. */
const wantsDelegate = ({ delegate, issue, state }: LinearSession, standing: State | undefined): boolean =>
  delegate === "open" && issue !== undefined && state === "open" && working.has(standing);
const paced = (at: number): number => (at === 0 ? 0 : at + paceMs);
/** What is over should look so when that is said. */
const planDue = ({ plannedAt, state }: LinearSession, standing: State | undefined): number =>
  state === "stopping" || standing === "Done" || standing === "Cancelled" ? 0 : paced(plannedAt);

/** Looks at the ticket, then writes what is due; trouble rests this session alone. */
async function keepOne(room: SessionSeams, row: SessionAtWork): Promise<"something" | "nothing"> {
  const { shop } = room;
  const { store, log } = shop;
  try {
    const look = await takeLook(room, row);
    const session = look.is === "nothing new" ? row : ((await store.linearSession(row.id)) ?? row);
    let trouble: unknown;
    // Nobody waits for a plan: what is to be said is said all the same.
    const beside = await writeBeside(room, session, row.standing).catch((error: unknown): Did => {
      trouble = error;
      return "nothing";
    });
    const spoke = beside === "gone" ? beside : await speak(room, session, row, look);
    if (spoke === "gone") await store.linearSessionGone(row.id);
    else if (trouble !== undefined) throw trouble;
    const did = [look.is === "nothing new" ? "nothing" : look.is, beside, spoke];
    return did.every((one) => one === "nothing") ? "nothing" : "something";
  } catch (error) {
    const until = tryAgainAt(shop, error, row.attempts + 1, firstWaitMs);
    const why = error instanceof Error ? error.message : String(error);
    log.warn({ session: row.id, why }, "an agent session waits");
    await store.linearSessionRests(row.id, until, why);
    return "something";
  }
}

type Looked =
  | { readonly is: "nothing new" }
  | { readonly is: "looked"; readonly told: TicketTold | undefined };
/** What came of something that may have been due. */
type Did = SessionWritten | "nothing";

/** Reads the ticket where it went on since the last look, and records what is to be said of it. */
async function takeLook({ shop, sessions }: SessionSeams, row: SessionAtWork): Promise<Looked> {
  const { store, clock } = shop;
  const stored = row.ticket === undefined ? undefined : await store.load(row.ticket);
  const repo = stored && (await store.repoById(stored.repo));
  // A ticket of which nothing is in the ledger is a name.
  if (stored === undefined || repo === undefined || stored.version === 0) {
    if (row.state !== "stopping" || row.unsaid > 0) return { is: "nothing new" };
    const look = { as: row.state, told: 0, replies: [], plan: undefined, links: undefined };
    await store.lookedAtLinearSession(row.id, { ...look, state: stopWord(row, undefined) }, clock.now());
    return { is: "looked", told: undefined };
  }
  if (stored.version === row.told) return { is: "nothing new" };
  // What a person stopped is told of once it has stopped.
  if (row.state === "stopping" && !stored.ticket.halted) {
    const hasStopped = (await store.linesOf(stored.ticket.id)).some(({ eventId }) => eventId === stopId(row));
    if (!hasStopped) return { is: "nothing new" };
    // Somebody let it go on before we could tell of it.
    await store.reopenLinearSession(row.id, "stopped", row.stoppedAt);
    return { is: "looked", told: undefined };
  }
  const told = await readTold(shop, stored, repo, async () => {
    const { workspace, issue } = row;
    if (issue === undefined) return [];
    return contestedIn(shop, repo, (await sessions.labelsOf({ workspace, issue })) ?? []);
  });
  await store.lookedAtLinearSession(row.id, lookAt(row, told), clock.now());
  return { is: "looked", told };
}

/** The labels of one kind of which there may be only one: runtimes first, then workflows. */
function contestedIn(
  shop: Workshop,
  repo: Parameters<Workshop["rulesOf"]>[0],
  labels: readonly string[],
): readonly string[] {
  const { config } = shop.rulesOf(repo);
  const facts = { labels: config.labels, runtimes: shop.runtimes, workflows: shop.workflows() };
  const runtimes = labels.filter((label) => runtimeNamed(label, facts) !== undefined);
  const workflows = labels.filter((label) => workflowNamed(label, facts) !== undefined);
  const contested = runtimes.length > 1 ? runtimes : workflows.length > 1 ? workflows : [];
  return contested.toSorted();
}

/** Plan, links and the delegate: what stands beside the words. */
async function writeBeside(
  { shop, sessions }: SessionSeams,
  session: LinearSession,
  standing: State | undefined,
): Promise<Did> {
  const { store, clock } = shop;
  const { id, workspace, issue, plan, links } = session;
  const on = { workspace, session: id };
  let did: Did = "nothing";
  if (plan !== undefined && plan !== session.planSaid && clock.now() >= planDue(session, standing)) {
    const steps = JSON.parse(plan) as readonly SessionStep[];
    did = await unlessRefused(shop, session, () => sessions.plan(on, steps));
    if (did === "gone") return did;
    await store.linearSessionWrote(id, { plan }, clock.now());
  }
  if (links !== undefined && links !== session.linksSaid) {
    const wanted = JSON.parse(links) as readonly SessionLink[];
    const isNone = wanted.length === 0 && session.linksSaid === undefined;
    did = isNone ? "written" : await unlessRefused(shop, session, () => sessions.link(on, wanted));
    if (did === "gone") return did;
    await store.linearSessionWrote(id, { links }, clock.now());
  }
  if (issue !== undefined && wantsDelegate(session, standing)) {
    did = await unlessRefused(shop, session, async () => {
      await sessions.takeOver({ workspace, issue });
      return "written";
    });
    await store.linearSessionWrote(id, { delegate: "settled" }, clock.now());
  }
  return did;
}

/** What Linear refuses for good is given up, once and aloud; nothing else of the session waits for it. */
async function unlessRefused(
  { log }: Workshop,
  { id }: LinearSession,
  write: () => Promise<SessionWritten>,
): Promise<SessionWritten> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof Trouble) || !error.permanent) throw error;
    log.error(
      { session: id, code: error.code, why: error.message },
      "Linear refused what a session was to show",
    );
    return "written";
  }
}

/** Says the next word, no sooner than the pace allows; where there is none and work goes on in silence, a sign of life. */
async function speak(
  room: SessionSeams,
  session: LinearSession,
  row: SessionAtWork,
  look: Looked,
): Promise<Did> {
  const { shop, sessions } = room;
  const { store, clock } = shop;
  if (clock.now() < paced(session.saidAt)) return "nothing";
  const words = await store.linearWords(session.id);
  const unsaid = words.filter(({ isSaid }) => !isSaid);
  // What ends it first: whoever pressed stop waits for that.
  const next = unsaid.find(({ word }) => word.is === "says" && word.ends !== undefined) ?? unsaid[0];
  if (next === undefined) return await showLife(room, session, row, look);
  const said = saidOf(next, words);
  const on = { workspace: session.workspace, session: session.id };
  let note: string | undefined;
  const wrote = await sessions.say(on, next.key, said.says).catch((error: unknown): SessionWritten => {
    if (!(error instanceof Trouble) || !error.permanent) throw error;
    note = error.message;
    shop.log.error({ session: session.id, word: next.key, why: note }, "Linear refused what was to be said");
    return "written";
  });
  if (wrote === "gone") return wrote;
  await store.linearSaid(session.id, { key: next.key, word: next.word, asks: said.asks }, clock.now(), note);
  return wrote;
}

/** The form a word takes now, and what it asks. */
function saidOf(
  { word }: PutWord,
  words: readonly PutWord[],
): { readonly says: SessionSays; readonly asks: Asking | undefined } {
  if (word.is === "says") return { says: word.says, asks: word.asks };
  const isState = ({ key }: PutWord): boolean => key.startsWith(statePrefix);
  // What comes next says by itself how the session stands.
  const last = words.some((one) => isState(one) && !one.isSaid) ? undefined : words.findLast(isState)?.word;
  if (last?.is !== "says") return { says: replySays(word.text, undefined), asks: undefined };
  return { says: replySays(word.text, last.says), asks: last.asks };
}

/** Not kept in view: whatever is said next takes its place. Named by the word it follows, so that it is said once. */
async function showLife(
  { shop, sessions }: SessionSeams,
  session: LinearSession,
  row: SessionAtWork,
  look: Looked,
): Promise<Did> {
  const { store, clock } = shop;
  const isDue = session.saidAt > 0 && clock.now() >= session.saidAt + silenceMs;
  if (session.state !== "open" || !isDue || !working.has(row.standing) || row.ticket === undefined)
    return "nothing";
  const stored = await store.load(row.ticket);
  const repo = stored && (await store.repoById(stored.repo));
  if (stored === undefined || repo === undefined) return "nothing";
  const known = look.is === "looked" ? look.told?.told.view : undefined;
  const view = known ?? (await viewOf(shop, stored, repo));
  const key = `alive:${session.saidAt}`;
  const says = aliveSays({ view });
  const wrote = await sessions.say({ workspace: session.workspace, session: session.id }, key, says);
  if (wrote === "gone") return wrote;
  const asks = session.asking;
  await store.linearSaid(session.id, { key, word: { is: "says", says }, asks }, clock.now());
  return wrote;
}
