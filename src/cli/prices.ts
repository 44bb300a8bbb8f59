import { join } from "node:path";
import type { Environment } from "../config-environment.ts";
import { readPrices } from "../config-prices.ts";
import type { Prices } from "../ports-agents.ts";
import { operatorsFile } from "./operators-file.ts";

/** What models cost by the operator's own word. Throws a `Problem` for a file that is wrong. */
export function ownPrices({ prices, dataDir }: Pick<Environment, "prices" | "dataDir">): Prices {
  const path = prices ?? join(dataDir, "prices.yml");
  return readPrices(path, operatorsFile(path, prices, "prices-wrong"));
}
