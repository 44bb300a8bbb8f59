import type { ModelMessage } from "ai";
import type { Clock } from "../../../ports.ts";
import type { AgentOutcome, AgentSays, WorkOrder } from "../../../ports-agents.ts";
import { failed, failureOf, type RuntimeFacts } from "../failure.ts";
import { detailOf } from "../tool-detail.ts";
import { answerReader } from "./answer.ts";
import { callModel, type Call, type Called } from "./call.ts";
import type { AiSdkEntry } from "./entry.ts";
import { callFailure, namedDelayMs } from "./failure.ts";
import { forgetful } from "./forget.ts";
import type { Meter } from "./meter.ts";
import { answerTo, asSent, openCalls, type Transcript } from "./transcript.ts";
import type { Watch } from "./watch.ts";

export interface Turn {
  readonly order: WorkOrder;
  readonly runtime: RuntimeFacts;
  readonly entry: AiSdkEntry;
  readonly transcript: Transcript;
  readonly call: Omit<Call, "messages" | "mostTokens">;
  /** By the name it is asked for. */
  readonly model: string;
  readonly meter: Meter;
  readonly watch: Watch;
  readonly clock: Clock;
  /** Takes the key out of what others say. */
  hide(text: string): string;
}
type Failed = Extract<AgentOutcome, { is: "failed" }>;

/** Between calls that failed for what passes. */
const retriesMs = [1_000, 4_000, 16_000];
/** Who is told to wait longer gives its place to others. */
const longestWaitMs = 60_000;
/** An answer that was cut at its limit is gone on with so often. */
const mostCuts = 3;
/** An answer of the wrong form is asked for again so often. */
const mostRepairs = 2;

/** Lets the model work until it answers, and answers what it asks of its tools. Throws when the watch ends it. */
export async function* converse(turn: Turn): AsyncGenerator<AgentSays, AgentOutcome> {
  const { order, runtime, entry, transcript, meter, watch } = turn;
  const { title } = runtime;
  const read = order.schema === undefined ? undefined : answerReader(order.schema);
  const asking = asker(turn);
  let cuts = 0;
  let repairs = 0;
  for (let step = 0; step < entry.max_steps; step += 1) {
    const over = meter.over();
    if (over !== undefined) return beyond(over, turn);
    await transcript.takeIn();
    const called = yield* asking();
    if (called.is === "failed") return called;
    if (called.finish === "content-filter")
      return failureOf("refused", runtime, called.texts.join(" "), turn.clock.now());
    for (const text of called.texts) yield { type: "text", text };
    await transcript.append(...called.messages.filter(saysSomething));
    if (called.messages.some(({ content }) => typeof content !== "string" && content.some(isToolCall))) {
      yield* useTools(turn);
      continue;
    }
    watch.signal.throwIfAborted();
    if (called.finish === "length") {
      if (meter.over() !== undefined) continue;
      cuts += 1;
      if (cuts > mostCuts)
        return failed(
          "unfinished",
          "max-output-tokens",
          `${title}'s answer was cut at its limit of ${entry.max_answer_tokens} tokens again and again; the session can go on, or raise max_answer_tokens`,
        );
      await transcript.append(
        user("Your answer was cut at its limit. Go on where it stopped, in smaller pieces."),
      );
      continue;
    }
    // What a person said meanwhile may change the answer.
    if ((await transcript.takeIn()) === "something") continue;
    const text = called.texts.join("\n");
    if (text === "")
      return failed(
        "retry",
        "no-result",
        `${title} answered with nothing at all; it is tried again by itself`,
      );
    if (read === undefined) return { is: "done", text, structured: undefined };
    const answer = read(text);
    if (answer.is === "fits") return { is: "done", text, structured: answer.value };
    repairs += 1;
    if (repairs > mostRepairs)
      return failed(
        "retry",
        "structured-output",
        `${title} never gave an answer of the asked form (${answer.why.slice(0, 300)}); it is tried again by itself`,
      );
    await transcript.append(
      user(`Your answer is not of the asked form: ${answer.why}\nAnswer again, with nothing but the JSON.`),
    );
  }
  return failed(
    "unfinished",
    "max-turns",
    `${title} ran out of turns (${entry.max_steps}); the session can go on`,
  );
}

/** Asks the model with all that was said, again when that may help; says what was used before anything is kept. */
function asker(turn: Turn): () => AsyncGenerator<AgentSays, Extract<Called, { is: "answered" }> | Failed> {
  const { runtime, entry, transcript, call, model, meter, watch, clock, hide } = turn;
  let shorten: "not" | "old answers" = "not";
  let seen: string | undefined;
  return async function* ask() {
    for (let retry = 0; ;) {
      const said = asSent(transcript.messages());
      const messages = shorten === "not" ? said : forgetful(said);
      const mostTokens = meter.room(seen ?? model, entry.max_answer_tokens);
      const called = await callModel({ ...call, messages, mostTokens }, watch.signal);
      if (called.model !== undefined && called.model !== seen) {
        seen = called.model;
        yield { type: "model", id: seen };
      }
      if (called.usage !== undefined) yield { type: "usage", usage: meter.add(called.usage, seen ?? model) };
      if (called.is === "answered") return called;
      watch.signal.throwIfAborted();
      const failure = callFailure(called.error, runtime, clock.now());
      if (failure.code === "context" && shorten === "not" && forgetful(said) !== said) {
        shorten = "old answers";
        yield { type: "waiting", why: "what its tools answered long ago is left out to make room", ms: 0 };
        continue;
      }
      const ms = namedDelayMs(called.error, clock.now()) ?? retriesMs[retry];
      const isWorthIt =
        failure.how === "retry" && retry < retriesMs.length && ms !== undefined && ms <= longestWaitMs;
      if (!isWorthIt || ms >= watch.leftMs() || meter.over() !== undefined) return failure;
      retry += 1;
      yield { type: "waiting", why: hide(failure.why), ms };
      await watch.during(clock.until(clock.now() + ms, watch.signal));
    }
  };
}

/** Answers every call that is open, one after the other; each answer is kept before the next begins. */
async function* useTools({ call, transcript, watch }: Turn): AsyncGenerator<AgentSays> {
  for (const open of openCalls(transcript.messages())) {
    yield { type: "tool", name: open.name, detail: detailOf(open.input) };
    const tool = call.tools.get(open.name);
    const answer =
      tool === undefined
        ? ({ is: "error", text: `there is no tool ${open.name} here` } as const)
        : await watch.during(tool.run(open.input, watch.signal));
    watch.signal.throwIfAborted();
    await transcript.append(answerTo(open, answer));
  }
}

function beyond(limit: "output-limit" | "budget", { runtime, order }: Turn): Failed {
  return limit === "budget"
    ? failed("unfinished", limit, `${runtime.title} spent the $${order.limits.usd} it may`)
    : failed(
        "unfinished",
        limit,
        `${runtime.title} wrote the ${order.limits.outputTokens} tokens it may; the session can go on`,
      );
}

const user = (content: string): ModelMessage => ({ role: "user", content });
const isToolCall = ({ type }: { readonly type: string }): boolean => type === "tool-call";
/** An empty message is refused when it is said again. */
const saysSomething = ({ role, content }: ModelMessage): boolean =>
  role !== "assistant" ||
  (typeof content === "string"
    ? content !== ""
    : content.some(
        (part) => isToolCall(part) || part.type === "reasoning" || (part.type === "text" && part.text !== ""),
      ));
