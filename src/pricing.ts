import { calcPrice } from "@pydantic/genai-prices";
import type { Usage } from "./ports-agents.ts";

/** The package's data is dated by its version, which is kept with every price. */
const tableVersion = "genai-prices 0.1.8";

/** Dollars per million tokens for a model nobody knows: the dearest of the large models, so that a cap errs early. */
const guess = { input: 30, cached: 30, output: 180 } as const;

export interface Price {
  readonly usd: number;
  /** `runtime` said it, `table` knew it, or it is a `guess` and flagged as one; never silently zero. */
  readonly source: "runtime" | "table" | "guess";
  readonly version: string;
}

/** What this usage costs. What the runtime reports wins; an unknown model is priced high. */
export function usdOf(usage: Usage, model: string | undefined, at: number): Price {
  if (usage.usd !== undefined) return { usd: usage.usd, source: "runtime", version: "runtime" };
  const known = model === undefined ? undefined : fromTable(usage, model, at);
  if (known !== undefined) return { usd: known, source: "table", version: tableVersion };
  const fresh = Math.max(0, usage.inputTokens - usage.cachedInputTokens);
  const usd =
    (fresh * guess.input + usage.cachedInputTokens * guess.cached + usage.outputTokens * guess.output) / 1e6;
  return { usd, source: "guess", version: "guess 1" };
}

function fromTable(usage: Usage, model: string, at: number): number | undefined {
  try {
    const price = calcPrice(
      {
        input_tokens: Math.max(usage.inputTokens, usage.cachedInputTokens),
        cache_read_tokens: usage.cachedInputTokens,
        output_tokens: usage.outputTokens,
      },
      model,
      { timestamp: new Date(at) },
    );
    return price?.total_price;
  } catch {
    // Usage that does not add up is priced like an unknown model rather than not at all.
    return undefined;
  }
}
