import fc from "fast-check";
import { expect, test } from "vitest";
import { dependenciesIn, refOf } from "./depends-on.ts";

const home = { owner: "acme", name: "web" };
const refs = (text: string): string[] => dependenciesIn(text, home).map(refOf);

test.each([
  ["Depends on #7", ["acme/web#7"]],
  ["depends on: #7, #8 and acme/api#9", ["acme/web#7", "acme/web#8", "acme/api#9"]],
  ["- Blocked by https://github.com/acme/api/issues/3", ["acme/api#3"]],
  ["* **Blocked by**: https://ghe.example/acme/api/pull/3.", ["acme/api#3"]],
  ["Text.\n\nDepends on #1\nBlocked by #2\r\n", ["acme/web#1", "acme/web#2"]],
  ["Depends on #7 and ACME/WEB#7", ["ACME/WEB#7"]],
])("%j names what it waits for", (text, expected) => {
  expect(refs(text)).toEqual(expected);
});

test.each([
  "It depends on #7.",
  "Nobody depends on #7",
  "#7",
  "Depends on nothing",
  "Blocked bying #7",
  "Depends on #",
])("%j names nothing", (text) => {
  expect(refs(text)).toEqual([]);
});

test("any text is read, in time that grows with its length alone", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("Depends on ", "#", "7", "/", "a", "\n", " ", "-"), maxLength: 400 }),
      (text) => {
        expect(dependenciesIn(text, home).length).toBeLessThanOrEqual(20);
      },
    ),
  );
});
