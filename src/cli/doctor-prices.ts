import type { Environment } from "../config-environment.ts";
import type { RepoConfig } from "../config.ts";
import type { Prices } from "../ports-agents.ts";
import { tableDay, usdOf } from "../pricing.ts";
import { Problem } from "../problems.ts";
import { ownPrices } from "./prices.ts";
import { ok, warn, type Finding } from "./doctor-finding.ts";

const dayMs = 24 * 60 * 60_000;
/** Prices move; half a year is long. */
const oldDays = 180;
const some = {
  inputTokens: 1_000,
  cachedInputTokens: 0,
  outputTokens: 1_000,
  reasoningTokens: 0,
  usd: undefined,
};

/** Whether what each named model costs is known, and how old the table is that knows. */
export function checkPrices(
  environment: Environment,
  configs: readonly RepoConfig[],
  now: number,
): readonly Finding[] {
  let own: Prices;
  try {
    own = ownPrices(environment);
  } catch (error) {
    // A wrong file is told where the operator's files are looked at.
    if (error instanceof Problem) return [];
    throw error;
  }
  const models = namedModels(environment, configs);
  const unknown = models.filter((model) => usdOf(some, model, now, own).source === "guess");
  const age = Math.floor((now - Date.parse(tableDay)) / dayMs);
  return [
    unknown.length === 0
      ? ok(`prices are known of ${models.length === 0 ? "the runtimes' own models" : models.join(", ")}`)
      : warn(
          `nobody knows what ${unknown.join(", ")} costs: it is counted as dear as the dearest`,
          `name its prices in prices.yml in the data folder, or in the file that FORGEHAND_PRICES names:\n${unknown.map((model) => `  ${JSON.stringify(model)}: { input: 3, output: 15 }`).join("\n")}`,
        ),
    age > oldDays
      ? warn(
          `the table of prices is ${age} days old (${tableDay})`,
          "take a newer forgehand, or name prices of your own with FORGEHAND_PRICES",
        )
      : ok(`the table of prices is of ${tableDay}`),
  ];
}

/** Every model that configuration names, wherever it does. */
export function namedModels(
  { summary }: Pick<Environment, "summary">,
  configs: readonly RepoConfig[],
): readonly string[] {
  const tiers = configs.flatMap(({ runtime }) =>
    Object.values(runtime.tiers).flatMap((ways) =>
      Object.values(ways ?? {}).flatMap((way) => way?.model ?? []),
    ),
  );
  const fixed = configs.flatMap(({ runtime }) => Object.values(runtime.models));
  return [...new Set([...fixed, ...tiers, ...(summary?.model === undefined ? [] : [summary.model])])];
}
