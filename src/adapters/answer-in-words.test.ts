import { expect, test } from "vitest";
import { answerInWords, promptInWords } from "./answer-in-words.ts";

test("an order without a schema is passed on as it is", () => {
  expect(promptInWords({ prompt: "Do it.", schema: undefined })).toBe("Do it.");
  const schema = { type: "object", properties: { status: { type: "string" } } };
  expect(promptInWords({ prompt: "Do it.", schema })).toMatch(/^Do it\.\n\n[\s\S]*"status"[^\n]*$/u);
});

test.each([
  ['{"a":1}', { a: 1 }],
  [' \n{"a":{"b":[1]}}\n', { a: { b: [1] } }],
  ['Here it is:\n```json\n{"a":1}\n```\nBye.', { a: 1 }],
  ['```\n{"a":1}\n```\n```json\n{"a":2}\n```', { a: 2 }],
  ['I looked.\n{\n  "a": {\n    "b": 1\n  }\n}', { a: { b: 1 } }],
  ['if (x) {\n  y();\n}\n{"a":1}', { a: 1 }],
])("in %j the answer is found", (text, answer) => {
  expect(answerInWords(text)).toEqual(answer);
});

test.each(["", "Done.", "[1]", "null", '"x"', '{"a":1} and more', '{"a":', "}{", "```json\noops\n```"])(
  "in %j there is none",
  (text) => {
    expect(answerInWords(text)).toBeUndefined();
  },
);
