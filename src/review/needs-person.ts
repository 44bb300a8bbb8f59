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
  const { first, signs } = await hitsIn(diff, rules);
  // No number of small signs may push what stands first off the list.
  const reasons = [
    ...new Set([
      ...first.map(sayHit),
      ...protectedReasons(files, rules.protectedPaths),
      ...signs.map(sayHit),
    ]),
  ];
  if (reasons.length <= mostReasons) return reasons;
  return [...reasons.slice(0, mostReasons), `and ${reasons.length - mostReasons} more`];
}

/** Each sign by its rule and place; what only takes a look at a path is not among them. */
export async function gateHits(
  diff: string,
  rules: Omit<GateRules, "protectedPaths">,
): Promise<readonly Hit[]> {
  const { first, signs } = await hitsIn(diff, rules);
  return [...first, ...signs];
}

async function hitsIn(diff: string, rules: Omit<GateRules, "protectedPaths">) {
  const files = parseDiff(diff);
  return {
    first: [...(await findAddedSecrets(diff, files)), ...findTooLarge(files, rules.largest)],
    signs: [...findTampering(files), ...findGenerated(files, rules.attributes)],
  };
}
