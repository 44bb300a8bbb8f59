import { test } from "vitest";
import { killAtEach } from "./lives.ts";

test(
  "killed at every commit and every external write, one ticket still ends the same",
  () => killAtEach("github", () => true),
  15 * 60_000,
);
