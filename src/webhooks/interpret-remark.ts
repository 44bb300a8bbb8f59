import type { Standing } from "./authorise.ts";
import { forbids } from "./authorise.ts";
import { endsInQuestion } from "./command.ts";
import type { Facts, Interpretation } from "./facts.ts";
import type { Say } from "./heard.ts";

/** Longest text of a remark that is kept in the ledger; its conversation is read whole when a build begins. */
const maxWords = 8_000;

/**
 * Words on a line of the diff, by somebody who may write: an order, or a question where they end in one. A bot's or a
 * stranger's stay what they are: words.
 */
export function interpretRemark(
  { on, body }: Extract<Say, { type: "remarked" }>,
  standing: Standing,
  { pull, ticket }: Facts,
): Interpretation {
  if (ticket === undefined) return { ignored: "no ticket" };
  if (pull === undefined || !pull.open) return { ignored: "no open pull request" };
  const forbidden = standing.sender.kind === "person" ? forbids(standing, "write") : "a bot's remark";
  if (forbidden !== undefined) return { ignored: `a remark: ${forbidden}` };
  const words = body.trim().slice(0, maxWords);
  if (words === "") return { ignored: "an empty remark" };
  const by = standing.sender.login;
  if (endsInQuestion(words)) {
    const comment = { kind: "inline", id: on.comment, thread: pull.number } as const;
    const ask = { about: "question", text: words, by, grants: "an order", on } as const;
    return { events: [{ type: "human.asked", comment, ask }] };
  }
  return { events: [{ type: "human.told", by, order: words, on }] };
}
