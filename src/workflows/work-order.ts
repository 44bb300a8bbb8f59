/** What people want of a pull request, conversation by conversation, and the one thing that becomes of each. Pure. */
import { z } from "zod";
import type { ReviewThread, ThreadComment } from "../ports-threads.ts";

const span = z.object({ from: z.number().int(), to: z.number().int() });

/** A conversation that waits for us, as it stood when its order began. */
export const orderThreadSchema = z.object({
  /** Its first comment: by this number agents and replies name it. */
  root: z.number().int(),
  /** The forge's name of it. */
  id: z.string(),
  /** The newest comment that counts: what becomes of the thread answers everything up to it. */
  upTo: z.number().int(),
  path: z.string(),
  lines: span.optional(),
  side: z.enum(["LEFT", "RIGHT"]),
  writtenOn: z.string(),
  outdated: z.boolean(),
  hunk: z.string(),
  /** `counts`: written by somebody who may order work, and not answered yet; the rest only helps to understand it. */
  said: z.array(z.object({ by: z.string(), byId: z.number().int(), text: z.string(), counts: z.boolean() })),
});
export type OrderThread = z.infer<typeof orderThreadSchema>;

/** Longest text of one comment, and of the diff it hangs on, that an agent is shown. */
const maxText = 8_000;
const maxHunk = 4_000;
/** Of one conversation: what is said in it in all, and of that by others than who may order work. */
const maxSaid = 24_000;
const maxContext = 6_000;
/** More conversations than anybody opens on one pull request. */
const maxThreads = 200;
/** Size of those that one brief holds; the others are for the next round. */
const maxBrief = 50_000;

/** Names our one reply to a conversation up to a comment. */
export const replyMarker = (root: number, upTo: number): string => `thread ${root}-${upTo}`;
const replied = /^<!-- forgehand:thread \d+-(\d+) -->/u;

export interface WhoCounts {
  /** Logins, in lower case, of people who may write now. */
  readonly writers: ReadonlySet<string>;
  /** What a comment said when we first heard it, for those that somebody else has changed since. */
  readonly heard: ReadonlyMap<number, string>;
}

/**
 * The conversations that wait for an answer of ours: unresolved, with a word of somebody who may write now that no
 * reply of ours has met. Reviews that are not submitted, or were dismissed, say nothing.
 */
export function openThreads(threads: readonly ReviewThread[], who: WhoCounts): readonly OrderThread[] {
  return threads
    .flatMap((thread) => (thread.resolved ? [] : (orderOf(thread, who) ?? [])))
    .slice(0, maxThreads);
}

/** Those that one brief can hold, in order; at least the first. */
export function forBrief(order: readonly OrderThread[]): readonly OrderThread[] {
  let size = 0;
  const end = order.findIndex(({ hunk, said }, index) => {
    size += hunk.length + said.reduce((sum, { text }) => sum + text.length, 0);
    return index > 0 && size > maxBrief;
  });
  return end === -1 ? order : order.slice(0, end);
}

function orderOf(thread: ReviewThread, who: WhoCounts): OrderThread | undefined {
  const [first] = thread.comments;
  if (first === undefined) return undefined;
  const settled = settledUpTo(thread);
  const said = thread.comments.flatMap((comment) => {
    const text = textOf(comment, who);
    if (text === undefined) return [];
    const counts = comment.id > settled && isOrder(comment, text, who);
    return [{ id: comment.id, by: comment.by, byId: comment.byId, text: text.slice(0, maxText), counts }];
  });
  const newest = said.findLast(({ counts }) => counts);
  if (newest === undefined) return undefined;
  const { id, path, lines, side, writtenOn, outdated, hunk } = thread;
  return {
    root: first.id,
    id,
    upTo: newest.id,
    path,
    ...(lines === undefined ? {} : { lines }),
    side,
    writtenOn,
    outdated,
    hunk: hunk.slice(-maxHunk),
    said: withinRoom(said).map(({ by, byId, text, counts }) => ({ by, byId, text, counts })),
  };
}

/** As much of it as a brief holds: orders before all else, and no number of others' words takes their place. */
function withinRoom<Said extends { readonly text: string; readonly counts: boolean }>(
  said: readonly Said[],
): readonly Said[] {
  const kept = new Set<Said>();
  const take = (some: readonly Said[], most: number): number => {
    let room = most;
    for (const one of some) {
      room -= one.text.length;
      if (room < 0) break;
      kept.add(one);
    }
    return room;
  };
  const newest = said.toReversed();
  const left = take(
    newest.filter(({ counts }) => counts),
    maxSaid,
  );
  const context = newest.filter(({ counts }) => !counts);
  const [root] = said;
  // What it began with says most of what it is about.
  const ordered =
    root === undefined || root.counts ? context : [root, ...context.filter((one) => one !== root)];
  take(ordered, Math.min(Math.max(0, left), maxContext));
  return said.filter((one) => kept.has(one));
}

/** Up to which comment we have replied already; zero where we have not. */
export const settledUpTo = ({ comments }: ReviewThread): number =>
  Math.max(
    0,
    ...comments.map(({ kind, body }) =>
      kind === "forgehand" ? Number(replied.exec(body.trimStart())?.[1] ?? 0) : 0,
    ),
  );

/** What a comment says, as far as it can be held against its author; undefined where it says nothing. */
function textOf(comment: ThreadComment, { heard }: WhoCounts): string | undefined {
  if (comment.review === "pending" || comment.review === "dismissed") return undefined;
  const text = comment.edited === "by other" ? heard.get(comment.id) : comment.body;
  return text === undefined || text.trim() === "" ? undefined : text;
}

/** Commands are heard on their own. */
function isOrder({ kind, by }: ThreadComment, text: string, { writers }: WhoCounts): boolean {
  return kind === "person" && writers.has(by.toLowerCase()) && !/^\s{0,3}\/forgehand\b/iu.test(text);
}

// ── What becomes of them ────────────────────────────────────────────────────

export const outcomeSchema = z.object({
  thread: orderThreadSchema,
  is: z.enum(["fixed", "answered", "declined", "unaddressed"]),
  text: z.string(),
  /** How often the builder was asked for it in its order. */
  asked: z.number().int().min(0),
  /** The commit that did it, where that is not the delivered one. */
  commit: z.string().optional(),
});
export type Outcome = z.infer<typeof outcomeSchema>;

/** A thread the builder says nothing about is asked for once more, and then given back to its people. */
const mostAsked = 2;

const answerSchema = z.object({
  summary: z.string(),
  threads: z.array(
    z.object({
      thread: z.number().int(),
      outcome: z.enum(["fixed", "answered", "declined"]),
      reply: z.string().max(20_000),
    }),
  ),
});
export type OrderAnswer = z.infer<typeof answerSchema>;

/** What a builder with conversations in its order is asked for. */
export const orderJsonSchema = {
  type: "object",
  additionalProperties: false,
  required: ["summary", "threads"],
  properties: {
    summary: { type: "string" },
    threads: {
      type: "array",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["thread", "outcome", "reply"],
        properties: {
          thread: { type: "integer" },
          outcome: { type: "string", enum: ["fixed", "answered", "declined"] },
          reply: { type: "string" },
        },
      },
    },
  },
} as const;

export type ReadAnswer =
  | { readonly is: "answer"; readonly answer: OrderAnswer }
  | { readonly is: "malformed"; readonly why: string };

/** Reads what a builder says became of each thread; two outcomes for one thread are none. */
export function readOrderAnswer(said: { readonly structured: unknown; readonly text: string }): ReadAnswer {
  const parsed = answerSchema.safeParse(said.structured ?? jsonIn(said.text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? "the answer" : issue.path.join(".");
    return { is: "malformed", why: `the answer about the threads is malformed: ${where}: ${issue?.message}` };
  }
  const seen = new Set<number>();
  for (const { thread, outcome, reply } of parsed.data.threads) {
    if (seen.has(thread)) return { is: "malformed", why: `thread ${thread} has more than one outcome` };
    seen.add(thread);
    if (outcome !== "fixed" && reply.trim() === "")
      return { is: "malformed", why: `thread ${thread} is ${outcome} without a word to the person` };
  }
  return { is: "answer", answer: parsed.data };
}

/** The one JSON object in an answer of words; undefined where there is none. */
export function jsonIn(text: string): unknown {
  const from = text.indexOf("{");
  const to = text.lastIndexOf("}");
  if (from < 0 || to < from) return undefined;
  try {
    return JSON.parse(text.slice(from, to + 1));
  } catch {
    return undefined;
  }
}

/** What became of each thread after another round: of those asked for, what was answered; what came in between; what is left. */
export function afterRound(round: {
  /** What was known before: each thread with what had become of it, or nothing yet. */
  readonly order: readonly OrderThread[];
  readonly earlier: readonly Outcome[];
  readonly answer: OrderAnswer | undefined;
  /** The conversations as they are now. */
  readonly now: readonly OrderThread[];
}): readonly Outcome[] {
  const { order, earlier, answer, now } = round;
  const said = new Map(answer?.threads.map((one) => [one.thread, one]));
  const known = new Map(earlier.map((one) => [one.thread.root, one]));
  for (const thread of order) {
    const before = known.get(thread.root);
    if (before !== undefined && before.is !== "unaddressed" && before.thread.upTo === thread.upTo) continue;
    const asked = before?.thread.upTo === thread.upTo ? before.asked + 1 : 1;
    known.set(thread.root, outcomeOf(thread, said.get(thread.root), asked));
  }
  for (const thread of now) {
    const before = known.get(thread.root);
    if (before !== undefined && before.thread.upTo >= thread.upTo) continue;
    // Said while the builder was at work, and told to it then: where it names the thread, it has heard of it.
    const word = before === undefined ? said.get(thread.root) : undefined;
    known.set(thread.root, word === undefined ? late(thread) : outcomeOf(thread, word, 1));
  }
  return [...known.values()];
}

/** It came while the builder was at work: its first order is still to come. */
const late = (thread: OrderThread): Outcome => ({ thread, is: "unaddressed", text: "", asked: 0 });

const outcomeOf = (
  thread: OrderThread,
  said: OrderAnswer["threads"][number] | undefined,
  asked: number,
): Outcome =>
  said === undefined
    ? { thread, is: "unaddressed", text: "", asked }
    : { thread, is: said.outcome, text: said.reply.trim(), asked };

/** The threads a further round is for. */
export const stillOpen = (outcomes: readonly Outcome[]): readonly OrderThread[] =>
  outcomes.flatMap(({ is, asked, thread }) => (is === "unaddressed" && asked < mostAsked ? [thread] : []));

/** As they are told to people: what was said to be fixed without a commit was not. */
export const settledBy = (
  outcomes: readonly Outcome[],
  commit: "committed" | "nothing changed",
): readonly Outcome[] =>
  outcomes.map((one) =>
    one.is === "fixed" && commit === "nothing changed" ? { ...one, is: "unaddressed", text: "" } : one,
  );

/** Whether answers alone are what was asked for: then a build may change nothing. */
export const isAnswered = (outcomes: readonly Outcome[]): boolean =>
  outcomes.some(({ is }) => is === "answered" || is === "declined") &&
  outcomes.every(({ is }) => is !== "fixed");
