import type { Usage } from "../../../ports-agents.ts";
import type { Prompted, TokenCounts, Update } from "./messages.ts";
import { larger, noUsage, plus, type SessionTotals } from "../session-totals.ts";

/** Output shown but not counted is taken to be a token in so many characters. */
const charactersPerToken = 4;

/**
 * Counts one turn. Agents tell tokens of the turn, with its end or with each call of the model; dollars, where they tell
 * any, are of the whole session. Until then our own count of what was shown stands in.
 */
export interface TurnCount {
  shown(characters: number): void;
  /** Takes in what an update tells of tokens and dollars. */
  update(update: Update): void;
  ended(prompted: Prompted): void;
  /** Of this turn so far, by our own count where there is no other. */
  estimate(): Usage;
  /** Of the whole session as far as we know it, for the difference to be taken; undefined when the agent told no tokens. */
  total(): Usage | undefined;
  /** Did the agent tell that a model was called at all. */
  told(): boolean;
}

export function turnCount(before: SessionTotals): TurnCount {
  let characters = 0;
  let calls: Usage | undefined;
  let whole: Usage | undefined;
  let sessionUsd: number | undefined;
  let priced: "by-agent" | "by-us" | undefined;
  const known = plus(before.reported, before.estimated);

  /** Dollars that did not grow were not counted: nothing that a model did is free. */
  const grownUsd = (): number | undefined =>
    sessionUsd !== undefined && sessionUsd > (known.usd ?? 0) ? sessionUsd : undefined;
  const counted = (): Usage | undefined =>
    calls === undefined ? whole : whole === undefined ? calls : larger(calls, whole);

  return {
    shown: (more) => (characters += more),
    update: ({ cost, _meta: meta }) => {
      if (cost !== undefined && cost.currency.toUpperCase() === "USD" && cost.amount > 0)
        sessionUsd = Math.max(sessionUsd ?? 0, cost.amount);
      if (meta?.usage !== undefined) calls = plus(calls ?? noUsage, usageOf(meta.usage));
    },
    ended: ({ usage, _meta: meta }) => {
      // The list by models knows of calls that the sum leaves out.
      const byModel = (meta?.quota?.model_usage ?? []).flatMap(({ token_count: one }) => one ?? []);
      const most = larger(
        usage === undefined ? noUsage : usageOf(usage),
        byModel.map(usageOf).reduce(plus, noUsage),
      );
      if (most.inputTokens + most.outputTokens > 0) whole = most;
    },
    estimate: () => {
      const shown = { ...noUsage, outputTokens: Math.ceil(characters / charactersPerToken) };
      const usd = grownUsd();
      return {
        ...larger(counted() ?? noUsage, shown),
        usd: usd === undefined ? undefined : usd - (known.usd ?? 0),
      };
    },
    total: () => {
      const turn = counted();
      if (turn === undefined) return undefined;
      // Tokens that were priced by us are not paid a second time by dollars that come late.
      priced ??= grownUsd() === undefined ? "by-us" : "by-agent";
      return { ...plus(known, turn), usd: priced === "by-agent" ? grownUsd() : undefined };
    },
    told: () => counted() !== undefined || grownUsd() !== undefined,
  };
}

/**
 * Tokens in our words: the input includes what was cached, the output what was thought. Agents count either way, and
 * their own sum tells which; without one, both are added, so that too much is charged rather than too little.
 */
function usageOf(counts: TokenCounts): Usage {
  const input = counts.inputTokens ?? 0;
  const output = counts.outputTokens ?? 0;
  const read = counts.cachedReadTokens ?? counts.cachedInputTokens ?? 0;
  const written = counts.cachedWriteTokens ?? 0;
  const cached = read + written;
  const reasoning = counts.thoughtTokens ?? counts.reasoningOutputTokens ?? 0;
  const beside = counts.totalTokens === undefined ? cached + reasoning : counts.totalTokens - input - output;
  return {
    inputTokens: beside >= cached ? input + cached : Math.max(input, read),
    cachedInputTokens: read,
    ...(written === 0 ? {} : { cacheWriteTokens: written }),
    outputTokens: beside === reasoning || beside === cached + reasoning ? output + reasoning : output,
    reasoningTokens: reasoning,
    usd: undefined,
  };
}
