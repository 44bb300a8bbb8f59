import { findAddedSecrets } from "./added-secrets.ts";
import { parseDiff } from "./diff.ts";
import { findTooLarge, type SizeLimits } from "./diff-size.ts";
import { findGenerated } from "./generated.ts";
import { protectedReasons } from "./protected-paths.ts";
import { findTampering } from "./tamper/find.ts";
import { sayHit, type Hit } from "./tamper/hit.ts";

export interface GateRules {
  readonly protectedPaths: readonly string[];
  readonly largest: SizeLimits;
  /** `.gitattributes` as it is without the change. */
  readonly attributes: string | undefined;
}

/** A list that nobody reads to its end is cut here. */
const mostReasons = 40;

/** What no model has to judge: why this change takes a person, each reason with its place. Empty when nothing does. */
export async function needsPerson(diff: string, rules: GateRules): Promise<readonly string[]> {
  const files = parseDiff(diff);
  const hits = await gateHits(diff, rules);
  const reasons = [...new Set([...hits.map(sayHit), ...protectedReasons(files, rules.protectedPaths)])];
  if (reasons.length <= mostReasons) return reasons;
  return [...reasons.slice(0, mostReasons), `and ${reasons.length - mostReasons} more`];
}

/** Each sign by its rule and place; what only takes a look at a path is not among them. */
export async function gateHits(
  diff: string,
  rules: Omit<GateRules, "protectedPaths">,
): Promise<readonly Hit[]> {
  const files = parseDiff(diff);
  return [
    ...(await findAddedSecrets(diff, files)),
    ...findTampering(files),
    ...findGenerated(files, rules.attributes),
    ...findTooLarge(files, rules.largest),
  ];
}
