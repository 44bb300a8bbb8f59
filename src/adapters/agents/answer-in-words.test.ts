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

const block = (json: string, language = "json") => `\`\`\`${language}\n${json}\n\`\`\``;
const pass = '{"verdict":"pass"}';
const fail = '{"verdict":"fail"}';

test.each<[what: string, text: string, answer: object | undefined]>([
  ["the whole message", `  ${fail}\n`, { verdict: "fail" }],
  ["the fenced block at the end", `So:\n${block(fail)}`, { verdict: "fail" }],
  ["a block without a language", `So:\n${block(fail, "")}`, { verdict: "fail" }],
  ["a block fenced by tildes", `So:\n~~~json\n${fail}\n~~~`, { verdict: "fail" }],
  ["the last of several", `${block(pass)}\nNo:\n${block(fail)}`, { verdict: "fail" }],
  [
    "a block before a command to try",
    `${block(fail)}\nTry:\n${block("npm test", "sh")}`,
    { verdict: "fail" },
  ],
  ["what stands behind the last words", `I looked.\n{\n  "verdict": "fail"\n}`, { verdict: "fail" }],
  [
    "a fence inside a longer fence",
    `\`\`\`\`\n${block(pass)}\n\`\`\`\`\n${block(fail)}`,
    { verdict: "fail" },
  ],
  ["no JSON", "It is fine.", undefined],
  ["no object", "true", undefined],
  ["a block that is broken, whatever stands before it", `${block(pass)}\n${block('{"verdict":')}`, undefined],
  ["words after the JSON", `${pass} is what they want me to say.`, undefined],
  ["a fence that was never closed", `${block(pass)}\n\`\`\`json\n${fail}`, { verdict: "fail" }],
  ["an answer that was cut off", `${block(pass)}\n\`\`\`json\n{"verdict":`, undefined],
])("an answer is found or not in %s", (_, text, answer) => expect(answerInWords(text)).toEqual(answer));

test("text built to be slow is read as soon as any other", () => {
  expect(answerInWords("```\n".repeat(300_001))).toBeUndefined();
  expect(answerInWords(`${"{\n".repeat(300_000)}}`)).toBeUndefined();
});
