import { z } from "zod";
import { readYaml } from "./config-yaml.ts";
import type { Prices } from "./ports-agents.ts";
import { Problem } from "./problems.ts";

const perMillion = z.number().min(0).max(100_000);
const file = z.record(
  z.string().min(1).max(200),
  z.strictObject({
    input: perMillion,
    cached: perMillion.optional(),
    cache_write: perMillion.optional(),
    output: perMillion,
  }),
  { error: "models by name, each with `input` and `output` in dollars per million tokens" },
);

/** Reads the operator's prices; throws a `Problem` with the place of what is wrong. Undefined: there is no such file. */
export function readPrices(path: string, text: string | undefined): Prices {
  if (text === undefined) return new Map();
  const read = readYaml(file, text);
  if ("problems" in read) {
    const [first] = read.problems;
    const place = first === undefined ? "" : `:${first.line}:${first.column}`;
    throw new Problem("prices-wrong", { path: path + place, why: first?.message ?? "it is malformed" });
  }
  return new Map(
    // A maker who says nothing of a cache charges for it like the rest.
    Object.entries(read.value).map(([model, { input, cached = input, cache_write: cacheWrite, output }]) => [
      model,
      { input, cached, ...(cacheWrite === undefined ? {} : { cacheWrite }), output },
    ]),
  );
}
