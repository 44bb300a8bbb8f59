/** Tells people what became of their conversations: one reply in each, and resolves those that are fixed. */
import type { ReviewThread } from "../ports-threads.ts";
import * as says from "../says-threads.ts";
import type { OutboxEffect } from "../store/outbox.ts";
import { readOutput } from "../workflows/output.ts";
import { replyMarker, settledUpTo, type Outcome } from "../workflows/work-order.ts";
import { pullOf, type Act, type Answer } from "./act.ts";

/** Repeated after a crash it finds what it said: each reply by its marker, each resolution by itself. */
export async function settleThreads(
  act: Act<Extract<OutboxEffect, { type: "threads.settle" }>>,
): Promise<Answer> {
  const { shop, key, effect, repo } = act;
  const outcomes = readOutput((await shop.reportOf(effect.run))?.output)?.threads ?? [];
  if (outcomes.length === 0) return { is: "dropped", note: "no conversation was in its order" };
  const pull = pullOf(act);
  if (pull === undefined) return { is: "dropped", note: "there is no pull request any more" };
  const known = new Map((await shop.forge.threads(pull)).map((thread) => [thread.id, thread]));
  const { resolve_threads: which } = shop.rulesOf(repo).config.review;
  for (const outcome of outcomes) {
    const { root, upTo, id } = outcome.thread;
    const thread = known.get(id);
    if (thread === undefined) continue;
    // What came meanwhile may have met it: an answer by an agent that was asked, or this effect before it was recorded.
    if (settledUpTo(thread) < upTo)
      await shop.voice.replyInThread(
        key,
        pull,
        root,
        replyMarker(root, upTo),
        says.threadReply(outcome, outcome.commit ?? effect.commit),
      );
    if (isToResolve(outcome, which) && !saysMore(thread, upTo)) await shop.voice.resolveThread(key, pull, id);
  }
  const count = (is: Outcome["is"]): number => outcomes.filter((one) => one.is === is).length;
  const note = (["fixed", "answered", "declined", "unaddressed"] as const).map((is) => `${count(is)} ${is}`);
  return { is: "done", note: note.join(", ") };
}

const isToResolve = ({ is }: Outcome, which: "fixed" | "settled" | "none"): boolean =>
  which === "fixed" ? is === "fixed" : which === "settled" && is !== "unaddressed";

/** Somebody spoke since: their conversation is not over. */
const saysMore = ({ comments }: ReviewThread, upTo: number): boolean =>
  comments.some(({ kind, id }) => kind === "person" && id > upTo);
