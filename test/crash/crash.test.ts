import { test } from "vitest";
import { killAtEach } from "./lives.ts";

test(
  "killed at every commit and every external write, one ticket still ends the same",
  () => killAtEach("github", () => true),
  // Hundreds of processes, one after the other in a few lanes: half an hour on a slow machine that does much else.
  60 * 60_000,
);
