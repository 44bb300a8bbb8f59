import { calcPrice } from "@pydantic/genai-prices";
import type { PricePerMillion, Prices, Usage } from "./ports-agents.ts";

/** The package's data is dated by its version, which is kept with every price. */
const tableVersion = "genai-prices 0.1.8";
/** The day on which that version was published. */
export const tableDay = "2026-09-23";

/** Dollars per million tokens for a model nobody knows: the dearest of the large models, so that a cap errs early. */
const guess = { input: 30, cached: 30, cacheWrite: 37.5, output: 180 } as const;

export interface Price {
  readonly usd: number;
  /** The `operator` named it, the `runtime` said it, the `table` knew it, or it is a `guess` and flagged as one; never silently zero. */
  readonly source: "operator" | "runtime" | "table" | "guess";
  readonly version: string;
}

/** What this usage costs. The operator's own price wins, then what the runtime reports; an unknown model is priced high. */
export function usdOf(usage: Usage, model: string | undefined, at: number, prices?: Prices): Price {
  const own = model === undefined ? undefined : prices?.get(model);
  if (own !== undefined) return { usd: dollarsAt(own, usage), source: "operator", version: "operator" };
  if (usage.usd !== undefined) return { usd: usage.usd, source: "runtime", version: "runtime" };
  const known = model === undefined ? undefined : fromTable(usage, model, at);
  if (known !== undefined) return { usd: known, source: "table", version: tableVersion };
  return { usd: dollarsAt(guess, usage), source: "guess", version: "guess 1" };
}

/** What this usage costs at these prices. */
export function dollarsAt(price: PricePerMillion, usage: Usage): number {
  const { input, cached, cacheWrite = input, output } = price;
  const { cachedInputTokens: read, cacheWriteTokens: written = 0 } = usage;
  const fresh = Math.max(0, usage.inputTokens - read - written);
  return (fresh * input + read * cached + written * cacheWrite + usage.outputTokens * output) / 1e6;
}

function fromTable(usage: Usage, model: string, at: number): number | undefined {
  const { cachedInputTokens: read, cacheWriteTokens: written = 0 } = usage;
  try {
    const price = calcPrice(
      {
        input_tokens: Math.max(usage.inputTokens, read + written),
        cache_read_tokens: read,
        cache_write_tokens: written,
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
