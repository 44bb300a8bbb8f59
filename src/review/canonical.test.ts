import { expect, test } from "vitest";
import { canonical, digest } from "./canonical.ts";

test("keys are sorted at every depth, lists keep their order, and nothing is spaced", () => {
  expect(canonical({ b: [2, 1, { d: null, c: "x" }], a: true })).toBe(
    '{"a":true,"b":[2,1,{"c":"x","d":null}]}',
  );
});

test("the same value has one hash, however it was written", () => {
  expect(digest({ a: 1, b: { c: 2, d: 3 } })).toBe(digest(JSON.parse('{"b":{"d":3,"c":2},"a":1.0}')));
  expect(digest({ a: 1 })).not.toBe(digest({ a: "1" }));
});

test.each([[undefined], [Number.NaN], [() => 1], [{ a: undefined }], [1n]])(
  "what JSON cannot say has none: %s",
  (value) => {
    expect(() => canonical(value)).toThrow("canonical JSON");
  },
);
