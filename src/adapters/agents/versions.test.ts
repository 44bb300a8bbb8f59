import { expect, test } from "vitest";
import { isTested } from "./versions.ts";

const range = { from: "1.18.2", below: "1.20.0" };

test.each([
  ["1.18.2", true],
  ["1.18.33", true],
  ["1.19.0-beta.1", true],
  ["v1.19", true],
  ["1.18.1", false],
  ["1.20.0", false],
  ["1.9.9", false],
  ["2.0.0", false],
  ["0.99.0", false],
  ["unknown", false],
])("%s is tested: %s", (version, tested) => expect(isTested(version, range)).toBe(tested));
