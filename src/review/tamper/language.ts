/** What is known of a language: how its tests, assertions and skips are written. Patterns see code without comments. */
export interface Language {
  readonly name: string;
  /** What begins a comment that goes to the end of the line. */
  readonly comment: readonly string[];
  readonly quotes: string;
  /** Text that runs over lines and is often used to take code out. */
  readonly block: RegExp;
  /** A line that begins a test. */
  readonly test: RegExp;
  /** A line that makes many tests of one. */
  readonly table: RegExp;
  readonly assertion: RegExp;
  /** Holds whatever the code does. */
  readonly vacuous: RegExp;
  /** Says only that something is there, or went without trouble. */
  readonly weak: RegExp;
  /** Says something of a part, or lets a range pass. */
  readonly partial: RegExp;
  /** Takes a test out of the run, in code whose strings are empty. */
  readonly skip: RegExp;
  /** The same where it takes the strings to see it. */
  readonly skipRaw?: RegExp;
  /** Lets only some tests run. */
  readonly focus?: RegExp;
  /** The assertion fails, and the run does not hear of it. */
  readonly swallow: RegExp;
  readonly tries: RegExp;
  readonly catches: RegExp;
  /** A function by name, in tests as in sources; the name is the first group that matched. */
  readonly declares: RegExp;
  /** A double of this name stands in; the name is the first group that matched. */
  readonly double: RegExp;
}

/** No language: a pattern that nothing fits. */
export const never = /(?!)/u;
