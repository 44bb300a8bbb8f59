/** Numbers that would let a run wait for ever, or work for ever, are refused where a workflow writes them. */

/** What one timer of the platform can hold. */
const longestMs = 2 ** 31 - 1;

/** How many may be at work side by side: at least one, or any number. */
export function sideBySide(what: string, max: number): number {
  if (max === Infinity || (Number.isInteger(max) && max >= 1)) return max;
  throw new RangeError(`<${what}> needs a max of at least 1, not ${max}`);
}

/** Time to wait; what has passed already is due at once. */
export function finiteMs(what: string, name: string, ms: number): number {
  if (Number.isFinite(ms)) return ms;
  throw new RangeError(`${what} needs ${name} in milliseconds, not ${ms}`);
}

/** Time that something at work may take. */
export function limitMs(what: string, ms: number | undefined): number | undefined {
  if (ms === undefined || (ms > 0 && ms <= longestMs)) return ms;
  throw new RangeError(`${what} needs a timeoutMs above 0 and at most ${longestMs} (24 days), not ${ms}`);
}

/** How often something is tried again. */
export function timesAgain(what: string, retries: number): number {
  if (retries === Infinity || (Number.isInteger(retries) && retries >= 0)) return retries;
  throw new RangeError(`${what} needs a whole number of retries, not ${retries}`);
}
