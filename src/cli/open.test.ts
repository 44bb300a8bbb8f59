import { expect, test } from "vitest";
import { reachable } from "./open.ts";

test.each([
  ["http://127.0.0.1:3000", "http://127.0.0.1:3000"],
  ["http://0.0.0.0:3000", "http://127.0.0.1:3000"],
  ["http://:::3000", "http://[::1]:3000"],
  ["http://[::]:3000", "http://[::1]:3000"],
  ["http://::1:3000", "http://[::1]:3000"],
  ["http://fd00::7:3000", "http://[fd00::7]:3000"],
  ["http://forge.internal:3000", "http://forge.internal:3000"],
])("who serves at %s is reached at %s", (served, reached) => {
  expect(reachable(served)).toBe(reached);
});
