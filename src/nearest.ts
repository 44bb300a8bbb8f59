import { closest, distance } from "fastest-levenshtein";

/** The known word a person most likely meant; undefined when none is near enough to be worth naming. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word === "" || known.length === 0) return undefined;
  const near = closest(word, known);
  return distance(word, near) <= Math.max(2, Math.floor(near.length / 3)) ? near : undefined;
}
