import { test } from "vitest";
import { killAtEach } from "./lives.ts";

/** What Linear is asked to write, and the commit that keeps what came of it; all else dies in the other test. */
const isOfLinear = (point: string): boolean =>
  / POST \/graphql (?:issue|comment|reaction|attachment)/.test(point);

test(
  "killed before and after every write to Linear, one card still ends the same, with one of everything",
  () => killAtEach("linear", isOfLinear),
  15 * 60_000,
);
