import type { Clock, Instant } from "../../../ports.ts";
import type { AgentOutcome, WorkOrder } from "../../../ports-agents.ts";
import { errorCodes, type AcpError } from "./messages.ts";
import type { TurnCount } from "./usage.ts";
import type { TurnWords } from "./words.ts";
import { causeOf, causeOfStatus, failed, failureOf, type RuntimeFacts } from "../failure.ts";
import { answerInWords } from "../answer-in-words.ts";

type Failed = Extract<AgentOutcome, { is: "failed" }>;

/** What counts as an error that was said in the place of an answer; nothing longer is one. */
const longestError = 400;

/** How an agent's own answer to the prompt ends the turn. Some say `end_turn` and mean that it failed. */
export function endOfTurn(turn: {
  readonly stopReason: string | undefined;
  readonly words: TurnWords;
  readonly count: TurnCount;
  readonly order: WorkOrder;
  readonly runtime: RuntimeFacts;
  readonly clock: Clock;
}): AgentOutcome {
  const { stopReason, words, count, order, runtime, clock } = turn;
  const text = words.last();
  switch (stopReason) {
    case "end_turn": {
      const error = words.trouble() ?? errorIn(text, words, count);
      if (error !== undefined) return byWords(error, runtime, clock.now());
      if (text === "" && !words.usedTools())
        return failed(
          "retry",
          "no-result",
          `${runtime.title} ended its turn without a word; it is tried again by itself`,
        );
      return { is: "done", text, structured: order.schema === undefined ? undefined : answerInWords(text) };
    }
    case "max_tokens":
      return cutShort(runtime);
    case "max_turn_requests":
      return failed("unfinished", "max-turns", `${runtime.title} ran out of turns; the session can go on`);
    case "refusal":
      return failureOf("refused", runtime, text, clock.now());
    default:
      return failureOf("agent-failed", runtime, `it stopped with ${stopReason ?? "no reason"}`, clock.now());
  }
}

/** Said where no model was counted: a piece of its own that calls itself an error, or a few words about a known trouble. */
function errorIn(text: string, words: TurnWords, count: TurnCount): string | undefined {
  if (count.told()) return undefined;
  const piece = words.lastChunk();
  if (piece.length <= longestError && /^(?:\w+ )?error: /iu.test(piece)) return piece;
  if (words.usedTools() || text.length > longestError || answerInWords(text) !== undefined) return undefined;
  return causeOf(text) === undefined ? undefined : text;
}

/** What an error of the protocol means. */
export function failureIn({ code, message, data }: AcpError, runtime: RuntimeFacts, now: Instant): Failed {
  const more = data === undefined || data === null ? "" : ` ${JSON.stringify(data)}`;
  if (code === errorCodes.authRequired) return failureOf("logged-out", runtime, message, now);
  // The text speaks of the cause; the data may hold any number.
  if (causeOf(message) !== undefined) return byWords(message, runtime, now);
  // Some give the status of the model's server for a code.
  const status = code >= 400 && code < 600 ? causeOfStatus(code) : undefined;
  if (status !== undefined) return failureOf(status, runtime, message, now);
  return byWords(`${message}${more}`, runtime, now);
}

function byWords(said: string, runtime: RuntimeFacts, now: Instant): Failed {
  if (/max[_ ]output[_ ]tokens|output token maximum/iu.test(said)) return cutShort(runtime);
  return failureOf(causeOf(said) ?? "agent-failed", runtime, said, now);
}

const cutShort = ({ title }: RuntimeFacts): Failed =>
  failed(
    "unfinished",
    "max-output-tokens",
    `${title}'s answer was cut at the model's own limit; the session can go on`,
  );
